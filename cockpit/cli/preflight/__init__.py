"""Whether everything a run needs is there; nothing is changed.

Every check is independent of the others, all are made at the same time, each has a deadline, and one that fails hides
no other. `cockpit check` shows them all; `cockpit run` asks the same and shows what is not well.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cockpit.cli.launch import Plan
from cockpit.cli.preflight import (
    cluster,
    images,
    lease,
    messages,
    metrics,
    neighbours,
    objects,
    programs,
    rights,
    writes,
)
from cockpit.cli.preflight.finding import Check, Finding, Note, State
from cockpit.cli.preflight.ground import Ground
from cockpit.cli.settings import ClusterPin, OpeningNote, absolute
from cockpit.errors import CockpitError
from cockpit.model.text import clean
from cockpit.runbook.load import LoadedRunbook, load
from cockpit.runbook.secrets import SecretStore

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.hygiene import Kubeconfig
    from cockpit.adapters.open import Endpoints

__all__ = ["Finding", "Preflight", "State", "preflight"]

DEADLINE = 20.0
"""Seconds for one check, whatever it asks."""

_MODULES = (rights, lease, objects, writes, neighbours, images, metrics, messages, programs)


@dataclass(frozen=True, slots=True)
class Preflight:
    """All findings, and the cluster they are about; `pin` is None when no cluster could be named at all."""

    findings: tuple[Finding, ...]
    pin: ClusterPin | None = None
    identity: str = ""
    identity_source: str = ""
    version: str = ""
    namespace: str = ""
    production: bool = False

    @property
    def ready(self) -> bool:
        """Whether a run may start."""
        return all(finding.ok for finding in self.findings)

    def notes(self) -> tuple[OpeningNote, ...]:
        """What the run's journal keeps of it: who acts where, and every warning."""
        if self.pin is None:
            return ()
        uid = f", cluster {self.pin.uid}" if self.pin.uid else ""
        who = f"preflight: the cluster knows us as {self.identity} ({self.identity_source})"
        first = OpeningNote(text=f"{who}; {self.pin.server}{uid}, Kubernetes {self.version}")
        warned = [one for one in self.findings if one.state is State.WARNING]
        return (
            first,
            *(OpeningNote(text=f"preflight: {one.group}, {one.name}: {one.message}", warning=True) for one in warned),
        )


def preflight(plan: Plan) -> Preflight:
    """Look at everything a run of the plan needs; raises RunbookInvalid."""
    return asyncio.run(look(load(plan.runbook, plan.variables, os.environ), plan))


async def look(loaded: LoadedRunbook, plan: Plan, endpoints: Endpoints | None = None) -> Preflight:
    """The same for a runbook that is loaded already; `endpoints` say where systems are in place of the runbook."""
    from cockpit.adapters.kubernetes import hygiene
    from cockpit.adapters.open import open_outside

    secrets = SecretStore(loaded.runbook.secrets, os.environ)
    context = plan.context or loaded.runbook.cluster.context
    path = absolute(plan.kubeconfig or os.environ.get("KUBECONFIG"))
    try:
        config = hygiene.inspect(path, context)
        opened = open_outside(
            loaded.runbook,
            secrets,
            kubeconfig=path,
            context=context,
            endpoints=endpoints,
            directory=plan.runbook.absolute().parent,
        )
        async with opened as outside:
            given = tuple(f"{name}={value}" for name, value in plan.variables.items())
            return await _look(Ground(loaded, secrets, outside, config, given), config)
    except CockpitError as error:
        return Preflight((Finding(cluster.GROUP, "kubeconfig", State.FAIL, str(error), error.hint),))


async def _look(ground: Ground, config: Kubeconfig | None) -> Preflight:
    checks = [check for module in _MODULES for check in module.checks(ground)]
    facts, found = await asyncio.gather(
        cluster.gather(ground, config.context if config else ""), asyncio.gather(*map(_made, checks))
    )
    judged = cluster.judge(facts, ground.book, cluster.utc_now())
    first = [_finding(Check(cluster.GROUP, "cluster", _nothing), note) for note in judged]
    user, source = facts.who
    uid = facts.uid if isinstance(facts.uid, str) else ""
    return Preflight(
        findings=(*first, *(finding for group in found for finding in group)),
        pin=ClusterPin(
            server=facts.address, ca_sha256=config.ca_sha256 if config else "", uid=uid, context=facts.context
        ),
        identity=user,
        identity_source=source,
        version="" if isinstance(facts.server, CockpitError) else facts.server.version,
        namespace=ground.namespace,
        production=cluster.is_production(facts, ground.book),
    )


async def _made(check: Check) -> list[Finding]:
    """One check, which hides no other whatever happens to it."""
    try:
        async with asyncio.timeout(DEADLINE):
            notes = await check.look()
    except CockpitError as error:
        notes = [Note(check.broken, clean(str(error)), error.hint)]
    except TimeoutError:
        notes = [Note(check.broken, f"no answer within {DEADLINE:g} s", "Try again; is the network slow?")]
    return [_finding(check, note) for note in notes]


def _finding(check: Check, note: Note) -> Finding:
    return Finding(check.group, note.name or check.name, note.state, note.message, note.fix)


async def _nothing() -> Sequence[Note]:
    return ()
