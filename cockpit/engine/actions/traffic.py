"""The candidate's share: set a weight, or take the canary route out of service."""

from __future__ import annotations

from cockpit.engine.actions.base import Done, Found, Planned, TrafficChange, World
from cockpit.errors import Conflict, DeadlineExceeded
from cockpit.model.cluster import CanaryState
from cockpit.runbook.actions import CanaryOff, Traffic

TRIES = 3


def _facts(seen: CanaryState) -> dict[str, str]:
    return {"weight": str(seen.weight), "enabled": str(seen.enabled).lower()}


def _expected(planned: Planned, seen: CanaryState, world: World) -> None:
    """A forward step stops when somebody else moved the traffic; a rollback writes over whatever is there."""
    if not world.rollback and _facts(seen) != dict(planned.before):
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
        """Write the weight if it is not there yet."""
        return await move(world, action.weight, planned)

    async def recover(self, world: World, action: Traffic, planned: Planned) -> Found:
        """Safe when the route has the old or the new weight."""
        return await _recover(world, planned)


async def plan_weight(world: World, weight: int) -> Planned:
    """The INTENT of a weight change."""
    seen = await world.outside.traffic.read()
    return Planned(
        request=f"set the candidate's weight to {weight} % (now {seen.share} %)",
        before=_facts(seen),
        after={"weight": str(weight), "enabled": "true"},
        inverse=" && ".join(world.outside.traffic.commands(seen.share)),
    )


async def move(world: World, weight: int, planned: Planned) -> Done:
    """Write an absolute weight and read it back; raises Conflict when somebody else writes too."""
    traffic = world.outside.traffic
    for attempt in range(TRIES):
        seen = await traffic.read()
        if seen.weight == weight and seen.enabled:
            return Done(f"{seen.name} has weight {weight} %", _facts(seen), TrafficChange(weight=weight, canary=True))
        _expected(planned, seen, world)
        try:
            await traffic.set_weight(seen, weight)
        except DeadlineExceeded:
            await world.say("no answer to the write; reading back")
        except Conflict:
            if attempt + 1 == TRIES or not world.rollback:
                raise
    raise DeadlineExceeded(f"The weight of {weight} % could not be read back", "Look at the route, then try again.")


class CanaryOffHandler:
    """`canary_off`: proved by reading the object back."""

    async def plan(self, world: World, action: CanaryOff) -> Planned:
        """Read the route."""
        seen = await world.outside.traffic.read()
        return Planned(
            request=f"take {seen.name} out of service (now {seen.share} %)",
            before=_facts(seen),
            after={"weight": "0", "enabled": "false"},
            inverse=" && ".join(world.outside.traffic.commands(seen.share)),
        )

    async def execute(self, world: World, action: CanaryOff, planned: Planned) -> Done:
        """Disable the route if it is not disabled yet."""
        for attempt in range(TRIES):
            seen = await world.outside.traffic.read()
            if not seen.enabled:
                return Done(f"{seen.name} is out of service", _facts(seen), TrafficChange(weight=0, canary=False))
            _expected(planned, seen, world)
            try:
                await world.outside.traffic.disable(seen)
            except DeadlineExceeded:
                await world.say("no answer to the write; reading back")
            except Conflict:
                if attempt + 1 == TRIES or not world.rollback:
                    raise
        raise DeadlineExceeded("The route could not be read back", "Look at the route, then try again.")

    async def recover(self, world: World, action: CanaryOff, planned: Planned) -> Found:
        """Safe when the route is as before or off."""
        return await _recover(world, planned)


async def _recover(world: World, planned: Planned) -> Found:
    seen = await world.outside.traffic.read()
    after = planned.after
    done = not seen.enabled if after.get("enabled") == "false" else _facts(seen) == dict(after)
    return Found.SAFE if done or _facts(seen) == dict(planned.before) or world.rollback else Found.UNKNOWN
