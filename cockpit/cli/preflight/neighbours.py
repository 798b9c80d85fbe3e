"""Who else changes the run's objects: other tools, autoscalers, disruption budgets."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cockpit.cli.preflight.finding import Check, Note, State, ok, warning
from cockpit.cli.preflight.ground import Ground
from cockpit.errors import OutsideError
from cockpit.link.paths import all_runs, cockpit_home
from cockpit.model.guarded import GuardedObject
from cockpit.runbook.cluster import Cluster

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.survey import BudgetFacts, ScalerFacts, WorkloadFacts, Writer

GROUP = "neighbours"
# Managers that write again by themselves; the others (kubectl, helm, a person) wait to be told.
_RECONCILERS = (
    (re.compile(r"argocd|argo-cd"), "Argo CD", "Switch its automatic sync (selfHeal) off for the time of the run."),
    (re.compile(r"argo-rollouts|rollouts-controller"), "Argo Rollouts", "It shifts traffic itself: take it off."),
    (re.compile(r"flagger"), "Flagger", "It shifts traffic itself: suspend its Canary."),
    (re.compile(r"kustomize-controller|helm-controller|fluxcd|^flux"), "Flux", "Run: flux suspend kustomization NAME"),
    (re.compile(r"keda|horizontal-pod-autoscaler"), "an autoscaler", "Let its minimum be what the runbook counts on."),
)  # fmt: skip
T = TypeVar("T")


def checks(ground: Ground) -> list[Check]:
    """The checks of this group; a neighbour fails nothing."""
    return [
        Check(GROUP, "other commanders", partial(other_commanders, ground), State.WARNING),
        Check(GROUP, "other writers", partial(other_writers, ground), State.WARNING),
        Check(GROUP, "autoscalers", partial(scalers, ground), State.WARNING),
    ]


async def other_commanders(ground: Ground) -> Sequence[Note]:
    """Who stamped the guarded objects; a stamp stays when its run is over."""
    over = {paths.run for paths in all_runs(cockpit_home(os.environ)) if paths.closed.exists()}
    return judge_stamps(await ground.outside.guardian.look(), over)


def judge_stamps(guarded: Sequence[GuardedObject], over: Collection[str]) -> list[Note]:
    """A run that may still be alive is fenced by this one; `over` are the runs known to be closed. Pure."""
    stamps = {each.epoch: each.holder for each in guarded if each.epoch is not None}
    if not stamps:
        return [ok("no run has stamped the guarded objects")]
    newest = max(stamps)
    text = f"the guarded objects carry epoch {newest} of {stamps[newest] or 'an unknown run'}"
    if stamps[newest].partition(" ")[0] in over:
        return [ok(f"{text}, which is closed")]
    return [warning(text, "If that run is still alive, this one will fence it: ask its commander, or close it first.")]


async def other_writers(ground: Ground) -> Sequence[Note]:
    """Field managers of what the run writes."""
    cluster, survey = ground.book.cluster, ground.outside.survey
    traffic = cluster.traffic
    tracks = [survey.workload("deployments", track.deployment, track.container) for track in cluster.tracks.values()]
    gateway = traffic.backend == "gateway" and traffic.http_route
    route_name = (traffic.http_route if gateway else traffic.canary_ingress) or ""
    found, service, on_route = await asyncio.gather(
        asyncio.gather(*map(_or_none, tracks)),
        _or_none(survey.service(cluster.active_service.name)),
        _or_none(survey.route_writers(route_name) if gateway else survey.ingress_writers(route_name)),
    )
    writers = [(f"deployment/{each.name}", writer) for each in found if each for writer in each.writers]
    writers += [(f"service/{service.name}", writer) for writer in service.writers] if service else []
    writers += [(route_name, writer) for writer in on_route or ()]
    return judge_writers(writers)


def judge_writers(writers: Sequence[tuple[str, Writer]]) -> list[Note]:
    """Name those that would write again by themselves. Pure."""
    notes = [note for what, writer in writers if (note := _reconciler(what, writer)) is not None]
    others = dict.fromkeys(writer.manager for _, writer in writers)
    return notes or [ok(f"nobody reconciles the run's fields; last written by {', '.join(others) or 'nobody else'}")]


def _reconciler(what: str, writer: Writer) -> Note | None:
    for pattern, tool, fix in _RECONCILERS:
        if pattern.search(writer.manager.lower()):
            text = f"{tool} ({writer.manager}) writes {writer.field} of {what}, and may undo what the run does"
            return warning(text, fix)
    return None


async def scalers(ground: Ground) -> Sequence[Note]:
    """Autoscalers and disruption budgets of the tracks."""
    cluster, survey = ground.book.cluster, ground.outside.survey
    tracks = [survey.workload("deployments", track.deployment) for track in cluster.tracks.values()]
    found, budgets, workloads = await asyncio.gather(
        _or_none(survey.scalers()), _or_none(survey.budgets()), asyncio.gather(*map(_or_none, tracks))
    )
    notes = [*judge_scalers(cluster, found or ())]
    notes += [*_judge_budgets([each for each in workloads if each], budgets or ())]
    if found is None or budgets is None:
        notes.append(ok("autoscalers and disruption budgets are not readable, so they were not looked at"))
    return notes or [ok("no autoscaler or disruption budget on the tracks")]


def judge_scalers(cluster: Cluster, scalers: Sequence[ScalerFacts]) -> Iterator[Note]:
    """An autoscaler may take pods away that the way back counts on. Pure."""
    targets = {f"deployment/{track.deployment}": track for track in cluster.tracks.values()}
    for scaler in scalers:
        track = targets.get(scaler.target)
        if track is None:
            continue
        text = f"{scaler.name} scales {scaler.target} between {scaler.least} and {scaler.most}"
        if scaler.least < track.replicas:
            fix = (
                f"Set its minReplicas to {track.replicas} for the time of the run: an idle track would be scaled down."
            )
            yield warning(f"{text}; the runbook counts on {track.replicas}", fix)
        else:
            yield ok(text)


def _judge_budgets(workloads: Sequence[WorkloadFacts], budgets: Sequence[BudgetFacts]) -> Iterator[Note]:
    for budget in budgets:
        guarded = [
            each.name for each in workloads if budget.labels and budget.labels.items() <= dict(each.labels).items()
        ]
        if guarded:
            yield ok(f"the budget {budget.name} guards {', '.join(guarded)}: {budget.allowed} pods may go now")


async def _or_none(asked: Awaitable[T]) -> T | None:
    try:
        return await asked
    except OutsideError:
        return None
