"""Whether everything a run needs is there; nothing is changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.cli.launch import Plan
from cockpit.cli.settings import absolute
from cockpit.errors import CockpitError, PreflightFailed, SecretMissing
from cockpit.runbook.load import LoadedRunbook, load
from cockpit.runbook.secrets import SecretStore

if TYPE_CHECKING:
    from cockpit.adapters.open import Adapters

Look = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what is there, or what is wrong and what to do."""

    name: str
    ok: bool
    message: str
    hint: str = ""

    def __str__(self) -> str:
        lines = [f"{'ok  ' if self.ok else 'FAIL'}  {self.name}: {self.message}"]
        return "\n".join([*lines, f"      → {self.hint}"] if self.hint else lines)


def require_ready(plan: Plan) -> None:
    """Raise PreflightFailed with everything that is missing; RunbookInvalid when the runbook is not valid."""
    failed = [finding for finding in preflight(plan) if not finding.ok]
    if failed:
        raise PreflightFailed("\n" + "\n".join(map(str, failed)), "Repair it and try again; nothing was changed.")


def preflight(plan: Plan) -> tuple[Finding, ...]:
    """Look at everything a run of the plan needs; raises RunbookInvalid."""
    return asyncio.run(_preflight(load(plan.runbook, plan.variables, os.environ), plan))


async def _preflight(loaded: LoadedRunbook, plan: Plan) -> tuple[Finding, ...]:
    from cockpit.adapters.open import open_outside

    secrets = SecretStore(loaded.runbook.secrets, os.environ)
    found = list(_secrets(loaded, secrets))
    context = plan.context or loaded.runbook.cluster.context
    kubeconfig = absolute(plan.kubeconfig or os.environ.get("KUBECONFIG"))
    try:
        async with open_outside(loaded.runbook, secrets, kubeconfig=kubeconfig, context=context) as outside:
            looks = _looks(loaded, outside)
            found += await asyncio.gather(*(_finding(name, look) for name, look in looks.items()))
    except CockpitError as error:
        found.append(Finding("cluster", False, str(error), error.hint))
    return tuple(found)


def _secrets(loaded: LoadedRunbook, secrets: SecretStore) -> list[Finding]:
    return [_secret(name, secrets) for name in loaded.runbook.secrets]


def _secret(name: str, secrets: SecretStore) -> Finding:
    try:
        secrets.get(name)
    except SecretMissing as error:
        return Finding(f"secret {name}", False, str(error), error.hint)
    return Finding(f"secret {name}", True, "has a value")


def _looks(loaded: LoadedRunbook, outside: Adapters) -> dict[str, Look]:
    cluster = loaded.runbook.cluster

    async def server() -> str:
        return await outside.workloads.server()

    async def route() -> str:
        state = await outside.traffic.read()
        return f"{state.name}, weight {state.weight} %, {'on' if state.enabled else 'off'}"

    def deployment(name: str, container: str | None) -> Look:
        async def look() -> str:
            state = await outside.workloads.deployment(name, container)
            return f"{state.ready} of {state.wanted} ready, {state.image}"

        return look

    def service(name: str) -> Look:
        async def look() -> str:
            state = await outside.workloads.service(name)
            return ",".join(f"{key}={value}" for key, value in state.selector.items())

        return look

    async def metrics() -> str:
        answer = await outside.metrics.query("vector(1)")
        return f"{len(answer.samples)} series"

    names = [cluster.active_service.name, *(track.service for track in cluster.tracks.values())]
    return {
        "server": server,
        "route": route,
        **{f"deployment {t.deployment}": deployment(t.deployment, t.container) for t in cluster.tracks.values()},
        **{f"service {name}": service(name) for name in names},
        "metrics": metrics,
    }


async def _finding(name: str, look: Look) -> Finding:
    try:
        return Finding(name, True, await look())
    except CockpitError as error:
        return Finding(name, False, str(error), error.hint)
