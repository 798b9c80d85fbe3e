"""What somebody else did to the guarded objects: found, said, settled. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from cockpit.engine.plan import active_track
from cockpit.model.events import DriftEnded, DriftFound, Event, RunFenced, WeightChanged
from cockpit.model.guarded import ENABLED, EPOCH, EXISTS, SELECTOR, WEIGHT, GuardedObject, said
from cockpit.model.run import DriftState, RunState, TrafficState
from cockpit.runbook.actions import Action, CanaryOff, Deploy, Switch, Traffic
from cockpit.runbook.cluster import Cluster
from cockpit.runbook.schema import Runbook

Facts = dict[str, str]


def route_key(cluster: Cluster) -> str:
    """The candidate's route."""
    backend = cluster.traffic
    return f"httproute/{backend.http_route}" if backend.backend == "gateway" else f"ingress/{backend.canary_ingress}"


def target_of(book: Runbook, action: Action) -> str:
    """The guarded object that an action changes, empty when it changes none."""
    if isinstance(action, Deploy):
        return f"deployment/{book.cluster.tracks[action.track].deployment}"
    if isinstance(action, Switch):
        return f"service/{book.cluster.active_service.name}"
    return route_key(book.cluster) if isinstance(action, Traffic | CanaryOff) else ""


def observe(state: RunState, key: str, seen: GuardedObject | None, holder: str, now: datetime) -> list[Event]:
    """What the sight of a guarded object means; `seen` is None when it was deleted, `holder` is this engine's name."""
    if state.closed or state.fenced is not None or key not in state.guarded:
        return []
    if seen is not None and foreign(state, seen, holder):
        return [fenced(seen.holder, seen.epoch or 0, key, now)]
    if not state.status.forward:
        return []
    if seen is not None and seen.holder == holder and (seen.epoch or 0) > state.epoch:
        # A claim of our own that is not recorded yet: it is under way, or was interrupted and comes again.
        seen = replace(seen, epoch=state.epoch)
    expected, found = differences(state, key, seen)
    known = state.drift.get(key)
    if not found:
        return [DriftEnded(at=now, actor="engine", object=key, how="gone")] if known else []
    if known is not None and dict(known.found) == found:
        return []
    manager = next((seen.managers[name] for name in found if name in seen.managers), "") if seen else ""
    return [DriftFound(at=now, actor="engine", object=key, expected=expected, found=found, manager=manager)]


def foreign(state: RunState, seen: GuardedObject, holder: str) -> bool:
    """Whether somebody else commands the object: a higher stamp, or the same one by another engine.

    The stamp of the engine that is being taken over from is to be replaced, whatever it is.
    """
    if seen.epoch is None or seen.holder in (holder, state.taken_from or holder):
        return False
    return seen.epoch >= state.epoch


def fenced(by: str, epoch: int, key: str, now: datetime) -> RunFenced:
    """The event that parks this engine."""
    return RunFenced(at=now, actor="engine", by=by or "somebody else", their_epoch=epoch, object=key)


def differences(state: RunState, key: str, seen: GuardedObject | None) -> tuple[Facts, Facts]:
    """The facts that are not as expected: as they should be, and as they are. Empty when all is well.

    What an action of ours may have made of the object is as good as what it was before.
    """
    guarded = state.guarded[key]
    if seen is None:
        return {EXISTS: "true"}, {EXISTS: "false"}
    facts = _telling(seen.facts)
    stamp = {} if not seen.stamped or seen.epoch == state.epoch else {EPOCH: str(seen.epoch or "")}
    for allowed in (guarded.expected, guarded.pending):
        if allowed is not None and _same(allowed, facts):
            return ({EPOCH: str(state.epoch)}, stamp) if stamp else ({}, {})
    wanted = _telling(guarded.expected)
    found = {name: facts[name] for name in facts if facts[name] != wanted.get(name)}
    expected = {name: guarded.expected.get(name, "") for name in found}
    return (expected | {EPOCH: str(state.epoch)}, found | stamp) if stamp else (expected, found)


def _same(allowed: Mapping[str, str], facts: Mapping[str, str]) -> bool:
    return all(facts.get(name) == value for name, value in _telling(allowed).items())


def _telling(facts: Mapping[str, str]) -> Facts:
    """The facts without those that mean nothing: the weight of a route that is off."""
    off = facts.get(ENABLED) == "false"
    return {name: value for name, value in facts.items() if not (off and name == WEIGHT)}


def blocking(state: RunState) -> str:
    """Why no forward action may start, empty when nothing has drifted."""
    return "; ".join(words(key, drift) for key, drift in state.drift.items())


def words(key: str, drift: DriftState) -> str:
    """One drift in words."""
    by = f" by {drift.manager}" if drift.manager else " by somebody else"
    return f"{key} was changed{by}: {said(drift.found)}, expected {said(drift.expected)}"


def named(state: RunState, key: str) -> tuple[str, ...]:
    """The open drifts that a command means: the named one, or all."""
    return tuple(state.drift) if not key else tuple(each for each in state.drift if each == key)


def adopted(
    book: Runbook, state: RunState, keys: tuple[str, ...], actor: str, reason: str, now: datetime
) -> list[Event]:
    """What was found becomes what is expected, and the commanded traffic with it."""
    events: list[Event] = []
    moved: Facts = {}
    for key in keys:
        found = {name: value for name, value in state.drift[key].found.items() if name not in (EPOCH, EXISTS)}
        ended = DriftEnded(at=now, actor=actor, object=key, how="adopted", facts=found, reason=reason)
        events.append(ended)
        moved |= found
    if moved.keys() & {SELECTOR, WEIGHT, ENABLED}:
        events.append(_as_found(book, state, moved, actor, now))
    return events


def _as_found(book: Runbook, state: RunState, found: Facts, actor: str, now: datetime) -> Event:
    """The traffic as the adopted Service and route carry it."""
    known = state.traffic or TrafficState(0, book.cluster.stable, True, now)
    weight = int(found.get(WEIGHT, known.weight))
    canary = found.get(ENABLED, str(known.canary).lower()) == "true"
    active = active_track(book, json.loads(found[SELECTOR])) if SELECTOR in found else known.active
    return WeightChanged(at=now, actor=actor, weight=weight, active=active, canary=canary, by="adopted")
