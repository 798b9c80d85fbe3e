"""What the commander's screen needs of the cluster for a closer look; it never goes through the engine.

A flood of log lines must not share a process with the guard. An observer's screen has no lens: observers need no
kubeconfig.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cockpit.model.lens import Described, DescribedKind, ForwardState, LogQuery, WorkloadRow


class Lens(Protocol):
    """A reading eye on one namespace. Every call has a total deadline and raises only OutsideError."""

    async def containers(self, pod: str) -> tuple[str, ...]:
        """The names of a pod's containers, init containers last; raises NotFound."""

    def logs(self, query: LogQuery) -> AsyncIterator[tuple[str, ...]]:
        """Batches of cleaned lines as they arrive, until the log ends or the iterator is closed."""

    async def describe(self, kind: DescribedKind, name: str) -> Described:
        """Status, conditions, events and resources of one object; raises NotFound."""

    async def workloads(self) -> tuple[WorkloadRow, ...]:
        """The Deployments, Services, routes and Jobs that can be looked at."""

    async def forward(self, target: str, remote_port: int, local_port: int = 0) -> ForwardState:
        """Listen on 127.0.0.1 (0: any free port) for a pod, or the first ready pod of `deployment/name`.

        Raises Conflict when the local port is taken.
        """

    def forwards(self) -> tuple[ForwardState, ...]:
        """All port-forwards of this screen, oldest first."""

    async def stop_forward(self, forward: str) -> None:
        """Close a port-forward by its id and all its connections; one that is gone is left alone."""

    def shell(self, pod: str, container: str | None = None, argv: Sequence[str] = ("/bin/sh",)) -> tuple[str, ...]:
        """The kubectl argv of an interactive shell in a pod, with this run's kubeconfig, context and namespace."""

    def environment(self) -> Mapping[str, str]:
        """The environment for the runbook's own commands: what is passed on, and this run's KUBECONFIG."""


OpenLens = Callable[[], AbstractAsyncContextManager[Lens]]
