"""A closer look at one namespace, for the commander's screen: logs, descriptions, port-forwards, a shell."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from cockpit.adapters.kubernetes import kubeconfig as kubeconfigs
from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.containers import container_names
from cockpit.adapters.kubernetes.descriptions import Descriptions
from cockpit.adapters.kubernetes.forwards import Forwards
from cockpit.adapters.kubernetes.goals import Goals
from cockpit.adapters.kubernetes.logs import LogReader, LogTimes
from cockpit.adapters.kubernetes.overview import (
    deployment_row,
    http_route_row,
    ingress_row,
    job_row,
    ready_by_service,
    service_row,
)
from cockpit.adapters.kubernetes.resource import Json, Resource, text
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.adapters.plugins import passed_on
from cockpit.errors import DeadlineExceeded, Denied, NotFound
from cockpit.model.lens import Described, DescribedKind, ForwardState, LogQuery, WorkloadRow
from cockpit.model.text import clean

DEADLINE = 15.0
"""Seconds for a whole call, however many requests it makes. A log has bounds of its own, see `logs`."""

_TERMINAL = ("TERM", "COLORTERM", "SHELL")
T = TypeVar("T")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class KubeLens:
    """See `cockpit.tui.lens.Lens` for what each method promises."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        files: Sequence[str] = (),
        now: Callable[[], datetime] = _utc_now,
        times: LogTimes | None = None,
    ) -> None:
        """`files` are the kubeconfig files that the client was opened with, none inside a cluster."""
        self._client = client
        self._namespace = namespace
        self._files = tuple(files)
        self._times = times or LogTimes()
        self._pods = Resource("", "v1", "pods", namespace)
        self._descriptions = Descriptions(client, namespace, now)
        goals = Goals(client, namespace, KubeWorkloads(client, namespace).ready_pod)
        self._forwards = Forwards(client, self._pods, goals)

    async def containers(self, pod: str) -> tuple[str, ...]:
        """The names of a pod's containers, init containers last; raises NotFound."""
        names = container_names(await self._client.get(self._pods.named(pod)))
        return tuple(clean(name, 63) for name in names)

    def logs(self, query: LogQuery) -> AsyncGenerator[tuple[str, ...], None]:
        """Batches of cleaned lines as they arrive, until the log ends or the iterator is closed."""
        return LogReader(self._client, self._pods, query, self._times).batches()

    async def describe(self, kind: DescribedKind, name: str) -> Described:
        """Status, conditions, events and resources of one object; raises NotFound."""
        return await _within(self._descriptions.of(kind, name), f"The description of {kind} {clean(name)}")

    async def workloads(self) -> tuple[WorkloadRow, ...]:
        """The Deployments, Services, routes and Jobs that can be looked at; raises Denied when none may be listed."""
        return await _within(self._rows(), "The list of workloads")

    async def forward(self, target: str, remote_port: int, local_port: int = 0) -> ForwardState:
        """Listen on 127.0.0.1 for a pod, or a ready pod of `deployment/name` or `service/name`.

        When its pod is gone, the next connection goes to another one. Raises Conflict when the local port is taken.
        """
        opened = self._forwards.open(target, remote_port, local_port)
        return await _within(opened, f"The port-forward to {clean(target)}")

    def forwards(self) -> tuple[ForwardState, ...]:
        """All port-forwards of this screen, oldest first."""
        return self._forwards.states()

    async def stop_forward(self, forward: str) -> None:
        """Close a port-forward by its id and all its connections; one that is gone is left alone."""
        await self._forwards.close(forward)

    def shell(self, pod: str, container: str | None = None, argv: Sequence[str] = ("/bin/sh",)) -> tuple[str, ...]:
        """The kubectl argv of an interactive shell in a pod, with this run's kubeconfig, context and namespace."""
        chosen = ("-c", container) if container else ()
        return (*self._kubectl(), "-n", self._namespace, "exec", "-it", pod, *chosen, "--", *argv)

    def environment(self) -> Mapping[str, str]:
        """The environment for the runbook's own commands: what is passed on, and this run's KUBECONFIG."""
        kept = {name: os.environ[name] for name in _TERMINAL if name in os.environ}
        config = {"KUBECONFIG": os.pathsep.join(self._files)} if self._files else {}
        return passed_on(os.environ) | kept | config

    async def close(self) -> None:
        """End all port-forwards."""
        await self._forwards.close_all()

    def _kubectl(self) -> tuple[str, ...]:
        context = ("--context", self._client.context) if self._client.context else ()
        if len(self._files) == 1:
            return ("kubectl", "--kubeconfig", self._files[0], *context)
        # The option takes one file only; the variable merges several.
        several = ("env", f"KUBECONFIG={os.pathsep.join(self._files)}") if self._files else ()
        return (*several, "kubectl", *context)

    async def _rows(self) -> tuple[WorkloadRow, ...]:
        parts = await asyncio.gather(
            self._listed("deployment", deployment_row),
            self._services(),
            self._listed("ingress", ingress_row),
            self._listed("httproute", http_route_row),
            self._listed("job", job_row),
            return_exceptions=True,
        )
        found: list[WorkloadRow] = []
        refused: Denied | None = None
        for part in parts:
            if isinstance(part, Denied):
                refused = part
            elif isinstance(part, BaseException):
                raise part
            else:
                found += part
        if refused is not None and not found:
            raise refused
        return tuple(found)

    async def _listed(self, kind: DescribedKind, row: Callable[[Json], WorkloadRow]) -> list[WorkloadRow]:
        try:
            return [row(obj) for obj in await self._client.all_of(await self._descriptions.collection(kind))]
        except NotFound:
            return []

    async def _services(self) -> list[WorkloadRow]:
        services = await self._client.all_of(await self._descriptions.collection("service"))
        slices = await self._descriptions.slices()
        try:
            ready = ready_by_service(await self._client.all_of(slices)) if slices else None
        except Denied:
            ready = None
        return [service_row(obj, None if ready is None else ready[text(obj, "metadata", "name")]) for obj in services]


@asynccontextmanager
async def open_lens(
    kubeconfig: str | None,
    context: str | None,
    namespace: str,
    *,
    now: Callable[[], datetime] = _utc_now,
    trust_env: bool = False,
    times: LogTimes | None = None,
) -> AsyncIterator[KubeLens]:
    """A lens on a namespace of a kubeconfig's context; leaving it ends its port-forwards and connections.

    `now` is the time that ages are told by, which in a rehearsal is run time.

    Raises UsageError when there is no such file or context, and Denied when its credentials do not load.
    """
    files = [str(path.absolute()) for path in kubeconfigs.find(kubeconfig)]
    async with open_client(kubeconfig, context, trust_env) as client:
        lens = KubeLens(client, namespace, files, now, times)
        try:
            yield lens
        finally:
            await lens.close()


async def _within(asked: Awaitable[T], what: str) -> T:
    try:
        async with asyncio.timeout(DEADLINE):
            return await asked
    except TimeoutError as error:
        raise DeadlineExceeded(f"{what} did not come within {DEADLINE:g} s.") from error
