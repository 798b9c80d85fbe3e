"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cockpit.simulator.world.kinds import EVENT, EVENT_V1, JOB, NAMESPACE, POD, Kind
from cockpit.simulator.world.values import Obj, dig

Predicate = Callable[[Obj], bool]

_SET = re.compile(r"^\s*(?P<key>[\w./-]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[\w./-]+)\s*(?P<op>==|!=|=)\s*(?P<value>[^=!]*?)\s*$")
_EXISTS = re.compile(r"^\s*(?P<no>!?)\s*(?P<key>[\w./-]+)\s*$")
_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    POD: ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"),
    EVENT: ("reason", "type", "source", "reportingComponent"),
    NAMESPACE: ("status.phase",),
    JOB: ("status.successful",),
}


class BadSelector(ValueError):
    """The selector cannot be read, or names a field the kind cannot be selected by."""


def matches_labels(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all of a plain selector's pairs are in `labels`."""
    return all(labels.get(key) == value for key, value in selector.items())


def label_predicate(text: str) -> Predicate:
    """What a labelSelector parameter asks for; raises BadSelector."""
    parts = [_label_part(part) for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    return lambda obj: all(part(obj["metadata"].get("labels") or {}) for part in parts)


def _label_part(text: str) -> Callable[[Mapping[str, str]], bool]:
    if found := _SET.match(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(text):
        key, value = found["key"], found["value"]
        if found["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(text):
        key, absent = found["key"], bool(found["no"])
        return lambda labels: (key in labels) != absent
    raise BadSelector(f"unable to parse requirement: {text}")


def field_predicate(kind: Kind, text: str) -> Predicate:
    """What a fieldSelector parameter asks for; raises BadSelector for fields the kind does not offer."""
    parts = [_field_part(kind, part) for part in text.split(",") if part.strip()]
    return lambda obj: all(part(obj) for part in parts)


def _field_part(kind: Kind, text: str) -> Predicate:
    found = _EQUAL.match(text)
    if not found:
        raise BadSelector(f"invalid selector: '{text}'; can't understand '{text}'")
    path, value, differs = found["key"], found["value"], found["op"] == "!="
    if not _field_known(kind, path):
        raise BadSelector(f"field label not supported: {path}")
    steps = path.split(".")
    return lambda obj: (str(dig(obj, *steps, default="")) == value) != differs


def _field_known(kind: Kind, path: str) -> bool:
    if path in ("metadata.name", "metadata.namespace"):
        return True
    if kind in (EVENT, EVENT_V1) and path.startswith(("involvedObject.", "regarding.")):
        return True
    return path in _FIELDS.get(kind, ())
