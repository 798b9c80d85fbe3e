"""Gates: what their conditions amount to, and what the hold clock does. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cockpit.engine.conditions import WARMING, Checked
from cockpit.model.comparison import Comparison
from cockpit.model.events import Event, GateBroke, GateGaveUp, GateHolding, GatePassed
from cockpit.model.run import GateState
from cockpit.model.status import GateStatus
from cockpit.model.verdict import Measurement, Verdict
from cockpit.model.words import duration
from cockpit.runbook.gate import Gate
from cockpit.runbook.schema import Step


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all conditions: whether one failed, whether one could not be told, whether the weight had changed."""

    failed: bool = False
    blind: bool = False
    fresh: bool = False

    def also(self, other: Look) -> Look:
        """The two as one look: as bad as the worse."""
        return Look(self.failed or other.failed, self.blind or other.blind, self.fresh or other.fresh)

    @property
    def good(self) -> bool:
        """Whether everything held all the time."""
        return not (self.failed or self.blind or self.fresh)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate's decision rests on."""

    measurements: tuple[Measurement, ...] = ()
    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the looks follow each other: `since_last` is None for the first one, `longest_gap` is the most between two.

    `looks` are those since the hold began and the present one, oldest first; `other_obstacles` says that the gate now
    waits for something else than at the look before, which is worth a row of its own.
    """

    since_last: timedelta | None
    longest_gap: timedelta
    looks: tuple[Look, ...] = ()
    other_obstacles: bool = False

    @property
    def unbroken(self) -> bool:
        """Whether this look follows the last one soon, and not before it: clocks are set."""
        return self.since_last is not None and timedelta() <= self.since_last <= self.longest_gap


def deciding(checked: tuple[Checked, ...]) -> tuple[Checked, ...]:
    """The conditions without the advisory ones."""
    return tuple(entry for entry in checked if not entry.advisory)


def verdict(checked: tuple[Checked, ...]) -> Verdict:
    """The gate's verdict: NORMAL when all hold; what cannot be told comes before what does not hold."""
    verdicts = {entry.verdict for entry in deciding(checked)}
    for candidate in (Verdict.BROKEN, Verdict.NO_DATA, Verdict.WARNING):
        if candidate in verdicts:
            return candidate
    return Verdict.NORMAL


def look(checked: tuple[Checked, ...]) -> Look:
    """What a look at all conditions amounts to."""
    decide = deciding(checked)
    return Look(
        failed=any(entry.verdict is Verdict.WARNING for entry in decide),
        blind=any(entry.blind for entry in decide),
        fresh=any(entry.reason.startswith(WARMING) for entry in decide),
    )


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks since the hold began, oldest first, and when the last of them began."""

    looks: tuple[Look, ...] = ()
    began: datetime | None = None

    def seen(self, entry: Look, now: datetime, gate: Gate, usual: timedelta) -> Looks:
        """With one more measurement: a part of the last look until the gate's interval is over, about."""
        rest = timedelta() if gate.interval is None else gate.interval - gate.pace(usual) / 2
        if self.looks and self.began is not None and now - self.began < rest:
            return Looks((*self.looks[:-1], self.looks[-1].also(entry)), self.began)
        return Looks((*self.looks, entry), now)


def failing(checked: tuple[Checked, ...]) -> str:
    """In words, what does not hold, empty when everything does; what all have in common is said once."""
    decide = deciding(checked)
    unmet = [entry for entry in decide if not entry.met]
    if 1 < len(unmet) == len(decide) and len({entry.reason for entry in unmet}) == 1:
        return unmet[0].reason
    blind = [entry for entry in unmet if entry.blind]
    said = [entry.said for entry in unmet if len(blind) < 2 or entry not in blind]
    if len(blind) > 1:
        said.insert(0, f"{len(blind)} of {len(decide)} conditions cannot be measured: {blind[0].reason}")
    return "; ".join(said)


def obstacles(checked: tuple[Checked, ...]) -> frozenset[tuple[str, str]]:
    """What stands in the way, without what changes at every look."""
    return frozenset(
        (entry.text, WARMING if entry.reason.startswith(WARMING) else entry.verdict.value)
        for entry in deciding(checked)
        if not entry.met
    )


PATIENCE = 4
"""So many looks in a row that cannot be told are borne while a person decides: the hold is over, and a blip is none.

A comparison needs as many until it says something again after the engine's restart.
"""


