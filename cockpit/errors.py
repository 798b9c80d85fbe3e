"""The errors a person may meet, each with a title and a hint.

CockpitError
├── UsageError                 exit 2: a command that cannot be understood or does not fit the moment
│   └── RunbookInvalid         the document has findings, each with file, line and field path
├── PreflightFailed            exit 5: something the run needs is missing
├── NotCommander               exit 6: this front end may not command the run
├── CommandRefused             the engine answered no: what changed, what to do
├── EngineUnreachable          no engine answers for the run
├── JournalError               the record cannot be written or read
│   ├── JournalLocked          another engine writes it
│   └── JournalDamaged         the chain or the schema does not fit
└── OutsideError               an outside system did not do what was asked
    ├── Unreachable            no answer at all
    ├── DeadlineExceeded       no answer in time; the effect of a write is unknown
    ├── Denied                 credentials or rights are missing
    │   └── SecretMissing      a secret has no value where the runbook looks for it
    ├── NotFound               the object does not exist
    ├── Conflict               somebody else changed the object: the precondition does not hold
    │   └── Fenced             somebody else commands the object now
    └── BadAnswer              an answer that cannot be understood
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable


class CockpitError(Exception):
    """What happened, to what (`str(error)`), and what to do (`hint`)."""

    title = "Something went wrong"
    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return str(self.args[0])


class UsageError(CockpitError):
    """A command that cannot be understood or does not fit the moment."""

    title = "That cannot be done"
    exit_code = 2


class RunbookInvalid(UsageError):
    """The runbook document has `findings`; the text of each names its file and line."""

    title = "The runbook is not valid"

    def __init__(self, findings: Iterable[object]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)), "Correct these lines and try again.")


class PreflightFailed(CockpitError):
    """Something the run needs is missing; nothing was changed."""

    title = "Not ready to run"
    exit_code = 5


class NotCommander(CockpitError):
    """This front end may watch the run but not command it."""

    title = "You are not the commander"
    exit_code = 6


class CommandRefused(CockpitError):
    """The engine refused a command; the message says what changed."""

    title = "Refused"


class EngineUnreachable(CockpitError):
    """No engine answers for the run."""

    title = "The engine does not answer"


class JournalError(CockpitError):
    """The record of the run cannot be written or read."""

    title = "Journal"


class JournalLocked(JournalError):
    """Another engine has this run's journal open."""


class JournalDamaged(JournalError):
    """The journal's hash chain or schema does not fit."""


class OutsideError(CockpitError):
    """An outside system did not do what was asked."""

    title = "Outside system"


class Unreachable(OutsideError):
    """The system gave no answer at all: nothing was received by it, or the line is dead."""


class DeadlineExceeded(OutsideError):
    """No answer within the deadline; whether a write took effect is unknown."""


class Denied(OutsideError):
    """Credentials or rights are missing."""


class SecretMissing(Denied):
    """A secret has no usable value in any of the places that the runbook names."""


class NotFound(OutsideError):
    """The named object does not exist."""


class Conflict(OutsideError):
    """The object is not in the state the change was planned for."""


class Fenced(Conflict):
    """Another engine has stamped a higher epoch: `by` commands the object now."""

    def __init__(self, message: str, hint: str = "", *, by: str = "", epoch: int = 0, key: str = "") -> None:
        super().__init__(message, hint)
        self.by, self.epoch, self.key = by, epoch, key


class BadAnswer(OutsideError):
    """The system answered something that cannot be understood."""


def without_values(error: BaseException) -> str:
    """Where an unforeseen error happened, for a crash file: no message, which may quote a secret, and no variables."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return "".join(frames) + f"{type(error).__module__}.{type(error).__qualname__}\n"
