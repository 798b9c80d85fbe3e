"""Credential plugins: small programs of the user's that print a secret, run without a shell and under a deadline."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

DEADLINE = 10.0
"""Seconds that a credential plugin may take."""

_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PASSED_ON_PREFIXES = ("LC_", "XDG_", "AWS_", "AZURE_", "ARM_", "AAD_", "GOOGLE_", "CLOUDSDK_", "KUBE", "OCI_", "TSH_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Output:
    """What a plugin printed; `out` may be a secret and is never shown."""

    code: int
    out: bytes
    err: bytes


class PluginFailed(Exception):
    """The plugin could not be started, or gave nothing in time; the text has nothing of its output."""


def passed_on(environ: Mapping[str, str], *more: str) -> dict[str, str]:
    """What a plugin sees of our environment: an allow-list, and the names in `more`."""
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED_ON or name in _PROXIES or name in more or name.startswith(_PASSED_ON_PREFIXES)
    }


async def run(
    argv: Sequence[str], environ: Mapping[str, str], given: bytes = b"", deadline: float = DEADLINE
) -> Output:
    """Run a plugin that reads `given`; raises PluginFailed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environ),
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise PluginFailed(str(error)) from error
    try:
        async with asyncio.timeout(deadline):
            out, err = await process.communicate(given or None)
    except (TimeoutError, asyncio.CancelledError) as error:
        await _end(process)
        if isinstance(error, asyncio.CancelledError):
            raise
        raise PluginFailed(f"it gave nothing within {deadline:g} s") from error
    return Output(process.returncode if process.returncode is not None else -1, out, err)


async def _end(process: asyncio.subprocess.Process) -> None:
    # The whole group: a plugin is often a script, and its children keep the pipes open when it is gone.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
