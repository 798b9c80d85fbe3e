"""Single actions on the world in memory, without a session around them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import SecretStr

from cockpit.engine.actions.base import Done, Found, Planned
from cockpit.engine.actions.base import World as ActionWorld
from cockpit.engine.actions.registry import HANDLERS
from cockpit.engine.plan import find_action
from cockpit.engine.ports import Outside
from cockpit.model.cluster import DeploymentState, PodPlace, RouteState, ServiceState
from cockpit.model.run import ActionState, RunState, TrafficState
from cockpit.model.status import ActionStatus
from cockpit.runbook.schema import Runbook
from tests.printed import nothing_printed

from .world import FakeOthers, FakeTraffic, FakeWorkloads, LoopClock, World, shipped

AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


class Workloads(FakeWorkloads):
    """Workloads of which a test changes what is seen; the changes hold until it changes them again."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.as_deployment: Callable[[DeploymentState], DeploymentState] = lambda seen: seen
        self.as_service: Callable[[ServiceState], ServiceState] = lambda seen: seen
        self.as_pods: Callable[[tuple[PodPlace, ...]], tuple[PodPlace, ...]] = lambda seen: seen
        self.listed: tuple[RouteState, ...] | None = None
        self.looks = 0

    async def deployment(self, name: str, container: str | None = None) -> DeploymentState:
        self.looks += 1
        return self.as_deployment(await super().deployment(name, container))

    async def service(self, name: str, endpoints: bool = False) -> ServiceState:
        self.looks += 1
        return self.as_service(await super().service(name, endpoints))

    async def pods(self, selector: str, track_key: str = "") -> tuple[PodPlace, ...]:
        return self.as_pods(await super().pods(selector, track_key))

    async def routes(self) -> tuple[RouteState, ...]:
        return await super().routes() if self.listed is None else self.listed


@dataclass
class Actor:
    """Carries out actions of the shipped runbook; `told` is what they said."""

    world: World
    workloads: Workloads
    book: Runbook = field(default_factory=lambda: shipped().runbook)
    state: RunState = field(default_factory=RunState)
    told: list[str] = field(default_factory=list)

    def done(self, action: str, **facts: str) -> None:
        """The run has done an action before."""
        known = ActionState(ActionStatus.DONE, ended_at=AT, facts=facts)
        self.state = replace(self.state, actions={**self.state.actions, action: known})

    def commanded(self, weight: int, active: str, canary: bool) -> None:
        """What the run last commanded."""
        self.state = replace(self.state, traffic=TrafficState(weight, active, canary, AT))

    async def plan(self, action: str, rollback: bool = False) -> Planned:
        planned: Planned = await HANDLERS[self._action(action).kind].plan(
            self._world(math.inf, rollback), self._action(action)
        )
        return planned

    async def execute(self, action: str, planned: Planned, rollback: bool = False, seconds: float = 600.0) -> Done:
        ends = asyncio.get_running_loop().time() + seconds
        found = self._action(action)
        done: Done = await HANDLERS[found.kind].execute(self._world(ends, rollback), found, planned)
        return done

    async def perform(self, action: str, rollback: bool = False, seconds: float = 600.0) -> Done:
        return await self.execute(action, await self.plan(action, rollback), rollback, seconds)

    async def recover(self, action: str, planned: Planned) -> Found:
        found: Found = await HANDLERS[self._action(action).kind].recover(
            self._world(math.inf, False), self._action(action), planned
        )
        return found

    def _action(self, name: str) -> Any:
        found = find_action(self.book, name)
        assert found is not None
        return found

    def _world(self, ends: float, rollback: bool) -> ActionWorld:
        parts = {
            "workloads": self.workloads,
            "traffic": FakeTraffic(self.world),
            "registry": FakeOthers(self.world),
        }
        # What these actions do not use is not there.
        outside = Outside(**cast(Any, dict.fromkeys(Outside.__dataclass_fields__) | parts))

        async def say(message: str) -> None:
            self.told.append(message)

        return ActionWorld(
            run="test",
            book=self.book,
            state=self.state,
            outside=outside,
            clock=self.world.clock,
            lookup=lambda name: SecretStr(name),
            pods=lambda: (),
            say=say,
            emit=nothing_printed,
            deadline=60.0,
            context="",
            real_seconds=lambda seconds: seconds,
            rollback=rollback,
            ends=ends,
        )


def actor() -> Actor:
    world = World()
    world.clock = LoopClock()
    return Actor(world, Workloads(world))
