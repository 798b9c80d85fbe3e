"""The real redis-cli in place of the simulated one, against a Redis that the caller names."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.simulator.world.shell import Result

PROGRAM = "redis-cli"
_OPTIONS = {"-n": 1, "--user": 1, "--no-auth-warning": 0, "--raw": 0, "--no-raw": 0, "-e": 0, "-2": 0, "-3": 0}
"""The options that a pod may use, each with the number of its values: none that name another server, or a file."""


@dataclass(frozen=True, slots=True)
class RedisCli:
    """Runs `redis-cli` and nothing else. `environ` is that of the pod, such as REDISCLI_AUTH."""

    host: str
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)

    async def run(self, words: Sequence[str]) -> Result:
        """What redis-cli prints, and its exit code; 126 for an option that is not allowed."""
        at = 0
        while at < len(words) and words[at].startswith("-"):
            if words[at] not in _OPTIONS:
                return Result(err=f"the simulator does not pass {words[at]} to redis-cli\n", code=126)
            at += 1 + _OPTIONS[words[at]]
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            "-h",
            self.host,
            "-p",
            str(self.port),
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), **self.environ},
        )
        out, err = await process.communicate()
        return Result(out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), process.returncode or 0)
