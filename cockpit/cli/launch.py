"""Starts a run: its directory, its pinned runbook, its processes."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.cli.rehearsal import CONTEXT, opening
from cockpit.cli.settings import (
    ClockSettings,
    ClusterPin,
    OpeningNote,
    Rehearsal,
    RunSettings,
    absolute,
)
from cockpit.cli.spawn import start_engine, start_simulator
from cockpit.errors import CockpitError
from cockpit.journal.filesystem import private_file
from cockpit.link.closing import write_closed
from cockpit.link.paths import RunPaths, cockpit_home, create_run, new_run_id
from cockpit.link.peer import person_of
from cockpit.model.status import RunStatus
from cockpit.runbook.load import LoadedRunbook, load

HEADLESS_SPEED = 300.0
SCREEN_SPEED = 60.0
_START_UP = 2.0
"""Real seconds until the processes of a rehearsal are up: its clock starts then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. `scenario` makes it a rehearsal; `speed` is run seconds per real second.

    `cluster` and `notes` are what a preflight found: where the run must stay, and what its journal keeps of it.
    """

    runbook: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    automatic: bool = False
    scenario: str | None = None
    speed: float = 1.0
    context: str | None = None
    kubeconfig: str | None = None
    cluster: ClusterPin | None = None
    notes: tuple[OpeningNote, ...] = ()


def launch(plan: Plan) -> RunPaths:
    """Start the engine of a new run (and its simulator) and return when it answers.

    Raises RunbookInvalid before anything is written, JournalError and EngineUnreachable.
    """
    loaded = load(plan.runbook, plan.variables, os.environ)
    now = datetime.now(UTC)
    paths = create_run(cockpit_home(os.environ), new_run_id(loaded.runbook.metadata.name, now))
    settings = _settings(plan, loaded, paths, now)
    _pin(plan.runbook, paths)
    settings.save(paths)
    try:
        if settings.rehearsal is not None:
            start_simulator(paths)
        start_engine(paths)
    except CockpitError:
        if not paths.journal.exists():
            # Nothing has happened yet, so there is nothing to attach to; the simulator ends by this too.
            write_closed(paths, RunStatus.ABORTED)
        raise
    return paths


def _settings(plan: Plan, loaded: LoadedRunbook, paths: RunPaths, now: datetime) -> RunSettings:
    book = loaded.runbook
    rehearsal = Rehearsal(scenario=plan.scenario) if plan.scenario else None
    clock = ClockSettings()
    kubeconfig, context = (
        absolute(plan.kubeconfig or os.environ.get("KUBECONFIG")),
        # The name as it was then: the current context may be another one when the engine is started again.
        (plan.cluster.context if plan.cluster else "") or plan.context or book.cluster.context,
    )
    if rehearsal is not None:
        begin = opening(book, now, timedelta(seconds=_START_UP * plan.speed))
        clock = ClockSettings(real_origin=time.time() + _START_UP, run_origin=begin.timestamp(), speed=plan.speed)
        kubeconfig, context = str(paths.directory / "kubeconfig"), CONTEXT
    return RunSettings(
        run=paths.run,
        runbook=book.metadata.title,
        original=str(plan.runbook.absolute()),
        # The resolved values, so that another environment cannot change them when the engine is restarted.
        variables=dict(loaded.variables),
        kubeconfig=kubeconfig,
        context=context or "",
        clock=clock,
        automatic=plan.automatic,
        commander=person_of(os.getpid(), os.geteuid()),
        instance=secrets.token_hex(3),
        rehearsal=rehearsal,
        cluster=plan.cluster,
        notes=plan.notes,
    )


def _pin(runbook: Path, paths: RunPaths) -> None:
    with os.fdopen(private_file(paths.runbook, os.O_WRONLY), "wb") as file:
        file.write(runbook.read_bytes())
