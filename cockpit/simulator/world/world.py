"""The world: cluster, controllers, traffic and measurements, moved on together to the present."""

from __future__ import annotations

import asyncio
import random

from cockpit.model.clock import RunClock
from cockpit.simulator.blueprint import WorldSpec
from cockpit.simulator.faults import FaultBoard
from cockpit.simulator.record import Record
from cockpit.simulator.scenario import SCENARIOS, Scenario
from cockpit.simulator.world.cluster import Behaviour, Cluster
from cockpit.simulator.world.control import Controllers
from cockpit.simulator.world.counters import Counters
from cockpit.simulator.world.drift import plan_drift
from cockpit.simulator.world.endpoints import EndpointsController
from cockpit.simulator.world.gateway import Gateway
from cockpit.simulator.world.history import History, Sample
from cockpit.simulator.world.jobs import Jobs
from cockpit.simulator.world.kinds import POD
from cockpit.simulator.world.load import Load
from cockpit.simulator.world.objects import CPU_LIMIT_CORES
from cockpit.simulator.world.pods import PodLives, restarts
from cockpit.simulator.world.redis import Redis
from cockpit.simulator.world.replicas import ReplicaSets
from cockpit.simulator.world.rollout import Rollouts
from cockpit.simulator.world.seed import SUPPORT_IMAGES, pin_users, plant
from cockpit.simulator.world.signals import Signals
from cockpit.simulator.world.store import Change
from cockpit.simulator.world.traffic import Router
from cockpit.simulator.world.values import Obj, dig

AGE_SECONDS = 3 * 86400.0
"""How long before the start the workloads were created."""

HISTORY_SECONDS = 900.0
"""How much traffic there was before the start."""

_CRASH_SECONDS = 7.0


class World:
    """A spec brought to life. Deterministic for a given seed and the run times it is asked at."""

    def __init__(self, spec: WorldSpec, clock: RunClock, scenario: str = "healthy") -> None:
        self.spec = spec
        self.clock = clock
        self.scenario = SCENARIOS["healthy"]
        start = clock.timestamp()
        self.cluster = Cluster(start - AGE_SECONDS, self._behave)
        self.record = Record(lambda: self.cluster.now)
        self.faults = FaultBoard(start, spec.seed)
        self.redis = Redis(start)
        self.pods = PodLives(self.cluster)
        self.router = Router(self.cluster, spec)
        self.history = History()
        self.counters = Counters()
        self.signals = Signals(spec, self.history)
        self._load = Load(spec)
        self._random = random.Random(f"world-{spec.seed}")
        self._slice = max(1.0, min(10.0, clock.speed / 60.0))
        self._next_slice = start - HISTORY_SECONDS
        self._controllers = self._make_controllers()
        self.cluster.store.listen(self._count_restarts)
        self._drift_planned = False
        self._begin(start)
        self.use(SCENARIOS[scenario])

    def use(self, scenario: Scenario) -> None:
        """Go on by another scenario from now."""
        self.scenario = scenario
        self.faults.use(scenario.faults)
        self.faults.started = self.cluster.now
        self.faults.first_traffic = None
        self._drift_planned = False
        if scenario.sticky:
            pin_users(self.cluster, self.spec)
        self.settle()

    def advance(self) -> float:
        """Bring everything to the present run time, which is returned in seconds since the epoch."""
        now = self.clock.timestamp()
        self._skip_to(now - HISTORY_SECONDS * 4)
        self._run_until(now)
        return self.cluster.now

    def settle(self) -> None:
        """Let the controllers and the routers see what has just been written."""
        self._controllers.settle()
        self.router.observe(self.scenario)
        self._note_first_traffic()

    def seconds_to_next(self) -> float:
        """Real seconds until something is due, at most a quarter of a second."""
        due = self.cluster.schedule.next_time()
        if due is None:
            return 0.25
        return min(0.25, max(0.01, self.clock.real_seconds(due - self.clock.timestamp())))

    async def sleep(self, run_seconds: float) -> None:
        """Wait for so much run time."""
        await asyncio.sleep(self.clock.real_seconds(run_seconds))
        self.advance()

    def image_exists(self, image: str) -> bool:
        """Whether the world's registry has an image."""
        return self.spec.knows_image(image) or image in SUPPORT_IMAGES

    def _make_controllers(self) -> Controllers:
        cluster = self.cluster
        return Controllers(
            cluster,
            [
                Rollouts(cluster),
                ReplicaSets(cluster, self.pods),
                EndpointsController(cluster),
                Jobs(cluster, self.pods),
                Gateway(cluster),
            ],
        )

    def _begin(self, start: float) -> None:
        """Plant the workloads in the past, and live until the start."""
        plant(self.cluster, self.spec)
        slices_begin, self._next_slice = self._next_slice, float("inf")
        self._run_until(slices_begin)
        self._next_slice = slices_begin
        self._run_until(start)
        self.cluster.forget_events()
        self.record.clear()
        self.router.first_traffic = None

    def _skip_to(self, earliest: float) -> None:
        """After a long sleep, leave out the traffic that no window would show."""
        if self._next_slice < earliest:
            self._next_slice = earliest

    def _run_until(self, now: float) -> None:
        self.settle()
        while True:
            due = self.cluster.schedule.next_time()
            if self._next_slice <= now and (due is None or self._next_slice <= due):
                self.cluster.schedule.time = max(self.cluster.now, self._next_slice)
                self._take_slice(self._next_slice)
                self._next_slice += self._slice
            elif self.cluster.schedule.step(now):
                self.settle()
            else:
                break
        self.cluster.schedule.time = max(self.cluster.now, now)

    def _take_slice(self, end: float) -> None:
        router = self.router
        heavy = None if router.heavy_since is None else max(0.0, end - router.heavy_since)
        tracks = self._load.slice(end, self._slice, self.scenario, router.split, heavy)
        self.history.add(Sample(end, self._slice, tracks))
        self.counters.add(tracks.items(), self._slice, CPU_LIMIT_CORES)

    def _note_first_traffic(self) -> None:
        if self.faults.first_traffic is None and self.router.split.of(self.spec.candidate) > 0:
            self.faults.first_traffic = self.cluster.now
        if self.faults.first_traffic is not None and self.scenario.drift and not self._drift_planned:
            self._drift_planned = True
            plan_drift(self.cluster, self.spec, self.scenario.drift, self.record)

    def _behave(self, pod: Obj) -> Behaviour:
        image = str(dig(pod, "spec", "containers", 0, "image", default=""))
        ready_after = self._random.uniform(*self.scenario.pod_start)
        candidate = self.spec.tracks[self.spec.candidate]
        is_candidate = self.router.track_of(pod) == candidate.name
        crashes = self.scenario.candidate_crashes and is_candidate and image != candidate.image
        return Behaviour(
            image_known=self.image_exists(image) or self._is_job(pod),
            ready_after=ready_after if self.router.track_of(pod) else 3.0,
            crash_after=_CRASH_SECONDS if crashes else None,
        )

    def _is_job(self, pod: Obj) -> bool:
        return bool(dig(pod, "spec", "restartPolicy") != "Always")

    def _count_restarts(self, change: Change) -> None:
        if change.kind is not POD or change.after is None or change.before is None:
            return
        for _ in range(restarts(change.after) - restarts(change.before)):
            self.history.add_restart(self.cluster.now, self.router.track_of(change.after))
