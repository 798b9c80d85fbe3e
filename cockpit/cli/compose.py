"""Puts an engine together and runs it to the end of its run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from cockpit.adapters.open import Endpoints, open_outside
from cockpit.cli import collect_little
from cockpit.cli.pin import refuse_other_cluster
from cockpit.cli.rehearsal import Rewritten, rewrite
from cockpit.cli.settings import RunSettings, load_settings
from cockpit.engine.ports import Outside
from cockpit.engine.session import Session
from cockpit.errors import JournalError
from cockpit.journal.spill import spill_place
from cockpit.journal.store import Journal
from cockpit.link.closing import write_closed
from cockpit.link.paths import RunPaths
from cockpit.link.publisher import Publisher
from cockpit.link.server import serve
from cockpit.runbook.load import load
from cockpit.runbook.secrets import SecretStore

ALONE_FOR = 600.0
"""Real seconds for which a rehearsal goes on without any front end."""
_LOOK_EVERY = 5.0
_log = logging.getLogger(__name__)


async def run_engine(directory: Path, environ: Mapping[str, str]) -> None:
    """Take up the run in `directory` and return when it is closed; secrets are read from `environ`.

    A SIGTERM ends the engine in order and leaves the run open. Raises CockpitError when it cannot start or go on.
    """
    paths = RunPaths(directory)
    settings = load_settings(paths)
    _stop_on_sigterm()
    journal = await Journal.open(paths.journal, spill=spill_place(paths.journal, environ))
    try:
        await _run(paths, settings, journal, environ)
    finally:
        await journal.close()


async def _run(paths: RunPaths, settings: RunSettings, journal: Journal, environ: Mapping[str, str]) -> None:
    refuse_other_cluster(settings)
    book = pinned(paths, settings, environ)
    runbook = book.loaded.runbook
    secrets = SecretStore(runbook.secrets, book.environ)
    async with connect(settings, book, secrets) as systems:
        session = await Session.open(
            settings.run,
            book.loaded,
            journal,
            systems,
            settings.clock.clock(),
            secrets,
            automatic=settings.automatic,
            commander=settings.commander,
            instance=settings.instance,
            rehearsal=settings.rehearsal is not None,
            context=settings.context,
            run_dir=paths.directory,
            notes=[(note.text, "warning" if note.warning else "info") for note in settings.notes],
        )
        sockets = paths.place_sockets(environ)
        async with serve(session.feed, sockets.control, sockets.watch) as audience:
            collect_little()
            leaving = asyncio.create_task(_leave_when_alone(audience, settings))
            try:
                await session.run()
            finally:
                leaving.cancel()
        write_closed(paths, session.feed.snapshot().header.status)


@contextlib.asynccontextmanager
async def connect(settings: RunSettings, book: Rewritten, secrets: SecretStore) -> AsyncIterator[Outside]:
    """The outside systems of a run; raises UsageError when the kubeconfig will not do."""
    opened = open_outside(
        book.loaded.runbook,
        secrets,
        kubeconfig=settings.kubeconfig,
        context=settings.context or None,
        endpoints=Endpoints(registry=book.registry),
        directory=Path(settings.original).parent,
    )
    async with opened as adapters:
        yield Outside(
            workloads=adapters.workloads,
            traffic=adapters.traffic,
            guardian=adapters.guardian,
            leases=adapters.leases,
            metrics=adapters.metrics,
            http=adapters.http,
            cdn=adapters.cdn,
            registry=adapters.registry,
            programs=adapters.programs,
            messengers=adapters.messengers,
            mirror=adapters.mirror,
        )


def pinned(paths: RunPaths, settings: RunSettings, environ: Mapping[str, str]) -> Rewritten:
    """The run's own copy of the runbook, pointed at the simulator for a rehearsal; raises RunbookInvalid."""
    loaded = load(paths.runbook, settings.variables, {})
    if settings.rehearsal is None:
        return Rewritten(loaded, environ)
    return rewrite(loaded, simulator_addresses(paths))


def simulator_addresses(paths: RunPaths) -> dict[str, str]:
    """Where the rehearsal's simulator listens; raises JournalError when it never did."""
    path = paths.directory / "simulator.json"
    try:
        found: dict[str, str] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise JournalError(f"{path} cannot be read", "Start a new rehearsal.") from error
    return found


async def _leave_when_alone(audience: Publisher, settings: RunSettings) -> None:
    """End a rehearsal's engine, like a SIGTERM, when nobody has watched it for long; a real run is never left."""
    if settings.rehearsal is None:
        return
    alone = 0.0
    while alone < ALONE_FOR:
        await asyncio.sleep(_LOOK_EVERY)
        alone = 0.0 if audience.watched else alone + _LOOK_EVERY
    _log.warning("nobody watches this rehearsal: the engine ends, attach starts it again")
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_on_sigterm() -> None:
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        _log.warning("SIGTERM: the engine ends and leaves the run open")
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
