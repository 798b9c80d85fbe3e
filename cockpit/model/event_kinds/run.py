"""The run as a whole, its steps, and what people say of it."""

from __future__ import annotations

from typing import Literal

from cockpit.model.event_kinds.base import EventBase
from cockpit.model.status import RunStatus


class RunOpened(EventBase):
    """The run exists; `sha256` pins the runbook file."""

    type: Literal["run.opened"] = "run.opened"
    run: str
    runbook: str
    version: str
    sha256: str
    namespace: str
    context: str = ""
    automatic: bool = False


class EngineStarted(EventBase):
    """An engine took up the run; `replayed` is the number of events it read."""

    type: Literal["engine.started"] = "engine.started"
    pid: int
    replayed: int


class RunStarted(EventBase):
    """The commander gave the go."""

    type: Literal["run.started"] = "run.started"


class Overrode(EventBase):
    """The commander went past what blocked, and why."""

    type: Literal["run.overrode"] = "run.overrode"
    what: str
    reason: str


class RunStatusChanged(EventBase):
    """The run entered another state."""

    type: Literal["run.status"] = "run.status"
    status: RunStatus
    reason: str = ""


class RunClosed(EventBase):
    """The engine ends; the run's last word."""

    type: Literal["run.closed"] = "run.closed"
    status: RunStatus
    reason: str = ""


class Held(EventBase):
    """No new forward action starts from here on."""

    type: Literal["run.held"] = "run.held"
    reason: str = ""


class Resumed(EventBase):
    """The hold ended."""

    type: Literal["run.resumed"] = "run.resumed"


class ItemTicked(EventBase):
    """A person ticked (or unticked) a checklist item, a manual action, a condition or a task."""

    type: Literal["item.ticked"] = "item.ticked"
    item: str
    text: str
    done: bool = True
    note: str = ""


class StepStarted(EventBase):
    """A forward step started."""

    type: Literal["step.started"] = "step.started"
    step: str
    title: str


class StepFinished(EventBase):
    """A forward step is done."""

    type: Literal["step.finished"] = "step.finished"
    step: str


class CommandRefusedEvent(EventBase):
    """A command was refused, and why."""

    type: Literal["command.refused"] = "command.refused"
    command: str
    reason: str


class JournalDegraded(EventBase):
    """The journal's disk takes no rows: this one and the following are kept in a second place. Nothing goes forward."""

    type: Literal["journal.degraded"] = "journal.degraded"
    problem: str


class JournalRecovered(EventBase):
    """All rows are in the journal again."""

    type: Literal["journal.recovered"] = "journal.recovered"


class Noted(EventBase):
    """Something worth knowing that changes no state."""

    type: Literal["note"] = "note"
    text: str
    level: Literal["info", "warning", "error"] = "info"
