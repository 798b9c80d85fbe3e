"""The messages of the socket protocol: one JSON object a line, UTF-8, at most `MAX_LINE` bytes.

The engine sends `hello`, then `state` (a whole snapshot), then `slices` (the parts that changed), `pods` (the pods that
changed) and `rows` (journal events) as they come, `beat` when nothing else was sent for a second, `reply` to a
command, `seat` to say who commands, and `bye` before it ends. Who attaches with `history` is sent `series` for each
metric and `marks` instead, and then the connection ends. A front end sends one `attach` first; on the control
socket it may then send `order`s. The watch socket reads nothing after `attach`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from cockpit.link.greeting import PROTOCOL
from cockpit.model.base import Value
from cockpit.model.commanding import Place
from cockpit.model.commands import Command, Reply
from cockpit.model.events import Event
from cockpit.model.history import Mark
from cockpit.model.readings import Series
from cockpit.model.snapshot import PodsView, Snapshot

MAX_LINE = 16 * 1024 * 1024


class Hello(Value):
    """The engine introduces itself. `role` is what this socket allows, `you` the person behind it."""

    t: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    run: str
    role: Literal["commander", "observer"]
    you: str


class State(Value):
    """The whole snapshot."""

    t: Literal["state"] = "state"
    snapshot: Snapshot


class Slices(Value):
    """The parts of the snapshot that changed, by name, as JSON values."""

    t: Literal["slices"] = "slices"
    slices: dict[str, Any]


class PodChanges(Value):
    """The `pods` slice with only the changed and new pods in it, and the names of those that are gone.

    The whole list is in the order of tracks and names; pods that only change stay where they are.
    """

    t: Literal["pods"] = "pods"
    view: PodsView
    gone: tuple[str, ...] = ()


class Rows(Value):
    """Journal events in order. `earlier` says that rows before these exist and are not sent."""

    t: Literal["rows"] = "rows"
    rows: tuple[Event, ...]
    earlier: bool = False


class Beat(Value):
    """The engine lives and has nothing to say."""

    t: Literal["beat"] = "beat"


class Answer(Value):
    """The reply to the order with the same `id`."""

    t: Literal["reply"] = "reply"
    id: int
    reply: Reply


class Seat(Value):
    """Where the front end stands; only to those that attached with a wish for a seat."""

    t: Literal["seat"] = "seat"
    place: Place


class MetricSeries(Value):
    """Everything that was measured of one metric."""

    t: Literal["series"] = "series"
    series: Series


class Marks(Value):
    """What happened beside the measurements: the last part of a history."""

    t: Literal["marks"] = "marks"
    marks: tuple[Mark, ...] = ()


class Bye(Value):
    """The engine ends."""

    t: Literal["bye"] = "bye"
    reason: str = ""


class Attach(Value):
    """A front end wants rows after `since`; `snapshots` is False for plain commands that only give an order.

    `seat` is what a screen wishes: to command if that is open to its person, or to watch until it takes over. Plain
    commands have none. `history` asks for the measurements of the whole run and nothing else; observers ask so too, as
    the watch socket reads no other line.
    """

    t: Literal["attach"] = "attach"
    protocol: int = PROTOCOL
    since: int = 0
    snapshots: bool = True
    seat: Literal["command", "watch"] | None = None
    history: bool = False


class Order(Value):
    """A command for the engine."""

    t: Literal["order"] = "order"
    id: int
    command: Command


FromEngine = Annotated[
    Hello | State | Slices | PodChanges | Rows | Beat | Answer | Seat | MetricSeries | Marks | Bye,
    Field(discriminator="t"),
]
FROM_ENGINE: TypeAdapter[FromEngine] = TypeAdapter(FromEngine)
FromFrontEnd = Annotated[Attach | Order, Field(discriminator="t")]
FROM_FRONT_END: TypeAdapter[FromFrontEnd] = TypeAdapter(FromFrontEnd)
