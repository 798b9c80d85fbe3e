"""Credentials of a kubeconfig user, obtained under a deadline and never replaced by none.

Source: client-go credential plugins, `client.authentication.k8s.io` ExecCredential.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cockpit.adapters import plugins
from cockpit.adapters.kubernetes.resource import Json, items, mapping, text
from cockpit.errors import Denied
from cockpit.model.text import clean

PLUGIN_DEADLINE = plugins.DEADLINE
"""Seconds that a credential plugin may take."""

_DATA = ("certificate-authority-data", "client-certificate-data", "client-key-data")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user entry without a plugin, and when what it holds ends (None: not said)."""

    user: Json
    expires: datetime | None = None


async def resolve(user: Json) -> Credentials:
    """Run the user's credential plugin if it has one; raises Denied when that gives nothing."""
    plugin = mapping(user, "exec")
    if not plugin:
        return Credentials(user)
    status = mapping(await _run(plugin), "status")
    found: Json = {}
    if text(status, "token"):
        found["token"] = status["token"]
    if text(status, "clientCertificateData") and text(status, "clientKeyData"):
        found["client-certificate-data"] = base64.b64encode(status["clientCertificateData"].encode()).decode()
        found["client-key-data"] = base64.b64encode(status["clientKeyData"].encode()).decode()
    if not found:
        raise _refused(plugin, "its output holds neither a token nor a certificate")
    return Credentials(found, _expiry(text(status, "expirationTimestamp")))


def to_files(entry: Json, directory: Path, prefix: str) -> Json:
    """The entry with its `…-data` values written to files (0600) in `directory`, which must be private.

    The library would write them to $TMPDIR, keep them after a kill and remember names of files that are gone.
    """
    plain = dict(entry)
    for key in _DATA:
        if text(entry, key):
            path = directory / f"{prefix}-{key}"
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(base64.b64decode(plain.pop(key)))
            plain[key.removesuffix("-data")] = str(path)
    return plain


def plugin_environment(environ: Mapping[str, str], plugin: Json) -> dict[str, str]:
    """What a plugin sees of our environment, with the additions of the kubeconfig."""
    added = {text(item, "name"): text(item, "value") for item in items(plugin, "env") if text(item, "name")}
    info = {"apiVersion": text(plugin, "apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    return plugins.passed_on(environ) | added | {"KUBERNETES_EXEC_INFO": json.dumps(info)}


async def _run(plugin: Json) -> Json:
    argv = [text(plugin, "command"), *map(str, items(plugin, "args"))]
    try:
        output = await plugins.run(argv, plugin_environment(os.environ, plugin), deadline=PLUGIN_DEADLINE)
    except plugins.PluginFailed as error:
        raise _refused(plugin, str(error)) from error
    if output.code != 0:
        raise _refused(plugin, output.err.decode("utf-8", "replace") or f"exit code {output.code}")
    return _credential(plugin, output.out)


def _credential(plugin: Json, out: bytes) -> Json:
    try:
        value = json.loads(out)
    except ValueError as error:
        raise _refused(plugin, "its output is not JSON") from error
    if not isinstance(value, dict) or value.get("kind") != "ExecCredential":
        raise _refused(plugin, "its output is not an ExecCredential")
    return value


def _expiry(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp) if stamp else None
    except ValueError:
        return None


def _refused(plugin: Json, why: str) -> Denied:
    command = clean(text(plugin, "command"), 100) or "(no command)"
    hint = clean(text(plugin, "installHint")) or "Run the plugin by hand, or log in again."
    return Denied(f"The credential plugin {command} gave no credentials: {clean(why.strip())}", hint)
