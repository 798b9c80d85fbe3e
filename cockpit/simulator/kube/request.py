"""What a request path asks for."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from cockpit.simulator.kube.status import ApiError, no_such_path
from cockpit.simulator.world.kinds import NAMESPACE, Kind, find_kind


@dataclass(frozen=True, slots=True)
class Target:
    """A resource request: `name` and `namespace` are empty where the path has none, `rest` follows a proxy."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the authenticated user, the program, and the field manager a write is booked under."""

    user: str
    agent: str
    manager: str


def parse_target(path: str) -> Target:
    """Read a resource path; raises ApiError 404 when it names nothing that is served."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, parts = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        raise no_such_path()
    if parts[0] == "namespaces" and len(parts) > 2 and parts[2] != "status":
        return _named(find_kind(group, version, parts[2]), parts[1], parts[3:])
    return _named(find_kind(group, version, parts[0]), "", parts[1:])


def _named(kind: Kind | None, namespace: str, parts: list[str]) -> Target:
    if kind is None:
        raise no_such_path()
    name = parts[0] if parts else ""
    subresource = parts[1] if len(parts) > 1 else ""
    if subresource and subresource not in (*kind.subresources, "status"):
        raise no_such_path()
    if len(parts) > 2 and subresource != "proxy":
        raise no_such_path()
    if name and kind.namespaced and not namespace:
        raise no_such_path()
    if kind is NAMESPACE and namespace:
        raise ApiError(400, "namespace may not be set on this request")
    return Target(kind, namespace, name, subresource, "/".join(parts[2:]))
