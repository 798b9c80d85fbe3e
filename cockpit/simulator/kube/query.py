"""Lists: selection by labels and fields, in pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from cockpit.simulator.kube.request import Target
from cockpit.simulator.kube.status import ApiError
from cockpit.simulator.world.kinds import EVENT, EVENT_V1, Kind
from cockpit.simulator.world.selectors import BadSelector, Predicate, field_predicate, label_predicate
from cockpit.simulator.world.store import HistoryGone, ObjectStore
from cockpit.simulator.world.values import Obj, name_of, namespace_of


def stored_kind(kind: Kind) -> Kind:
    """The kind under which objects are kept: both event groups show the same ones."""
    return EVENT if kind is EVENT_V1 else kind


def selection(target: Target, query: Mapping[str, str]) -> Predicate:
    """What a list or watch request selects; raises ApiError 400."""
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    try:
        by_label, by_field = label_predicate(labels), field_predicate(target.kind, fields)
    except BadSelector as error:
        text = f'Unable to find "{target.kind.api_version}, Resource={target.kind.plural}" that match label selector'
        raise ApiError(400, f'{text} "{labels}", field selector "{fields}": {error}') from error
    namespace, name = target.namespace, target.name

    def chosen(obj: Obj) -> bool:
        here = not namespace or namespace_of(obj) == namespace
        return here and (not name or name_of(obj) == name) and by_label(obj) and by_field(obj)

    return chosen


def page(store: ObjectStore, target: Target, query: Mapping[str, str]) -> tuple[list[Obj], Obj]:
    """The objects of one page and the list's metadata; raises ApiError 400 or 410."""
    chosen = selection(target, query)
    found = [obj for obj in store.select(stored_kind(target.kind), target.namespace) if chosen(obj)]
    limit = _number(query.get("limit"), "limit")
    metadata: Obj = {"resourceVersion": str(store.version)}
    if token := query.get("continue"):
        version, after = _read_token(token)
        _check_kept(store, version)
        found = [obj for obj in found if (namespace_of(obj), name_of(obj)) > after]
        metadata["resourceVersion"] = str(version)
    if limit and len(found) > limit:
        last = found[limit - 1]
        key = (namespace_of(last), name_of(last))
        metadata["continue"] = _token(int(metadata["resourceVersion"]), key)
        metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return found, metadata


def _number(text: str | None, name: str) -> int:
    try:
        return int(text) if text else 0
    except ValueError as error:
        raise ApiError(400, f"invalid {name}: {text}") from error


def _token(version: int, key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, *key]).encode()).decode()


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        version, namespace, name = json.loads(base64.urlsafe_b64decode(token))
    except ValueError as error:
        raise ApiError(400, "continue key is not valid") from error
    return int(version), (str(namespace), str(name))


def _check_kept(store: ObjectStore, version: int) -> None:
    try:
        store.since(version)
    except HistoryGone as error:
        text = "The provided continue parameter is too old to display a consistent list result."
        raise ApiError(410, text) from error
