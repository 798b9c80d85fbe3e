"""The kubeconfig, merged and narrowed to one context.

Source: "Organizing Cluster Access Using kubeconfig Files": files are merged, the first entry of a name wins, and
relative paths are relative to the file that holds them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cockpit.adapters.kubernetes.resource import Json, items, mapping, text
from cockpit.errors import UsageError
from cockpit.model.text import clean

_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_RELATIVE = "cockpit/relative-command"


@dataclass(frozen=True, slots=True)
class Context:
    """One context: its cluster and user entries, with absolute paths.

    `relative_plugin` is the credential plugin's command as the file has it, when it is relative to the file.
    """

    name: str
    cluster: Json
    user: Json
    relative_plugin: str = ""

    def as_config(self, user: Json) -> Json:
        """A kubeconfig of this context alone, with `user` in place of its own."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.name,
            "clusters": [{"name": "it", "cluster": self.cluster}],
            "users": [{"name": "it", "user": user}],
            "contexts": [{"name": self.name, "context": {"cluster": "it", "user": "it"}}],
        }


def find(explicit: str | None) -> tuple[Path, ...]:
    """The kubeconfig files: the explicit one, those of $KUBECONFIG, or ~/.kube/config; only those that exist."""
    given = explicit or os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = tuple(path for part in given.split(os.pathsep) if part and (path := Path(part).expanduser()).is_file())
    if explicit and not files:
        raise UsageError(
            f"The kubeconfig {clean(explicit)} does not exist.", "Name it with --kubeconfig or KUBECONFIG."
        )
    return files


def load(files: tuple[Path, ...], context: str | None) -> Context:
    """The context of that name, or the current one; raises UsageError when the files or the context will not do."""
    trees = [_read(path) for path in files]
    name = context or next((found for tree in trees if (found := text(tree, "current-context"))), "")
    entry = _entry(trees, "contexts", "context", name)
    if entry is None:
        known = ", ".join(sorted({text(each, "name") for tree in trees for each in items(tree, "contexts")}))
        raise UsageError(f"The kubeconfig has no context {clean(name)!r}.", f"It has: {clean(known) or 'none'}.")
    cluster = _entry(trees, "clusters", "cluster", text(entry, "cluster"))
    if cluster is None or not text(cluster, "server"):
        raise UsageError(f"The cluster of the context {clean(name)!r} has no server.", "Correct the kubeconfig.")
    user = _entry(trees, "users", "user", text(entry, "user"))
    if user is None and entry.get("user"):
        raise UsageError(f"The user of the context {clean(name)!r} is not in the kubeconfig.", "Correct it.")
    return Context(name, cluster, user or {}, text(mapping(user or {}, "exec"), _RELATIVE))


def _read(path: Path) -> Json:
    try:
        tree = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (OSError, YAMLError, ValueError) as error:
        raise UsageError(f"The kubeconfig {clean(str(path))} cannot be read: {clean(str(error))}") from error
    if not isinstance(tree, dict):
        raise UsageError(f"The kubeconfig {clean(str(path))} is not a mapping.")
    for kind, key in (("clusters", "cluster"), ("users", "user")):
        for entry in items(tree, kind):
            _make_absolute(mapping(entry, key), path.parent)
    return tree


def _make_absolute(entry: Json, base: Path) -> None:
    for key in _PATHS:
        if text(entry, key):
            entry[key] = str((base / entry[key]).absolute())
    plugin = mapping(entry, "exec")
    # A bare name is looked up in PATH; only a name with a slash is relative to the file.
    if "/" in text(plugin, "command"):
        if not os.path.isabs(plugin["command"]):
            plugin[_RELATIVE] = plugin["command"]
        plugin["command"] = str((base / plugin["command"]).absolute())


def _entry(trees: list[Json], kind: str, key: str, name: str) -> Json | None:
    candidates: list[Any] = [each for tree in trees for each in items(tree, kind)]
    return next((mapping(each, key) for each in candidates if name and text(each, "name") == name), None)
