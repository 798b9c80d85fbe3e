"""The engine's log: bounded, in two generations, with everything that its process prints."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from cockpit.errors import CockpitError, without_values
from cockpit.journal.filesystem import private_file
from cockpit.model.text import clean_lines

LARGEST = 4 * 1024 * 1024
"""Bytes of one generation; the one before is kept beside it as `engine.log.1`."""
_STDOUT, _STDERR = 1, 2
# At INFO these write whole URLs, and a webhook's URL is a secret.
_TELL_URLS = ("httpx", "httpcore", "aiohttp", "aiosmtpd", "mail.log", "kubernetes")


class ProcessLog(logging.Handler):
    """Writes to this process's own stderr, and turns the file under it when that has grown too large.

    A handler with a descriptor of its own would leave what the interpreter or a library prints in the old file for
    ever; here both always go to the same one.
    """

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        super().__init__()
        self._path = path
        self._largest = largest
        self.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a disk that refuses it stops nothing."""
        with suppress(OSError, CockpitError):
            os.write(_STDERR, self.format(record).encode("utf-8", "replace") + b"\n")
            self._turn()

    def _turn(self) -> None:
        here = os.fstat(_STDERR)
        if here.st_size < self._largest or not os.path.samestat(here, self._path.stat()):
            return
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        fresh = private_file(self._path, os.O_WRONLY | os.O_APPEND)
        os.dup2(fresh, _STDOUT)
        os.dup2(fresh, _STDERR)
        os.close(fresh)


class _Formatter(logging.Formatter):
    """One clean line a record; a traceback without messages and values, which may quote a secret."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None
        return clean_lines(super().format(record))

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return without_values(error) if isinstance(error, BaseException) else ""


def log_to(path: Path) -> None:
    """Let this process's log go to its stderr, which is the file at `path`."""
    logging.basicConfig(handlers=[ProcessLog(path)], level=logging.INFO, force=True)
    for name in _TELL_URLS:
        logging.getLogger(name).setLevel(logging.WARNING)
