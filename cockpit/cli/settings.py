"""What a run was started with, kept beside its journal so that a restarted engine is the same engine."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from cockpit.errors import JournalError
from cockpit.link.paths import RunPaths, write_private
from cockpit.model.base import Value
from cockpit.model.clock import RunClock


class ClockSettings(Value):
    """The run's clock: seconds since the Unix epoch on the wall and in the run, and run seconds per real second."""

    real_origin: float = 0.0
    run_origin: float = 0.0
    speed: float = 1.0

    def clock(self) -> RunClock:
        """The clock."""
        return RunClock(self.real_origin, self.run_origin, self.speed)


class Rehearsal(Value):
    """The run goes against a simulator with this scenario; `addresses` are where its services listen."""

    scenario: str
    addresses: dict[str, str] = Field(default_factory=dict)


class ClusterPin(Value):
    """Which cluster a run is about: the API server, the hash of its CA file (empty: the system's CAs), its UID.

    The UID is that of the namespace kube-system, empty when it may not be read.
    """

    server: str
    ca_sha256: str = ""
    uid: str = ""
    context: str = ""


class OpeningNote(Value):
    """Something known when the run was opened, for the first rows of its journal."""

    text: str
    warning: bool = False


class RunSettings(Value):
    """Everything an engine needs besides the pinned runbook and the secrets of its environment."""

    run: str
    runbook: str
    original: str
    variables: dict[str, str] = Field(default_factory=dict)
    kubeconfig: str | None = None
    context: str = ""
    clock: ClockSettings = Field(default_factory=ClockSettings)
    automatic: bool = False
    commander: str
    instance: str = ""
    rehearsal: Rehearsal | None = None
    cluster: ClusterPin | None = None
    notes: tuple[OpeningNote, ...] = ()

    def save(self, paths: RunPaths) -> None:
        """Write the settings into the run's directory; raises JournalError."""
        write_private(paths.settings, self.model_dump_json(indent=2) + "\n")


def load_settings(paths: RunPaths) -> RunSettings:
    """Read a run's settings; raises JournalError when they are missing or not understood."""
    try:
        return RunSettings.model_validate_json(paths.settings.read_bytes())
    except OSError as error:
        raise JournalError(
            f"{paths.settings} cannot be read: {error.strerror}", "Is this a run's directory?"
        ) from error
    except ValidationError as error:
        raise JournalError(
            f"{paths.settings} cannot be understood: {error.errors()[0]['msg']}",
            "It was written by another version of cockpit; use that one.",
        ) from error


def absolute(path: str | None) -> str | None:
    """An absolute path, because an engine does not stay in the directory where it was started."""
    return str(Path(path).expanduser().absolute()) if path else None
