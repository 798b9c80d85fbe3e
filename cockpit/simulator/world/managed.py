"""`metadata.managedFields`: who last wrote which fields."""

from __future__ import annotations

from typing import Any

from cockpit.simulator.world.values import Obj, clone, rfc3339

_Path = tuple[str, ...]
_SILENT = {
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "name",
    "namespace",
}


def stamp(before: Obj | None, after: Obj, manager: str, now: float, subresource: str = "") -> None:
    """Write into `after` that `manager` set what differs from `before`; changes nothing when nothing differs."""
    changed = _changed(before or {}, after)
    if not changed:
        return
    entries = [clone(entry) for entry in (before or {}).get("metadata", {}).get("managedFields", [])]
    mine = next((entry for entry in entries if _is(entry, manager, subresource)), None)
    for entry in entries:
        if entry is not mine:
            for path in changed:
                _drop(entry["fieldsV1"], path)
    if mine is None:
        mine = {"manager": manager, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {}}
        if subresource:
            mine["subresource"] = subresource
        entries.append(mine)
    mine["apiVersion"] = after["apiVersion"]
    mine["time"] = rfc3339(now)
    for path in changed:
        _add(mine["fieldsV1"], path)
    after["metadata"]["managedFields"] = [entry for entry in entries if entry["fieldsV1"]]


def _is(entry: Obj, manager: str, subresource: str) -> bool:
    return bool(entry["manager"] == manager and entry.get("subresource", "") == subresource)


def _changed(before: Obj, after: Obj) -> list[_Path]:
    """The paths of the leaves that differ and are still there."""
    found: list[_Path] = []
    for key in after:
        if key in ("apiVersion", "kind"):
            continue
        if key == "metadata":
            old, new = _loud(before.get("metadata", {})), _loud(after["metadata"])
            _compare(old, new, ("f:metadata",), found)
        else:
            _compare(before.get(key), after[key], (f"f:{key}",), found)
    return found


def _loud(metadata: Obj) -> Obj:
    return {key: value for key, value in metadata.items() if key not in _SILENT}


def _compare(before: Any, after: Any, path: _Path, found: list[_Path]) -> None:
    if before == after:
        return
    items = _items(after)
    if not items:
        found.append(path)
        return
    old = _items(before)
    for key, value in items.items():
        _compare(old.get(key), value, (*path, key), found)


def _items(value: Any) -> dict[str, Any]:
    """The members of a map, or of a list whose items have names; nothing for what is written as a whole."""
    if isinstance(value, dict):
        return {f"f:{key}": item for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return {f'k:{{"name":"{item["name"]}"}}': item for item in value}
    return {}


def _add(fields: Obj, path: _Path) -> None:
    for step in path:
        fields = fields.setdefault(step, {})


def _drop(fields: Obj, path: _Path) -> None:
    step, rest = path[0], path[1:]
    if step not in fields:
        return
    if rest:
        _drop(fields[step], rest)
    if not rest or not fields[step]:
        del fields[step]
