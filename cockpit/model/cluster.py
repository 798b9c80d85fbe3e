"""What the cockpit knows of the cluster's objects: small, tolerant records, not the API's models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cockpit.model.base import Value
from cockpit.model.status import Severity as Severity

_FAILING = re.compile(r"BackOff|Err|Invalid|OOMKilled|ContainerCannotRun|Failed|Evicted|CreateContainer\w*Error")


class Pod(Value):
    """One pod. `track` is the track whose selector value its label has, or an empty string."""

    name: str
    track: str
    ready: int
    containers: int
    status: str
    restarts: int
    created: datetime | None = None

    @property
    def healthy(self) -> bool:
        """Whether every container is ready."""
        return self.containers > 0 and self.ready == self.containers

    @property
    def failing(self) -> bool:
        """Whether the status tells of a container that will not run without help."""
        return _FAILING.search(self.status) is not None

    @property
    def over(self) -> bool:
        """Whether the pod has done its work, or is on its way out."""
        return self.status in ("Completed", "Succeeded", "Terminating")


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """One Deployment: `image` is that of the container in question."""

    name: str
    image: str
    container: str
    container_index: int
    generation: int
    observed_generation: int
    wanted: int
    replicas: int
    updated: int
    available: int
    ready: int
    labels: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    paused: bool = False

    @property
    def rolled_out(self) -> bool:
        """The rule of `kubectl rollout status`: the newest spec is observed and every replica is new and available."""
        return (
            self.observed_generation >= self.generation
            and self.updated == self.wanted
            and self.replicas == self.updated
            and self.available == self.updated
        )


@dataclass(frozen=True, slots=True)
class RolloutProblem:
    """One reason why a rollout does not get on, and how many pods it concerns (0: no single pod).

    `reason` is Kubernetes' own word. `patience` is how many seconds of run time it may last before waiting longer is
    pointless; None when it may heal by itself at any time.
    """

    reason: str
    text: str
    hint: str
    patience: float | None = None
    pods: int = 0


@dataclass(frozen=True, slots=True)
class PodPlace:
    """A pod and its address, which is empty before it has one."""

    pod: Pod
    address: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A ready endpoint of a Service; `pod` is its target reference, empty for an address that somebody wrote."""

    pod: str
    address: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One Service and its ready endpoints (None when not asked)."""

    name: str
    selector: Mapping[str, str]
    endpoints: tuple[Endpoint, ...] | None = None

    @property
    def ready_endpoints(self) -> int | None:
        """How many endpoints are ready."""
        return None if self.endpoints is None else len(self.endpoints)


class Note(Value):
    """What a commander must know of a route. `evades`: some requests reach the candidate at weight 0, too."""

    text: str
    severity: Severity = Severity.WARNING
    hint: str = ""
    evades: bool = False


class WeightField(Value):
    """One number that a change of the weight writes: the candidate's part of `total`, or the rest of it."""

    target: str
    field: str
    value: str
    total: int = 100
    rest: bool = False

    def written(self, weight: int) -> int:
        """What is written for a weight in percent."""
        part = round(weight * self.total / 100)
        return self.total - part if self.rest else part


@dataclass(frozen=True, slots=True)
class CanaryState:
    """The candidate's route as the cluster has it; two are equal when they route alike.

    `weight` is in percent; `enabled` is False when the route is out of service; `exact` is False when the weight is
    there only by default, by rounding or in some of the rules. `main` is the Service that carries the rest, and
    everything once the route is out of service; empty when that is not known. `pending` says what a controller still
    has to do before the route is in force, `rejected` why one refuses it. `off` is what taking it out writes, `evicts`
    whether that keeps everybody from the candidate.
    """

    name: str
    weight: int
    enabled: bool
    exact: bool = True
    notes: tuple[Note, ...] = field(default=(), compare=False)
    main: str = field(default="", compare=False)
    pending: str = field(default="", compare=False)
    rejected: str = field(default="", compare=False)
    fields: tuple[WeightField, ...] = field(default=(), compare=False)
    off: str = field(default="", compare=False)
    evicts: bool = field(default=True, compare=False)

    @property
    def share(self) -> int:
        """The commanded share in percent."""
        return self.weight if self.enabled else 0

    @property
    def evades(self) -> bool:
        """Whether weight 0 leaves some users on the candidate."""
        return any(note.evades for note in self.notes)

    @property
    def fault(self) -> Note | None:
        """The first note that speaks against giving the candidate more traffic."""
        return next((note for note in self.notes if note.severity is Severity.FAULT), None)


@dataclass(frozen=True, slots=True)
class RouteState:
    """One Ingress or HTTPRoute; `backends` are the Services of its own namespace that it sends requests to."""

    name: str
    hosts: tuple[str, ...] = ()
    kind: str = "Ingress"
    backends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecResult:
    """A finished command in a pod; both streams are cleaned and capped."""

    exit_code: int
    stdout: str
    stderr: str
    pod: str


@dataclass(frozen=True, slots=True)
class JobOrder:
    """A Job to create: `image` and `argv`, or a `template` as the runbook has it, or the name of a CronJob.

    `deadline_s` is how long Kubernetes lets it run, unless the template says otherwise.
    """

    name: str
    run: str
    action: str
    deadline_s: int
    image: str = ""
    argv: tuple[str, ...] = ()
    service_account: str | None = None
    template: Mapping[str, Any] | None = None
    cronjob: str | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """A Job: `succeeded` is None while it runs; the numbers are those of its pods."""

    name: str
    succeeded: bool | None
    message: str = ""
    active: int = 0
    done: int = 0
    failed: int = 0

    @property
    def words(self) -> str:
        """How far it is."""
        return f"{self.active} active, {self.done} succeeded, {self.failed} failed"


@dataclass(frozen=True, slots=True)
class PodsChanged:
    """The pods, in order.

    While the watch is broken, `stale_since` is when they were last known to be right, and `problem` says why.
    """

    pods: tuple[Pod, ...]
    stale_since: datetime | None = None
    problem: str = ""
