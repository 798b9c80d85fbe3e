"""The user's own programs: argv without a shell, an environment of their own, killed with all their children."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import hashlib
import os
import shutil
import signal
import stat
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound
from cockpit.model.outside import ProgramResult
from cockpit.model.text import clean, clean_lines

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "KUBECONFIG", "TMPDIR", "USER")
MOST_OUTPUT = 64 * 1024
GRACE_S = 2.0

Say = Callable[[str], Awaitable[None]]


class Programs:
    """Runs programs in `directory`, where relative paths of argv are looked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def inspect(self, argv: Sequence[str]) -> str:
        """The SHA-256 of the program; raises NotFound, and Denied when others than its owner could change it."""
        path = self._find(argv[0])
        for place in (path, path.parent):
            if place.stat().st_mode & stat.S_IWOTH and not place.stat().st_mode & stat.S_ISVTX:
                raise Denied(f"{clean(str(place))} can be written by everybody", f"chmod o-w {clean(str(place))}")
        if not os.access(path, os.X_OK):
            raise Denied(f"{clean(str(path))} is not executable", f"chmod u+x {clean(str(path))}")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def _find(self, name: str) -> Path:
        found = name if os.path.isabs(name) else shutil.which(name) if "/" not in name else self._directory / name
        if not found or not Path(found).is_file():
            raise NotFound(f"The program {clean(name)} does not exist", f"Looked in {clean(str(self._directory))}.")
        return Path(found).resolve()

    async def run(self, argv: Sequence[str], environ: Mapping[str, str], deadline: float, say: Say) -> ProgramResult:
        """Run it and say each line of its output; raises DeadlineExceeded when it had to be killed."""
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                str(self._find(argv[0])),
                *argv[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**passed, **environ},
                cwd=self._directory,
                start_new_session=True,
            )
        except OSError as error:
            raise BadAnswer(f"{clean(argv[0])} cannot be started: {error.strerror}", "Run it by hand once.") from error
        try:
            async with asyncio.timeout(deadline):
                output = await _follow(process, say)
                await process.wait()
        except TimeoutError as error:
            message = f"{clean(argv[0])} did not end within {deadline:.0f} s and was killed"
            raise DeadlineExceeded(message, "Look at what it has done before you go on.") from error
        finally:
            await _kill_all(process)
        return ProgramResult(process.returncode if process.returncode is not None else -1, output)


async def _follow(process: asyncio.subprocess.Process, say: Say) -> str:
    """The last of the output, cleaned; each whole line is said."""
    assert process.stdout is not None
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    kept, rest = "", ""
    while chunk := await process.stdout.read(8192):
        text = decoder.decode(chunk)
        kept = (kept + text)[-MOST_OUTPUT:]
        *lines, rest = (rest + text)[-MOST_OUTPUT:].split("\n")
        if lines and lines[-1].strip():
            await say(clean(lines[-1], 300))
    return clean_lines(kept, MOST_OUTPUT)


async def _kill_all(process: asyncio.subprocess.Process) -> None:
    """End the whole process group: a grandchild would keep the pipe open."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
