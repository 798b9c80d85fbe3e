"""The programs that the world's pods can run."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cockpit.simulator.world.application import answer_from
from cockpit.simulator.world.values import Obj, name_of
from cockpit.simulator.world.world import World

_MISSING = 127


@dataclass(frozen=True, slots=True)
class Result:
    """What a program printed, and its exit code."""

    out: str = ""
    err: str = ""
    code: int = 0


def run_argv(world: World, pod: Obj, argv: list[str]) -> Result:
    """Run a program in a pod; 127 for one that is not there."""
    program, words = argv[0].rsplit("/", 1)[-1], argv[1:]
    if program == "redis-cli" and is_redis(world, pod):
        return _redis(world, words)
    if program in ("sh", "bash") and words[:1] == ["-c"]:
        return run_argv(world, pod, words[1].split()) if words[1:] and words[1].split() else Result()
    simple = {
        "true": Result(),
        "false": Result(code=1),
        "echo": Result(" ".join(words) + "\n"),
        "hostname": Result(name_of(pod) + "\n"),
        "env": Result(f"HOSTNAME={name_of(pod)}\nNODE_ENV=production\n"),
        "ls": Result("bin\netc\nsrv\ntmp\n"),
        "pwd": Result("/\n"),
        "whoami": Result("node\n"),
    }
    if program in ("wget", "curl"):
        return _fetch(world, pod, words)
    missing = Result(err=f'exec: "{argv[0]}": executable file not found in $PATH\n', code=_MISSING)
    return simple.get(program, missing)


def _fetch(world: World, pod: Obj, words: list[str]) -> Result:
    """An HTTP request to the pod itself, as `wget -qO- localhost:3000/health` makes it."""
    place = next((word for word in reversed(words) if not word.startswith("-")), "").removeprefix("http://")
    host, _, path = place.partition("/")
    name, _, port = host.partition(":")
    if name not in ("localhost", "127.0.0.1") or (port or "80") != str(world.spec.port):
        return Result(err=f"can't connect to remote host ({host}): Connection refused\n", code=1)
    status, body = answer_from(world, [pod], f"/{path}")
    if status >= 400:
        return Result(err=f"server returned error: HTTP/1.1 {status}\n", code=1)
    return Result(json.dumps(body) + "\n")


def is_redis(world: World, pod: Obj) -> bool:
    """Whether it is the Redis pod."""
    return bool(pod["metadata"]["labels"].get("app") == world.spec.redis)


def _redis(world: World, words: list[str]) -> Result:
    while words and words[0].startswith("-"):
        takes_value = words[0] in ("-h", "-p", "-a", "-n", "-u", "--user")
        words = words[2:] if takes_value else words[1:]
    flushes = world.redis.flushes
    answer = world.redis.command(words, world.cluster.now)
    if world.redis.flushes > flushes:
        world.record.add("redis_flush", world.spec.redis, command=words)
    # Like the real one: an error that the server answers is printed, and the exit code is 0.
    return Result(answer + "\n")


class Shell:
    """A very small interactive shell: it runs the programs above, line by line."""

    def __init__(self, world: World, pod: Obj, tty: bool) -> None:
        self._world = world
        self._pod = pod
        self._tty = tty
        self._line = b""
        self.code = 0
        self.ended = False

    def prompt(self) -> bytes:
        """What is printed before each line."""
        return b"/ $ " if self._tty else b""

    def feed(self, data: bytes) -> bytes:
        """Take input and return what is printed."""
        return b"".join(self._take(bytes([byte])) for byte in data if not self.ended)

    def _take(self, letter: bytes) -> bytes:
        if letter in (b"\r", b"\n"):
            return (b"\r\n" if self._tty else b"") + self._run()
        if letter == b"\x04":
            self.ended = not self._line
            return b""
        if letter in (b"\x7f", b"\b") and self._tty:
            erased, self._line = self._line[-1:], self._line[:-1]
            return b"\b \b" if erased else b""
        if letter == b"\x03" and self._tty:
            self._line, self.code = b"", 130
            return b"^C\r\n" + self.prompt()
        self._line += letter
        return letter if self._tty else b""

    def _run(self) -> bytes:
        words = self._line.decode(errors="replace").split()
        self._line = b""
        if not words:
            return self.prompt()
        if words[0] == "exit":
            self.ended = True
            self.code = int(words[1]) if words[1:] and words[1].isdigit() else self.code
            return b""
        result = run_argv(self._world, self._pod, words)
        if result.code == _MISSING:
            result = Result(err=f"/bin/sh: {words[0]}: not found\n", code=_MISSING)
        self.code = result.code
        text = (result.out + result.err).encode()
        return (text.replace(b"\n", b"\r\n") if self._tty else text) + self.prompt()
