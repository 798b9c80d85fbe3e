"""How the user is logged in to a registry, as Docker and Podman keep it.

Source: containers-auth.json(5); the `config.json` of the Docker CLI; the protocol of docker-credential-helpers: a
program `docker-credential-NAME get` reads the registry's address and prints its credentials as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from cockpit.adapters import plugins
from cockpit.adapters.registry.reference import DOCKER_HUB, ImageReference
from cockpit.model.text import clean

HELPER_DEADLINE = plugins.DEADLINE
"""Seconds that a credential helper may take."""

_HUB_NAMES = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")
_HUB_ADDRESS = "https://index.docker.io/v1/"
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_NO_SECRET_HELD = "credentials not found"
_FOR_HELPERS = ("DOCKER_CONFIG", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME", "PASSWORD_STORE_DIR", "ECR_REGION")
_LARGEST_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Credentials for one registry: a password, or a token that is traded for one (`identity`) or used as it is."""

    source: str
    user: str = ""
    password: SecretStr | None = None
    identity: SecretStr | None = None
    bearer: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What the user's files gave for a registry; `problem` says why something in them could not be used."""

    login: RegistryLogin | None = None
    problem: str = ""


async def find_login(image: ImageReference, environ: Mapping[str, str]) -> Search:
    """The first login for an image in the user's files; never raises, because many images need none."""
    problems: list[str] = []
    for path in auth_files(environ):
        config = await asyncio.to_thread(_read, path, problems)
        found = await _from_helpers(config, image, environ, problems) or _from_entries(config, image, str(path))
        if found is not None:
            return Search(found)
    return Search(None, "; ".join(problems))


def auth_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where logins are looked for, in order. `REGISTRY_AUTH_FILE` stands alone, as it does for Podman."""
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
        return
    home = Path(environ.get("HOME") or Path.home())
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json"


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(_LARGEST_FILE))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not JSON"
        problems.append(f"{clean(str(path))} cannot be read: {why}")
        return {}
    return value if isinstance(value, dict) else {}


async def _from_helpers(
    config: Mapping[str, Any], image: ImageReference, environ: Mapping[str, str], problems: list[str]
) -> RegistryLogin | None:
    """What the helper for this registry, or the one for all, has."""
    for helper in (_entry(config.get("credHelpers"), image), config.get("credsStore")):
        if isinstance(helper, str) and helper and (found := await _ask(helper, image, environ, problems)):
            return found
    return None


async def _ask(
    helper: str, image: ImageReference, environ: Mapping[str, str], problems: list[str]
) -> RegistryLogin | None:
    program = f"docker-credential-{clean(helper, 60)}"
    address = _HUB_ADDRESS if image.host == DOCKER_HUB else image.host
    try:
        if not _HELPER.match(helper):
            raise plugins.PluginFailed("that is not the name of a helper")
        seen = plugins.passed_on(environ, *_FOR_HELPERS)
        output = await plugins.run([program, "get"], seen, f"{address}\n".encode(), HELPER_DEADLINE)
    except plugins.PluginFailed as error:
        problems.append(f"{program} gave no credentials: {clean(str(error), 200)}")
        return None
    found = _answer(output, program)
    if found is None and _NO_SECRET_HELD.encode() not in output.out + output.err:
        # Its output may be half a secret: only the error stream is quoted.
        why = clean(output.err.decode("utf-8", "replace").strip(), 200) or f"exit code {output.code}"
        problems.append(f"{program} gave no credentials: {why}")
    return found


def _answer(output: plugins.Output, program: str) -> RegistryLogin | None:
    value = _json(output.out) if output.code == 0 else None
    secret, user = (value.get(key) for key in ("Secret", "Username")) if isinstance(value, dict) else (None, None)
    if not isinstance(secret, str) or not secret:
        return None
    if user == "<token>":
        return RegistryLogin(program, identity=SecretStr(secret))
    return RegistryLogin(program, str(user or ""), SecretStr(secret))


def _from_entries(config: Mapping[str, Any], image: ImageReference, source: str) -> RegistryLogin | None:
    entry = _entry(config.get("auths"), image)
    if not isinstance(entry, dict):
        return None
    user, password = _pair(entry)
    tokens = {key: SecretStr(str(entry[key])) for key in ("identitytoken", "registrytoken") if entry.get(key)}
    if not password and not tokens:
        return None
    secret = SecretStr(password) if password else None
    return RegistryLogin(clean(source), user, secret, tokens.get("identitytoken"), tokens.get("registrytoken"))


def _pair(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The user and the password of an entry, which has them apart, or together in base64."""
    try:
        user, _, password = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode().partition(":")
    except ValueError:
        user, password = "", ""
    return str(entry.get("username") or user), str(entry.get("password") or password).rstrip("\0")


def _entry(entries: Any, image: ImageReference) -> Any:
    """The entry for the image's repository, or for the nearest namespace above it, or for its host."""
    if not isinstance(entries, dict):
        return None
    known = {_place(key): value for key, value in entries.items()}
    parts = image.name.split("/")
    places = ["/".join([image.host, *parts[:count]]) for count in range(len(parts), -1, -1)]
    return next((known[place] for place in places if place in known), None)


def _place(key: str) -> str:
    """What a key names: Docker writes hosts also as URLs with a version, and Docker Hub by an old name."""
    scheme, _, rest = key.rpartition("://")
    host, slash, path = rest.rstrip("/").partition("/")
    host = DOCKER_HUB if host in _HUB_NAMES else host
    return host if scheme or path in ("", "v1", "v2") else f"{host}{slash}{path}"


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
