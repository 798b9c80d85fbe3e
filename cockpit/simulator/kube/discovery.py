"""Discovery: which groups and resources there are."""

from __future__ import annotations

from cockpit.simulator.world.kinds import DEPLOYMENT, KINDS, Kind
from cockpit.simulator.world.values import Obj

VERSION: Obj = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+simulator",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2025-01-01T00:00:00Z",
    "goVersion": "go1.23.3",
    "compiler": "gc",
    "platform": "linux/amd64",
}

_SUB_KINDS = {
    "exec": "PodExecOptions",
    "proxy": "ServiceProxyOptions",
    "log": "Pod",
    "portforward": "PodPortForwardOptions",
    "scale": "Scale",
}
_SUB_VERBS = {
    "exec": ["create", "get"],
    "proxy": ["create", "delete", "get", "patch", "update"],
    "log": ["get"],
    "portforward": ["create", "get"],
}


def core_versions() -> Obj:
    """The answer of `/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups() -> Obj:
    """The answer of `/apis`."""
    found = dict.fromkeys((kind.group, kind.version) for kind in KINDS if kind.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*pair) for pair in found]}


def group(name: str) -> Obj | None:
    """The answer of `/apis/<group>`, or None when there is no such group."""
    version = next((kind.version for kind in KINDS if kind.group == name and name), None)
    return None if version is None else {"kind": "APIGroup", "apiVersion": "v1", **_group(name, version)}


def resources(group_name: str, version: str) -> Obj | None:
    """The answer of `/api/v1` or `/apis/<group>/<version>`, or None when nothing is served there."""
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group_name, version)]
    if not kinds:
        return None
    found = [entry for kind in kinds for entry in _entries(kind)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": found,
    }


def _group(name: str, version: str) -> Obj:
    served = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [served], "preferredVersion": served}


def _entries(kind: Kind) -> list[Obj]:
    main: Obj = {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        main["shortNames"] = list(kind.short)
    if kind.all_category:
        main["categories"] = ["all"]
    return [main, *(_sub_entry(kind, name) for name in kind.subresources)]


def _sub_entry(kind: Kind, name: str) -> Obj:
    entry: Obj = {
        "name": f"{kind.plural}/{name}",
        "singularName": "",
        "namespaced": kind.namespaced,
        "kind": _SUB_KINDS.get(name, kind.name),
        "verbs": _SUB_VERBS.get(name, ["get", "patch", "update"]),
    }
    if name == "scale" and kind.group == DEPLOYMENT.group:
        entry.update(group="autoscaling", version="v1")
    return entry
