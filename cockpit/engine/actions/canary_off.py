"""Take the canary route out of service: when nobody falls back by it, and proved by what still reaches it."""

from __future__ import annotations

from datetime import datetime

from cockpit.engine import residual, verdicts
from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, TrafficChange, World
from cockpit.engine.actions.traffic import TRIES, facts_of, in_force, recover_route, require_expected
from cockpit.engine.plan import active_track
from cockpit.errors import Conflict, DeadlineExceeded, OutsideError
from cockpit.model.cluster import CanaryState, ServiceState
from cockpit.model.verdict import CANDIDATE_SHARE
from cockpit.runbook.actions import CanaryOff
from cockpit.runbook.gate import Residual

BLIND_TRIES = 3
"""How often nothing may be measured before the residual requests are reported as not measured."""


class CanaryOffHandler:
    """`canary_off`: proved by reading the object back, and by the residual requests where they are measured."""

    async def plan(self, world: World, action: CanaryOff) -> Planned:
        """Read the route; a forward one is refused when the traffic would fall back to stable."""
        seen = await world.outside.traffic.read()
        if not world.rollback and seen.share:
            await _carrier(world, seen)
        return Planned(
            request=f"take {seen.name} out of service{f' ({seen.off})' if seen.off else ''} (now {seen.share} %)",
            before=facts_of(seen),
            after={"weight": "0", "enabled": "false"},
            inverse=" && ".join(world.outside.traffic.commands(seen.share)),
            # A forward one may wait long before it writes.
            seen=seen if world.rollback else None,
        )

    async def execute(self, world: World, action: CanaryOff, planned: Planned) -> Done:
        """Disable the route if it is not disabled yet."""
        until = world.wait_until(action.deadline)
        if not world.rollback:
            await _until_allowed(world, action, world.wait_until(action.deadline / 2))
        for attempt in range(TRIES):
            seen = await planned.look(attempt, world.outside.traffic.read, _is_off)
            if _is_off(seen):
                return await self._off(world, seen, until)
            require_expected(planned, seen, world)
            try:
                await world.outside.traffic.disable(seen)
            except DeadlineExceeded:
                await world.say("no answer to the write; reading back")
            except Conflict:
                if attempt + 1 == TRIES or not world.rollback:
                    raise
        raise DeadlineExceeded("The route could not be read back", "Look at the route, then try again.")

    async def _off(self, world: World, seen: CanaryState, until: datetime) -> Done:
        missing = await in_force(world, seen, until)
        # A rollback goes on: what still reaches the route is measured all the time, and noted.
        proof = "" if world.rollback else await _nobody_left(world, seen, until)
        message = f"{seen.name} is out of service{missing}{proof}"
        return Done(message, facts_of(seen), TrafficChange(weight=0, canary=False))

    async def recover(self, world: World, action: CanaryOff, planned: Planned) -> Found:
        """Safe when the route is as before or off."""
        return await recover_route(world, planned)


def _is_off(seen: CanaryState) -> bool:
    return not seen.enabled and seen.exact


async def _carrier(world: World, seen: CanaryState) -> ServiceState:
    """The Service that carries everything once the route is off; raises ActionFailure if that is not the candidate."""
    cluster = world.book.cluster
    name = seen.main or cluster.active_service.name
    carrier = await world.outside.workloads.service(name, endpoints=True)
    track = active_track(world.book, carrier.selector)
    if track != cluster.candidate:
        raise ActionFailure(
            f"without {seen.name} all requests would go to service/{name}, which selects {track or 'no track'}",
            f"Switch it to {cluster.candidate} first; without such a switch leave the route at {seen.share} %.",
        )
    return carrier


async def _until_allowed(world: World, action: CanaryOff, until: datetime) -> None:
    """Wait until nobody falls back by it; raises ActionFailure with what stands in the way when the time is over."""
    said = ""
    while True:
        seen = await world.outside.traffic.read()
        obstacle = await _obstacle(world, action, seen)
        if not obstacle:
            return
        if world.clock.now() >= until:
            hint = "The route is still on. Find out who is sent elsewhere, then try again, override, or roll back."
            raise ActionFailure(f"{seen.name} was not taken out of service: {obstacle}", hint)
        if obstacle != said:
            said = obstacle
            await world.say(f"waiting: {obstacle}")
        await world.pause()


async def _obstacle(world: World, action: CanaryOff, seen: CanaryState) -> str:
    """What stands in the way for now; a route without a share moves nobody."""
    if not seen.share:
        return ""
    carrier = await _carrier(world, seen)
    if not carrier.ready_endpoints:
        return f"service/{carrier.name} has no ready endpoints"
    return _share_obstacle(world, action, seen)


def _share_obstacle(world: World, action: CanaryOff, seen: CanaryState) -> str:
    """Why the observed share does not allow it; empty when it does, or when the runbook does not measure it."""
    if world.book.monitoring.candidate_share is None:
        return ""
    found = world.measured(CANDIDATE_SHARE)
    since = world.state.traffic.changed_at if world.state.traffic else None
    if found is None or (since is not None and found.at < since):
        return "the observed share has not been measured since the traffic was moved"
    if found.value is None or not found.verdict.measured:
        return f"the observed share is not known: {found.reason}"
    # Requests that already come through the switched Service may count as the candidate's, or not.
    nearest = min(abs(found.value - share) for share in (seen.share, 100))
    if nearest <= action.tolerance:
        return ""
    return f"the observed share is {found.value:.1f} %, commanded are {seen.share} % (± {action.tolerance})"


async def _nobody_left(world: World, seen: CanaryState, until: datetime) -> str:
    """In words, how many requests still reach the route; raises ActionFailure when they do not end."""
    wanted = world.book.monitoring.residual
    if wanted is None:
        return ""
    begun, blind, said = world.clock.now(), 0, False
    warmup = world.book.monitoring.warmup
    while True:
        now = world.clock.now()
        rate, reason = (None, "the deadline came first")
        if now >= begun + warmup:
            rate, reason = await _rate(world, wanted)
            blind += rate is None
        if rate is not None and rate <= wanted.at_most:
            return f"; {rate:.2f} requests/s still reach it"
        if blind >= BLIND_TRIES or (now >= until and rate is None):
            return f"; residual requests not measured: {reason}"
        if now >= until:
            raise ActionFailure(
                f"{seen.name} is out of service, but {rate:.2f} requests/s still reach the canary route",
                "Look for another route to the candidate; then try again, override, or roll back.",
            )
        if not said:
            said = True
            await world.say("out of service; measuring what still reaches it")
        await world.pause()


async def _rate(world: World, wanted: Residual) -> tuple[float | None, str]:
    """Requests a second over the warm-up time, or None and why."""
    monitoring = world.book.monitoring
    expression = wanted.query.replace("${window}", f"{residual.window(world.book).total_seconds():.0f}s")
    try:
        answer = await world.outside.metrics.query(expression)
    except OutsideError as error:
        return None, str(error)
    value, _, reason = verdicts.single(answer, world.clock.now(), monitoring.stale_limit)
    return value, reason
