"""The stamp on guarded objects: a fencing token that every guarded write tests in its own request.

Source: M. Kleppmann, "How to do distributed locking", fencing tokens; a Lease alone does not stop a paused writer.
"""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.adapters.kubernetes.resource import Json, text
from cockpit.errors import Conflict, Fenced
from cockpit.model.text import clean

EPOCH = "deployment-cockpit/epoch"
"""The annotation that says by which epoch an object is commanded."""

EPOCH_PATH = "/metadata/annotations/deployment-cockpit~1epoch"
HOLDER = "deployment-cockpit/holder"
"""The annotation that says by whom."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What every guarded write tests: the stamp of this engine, as `Guardian.stamp` has written it."""

    epoch: int
    holder: str

    @property
    def test(self) -> Json:
        """The operation that makes a write by a replaced engine fail as a whole."""
        return {"op": "test", "path": EPOCH_PATH, "value": str(self.epoch)}

    def broken(self, obj: Json) -> bool:
        """Whether the object has another stamp, or none."""
        return text(obj, "metadata", "annotations", EPOCH) != str(self.epoch)

    def refusal(self, name: str, obj: Json) -> Conflict:
        """The error for an object whose stamp is broken: Fenced when somebody else commands it."""
        epoch, by = epoch_of(obj), holder_of(obj) or "somebody else"
        if epoch is not None and epoch >= self.epoch:
            return Fenced(
                f"{name} is commanded by {by} since epoch {epoch}; this engine has epoch {self.epoch}",
                "This engine writes nothing more. Attach to that run; close this one with a reason.",
                by=by,
                epoch=epoch,
                key=name,
            )
        found = f"epoch {epoch}" if epoch is not None else "no epoch"
        return Conflict(
            f"{name} has {found}, expected {self.epoch}: somebody replaced it",
            "Find out who, then adopt or restore it. This change was not made.",
        )


def epoch_of(obj: Json) -> int | None:
    """The epoch an object is stamped with, None when it has no readable one."""
    value = text(obj, "metadata", "annotations", EPOCH)
    return int(value) if value.isdecimal() and len(value) < 19 else None


def holder_of(obj: Json) -> str:
    """Who stamped the object."""
    return clean(text(obj, "metadata", "annotations", HOLDER), 200)
