"""The two sides of the link: what an engine offers (`Feed`) and what a front end holds (`Connection`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from cockpit.model.commanding import Front, Place
from cockpit.model.commands import Command, Reply
from cockpit.model.events import Event
from cockpit.model.history import Mark
from cockpit.model.readings import Series
from cockpit.model.snapshot import Snapshot


class Feed(Protocol):
    """What the server serves. `version` grows whenever the snapshot or the rows may have changed."""

    run: str

    @property
    def version(self) -> int:
        """Grows with every change."""

    async def changed(self, after: int) -> int:
        """Wait until `version` is greater than `after` and return it."""

    def snapshot(self) -> Snapshot:
        """The present snapshot."""

    async def rows(self, since: int, limit: int) -> tuple[Event, ...]:
        """The last `limit` events with a seq greater than `since`, oldest first."""

    def history(self) -> tuple[Iterator[Series], tuple[Mark, ...]]:
        """Everything that was measured in the run, and what happened beside it."""

    async def join(self, front: Front) -> None:
        """A front end wants to command."""

    async def leave(self, front: Front) -> None:
        """A front end is gone."""

    def place(self, front: Front) -> Place:
        """Where a front end stands."""

    async def order(self, actor: str, command: Command, front: Front | None = None) -> Reply:
        """Carry out a person's command; `front` is the screen it comes from, None for a plain command."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The engine answers; `role` is what this front end may do."""

    run: str
    role: Literal["commander", "observer"]
    you: str


@dataclass(frozen=True, slots=True)
class Seated:
    """Whether this front end commands, or who does instead; comes again whenever that changes."""

    place: Place


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The engine does not answer; the client keeps trying unless `final`."""

    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """The line stands and the engine has said nothing for so many real seconds: it is stopped, stuck or starved."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The engine speaks again."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The snapshot is new; `slices` names the parts that differ from the one before."""

    snapshot: Snapshot
    slices: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """New journal rows. `earlier` says that older rows exist that were not sent."""

    rows: tuple[Event, ...]
    earlier: bool = False


Update = Connected | Seated | Disconnected | Silent | Heard | Changed | Recorded


class Connection(Protocol):
    """A front end's line to the engine, which reconnects by itself and asks for the rows it has missed."""

    def updates(self) -> AsyncIterator[Update]:
        """What happens, in order, until the run is closed or the connection is."""

    async def order(self, command: Command) -> Reply:
        """Send a command and wait for its reply; raises EngineUnreachable, NotCommander on an observer's line."""

    async def history(self) -> tuple[tuple[Series, ...], tuple[Mark, ...]]:
        """Everything that was measured in the run, and what happened beside it; raises EngineUnreachable."""

    async def close(self) -> None:
        """End the connection; the engine goes on."""