def bears(gate: Gate, looks: tuple[Look, ...], errors_allowed: int = 0) -> bool:
    """Whether the hold goes on over these looks: failed ones and those that cannot be told have budgets of their own.

    A weight change is borne by neither: what was measured before it says nothing about after.
    """
    if any(entry.fresh for entry in looks):
        return False
    if _failed(gate, looks) > gate.failures_allowed:
        return False
    silent = 0
    for entry in reversed(looks):
        if not entry.blind:
            break
        silent += 1
    return silent <= max(gate.errors_allowed, errors_allowed)


def _failed(gate: Gate, looks: tuple[Look, ...]) -> int:
    recent = looks[-gate.of :] if gate.of is not None else looks
    return sum(entry.failed for entry in recent)


def borne(gate: Gate, looks: tuple[Look, ...]) -> str:
    """What of its budgets the hold has used, in words; empty if nothing."""
    failed, silent = _failed(gate, looks), sum(entry.blind for entry in looks)
    said = []
    if failed:
        said.append(f"{failed} failed {'look' if failed == 1 else 'looks'} of {gate.failures_allowed} allowed")
    if silent:
        said.append(f"{silent} without an answer, {gate.errors_allowed} in a row allowed")
    return ", ".join(said)


def clock(
    step: Step, gate: GateState, checked: tuple[Checked, ...], evidence: Evidence, now: datetime, pulse: Pulse
) -> list[Event]:
    """What the hold clock does. It passes only in a look in which all conditions hold.

    A gate that has passed is given here for as long as a person decides on it: a green that is none any more says so.
    """
    if step.gate is None or gate.status is GateStatus.OVERRIDDEN:
        return []
    if gate.status is GateStatus.PASSED:
        return [] if bears(step.gate, pulse.looks, PATIENCE) else [_broke(step, gate, failing(checked), checked, now)]
    if not all(entry.met for entry in deciding(checked)):
        return _unmet(step, step.gate, gate, checked, now, pulse)
    if gate.status is GateStatus.WAITING:
        return [GateHolding(at=now, actor="engine", step=step.id)]
    if not pulse.unbroken:
        broke = _broke(step, gate, "nothing was measured for a while", checked, now)
        return [broke, GateHolding(at=now, actor="engine", step=step.id)]
    held = (now - (gate.held_since or now)).total_seconds()
    if held < gate.hold_s or not all(entry.good for entry in pulse.looks[-1:]):
        return []
    return [
        GatePassed(
            at=now,
            actor="engine",
            step=step.id,
            held_s=held,
            evidence=evidence.measurements,
            comparisons=evidence.comparisons,
            conditions=tuple(f"{entry.text}: {entry.reason}" for entry in checked),
        )
    ]


def _unmet(
    step: Step, gate: Gate, state: GateState, checked: tuple[Checked, ...], now: datetime, pulse: Pulse
) -> list[Event]:
    holding = state.status is GateStatus.HOLDING
    if holding and pulse.unbroken and pulse.looks and bears(gate, pulse.looks):
        return []
    if not holding and state.reason and not pulse.other_obstacles:
        return []
    return [_broke(step, state, failing(checked), checked, now)]


def _broke(step: Step, state: GateState, reason: str, checked: tuple[Checked, ...], now: datetime) -> Event:
    first = next((entry.value for entry in deciding(checked) if not entry.met), "")
    held = 0.0 if state.held_since is None else max(0.0, (now - state.held_since).total_seconds())
    if state.status is GateStatus.PASSED:
        held = min(held, state.hold_s)
    return GateBroke(at=now, actor="engine", step=step.id, reason=reason, value=first, held_s=held)


def gave_up(
    step: Step, gate: GateState, checked: tuple[Checked, ...], evidence: Evidence, now: datetime
) -> list[Event]:
    """The event of a gate that cannot pass any more in its time; `gate` is as it is after this look. Once only."""
    if step.gate is None or step.gate.give_up_after is None or gate.gave_up:
        return []
    if gate.status in (GateStatus.PASSED, GateStatus.OVERRIDDEN):
        return []
    since = gate.held_since if gate.status is GateStatus.HOLDING and gate.held_since else now
    end, earliest = gate.opened_at + step.gate.give_up_after, since + timedelta(seconds=gate.hold_s)
    if earliest <= end:
        return []
    late = duration((earliest - end).total_seconds())
    reason = f"it cannot pass before {end:%H:%M:%S} any more, {late} would be missing"
    why = failing(checked) or gate.reason
    return [
        GateGaveUp(
            at=now,
            actor="engine",
            step=step.id,
            reason=f"{reason}: {why}" if why else reason,
            evidence=evidence.measurements,
            comparisons=evidence.comparisons,
        )
    ]
