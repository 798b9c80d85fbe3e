"""Looks at the cluster: pods, the live route, and whether a rollback would work."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cockpit.engine import drift
from cockpit.engine.actions.switch import selector_for
from cockpit.engine.core import Core
from cockpit.engine.plan import active_track
from cockpit.engine.track_names import TrackNames
from cockpit.errors import OutsideError
from cockpit.model.events import Event, ReadinessChanged, WeightChanged
from cockpit.model.guarded import GuardedObject
from cockpit.model.run import RunState
from cockpit.model.status import RunStatus

LIVE_EVERY_S = 10.0
READINESS_EVERY_S = 20.0
SHORTEST_REAL_S = 0.5
TRIES = 5


class Watching:
    """The engine's eyes on the cluster."""

    def __init__(self, core: Core, holder: str) -> None:
        """`holder` is this engine's name in the stamp of the guarded objects."""
        self._core = core
        self._holder = holder

    async def pods(self) -> None:
        """Keep the pods of the application up to date."""
        cluster = self._core.setting.book.cluster
        changes = self._core.setting.outside.workloads.watch_pods(
            cluster.app_label, cluster.active_service.selector_key
        )
        names = TrackNames({track.selector_value: name for name, track in cluster.tracks.items()})
        async for change in changes:
            self._core.seen.pods = replace(change, pods=names.name(change.pods))
            await self._core.touch()

    async def guarded(self) -> None:
        """Find at once what somebody else does to the guarded objects."""
        async for change in self._core.setting.outside.guardian.watch():
            self._core.seen.guarded_problem = change.problem
            if change.stale_since is None:
                self._core.seen.guarded_at = self._core.now()
            if self._means(change.key, change.seen):
                await self.suspect(change.key)

    async def check(self) -> None:
        """What became of the guarded objects while no engine was here: one that was replaced begins nothing.

        After a takeover they are still as the other bastion has left and stamped them.
        """
        if not self._core.state.taken_from:
            await asyncio.gather(*(self.suspect(key) for key in self._core.state.guarded))

    def _means(self, key: str, seen: GuardedObject | None) -> bool:
        state = self._core.state
        return bool(drift.observe(state, key, seen, self._holder, self._core.now()))

    async def suspect(self, key: str) -> None:
        """Read the object afresh and record what its sight means: a watch may tell of what was before our own write."""
        guardian, core = self._core.setting.outside.guardian, self._core
        settled: list[bool] = []
        for _ in range(TRIES):
            known = core.state.guarded.get(key)
            try:
                seen = await guardian.read(key)
            except OutsideError as error:
                core.seen.guarded_problem = str(error)
                return

            def judge(state: RunState, known: object = known, seen: GuardedObject | None = seen) -> tuple[Event, ...]:
                settled.append(state.guarded.get(key) is known)
                events = drift.observe(state, key, seen, self._holder, core.now())
                return tuple(events) if settled[-1] else ()

            await core.record_if(judge)
            if settled[-1]:
                return

    async def live(self) -> None:
        """Read the route and the active Service again and again."""
        while not self._core.state.closed:
            await self.look()
            await asyncio.sleep(max(SHORTEST_REAL_S, self._core.real_seconds(LIVE_EVERY_S)))

    async def look(self) -> None:
        """Read the route and the active Service once; the first look is the run's starting point."""
        outside, seen, book = self._core.setting.outside, self._core.seen, self._core.setting.book
        try:
            canary, service = await asyncio.gather(
                outside.traffic.read(whole=True), outside.workloads.service(book.cluster.active_service.name)
            )
            seen.server = seen.server or await outside.workloads.server()
        except OutsideError as error:
            seen.live_problem = str(error)
            await self._core.touch()
            return
        seen.canary, seen.live_active, seen.live_problem = canary, active_track(book, service.selector), ""
        seen.live_at, seen.selector = self._core.now(), service.selector
        active, now = seen.live_active, self._core.now()

        def begin(state: RunState) -> tuple[Event, ...]:
            if state.traffic is not None:
                return ()
            start = WeightChanged(
                at=now, actor="engine", weight=canary.share, active=active, canary=canary.enabled, by="as found"
            )
            return (start,)

        await self._core.record_if(begin)
        await self._core.touch()

    async def readiness(self) -> None:
        """Prove again and again that a rollback would work."""
        while not self._core.state.closed:
            if not self._core.state.status.final and self._core.state.status is not RunStatus.ROLLING_BACK:
                await self.prove()
            if self._core.state.degraded:
                await self._core.record()
            await asyncio.sleep(max(SHORTEST_REAL_S, self._core.real_seconds(READINESS_EVERY_S)))

    async def prove(self) -> None:
        """One proof: stable is warm, and the writes of a rollback would be accepted."""
        results = await asyncio.gather(self._stable_is_warm(), self._switch_back(), self._canary_off())
        reasons = tuple(reason for reason, _ in results if reason)
        seen, now = self._core.seen, self._core.now()
        seen.readiness_at = now
        seen.readiness_proofs = tuple(proof for reason, proof in results if not reason)

        def change(state: RunState) -> tuple[Event, ...]:
            if state.readiness is not None and state.readiness.reasons == reasons:
                return ()
            return (ReadinessChanged(at=now, actor="engine", ready=not reasons, reasons=reasons),)

        await self._core.record_if(change)
        await self._core.touch()

    async def _stable_is_warm(self) -> tuple[str, str]:
        """What is wrong, and what is proved otherwise."""
        cluster = self._core.setting.book.cluster
        track = cluster.tracks[cluster.stable]
        try:
            seen = await self._core.setting.outside.workloads.deployment(track.deployment, track.container)
        except OutsideError as error:
            return f"{cluster.stable} cannot be read: {error}", ""
        if seen.available < track.replicas:
            return f"{cluster.stable} has {seen.available} of {track.replicas} pods ready", ""
        return "", f"{cluster.stable} {seen.available}/{track.replicas} warm"

    async def _switch_back(self) -> tuple[str, str]:
        book, workloads = self._core.setting.book, self._core.setting.outside.workloads
        try:
            seen = await workloads.service(book.cluster.active_service.name)
            selector = selector_for(book, self._core.state, book.cluster.stable, seen.selector)
            await workloads.set_selector(seen, selector, dry_run=True)
        except OutsideError as error:
            return f"the Service could not be switched back: {error}", ""
        return "", "Service switch accepted (dry run)"

    async def _canary_off(self) -> tuple[str, str]:
        traffic = self._core.setting.outside.traffic
        try:
            await traffic.disable(await traffic.read(), dry_run=True)
        except OutsideError as error:
            return f"the route could not be taken out of service: {error}", ""
        return "", "canary off accepted (dry run)"
