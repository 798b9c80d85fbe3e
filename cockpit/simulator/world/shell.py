"""The programs that the world's pods can run."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.simulator.world.values import Obj, name_of
from cockpit.simulator.world.world import World


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
    }
    missing = Result(err=f'exec: "{argv[0]}": executable file not found in $PATH\n', code=127)
    return simple.get(program, missing)


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
        shown = b""
        for byte in data:
            letter = bytes([byte])
            if letter in (b"\r", b"\n"):
                shown += (b"\r\n" if self._tty else b"") + self._run()
            elif letter == b"\x04" and not self._line:
                self.ended = True
            else:
                self._line += letter
                shown += letter if self._tty else b""
        return shown

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
        self.code = result.code
        text = (result.out + result.err).encode()
        return (text.replace(b"\n", b"\r\n") if self._tty else text) + self.prompt()
