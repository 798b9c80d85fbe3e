"""A world in memory behind the engine's ports, and a clock that follows the event loop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from cockpit.adapters.programs import Programs
from cockpit.engine.actions.targets import label_selector
from cockpit.engine.ports import Alerts, HttpAnswer, Message, Metrics, Outside, QueryAnswer, Sample
from cockpit.engine.ports import Programs as ProgramsPort
from cockpit.engine.session import Session
from cockpit.errors import Conflict, DeadlineExceeded, Fenced, OutsideError, Unreachable
from cockpit.model.clock import RunClock
from cockpit.model.cluster import (
    CanaryState,
    DeploymentState,
    Endpoint,
    ExecResult,
    JobOrder,
    JobState,
    Note,
    Pod,
    PodPlace,
    PodsChanged,
    RolloutProblem,
    RouteState,
    ServiceState,
)
from cockpit.model.commands import Command, Reply
from cockpit.model.events import Event
from cockpit.model.guarded import GuardedChanged, GuardedObject, selector_fact, weight_facts
from cockpit.model.lease import LeaseState
from cockpit.model.mirror import Copy, FoundCopy
from cockpit.model.outside import PodLog, Purge
from cockpit.runbook.gate import Signal
from cockpit.runbook.load import LoadedRunbook, load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path

START = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SECRETS = {
    "SLACK_WEBHOOK_URL": "https://slack.invalid/x",
    "CLOUDFLARE_API_TOKEN": "cf",
    "CLOUDFLARE_ZONE_ID": "zone",
    "STATUSPAGE_API_KEY": "sp",
}


GUARDED = (
    "deployment/moshimoshi-green",
    "deployment/moshimoshi-blue",
    "service/moshimoshi-active",
    "ingress/moshimoshi-ingress-canary",
)


@dataclass(frozen=True)
class LoopClock(RunClock):
    """Run time that is the event loop's time, so that fake time moves it."""

    def timestamp(self) -> float:
        return START.timestamp() + asyncio.get_running_loop().time()


class MemoryStore:
    """A journal in memory. `fail` makes the next append raise."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self.events: list[Event] = list(events)
        self.fail: OutsideError | None = None
        self.problem = ""

    async def append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        numbered = tuple(
            event.model_copy(update={"seq": len(self.events) + index + 1}) for index, event in enumerate(events)
        )
        self.events.extend(numbered)
        return numbered

    async def replay(self) -> tuple[Event, ...]:
        return tuple(self.events)

    async def read(self, since: int, limit: int) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.seq > since)[-limit:]


@dataclass
class World:
    """The world's truth; tests change it as the world would."""

    weight: int = 0
    canary: bool = True
    active: str = "green"
    images: dict[str, str] = field(default_factory=lambda: {"blue": "app:old", "green": "app:old"})
    rollout_s: float = 30.0
    rollout_until: float = 0.0
    values: dict[str, float | OutsideError | None] = field(
        default_factory=lambda: {
            "error_rate": 0.04,
            "p95_latency": 85.0,
            "cpu": 40.0,
            "memory": 50.0,
            "pod_restarts": 0.0,
            "errors_5xx": 0.003,
            "alerts": 0.0,
            "requests": 10_000.0,
        }
    )
    effects: list[str] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    api_down: bool = False
    cdn_down: bool = False
    lose_answers: int = 0
    available: dict[str, int] = field(default_factory=lambda: {"blue": 3, "green": 3})
    pods: tuple[Pod, ...] = ()
    problems: tuple[RolloutProblem, ...] = ()
    jobs: list[str] = field(default_factory=list)
    keys: int = 1234
    stamps: dict[str, tuple[int, str]] = field(default_factory=dict)
    epoch: int | None = None
    manager: str = ""
    deleted: set[str] = field(default_factory=set)
    lease: LeaseState | None = None
    lease_fault: OutsideError | None = None
    leases_written: int = 0
    flushed: int = 0
    redis_role: str = "master"
    redis_down: bool = False
    redis_waits: asyncio.Event | None = None
    flush_waits: bool = False
    job_fails: bool = False
    refusal: Callable[[], str] | None = None
    copy: FoundCopy | None = None
    mirror_fault: OutsideError | None = None
    clock: RunClock = field(default_factory=RunClock)
    notes: tuple[Note, ...] = ()
    main: str = "moshimoshi-active"
    evicts: bool = True
    pending: str = ""
    rejected: str = ""
    observed: float | OutsideError | None = None
    """The observed share in place of the commanded one."""
    residual: float | OutsideError | None = 0.0
    failing: dict[str, float] = field(default_factory=lambda: {"blue": 0.0004, "green": 0.0004})
    """Of the requests of each track, as the comparison counts them."""
    slow: dict[str, float] = field(default_factory=lambda: {"blue": 0.05, "green": 0.05})
    """Of the requests of each track, those over 100 ms."""

    def effect(self, what: str) -> None:
        """Record an effect; the answer to it may get lost."""
        self.effects.append(what)
        if self.lose_answers:
            self.lose_answers -= 1
            raise DeadlineExceeded("no answer", "")

    def fence(self, key: str) -> None:
        """What a write that tests its stamp meets."""
        stamp, holder = self.stamps.get(key, (None, ""))
        if self.epoch is not None and stamp != self.epoch:
            if stamp is not None and stamp > self.epoch:
                raise Fenced("the stamp is another one", "", by=holder, epoch=stamp, key=key)
            raise Conflict("the stamp is gone", "")

    def reach(self) -> None:
        if self.api_down:
            raise Unreachable("the API server does not answer", "")


