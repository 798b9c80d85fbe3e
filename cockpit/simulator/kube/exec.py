"""`pods/exec` over WebSocket, subprotocols v5 and v4."""

from __future__ import annotations

import json
from contextlib import suppress

from aiohttp import WSMsgType, web

from cockpit.simulator.faults import Fault
from cockpit.simulator.kube.redis_cli import PROGRAM, RedisCli
from cockpit.simulator.kube.request import Actor
from cockpit.simulator.kube.status import ApiError
from cockpit.simulator.world.shell import Result, Shell, is_redis, run_argv
from cockpit.simulator.world.values import Obj, dig, name_of
from cockpit.simulator.world.world import World

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _CLOSE = 0, 1, 2, 3, 255


class Exec:
    """Runs commands in the world's pods."""

    def __init__(self, world: World, redis_cli: RedisCli | None = None) -> None:
        """With `redis_cli` the pods' redis-cli is a real one."""
        self._world = world
        self._redis_cli = redis_cli

    async def serve(self, request: web.Request, pod: Obj, actor: Actor) -> web.StreamResponse:
        """Answer one exec request; raises ApiError 400 for what cannot be started."""
        argv = request.query.getall("command", [])
        if not argv:
            raise ApiError(400, "you must specify at least one command for the container")
        if dig(pod, "status", "phase") != "Running":
            phase = dig(pod, "status", "phase", default="Pending")
            raise ApiError(400, f"cannot exec into a container in a {phase} pod; current phase is {phase}")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise ApiError(400, "Upgrade request required: exec is served over WebSocket")
        socket = web.WebSocketResponse(protocols=PROTOCOLS)
        await socket.prepare(request)
        strike = self._world.faults.strike("exec", self._world.cluster.now)
        if strike and strike.mode == "close":
            await socket.close()
            return socket
        await self._delay(strike)
        self._record(pod, argv, actor)
        if strike and strike.mode == "lose":
            await self._result(pod, argv)
            await socket.close()
            return socket
        # A client that goes away has no use for the rest.
        with suppress(ConnectionError):
            await self._run(request, socket, pod, argv)
        await socket.close()
        return socket

    def _record(self, pod: Obj, argv: list[str], actor: Actor) -> None:
        self._world.record.add("exec", f"pods/{name_of(pod)}", actor.user, argv=argv, agent=actor.agent)

    async def _delay(self, strike: Fault | None) -> None:
        if strike and strike.mode == "delay":
            await self._world.sleep(strike.delay)

    async def _run(self, request: web.Request, socket: web.WebSocketResponse, pod: Obj, argv: list[str]) -> None:
        tty = request.query.get("tty") == "true"
        if argv[0].rsplit("/", 1)[-1] in ("sh", "bash") and "-c" not in argv:
            code = await self._shell(socket, Shell(self._world, pod, tty)) if _wants_input(request) else 0
        else:
            result = await self._result(pod, argv)
            await self._send(socket, result, tty)
            code = result.code
        await socket.send_bytes(bytes([_ERROR]) + json.dumps(_status(code)).encode())

    async def _result(self, pod: Obj, argv: list[str]) -> Result:
        if self._redis_cli and argv[0].rsplit("/", 1)[-1] == PROGRAM and is_redis(self._world, pod):
            return await self._redis_cli.run(argv[1:])
        return run_argv(self._world, pod, argv)

    async def _shell(self, socket: web.WebSocketResponse, shell: Shell) -> int:
        await socket.send_bytes(bytes([_STDOUT]) + shell.prompt())
        async for message in socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == _CLOSE and data[:1] == bytes([_STDIN]):
                break
            if channel == _STDIN:
                await socket.send_bytes(bytes([_STDOUT]) + shell.feed(data))
            if shell.ended:
                break
        return shell.code

    async def _send(self, socket: web.WebSocketResponse, result: Result, tty: bool) -> None:
        out, err = result.out.encode(), result.err.encode()
        if tty:
            out, err = (out + err).replace(b"\n", b"\r\n"), b""
        for channel, data in ((_STDOUT, out), (_STDERR, err)):
            if data:
                await socket.send_bytes(bytes([channel]) + data)


def _wants_input(request: web.Request) -> bool:
    return request.query.get("stdin") == "true"


def _status(code: int) -> Obj:
    """The last message: success, or the exit code as a cause."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
