"""The engine's view of the world outside: what the adapters must offer.

Every call has a total deadline of its own, raises only `cockpit.errors.OutsideError`, and returns cleaned text. A
`DeadlineExceeded` on a write means *unknown*: the caller reads back. Seconds are real seconds, never run time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import SecretStr

from cockpit.model.cluster import (
    CanaryState,
    DeploymentState,
    ExecResult,
    JobOrder,
    JobState,
    PodPlace,
    PodsChanged,
    RolloutProblem,
    RouteState,
    ServiceState,
)
from cockpit.model.guarded import GuardedChanged, GuardedObject
from cockpit.model.lease import LeaseState
from cockpit.model.mirror import Copy, FoundCopy
from cockpit.model.outside import (
    Emit,
    HttpAnswer,
    Message,
    PodLog,
    Program,
    ProgramResult,
    Purge,
    QueryAnswer,
    Sample,
)

__all__ = [
    "Cdn",
    "Clock",
    "Forwarded",
    "Guardian",
    "Http",
    "HttpAnswer",
    "Message",
    "Messenger",
    "Metrics",
    "OpenOutside",
    "Outside",
    "QueryAnswer",
    "Registry",
    "Sample",
    "TrafficControl",
    "Workloads",
]


class Clock(Protocol):
    """Run time."""

    def now(self) -> datetime:
        """The run time, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of run time."""


class Forwarded(Protocol):
    """An open port-forward to something that speaks HTTP."""

    @property
    def url(self) -> str:
        """Its base URL on this machine."""

    @property
    def pod(self) -> str:
        """The pod it leads to."""

    @property
    def problem(self) -> str:
        """What its last connection met, empty when nothing."""


class Jobs(Protocol):
    """The Jobs of one namespace."""

    async def create(self, order: JobOrder, dry_run: bool = False) -> str:
        """Create a Job and say what it runs; one of the same name, by the same run, is left alone.

        Raises Conflict when another Job has the name, or when the API server refuses this one.
        """

    async def state(self, name: str) -> JobState:
        """A Job's state; raises NotFound."""

    async def trouble(self, name: str) -> str:
        """Why a Job has no running pod, in words; empty when nothing is known."""

    async def logs(self, name: str, lines: int) -> tuple[PodLog, ...]:
        """The last lines of each container of the Job's newest pod."""


class Workloads(Protocol):
    """Deployments, Services and pods of one namespace."""

    @property
    def jobs(self) -> Jobs:
        """Its Jobs."""

    async def server(self) -> str:
        """The API server's address."""

    async def deployment(self, name: str, container: str | None = None) -> DeploymentState:
        """One Deployment with the image of `container` (the first if None); raises NotFound."""

    async def rollout_problems(self, name: str) -> tuple[RolloutProblem, ...]:
        """Why a Deployment's rollout does not get on, the worst first; empty when nothing is known to be wrong."""

    async def set_image(self, seen: DeploymentState, image: str, dry_run: bool = False) -> None:
        """Replace the image, if it is still the one in `seen`; raises Conflict when it is not."""

    async def service(self, name: str, endpoints: bool = False) -> ServiceState:
        """One Service, with its ready endpoints when asked; raises NotFound."""

    async def set_selector(self, seen: ServiceState, selector: Mapping[str, str], dry_run: bool = False) -> None:
        """Replace the whole selector, if it is still the one in `seen`; raises Conflict when it is not."""

    async def services(self, endpoints: bool = False) -> tuple[ServiceState, ...]:
        """All Services, with their ready endpoints when asked."""

    async def routes(self) -> tuple[RouteState, ...]:
        """All Ingresses (and HTTPRoutes where the API server has them)."""

    async def pods(self, selector: str, track_key: str = "") -> tuple[PodPlace, ...]:
        """The pods of a label selector as they are now; each pod's `track` is the value of its label `track_key`."""

    def watch_pods(self, selector: str, track_key: str) -> AsyncIterator[PodsChanged]:
        """The pods of a label selector, again after every change, for ever; never raises for a broken line."""

    async def run_in_pod(
        self, workload: str, argv: Sequence[str], deadline: float, container: str | None = None
    ) -> ExecResult:
        """Run argv in a ready pod of `deployment/name`; raises DeadlineExceeded when the outcome is unknown."""

    async def get_through_proxy(self, service: str, port: int, path: str, timeout: float) -> HttpAnswer:
        """GET a path of a Service through the API server's proxy."""

    def forwarded(self, target: str, port: int) -> AbstractAsyncContextManager[Forwarded]:
        """A port-forward to `deployment/name` and its pods' port, or to `service/name` and its own port.

        Entering raises NotFound when no pod is ready; leaving ends it and all its connections.
        """


