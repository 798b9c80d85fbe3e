"""Strategic merge patch, as far as the served kinds need it."""

from __future__ import annotations

from typing import Any

from cockpit.simulator.world.values import clone

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "ownerReferences": "uid",
    "conditions": "type",
    "hostAliases": "ip",
}
"""The field by which a list's items are told apart; other lists are replaced as a whole."""

_PORT_KEYS = ("containerPort", "port")


def strategic_merge(current: Any, patch: Any, field: str = "") -> Any:
    """Merge a patch: maps by key, the known lists by their items' names, `$patch` directives, null deletes."""
    if isinstance(patch, dict):
        return _merge_map(current if isinstance(current, dict) else {}, patch)
    key = _key_of(field, patch)
    if key and isinstance(current, list):
        return _merge_list(current, patch, key)
    return clone(patch)


def _merge_map(current: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    if patch.get("$patch") == "replace":
        return {key: clone(value) for key, value in patch.items() if key != "$patch"}
    merged = dict(current)
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = strategic_merge(merged.get(key), value, key)
    return merged


def _key_of(field: str, patch: Any) -> str:
    if field == "ports" and isinstance(patch, list) and patch:
        return next((key for key in _PORT_KEYS if key in patch[0]), "")
    return _KEYS.get(field, "") if isinstance(patch, list) else ""


def _merge_list(current: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [clone(item) for item in patch if "$patch" not in item]
    merged = list(current)
    for item in patch:
        index = next((at for at, old in enumerate(merged) if old.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            if index is not None:
                del merged[index]
        elif index is None:
            merged.append(clone(item))
        else:
            merged[index] = strategic_merge(merged[index], item)
    return merged
