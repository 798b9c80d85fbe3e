"""OpenAPI documents: no schemas, but what kubectl must find before it sends a write."""

from __future__ import annotations

from cockpit.simulator.world.kinds import KINDS, Kind
from cockpit.simulator.world.values import Obj

_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def index() -> Obj:
    """The answer of `/openapi/v3`."""
    paths = {_root(kind): {"serverRelativeURL": f"/openapi/v3/{_root(kind)}"} for kind in KINDS}
    return {"paths": paths}


def document(root: str) -> Obj | None:
    """The answer of `/openapi/v3/<root>`, or None for a group that is not served."""
    kinds = [kind for kind in KINDS if _root(kind) == root]
    if not kinds:
        return None
    paths = {}
    for kind in kinds:
        place = f"/{root}/namespaces/{{namespace}}" if kind.namespaced else f"/{root}"
        paths[f"{place}/{kind.plural}"] = {"post": _operation(kind, "post")}
        paths[f"{place}/{kind.plural}/{{name}}"] = {
            "patch": _operation(kind, "patch"),
            "put": _operation(kind, "put"),
        }
    schemas = {_schema_name(kind): _schema(kind) for kind in kinds}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.32.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def swagger() -> Obj:
    """The answer of `/openapi/v2`."""
    definitions = {_schema_name(kind): _schema(kind) for kind in KINDS}
    info = {"title": "Kubernetes", "version": "v1.32.0"}
    return {"swagger": "2.0", "info": info, "paths": {}, "definitions": definitions}


def _root(kind: Kind) -> str:
    return f"apis/{kind.api_version}" if kind.group else f"api/{kind.version}"


def _gvk(kind: Kind) -> Obj:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _schema_name(kind: Kind) -> str:
    return f"io.k8s.simulator.{kind.group or 'core'}.{kind.version}.{kind.name}"


def _schema(kind: Kind) -> Obj:
    return {
        "type": "object",
        "x-kubernetes-group-version-kind": [_gvk(kind)],
        "x-kubernetes-preserve-unknown-fields": True,
    }


def _operation(kind: Kind, action: str) -> Obj:
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in _WRITE_PARAMETERS
    ]
    return {
        "operationId": f"{action}{kind.name}",
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(kind),
    }