class FakeWorkloads:
    def __init__(self, world: World) -> None:
        self.world = world
        self.jobs = FakeJobs(world)

    async def server(self) -> str:
        return "https://cluster.invalid"

    async def deployment(self, name: str, container: str | None = None) -> DeploymentState:
        self.world.reach()
        track = name.removeprefix("moshimoshi-")
        rolling = track == "blue" and self.world.clock.timestamp() < self.world.rollout_until
        available = self.world.available[track]
        return DeploymentState(
            name=name,
            image=self.world.images[track],
            container="app",
            container_index=0,
            generation=2,
            observed_generation=2,
            wanted=3,
            replicas=3,
            updated=1 if rolling else 3,
            available=available,
            ready=available,
        )

    async def rollout_problems(self, name: str) -> tuple[RolloutProblem, ...]:
        self.world.reach()
        return self.world.problems

    async def set_image(self, seen: DeploymentState, image: str, dry_run: bool = False) -> None:
        self.world.reach()
        self.world.fence(f"deployment/{seen.name}")
        if dry_run:
            return
        self.world.images[seen.name.removeprefix("moshimoshi-")] = image
        self.world.rollout_until = self.world.clock.timestamp() + self.world.rollout_s
        self.world.effect(f"image {image}")

    async def service(self, name: str, endpoints: bool = False) -> ServiceState:
        self.world.reach()
        selector = {"app": "moshimoshi", "version": self.world.active}
        if name != "moshimoshi-active":
            selector["version"] = name.removeprefix("moshimoshi-")
        places = [each for each in await FakeWorkloads.pods(self, label_selector(selector)) if each.pod.healthy]
        found = tuple(Endpoint(place.pod.name, place.address) for place in places)
        return ServiceState(name, selector, found if endpoints else None)

    async def set_selector(self, seen: ServiceState, selector: Mapping[str, str], dry_run: bool = False) -> None:
        self.world.reach()
        self.world.fence(f"service/{seen.name}")
        if seen.selector["version"] != self.world.active:
            raise Conflict("the selector is another one", "")
        if not dry_run:
            self.world.active = selector["version"]
            self.world.effect(f"switch {selector['version']}")

    async def services(self, endpoints: bool = False) -> tuple[ServiceState, ...]:
        names = ("moshimoshi-active", "moshimoshi-blue", "moshimoshi-green")
        redis = ServiceState("redis", {"app": "redis"}, (Endpoint("redis-0", "10.0.0.9"),) if endpoints else None)
        return (*[await self.service(name, endpoints) for name in names], redis)

    async def pods(self, selector: str, track_key: str = "") -> tuple[PodPlace, ...]:
        self.world.reach()
        return tuple(
            PodPlace(self._pod(track, number), f"10.0.{at}.{number}")
            for at, track in enumerate(self.world.available)
            for number in range(3)
            if "version=" not in selector or f"version={track}" in selector
        )

    def _pod(self, track: str, number: int) -> Pod:
        ready = int(number < self.world.available[track])
        name = f"moshimoshi-{track}-{number}"
        return Pod(name=name, track=track, ready=ready, containers=1, status="Running", restarts=0)

    async def routes(self) -> tuple[RouteState, ...]:
        return (RouteState("moshimoshi-ingress"), RouteState("moshimoshi-ingress-canary"))

    async def watch_pods(self, selector: str, track_key: str) -> AsyncIterator[PodsChanged]:
        while True:
            yield PodsChanged(self.world.pods)
            await asyncio.sleep(5)

    async def run_in_pod(
        self, workload: str, argv: Sequence[str], deadline: float, container: str | None = None
    ) -> ExecResult:
        self.world.reach()
        if self.world.redis_waits is not None:
            await self.world.redis_waits.wait()
        if self.world.redis_down:
            raise DeadlineExceeded("the connection to redis-0 broke", "")
        if "FLUSHALL" in argv or argv[0] == "clear-cache":
            if self.world.flush_waits:
                await asyncio.Event().wait()
            self.world.flushed += 1
            self.world.effect("flush")
        return ExecResult(0, self._info() if "INFO" in argv else "OK\n", "", "redis-0")

    def _info(self) -> str:
        keys = 0 if self.world.flushed else 1234
        statistics = f"cmdstat_flushall:calls={self.world.flushed},usec=1\n"
        return (
            f"role:{self.world.redis_role}\nredis_mode:standalone\nrun_id:r1\n{statistics}db0:keys={keys},expires=0\n"
        )

    async def get_through_proxy(self, service: str, port: int, path: str, timeout: float) -> HttpAnswer:
        self.world.reach()
        return HttpAnswer(200, '{"status": "OK", "version": "1.0.0"}')


