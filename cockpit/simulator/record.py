"""The world's own record of what was done to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect. `at` is run time in seconds since the epoch, `actor` who did it, `detail` what exactly."""

    seq: int
    at: float
    kind: str
    target: str
    actor: str
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The effect with its time in ISO form."""
        return {**asdict(self), "at": datetime.fromtimestamp(self.at, UTC).isoformat()}


class Record:
    """An append-only list of effects."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._effects: list[Effect] = []

    def add(self, kind: str, target: str, actor: str = "", **detail: Any) -> Effect:
        """Append an effect that happened now."""
        effect = Effect(len(self._effects) + 1, self._now(), kind, target, actor, detail)
        self._effects.append(effect)
        return effect

    def all(self, kind: str | None = None) -> list[Effect]:
        """The effects in order, of one kind or all."""
        return [effect for effect in self._effects if kind is None or effect.kind == kind]

    def count(self, kind: str) -> int:
        """How many effects of a kind there are."""
        return len(self.all(kind))

    def clear(self) -> None:
        """Forget everything, keeping nothing of the world's own preparation."""
        self._effects.clear()