class TrafficControl(Protocol):
    """The route that gives the candidate its share."""

    backend: str

    async def read(self, whole: bool = False) -> CanaryState:
        """The route as the cluster has it, in one request; `whole`, and the first time, with what surrounds it.

        `pending` and `rejected` of the answer say whether its controller has put it in force; a backend without such
        a report is in force at once. Whatever surrounds the route only adds notes: it never makes the read fail.
        """

    async def set_weight(self, seen: CanaryState, weight: int, dry_run: bool = False) -> None:
        """Write an absolute weight (and enable the route), if it is still as `seen`; raises Conflict."""

    async def disable(self, seen: CanaryState, dry_run: bool = False) -> None:
        """Take the route out of service, if it is still as `seen`; raises Conflict."""

    def commands(self, weight: int) -> tuple[str, ...]:
        """The kubectl commands that set the weight by hand (0 takes the route out of service)."""


class Guardian(Protocol):
    """The objects that the run writes or relies on, and the stamp that says who commands them."""

    async def look(self) -> tuple[GuardedObject, ...]:
        """All guarded objects as the cluster has them; raises NotFound when one does not exist."""

    async def read(self, key: str) -> GuardedObject | None:
        """One guarded object, None when it was deleted."""

    async def stamp(self, epoch: int, holder: str) -> tuple[GuardedObject, ...]:
        """Stamp every object that the run writes; from then on each write tests that stamp.

        Returns the objects as they are then. Raises Fenced when an object has a higher epoch, Conflict when somebody
        else writes at the same time.
        """

    def obey(self, refusal: Callable[[], str]) -> None:
        """Ask `refusal` before each change that is sent, and send none that it gives a reason against."""

    async def confirm(self) -> None:
        """Raise Fenced when the stamp is no longer ours; changes nothing."""

    def watch(self) -> AsyncIterator[GuardedChanged]:
        """Each guarded object after every change, for ever."""


class Leases(Protocol):
    """The one Lease by which bastions agree on who commands."""

    async def read(self) -> LeaseState | None:
        """The Lease, None when there is none; raises Denied without the right."""

    async def write(self, seen: LeaseState | None, wanted: LeaseState) -> LeaseState:
        """Make it as wanted (holder, epoch, renewed) if it is still as seen; raises Conflict."""


class Mirror(Protocol):
    """The copy of the run in the cluster, for another bastion."""

    async def read(self) -> FoundCopy | None:
        """The copy, None when there is none."""

    async def write(self, copy: Copy, epoch: int, holder: str) -> None:
        """Replace it, if its last writer claimed no later epoch; raises Fenced, and Denied without the right."""


class Metrics(Protocol):
    """A server that speaks the Prometheus query API."""

    async def query(self, expression: str) -> QueryAnswer:
        """The instant value of an expression; NaN and Inf are passed on as they are."""


class Alerts(Protocol):
    """A server that knows which alerts fire and which of them are silenced."""

    question: str

    async def firing(self) -> QueryAnswer:
        """One sample: the number of critical alerts that fire and that nobody has silenced."""


class Http(Protocol):
    """Plain HTTP GET for checks."""

    async def get(self, url: str, timeout: float) -> HttpAnswer:
        """GET a URL."""


class Cdn(Protocol):
    """Cloudflare."""

    async def purge(
        self,
        api: str,
        zone: str,
        token: SecretStr,
        purge: Purge,
        deadline: float,
        say: Callable[[str], Awaitable[None]],
    ) -> tuple[str, ...]:
        """Purge within `deadline` seconds, waiting when asked to, and return the result ids of all batches."""


class Registry(Protocol):
    """The image registry."""

    async def digest(self, image: str) -> str:
        """The digest of an image reference; raises NotFound when the tag does not exist."""


class Programs(Protocol):
    """The user's own programs."""

    def inspect(self, argv: Sequence[str]) -> str:
        """The SHA-256 of the program; raises NotFound, or Denied when it may not be trusted."""

    def left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        """The processes of a program with these variables that still run."""

    async def end_left_behind(self, environ: Mapping[str, str]) -> tuple[int, ...]:
        """End them, by force when they do not want to; returns which they were."""

    async def run(self, program: Program, emit: Emit) -> ProgramResult:
        """Run it without a shell and emit its lines; raises DeadlineExceeded when it had to be killed."""


class Messenger(Protocol):
    """One channel that messages can be sent to."""

    async def send(self, message: Message) -> str:
        """Deliver and return what proves it; raises OutsideError."""


@dataclass(frozen=True, slots=True)
class Outside:
    """All outside systems of a run; without a `mirror` no other bastion can take it over."""

    workloads: Workloads
    traffic: TrafficControl
    guardian: Guardian
    leases: Leases
    metrics: Metrics
    http: Http
    cdn: Cdn
    registry: Registry
    programs: Programs
    messengers: Mapping[str, Messenger]
    mirror: Mirror | None = None
    alerts: Alerts | None = None


class OpenOutside(Protocol):
    """Connects to the outside systems for the time of a run."""

    def __call__(self) -> AbstractAsyncContextManager[Outside]:
        """Open all clients; closing ends them."""
