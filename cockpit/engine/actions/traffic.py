"""The candidate's share: set a weight, and wait until the route is in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, TrafficChange, World
from cockpit.errors import Conflict, DeadlineExceeded
from cockpit.model.cluster import CanaryState
from cockpit.runbook.actions import Traffic

TRIES = 4
"""So many looks at the target, that of the plan among them; each is its proof, or a write follows."""
ROLLBACK_PATIENCE = timedelta(seconds=20)
"""How long a rollback waits for a gateway's word; its write is done by then."""

_NO_WORD = "Read the route's status and the gateway controller's log, then try again or roll back."


def facts_of(seen: CanaryState) -> dict[str, str]:
    """The route as the journal keeps it."""
    return {"weight": str(seen.weight), "enabled": str(seen.enabled).lower()}


def require_expected(planned: Planned, seen: CanaryState, world: World) -> None:
    """A forward step stops when somebody else moved the traffic; a rollback writes over whatever is there."""
    if not world.rollback and facts_of(seen) != dict(planned.before):
        before = planned.before
        raise Conflict(
            f"{seen.name} has weight {seen.weight} ({'on' if seen.enabled else 'off'}), expected {before['weight']}",
            "Somebody else moved the traffic: find out who, then try again or roll back.",
        )


class TrafficHandler:
    """`traffic`: proved by reading the object back; the observed share is a condition of the gate."""

    async def plan(self, world: World, action: Traffic) -> Planned:
        """Read the route."""
        return await plan_weight(world, action.weight)

    async def execute(self, world: World, action: Traffic, planned: Planned) -> Done:
        """Write the weight if it is not there yet, and wait until it is in force."""
        return await move(world, action.weight, planned, action.deadline)

    async def recover(self, world: World, action: Traffic, planned: Planned) -> Found:
        """Safe when the route has the old or the new weight."""
        return await recover_route(world, planned)


async def plan_weight(world: World, weight: int) -> Planned:
    """The INTENT of a weight change; raises ActionFailure when the route would not do what more weight says."""
    seen = await world.outside.traffic.read()
    if not world.rollback and weight > seen.share and seen.fault is not None:
        raise ActionFailure(f"{seen.name}: {seen.fault.text}", seen.fault.hint)
    off = _must_go_off(world, seen, weight)
    what = f"set the candidate's weight to {weight} %"
    if off:
        what = "take the route out of service, as weight 0 does not evict everyone"
    return Planned(
        request=f"{what} (now {seen.share} %)",
        before=facts_of(seen),
        after={"weight": str(weight), "enabled": "false" if off else "true"},
        inverse=" && ".join(world.outside.traffic.commands(seen.share)),
        seen=seen,
    )


def _must_go_off(world: World, seen: CanaryState, weight: int) -> bool:
    """Whether the way back needs more than weight 0."""
    return world.rollback and weight == 0 and seen.evades and seen.evicts


async def move(world: World, weight: int, planned: Planned, deadline: timedelta) -> Done:
    """Write an absolute weight and read it back; raises Conflict when somebody else writes too."""
    traffic = world.outside.traffic
    until = world.wait_until(deadline)

    def is_there(seen: CanaryState) -> bool:
        off = _must_go_off(world, seen, weight)
        return seen.exact and seen.share == weight and not (off and seen.enabled)

    for attempt in range(TRIES):
        seen = await planned.look(attempt, traffic.read, is_there)
        off = _must_go_off(world, seen, weight)
        if is_there(seen):
            missing = await in_force(world, seen, until)
            # Weight 0 by itself takes no route out of service.
            change = TrafficChange(weight=weight, canary=True if weight else False if off else None)
            return Done(f"{seen.name} has weight {weight} %{missing}", facts_of(seen), change)
        require_expected(planned, seen, world)
        try:
            await (traffic.disable(seen) if off else traffic.set_weight(seen, weight))
        except DeadlineExceeded:
            await world.say("no answer to the write; reading back")
        except Conflict:
            if attempt + 1 == TRIES or not world.rollback:
                raise
    raise DeadlineExceeded(f"The weight of {weight} % could not be read back", "Look at the route, then try again.")


async def in_force(world: World, seen: CanaryState, until: datetime) -> str:
    """Wait until the controllers have put the route in force, and return what a rollback did not wait for.

    Raises ActionFailure with the controller's words when it refuses the route or says nothing in time, and Conflict
    when somebody else moves the traffic meanwhile.
    """
    wanted, said = facts_of(seen), ""
    if world.rollback:
        until = min(until, world.clock.now() + ROLLBACK_PATIENCE)
    while not seen.rejected:
        if not seen.pending:
            return ""
        if world.clock.now() >= until:
            if world.rollback:
                return f"; not confirmed: {seen.pending}"
            raise ActionFailure(f"{seen.name} is written, but not in force: {seen.pending}", _NO_WORD)
        if seen.pending != said:
            said = seen.pending
            await world.say(f"waiting: {said}")
        await world.pause()
        seen = await world.outside.traffic.read()
        if not same_share(seen, wanted):
            raise Conflict(f"{seen.name} was set to {seen.share} % meanwhile", "Somebody else moved the traffic.")
    raise ActionFailure(seen.rejected, _NO_WORD)


def same_share(seen: CanaryState, facts: Mapping[str, str]) -> bool:
    """Whether the route gives the candidate what the journal's facts say."""
    return str(seen.share) == (facts.get("weight") if facts.get("enabled") == "true" else "0")


async def recover_route(world: World, planned: Planned) -> Found:
    """Safe when the route is as before or as planned."""
    seen = await world.outside.traffic.read()
    settled = same_share(seen, planned.after) or facts_of(seen) == dict(planned.before)
    return Found.SAFE if settled or world.rollback else Found.UNKNOWN