class FakeJobs:
    def __init__(self, world: World) -> None:
        self.world = world

    async def create(self, order: JobOrder, dry_run: bool = False) -> str:
        self.world.reach()
        if not dry_run and order.name not in self.world.jobs:
            self.world.jobs.append(order.name)
            self.world.effect("job")
        return " ".join((order.image, *order.argv))

    async def state(self, name: str) -> JobState:
        if self.world.job_fails:
            return JobState(name, False, "BackoffLimitExceeded: Job has reached the specified backoff limit", failed=1)
        return JobState(name, True, done=1)

    async def trouble(self, name: str) -> str:
        return ""

    async def logs(self, name: str, lines: int) -> tuple[PodLog, ...]:
        return (PodLog(f"{name}-x/job", ("restored", "COMMIT")),)


class FakeTraffic:
    backend = "nginx"

    def __init__(self, world: World) -> None:
        self.world = world

    async def read(self, whole: bool = False) -> CanaryState:
        world = self.world
        world.reach()
        return CanaryState(
            "moshimoshi-ingress-canary",
            world.weight,
            world.canary,
            notes=world.notes,
            main=world.main,
            pending=world.pending,
            rejected=world.rejected,
            off='canary "false"',
            evicts=world.evicts,
        )

    def _guard(self, seen: CanaryState) -> None:
        self.world.reach()
        self.world.fence("ingress/moshimoshi-ingress-canary")
        if (seen.weight, seen.enabled) != (self.world.weight, self.world.canary):
            raise Conflict("the route is another one", "")

    async def set_weight(self, seen: CanaryState, weight: int, dry_run: bool = False) -> None:
        self._guard(seen)
        if not dry_run:
            self.world.weight, self.world.canary = weight, True
            self.world.effect(f"weight {weight}")

    async def disable(self, seen: CanaryState, dry_run: bool = False) -> None:
        self._guard(seen)
        if not dry_run:
            self.world.weight, self.world.canary = 0, False
            self.world.effect("canary off")

    def commands(self, weight: int) -> tuple[str, ...]:
        return (f"kubectl patch ingress moshimoshi-ingress-canary # {weight}",)


