"""What the cockpit knows of the cluster's objects: small, tolerant records, not the API's models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cockpit.model.base import Value


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
class ServiceState:
    """One Service and how many ready endpoints it has (None when not asked)."""

    name: str
    selector: Mapping[str, str]
    ready_endpoints: int | None = None


@dataclass(frozen=True, slots=True)
class CanaryState:
    """The candidate's route as the cluster has it. `weight` is in percent; `enabled` is False when it is off."""

    name: str
    weight: int
    enabled: bool
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> int:
        """The commanded share in percent."""
        return self.weight if self.enabled else 0


@dataclass(frozen=True, slots=True)
class RouteState:
    """One Ingress or HTTPRoute."""

    name: str
    hosts: tuple[str, ...] = ()


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
    """The pods as they are now, by name; `at_rest` is False while the list is old (the watch is broken)."""

    pods: tuple[Pod, ...]
    stale_since: datetime | None = None
    problem: str = ""
