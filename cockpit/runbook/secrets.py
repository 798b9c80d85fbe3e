"""Values that are never written down: read from the environment or a file when they are needed."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from cockpit.errors import SecretMissing
from cockpit.runbook.schema import Secret

_MAX_BYTES = 65_536


class SecretStore:
    """Finds the secrets that a runbook declares; nothing is kept."""

    def __init__(self, secrets: Mapping[str, Secret], environ: Mapping[str, str] = os.environ) -> None:
        self._secrets = secrets
        self._environ = environ

    def get(self, name: str) -> SecretStr:
        """The first value among the secret's environment variables and its file; raises SecretMissing."""
        secret = self._secrets.get(name)
        if secret is None:
            raise SecretMissing(f"The runbook declares no secret {name}.", f"Add {name} under `secrets:`.")
        for alias in secret.env:
            if value := self._environ.get(alias):
                return SecretStr(value)
        if secret.file:
            return _from_file(name, Path(secret.file).expanduser())
        tried = " or ".join(secret.env)
        raise SecretMissing(f"The secret {name} has no value: {tried} is not set.", f"Set {tried} and try again.")

    def missing(self) -> tuple[str, ...]:
        """The declared secrets that `get` would not find."""
        return tuple(name for name in self._secrets if not self._found(name))

    def _found(self, name: str) -> bool:
        try:
            self.get(name)
        except SecretMissing:
            return False
        return True


def _from_file(name: str, path: Path) -> SecretStr:
    try:
        # O_NONBLOCK: a pipe in place of the file must not stop the run.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            _refuse_open_file(name, path, os.fstat(descriptor).st_mode)
            value = file.read(_MAX_BYTES).decode()
    except OSError as error:
        message = f"The secret {name} cannot be read from {path}: {error.strerror}."
        raise SecretMissing(message, "Write the value to that file, mode 0600.") from error
    except UnicodeDecodeError:
        # The error holds the bytes of the secret: it must not become the cause of another one.
        value = ""
    value = value.removesuffix("\n")
    if not value:
        raise SecretMissing(f"The secret {name} has no value in {path}.", "Write the value to that file as one line.")
    return SecretStr(value)


def _refuse_open_file(name: str, path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise SecretMissing(f"The secret {name} is not read from {path}: it is not a file.", "Name a plain file.")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        message = f"The secret {name} is not read from {path}: others than its owner may use the file."
        raise SecretMissing(message, f"Run `chmod 600 {path}`, and renew the secret if others could read it.")