class FakeGuardian:
    """The guarded objects of the world, with the stamps that they have."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _seen(self, key: str) -> GuardedObject:
        world = self.world
        facts = {
            "deployment/moshimoshi-blue": {"image": world.images["blue"]},
            "deployment/moshimoshi-green": {"image": world.images["green"]},
            "service/moshimoshi-active": {"selector": selector_fact({"app": "moshimoshi", "version": world.active})},
            "ingress/moshimoshi-ingress-canary": weight_facts(world.weight, world.canary),
        }
        epoch, holder = world.stamps.get(key, (None, ""))
        stamped = key != "deployment/moshimoshi-green"
        managers = dict.fromkeys(facts[key], world.manager) if world.manager else {}
        return GuardedObject(key, facts[key], managers, epoch, holder, stamped)

    async def look(self) -> tuple[GuardedObject, ...]:
        self.world.reach()
        return tuple(map(self._seen, GUARDED))

    async def read(self, key: str) -> GuardedObject | None:
        self.world.reach()
        return None if key in self.world.deleted else self._seen(key)

    async def stamp(self, epoch: int, holder: str) -> tuple[GuardedObject, ...]:
        self.world.reach()
        for key in GUARDED[1:]:
            if self.world.stamps.get(key, (0, ""))[0] > epoch:
                raise Fenced("the stamp is a higher one", "", by=self.world.stamps[key][1], key=key)
            self.world.stamps[key] = (epoch, holder)
        self.world.epoch = epoch
        return await self.look()

    def obey(self, refusal: Callable[[], str]) -> None:
        self.world.refusal = refusal

    async def confirm(self) -> None:
        self.world.reach()
        self.world.fence("service/moshimoshi-active")

    async def watch(self) -> AsyncIterator[GuardedChanged]:
        told: dict[str, GuardedObject | None] = {}
        while True:
            for key in GUARDED:
                seen = None if key in self.world.deleted else self._seen(key)
                if not self.world.api_down and (key not in told or told[key] != seen):
                    told[key] = seen
                    yield GuardedChanged(seen, key)
            await asyncio.sleep(1)


class FakeLeases:
    """The one Lease, shared by all engines of the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def read(self) -> LeaseState | None:
        self.world.reach()
        if isinstance(self.world.lease_fault, OutsideError):
            raise self.world.lease_fault
        return self.world.lease

    async def write(self, seen: LeaseState | None, wanted: LeaseState) -> LeaseState:
        self.world.reach()
        if seen != self.world.lease:
            raise Conflict("the Lease has changed", "")
        self.world.leases_written += 1
        now = str(self.world.leases_written)
        self.world.lease = replace(wanted, version=now)
        return self.world.lease


class FakeMirror:
    """The one copy, shared by all engines of the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def read(self) -> FoundCopy | None:
        self.world.reach()
        return self.world.copy

    async def write(self, copy: Copy, epoch: int, holder: str) -> None:
        self.world.reach()
        if self.world.mirror_fault is not None:
            raise self.world.mirror_fault
        known = self.world.copy
        if known is not None and known.epoch > epoch:
            raise Fenced("a later claim wrote it", "", by=known.holder, epoch=known.epoch, key="configmap")
        self.world.copy = FoundCopy(copy, epoch, holder)


LOAD = 120.0
"""Requests a second of both tracks."""


class FakeCounters:
    """What each track has counted, by the PromQL of the runbook's comparisons."""

    def __init__(self, world: World, runbook: Runbook) -> None:
        self.world = world
        self._known: dict[str, tuple[str, str]] = {}
        for metric in runbook.monitoring.metrics:
            for track, side in (("blue", "candidate"), ("green", "stable")):
                asked = getattr(metric.compare, side).asked(metric.compare.kind) if metric.compare else ()
                for what, query in zip(
                    ("failed", "requests") if len(asked) == 2 else ("buckets",), asked, strict=False
                ):
                    self._known[query.split("${window}")[0]] = (track, what)

    def answer(self, expression: str) -> QueryAnswer | None:
        """The answer, None for what is no part of a comparison."""
        begin, _, rest = expression.partition("[")
        known = self._known.get(f"{begin}[")
        if known is None:
            return None
        track, what = known
        share = (self.world.weight if track == "blue" else 100 - self.world.weight) / 100
        requests = LOAD * share * float(rest.partition("s")[0])
        at = self.world.clock.now()
        if what == "buckets":
            counts = {"0.1": requests * (1 - self.world.slow[track]), "0.5": requests, "+Inf": requests}
            return QueryAnswer(tuple(Sample(float(int(count)), at, {"le": le}) for le, count in counts.items()))
        count = requests * (self.world.failing[track] if what == "failed" else 1.0)
        return QueryAnswer((Sample(float(int(count)), at),))


class FakeMetrics:
    def __init__(self, world: World, names: Mapping[str, str], runbook: Runbook) -> None:
        self.world = world
        self.names = names
        self.counters = FakeCounters(world, runbook)

    async def query(self, expression: str) -> QueryAnswer:
        counted = self.counters.answer(expression)
        if counted is not None:
            return counted
        name = next((name for key, name in self.names.items() if expression.startswith(key)), "requests")
        value: float | OutsideError | None
        if name == "share":
            commanded = float(self.world.weight if self.world.canary else 0)
            value = commanded if self.world.observed is None else self.world.observed
        elif name == "residual":
            value = self.world.residual
        elif name == "age":
            value = 0.0
        else:
            value = self.world.values[name]
        if isinstance(value, OutsideError):
            raise value
        return QueryAnswer(() if value is None else (Sample(value, self.world.clock.now()),))


