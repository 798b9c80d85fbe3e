"""Gives a commander's screen its own line to the cluster: the run's kubeconfig, context and namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cockpit.cli.settings import RunSettings, load_settings
from cockpit.link.paths import RunPaths
from cockpit.tui.lens import Lens
from cockpit.tui.looking import LookSettings


def look_settings(paths: RunPaths) -> LookSettings:
    """What a closer look needs; nothing is opened yet. Raises JournalError when the run's settings cannot be read."""
    settings = load_settings(paths)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Lens]:
        from cockpit.adapters.kubernetes.lens import open_lens

        namespace = await asyncio.to_thread(_namespace, paths, settings)
        now = settings.clock.clock().now
        async with open_lens(settings.kubeconfig, settings.context or None, namespace, now=now) as lens:
            yield lens

    return LookSettings(
        open=opening,
        saves=paths.directory,
        directory=Path(settings.original).parent,
        rehearsal=settings.rehearsal is not None,
    )


def _namespace(paths: RunPaths, settings: RunSettings) -> str:
    from cockpit.runbook.load import load

    return load(paths.runbook, settings.variables, {}).runbook.cluster.namespace
