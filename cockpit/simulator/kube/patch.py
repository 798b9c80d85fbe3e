"""The patch types: JSON Patch, merge patch, strategic merge patch."""

from __future__ import annotations

import json
from typing import Any

from cockpit.simulator.kube.status import ApiError, patch_failed
from cockpit.simulator.kube.strategic import strategic_merge
from cockpit.simulator.world.values import Obj, clone

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_TYPES = f"{JSON_PATCH}, {MERGE_PATCH}, {STRATEGIC_PATCH}"


class _Mismatch(Exception):
    """An operation that cannot be done, or a test that fails."""


def apply_patch(content_type: str, body: bytes, current: Obj) -> Obj:
    """The object that a patch makes of `current`; raises ApiError 400, 415 or 422."""
    if content_type not in (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH):
        text = "the body of the request was in an unknown format - accepted media types include: "
        raise ApiError(415, text + _TYPES)
    try:
        patch = json.loads(body)
    except ValueError as error:
        raise ApiError(400, f"error decoding patch: {error}") from error
    if content_type == JSON_PATCH:
        return _json_patch(patch, current)
    if not isinstance(patch, dict):
        raise ApiError(400, "error decoding patch: json: cannot unmarshal into Go value of type map")
    merge = merge_patch if content_type == MERGE_PATCH else strategic_merge
    patched: Obj = merge(clone(current), patch)
    return patched


def merge_patch(current: Any, patch: Any) -> Any:
    """RFC 7386: maps merge, null deletes, anything else replaces."""
    if not isinstance(patch, dict):
        return clone(patch)
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _json_patch(operations: Any, current: Obj) -> Obj:
    if not isinstance(operations, list) or not all(isinstance(item, dict) for item in operations):
        raise ApiError(400, "error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch")
    document = {"": clone(current)}
    try:
        for operation in operations:
            _operate(document, operation)
    except _Mismatch as error:
        raise patch_failed() from error
    result: Obj = document[""]
    return result


def _operate(document: Obj, operation: Obj) -> None:
    action, path = operation.get("op"), _steps(operation.get("path"))
    if action == "test":
        if not _equal(_read(document, path), operation.get("value")):
            raise _Mismatch(path)
    elif action == "add":
        _write(document, path, clone(operation.get("value")), insert=True)
    elif action == "replace":
        _read(document, path)
        _write(document, path, clone(operation.get("value")), insert=False)
    elif action == "remove":
        _remove(document, path)
    elif action in ("copy", "move"):
        source = _steps(operation.get("from"))
        value = clone(_read(document, source))
        if action == "move":
            _remove(document, source)
        _write(document, path, value, insert=True)
    else:
        raise _Mismatch(action)


def _equal(found: Any, wanted: Any) -> bool:
    """JSON equality, in which true is not 1."""
    return json.dumps(found, sort_keys=True) == json.dumps(wanted, sort_keys=True)


def _steps(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise _Mismatch(pointer)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]


def _index(items: list[Any], step: str, end: bool = False) -> int:
    if step == "-" and end:
        return len(items)
    if not step.isdigit() or int(step) > len(items) - (not end):
        raise _Mismatch(step)
    return int(step)


def _read(value: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list):
            value = value[_index(value, step)]
        else:
            raise _Mismatch(step)
    return value


def _write(document: Obj, path: list[str], value: Any, insert: bool) -> None:
    holder, step = _read(document, path[:-1]), path[-1]
    if isinstance(holder, dict):
        holder[step] = value
    elif isinstance(holder, list) and insert:
        holder.insert(_index(holder, step, end=True), value)
    elif isinstance(holder, list):
        holder[_index(holder, step)] = value
    else:
        raise _Mismatch(step)


def _remove(document: Obj, path: list[str]) -> None:
    _read(document, path)
    holder, step = _read(document, path[:-1]), path[-1]
    del holder[step if isinstance(holder, dict) else _index(holder, step)]
