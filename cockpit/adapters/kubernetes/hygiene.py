"""The kubeconfig itself: which server it names, who it says we are, and what makes it unsafe. Nothing is sent.

Source: "Organizing Cluster Access Using kubeconfig Files" (a crafted file can run programs); RFC 5280, 4.1; RFC 7519.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cockpit.adapters.kubernetes import kubeconfig
from cockpit.adapters.kubernetes.certificate import subject_of
from cockpit.adapters.kubernetes.resource import Json, mapping, text
from cockpit.model.text import clean

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Danger:
    """Something in a kubeconfig that could send credentials, or this process, where nobody wants it."""

    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One context of the kubeconfig. `ca_sha256` is empty when the system's certificates decide whom to trust.

    `user` is who the credentials say we are and `expires` when they end, as far as a certificate or token tells.
    """

    context: str
    server: str
    ca_sha256: str
    files: tuple[Path, ...]
    user: str = ""
    groups: tuple[str, ...] = ()
    expires: datetime | None = None
    dangers: tuple[Danger, ...] = ()


def inspect(path: str | None, context: str | None) -> Kubeconfig | None:
    """Read the kubeconfig as `open_client` would, None inside a cluster; raises UsageError when it will not do."""
    files = kubeconfig.find(path)
    if not files:
        return None
    chosen = kubeconfig.load(files, context)
    user, groups, expires = _holder(chosen.user)
    return Kubeconfig(
        context=clean(chosen.name),
        server=clean(text(chosen.cluster, "server").rstrip("/")),
        ca_sha256=_ca(chosen.cluster),
        files=files,
        user=user,
        groups=groups,
        expires=expires,
        dangers=(*_open_files(files), *_entries(chosen)),
    )


def _open_files(files: tuple[Path, ...]) -> Iterator[Danger]:
    for path in files:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            name = clean(str(path))
            yield Danger(f"{name} can be read or written by others than its owner", f"chmod 600 {name}")


def _entries(chosen: kubeconfig.Context) -> Iterator[Danger]:
    cluster = chosen.cluster
    if cluster.get("insecure-skip-tls-verify"):
        fix = "Remove insecure-skip-tls-verify and name the CA in certificate-authority."
        yield Danger("insecure-skip-tls-verify: anybody between here and the API server can read the token", fix)
    at = urlsplit(text(cluster, "server"))
    if at.scheme == "http" and at.hostname not in _LOOPBACK:
        yield Danger("the API server is reached without TLS", "Use its https:// address.")
    if chosen.relative_plugin:
        problem = f"the credential plugin {clean(chosen.relative_plugin)} is named relative to the file"
        yield Danger(problem, "Write its absolute path, or a bare name that PATH knows.")


def _ca(cluster: Json) -> str:
    data = text(cluster, "certificate-authority-data")
    try:
        if data:
            return hashlib.sha256(base64.b64decode(data)).hexdigest()
        if path := text(cluster, "certificate-authority"):
            return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except (OSError, binascii.Error, ValueError):
        return "unreadable"
    return ""


def _holder(user: Json) -> tuple[str, tuple[str, ...], datetime | None]:
    """Who the user entry's certificate or token belongs to, and when it ends."""
    if found := subject_of(_certificate(user)):
        return found.name, found.organisations, found.expires
    claims = _claims(_token(user))
    expires = claims.get("exp")
    end = datetime.fromtimestamp(expires, UTC) if isinstance(expires, int) and 0 < expires < 2**36 else None
    return clean(text(claims, "sub"), 200), (), end


def _certificate(user: Json) -> bytes:
    try:
        if data := text(user, "client-certificate-data"):
            return base64.b64decode(data)
        path = text(user, "client-certificate")
        return Path(path).read_bytes() if path else b""
    except (OSError, ValueError):
        return b""


def _token(user: Json) -> str:
    try:
        path = text(user, "tokenFile")
        return Path(path).read_text("ascii").strip() if path else text(user, "token")
    except (OSError, ValueError):
        return ""


def _claims(token: str) -> Json:
    """The claims of a JSON Web Token, unverified: the API server is the judge, this is only for people."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        value = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return mapping({"claims": value}, "claims")
