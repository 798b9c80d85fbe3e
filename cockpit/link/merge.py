"""Puts the parts of a snapshot together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cockpit.errors import EngineUnreachable
from cockpit.model.snapshot import Snapshot


def merge(snapshot: Snapshot, slices: Mapping[str, Any]) -> Snapshot:
    """The snapshot with these slices (JSON values) in place of the old ones; unknown names are left out.

    Raises EngineUnreachable when a slice does not have its type.
    """
    try:
        parts = {name: _adapter(name).validate_python(value) for name, value in slices.items() if name in _FIELDS}
    except ValidationError as error:
        raise EngineUnreachable(
            "the engine sent something this program does not know", "Use the cockpit that started the run."
        ) from error
    return snapshot.model_copy(update=parts)


_FIELDS = Snapshot.model_fields


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    annotation: Any = _FIELDS[name].annotation
    return TypeAdapter(annotation)