class FakeOthers:
    """CDN, registry, plain HTTP and a messenger."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._ids = itertools.count(1)

    async def purge(
        self,
        api: str,
        zone: str,
        token: SecretStr,
        purge: Purge,
        deadline: float,
        say: Callable[[str], Awaitable[None]],
    ) -> tuple[str, ...]:
        if self.world.cdn_down:
            raise Unreachable("the CDN does not answer", "")
        self.world.effect("purge")
        return (f"purge-{next(self._ids)}",)

    async def digest(self, image: str) -> str:
        return "sha256:0123456789abcdef"

    async def get(self, url: str, timeout: float) -> HttpAnswer:
        return HttpAnswer(200, "{}")

    async def send(self, message: Message) -> str:
        self.world.sent.append(message)
        return "ok"


def shipped() -> LoadedRunbook:
    return load(config_path("runbooks/moshimoshi.yaml"), {}, SECRETS)


@dataclass
class Stage:
    """A session on the world, under the test's control."""

    world: World
    store: MemoryStore
    tmp: Path
    book: LoadedRunbook = field(default_factory=shipped)
    run: str = "moshimoshi-test"
    automatic: bool = False
    clock: RunClock | None = None
    instance: str = ""
    commander: str = "ada"
    session: Session | None = None
    task: asyncio.Task[None] | None = None
    programs: ProgramsPort | None = None
    metrics: Metrics | None = None
    """In place of the world's own numbers."""
    alerts: Alerts | None = None

    async def start(self) -> Stage:
        runbook = self.book.runbook
        names = {
            metric.query.split("${window}")[0]: metric.id
            for metric in sorted(runbook.monitoring.metrics, key=lambda metric: -len(metric.query))
        }
        signals: dict[str, Signal | None] = {
            "share": runbook.monitoring.candidate_share,
            "alerts": runbook.monitoring.alerts_critical,
        }
        signals["residual"] = runbook.monitoring.residual
        names |= {metric.age: "age" for metric in runbook.monitoring.metrics if metric.age}
        names |= {signal.query.split("${window}")[0]: name for name, signal in signals.items() if signal}
        others = FakeOthers(self.world)
        self.world.clock = self.clock or LoopClock()
        outside = Outside(
            workloads=FakeWorkloads(self.world),
            traffic=FakeTraffic(self.world),
            guardian=FakeGuardian(self.world),
            leases=FakeLeases(self.world),
            mirror=FakeMirror(self.world),
            metrics=self.metrics or FakeMetrics(self.world, names, runbook),
            alerts=self.alerts,
            http=others,
            cdn=others,
            registry=others,
            programs=self.programs or Programs(self.tmp),
            messengers={"slack": others, "email": others, "status-page": others},
        )
        self.session = await Session.open(
            self.run,
            self.book,
            self.store,
            outside,
            self.world.clock,
            SecretStore(runbook.secrets, SECRETS),
            automatic=self.automatic,
            commander=self.commander,
            context="test",
            run_dir=self.tmp,
            idle_s=0.01 if self.clock else 5.0,
            boot_time=asyncio.get_running_loop().time,
            instance=self.instance,
        )
        self.task = asyncio.create_task(self.session.run())
        return self

    async def kill(self) -> None:
        """End the engine as SIGKILL would: nothing more is recorded."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def order(self, command: Command, actor: str = "ada") -> Reply:
        assert self.session is not None
        return await self.session.feed.order(actor, command)

    async def until(self, type_: str, seconds: float = 7200, **facts: object) -> Event:
        """The first event of a type (with those facts), waited for at most so many seconds of run time."""
        looked_at = 0
        async with asyncio.timeout(seconds):
            while True:
                for event in self.store.events[looked_at:]:
                    if event.type == type_ and all(getattr(event, key) == value for key, value in facts.items()):
                        return event
                looked_at = len(self.store.events)
                assert self.task is not None
                if self.task.done():
                    self.task.result()
                    raise AssertionError(f"the session ended without {type_} {facts}")
                await asyncio.sleep(1)

    def types(self) -> list[str]:
        return [event.type for event in self.store.events]
