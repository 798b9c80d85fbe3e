"""Compare and swap: a JSON Patch that tests what it replaces, and what a refusal means.

Source: RFC 6902; Kubernetes answers a failed `test` with 422 and a message that does not say which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cockpit.adapters.kubernetes.client import FIELD_MANAGER, KubeClient
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, text
from cockpit.errors import Conflict
from cockpit.model.text import clean

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One guarded change of one object.

    `operations` makes the patch from the object as last read (empty before the first read), `differs` says what in an
    object is not as it was planned for (empty: nothing), `done` whether it already is as wanted. `field` is the path
    of the changed field, to find out who else writes it.
    """

    resource: Resource
    field: tuple[str, ...]
    operations: Callable[[Json], list[Json]]
    differs: Callable[[Json], str]
    done: Callable[[Json], bool]


async def swap(client: KubeClient, change: Change, dry_run: bool = False, known: Json | None = None) -> Json:
    """Make the change and return the object; an object that already is as wanted is left alone.

    `known` is the object as read before, for patches that need it. Raises Conflict, which names the old, the expected
    value and the last other writer, when the object is not as planned; every other error of `KubeClient.patch`.
    """
    current = known
    refusal: Conflict | None = None
    fence = client.fence
    for _ in range(_TRIES):
        if fence and refusal and current is not None and fence.broken(current):
            raise fence.refusal(str(change.resource), current) from refusal
        if current is not None and (problem := change.differs(current)):
            if change.done(current):
                return current
            raise _drift(change, current, problem) from refusal
        try:
            operations = [*([fence.test] if fence else []), *change.operations(current or {})]
            return await client.patch(change.resource, operations, dry_run)
        except Conflict as error:
            refusal = error
        current = await client.get(change.resource)
    raise Conflict(str(refusal), "The object is as expected, but its new value is refused; nothing was changed.")


def test(path: str, value: object) -> Json:
    """The operation that makes the whole patch fail when the value at `path` is another one."""
    return {"op": "test", "path": path, "value": value}


def pointer(*keys: str | int) -> str:
    """A JSON Pointer (RFC 6901)."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def last_writer(obj: Json, field: tuple[str, ...]) -> str:
    """The field manager, other than the cockpit, that last wrote the field, or an empty string.

    Source: Kubernetes "Server-Side Apply", managedFields in the FieldsV1 form.
    """
    entries = [entry for entry in items(obj, "metadata", "managedFields") if _owns(entry, field)]
    entries = [entry for entry in entries if text(entry, "manager") != FIELD_MANAGER]
    newest = max(entries, key=lambda entry: text(entry, "time"), default=None)
    return clean(text(newest, "manager"), 100)


def _owns(entry: Json, field: tuple[str, ...]) -> bool:
    return dig(mapping(entry, "fieldsV1"), *field) is not None


def _drift(change: Change, current: Json, problem: str) -> Conflict:
    writer = last_writer(current, change.field)
    by = f", written by {writer}" if writer else ""
    hint = "Somebody else changed it." if writer else "It changed since it was read."
    return Conflict(f"{change.resource}: {problem}{by}", f"{hint} This change was not made.")
