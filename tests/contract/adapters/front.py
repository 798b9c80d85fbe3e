"""A stage that is reached through a proxy which can break the line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cockpit.adapters.kubernetes.reader import WatchTimes
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.model.cluster import PodsChanged

from ..fault_proxy import FaultProxy
from .stage import Stage

BLUE = {"app": "web", "version": "blue"}
GREEN = {"app": "web", "version": "green"}


@dataclass(frozen=True)
class Front:
    """`stage` is the way around the proxy, `through` the way of the product."""

    proxy: FaultProxy
    stage: Stage
    through: Stage
    directory: Path

    @asynccontextmanager
    async def hasty(self, deadline: float) -> AsyncIterator[Stage]:
        """The same way with another total time for a request, in seconds."""
        async with self.proxy.client(self.directory, deadline=deadline) as client:
            yield replace(self.stage, client=client)

    async def selector(self) -> dict[str, str]:
        """What the API server has in truth."""
        return dict((await self.stage.workloads.service("web")).selector)

    async def add_pod(self, name: str) -> None:
        """A pod without an owner, which only this test knows."""
        metadata = {"name": name, "labels": {"app": "bare", "version": "blue"}}
        spec = {"containers": [{"name": "web", "image": "web:1.0.0"}]}
        await self.stage.client.create(self.stage.at("", "pods"), {"kind": "Pod", "metadata": metadata, "spec": spec})

    def watch(self, times: WatchTimes | None = None) -> AsyncGenerator[PodsChanged, None]:
        """The watch of those pods, which shows nothing before the whole list."""
        return KubeWorkloads(self.through.client, self.stage.namespace, times=times).watch_pods("app=bare", "version")
