"""Five thousand pods on a real API server, and a storm of changes among them."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from cockpit.adapters.kubernetes import kubeconfig
from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.resource import Resource
from tests.contract import control_plane
from tests.contract.adapters.stage import Stage, access, plant

PODS = 5_000
NAMESPACE = "crowd"
_AT_ONCE = 24
_NODES = 100


class NoControlPlane(Exception):
    """There is no real API server to measure against."""


@contextmanager
def real_control_plane() -> Iterator[str]:
    """A kubeconfig: of the cluster that $COCKPIT_TEST_KUBECONFIG names, or of a throwaway one."""
    if named := os.environ.get("COCKPIT_TEST_KUBECONFIG"):
        yield named
        return
    script = control_plane.script()
    if script is None:
        raise NoControlPlane("no COCKPIT_TEST_KUBECONFIG, and no script COCKPIT_TEST_KUBE that boots a control plane")
    with tempfile.TemporaryDirectory(prefix="cockpit-bench-", ignore_cleanup_errors=True) as name:
        try:
            yield str(control_plane.up(script, Path(name) / "kube"))
        finally:
            control_plane.down(script, Path(name) / "kube")


class Crowd:
    """The pods, by name, and a direct line to their API server."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession, url: str) -> None:
        self.stage = stage
        self.namespace = stage.namespace
        self.kubeconfig, self.context = stage.access.admin
        self.names = [f"web-{track}-{number:04}" for track in ("blue", "green") for number in range(PODS // 2)]
        self._session = session
        self._pods = f"{url}/api/v1/namespaces/{stage.namespace}/pods"

    async def gather(self) -> None:
        """Create the pods that are not there yet, bound to nodes that do not exist, and let them look alive."""
        query = {"labelSelector": "crowd=yes"}
        there = {item["metadata"]["name"] for item in await self.stage.client.all_of(self.stage.at("", "pods"), query)}
        await _in_parallel([self._create(name) for name in self.names if name not in there])

    async def change(self, name: str, restarts: int) -> None:
        """Let one pod tell of another restart: one event of a watch."""
        await self._call("PATCH", f"/{name}/status", {"status": _status(restarts)})

    async def storm(self, rate: float, seconds: float) -> int:
        """Change so many pods a second, evenly, for so long; returns how many were changed."""
        started, changed = time.monotonic(), 0
        while (passed := time.monotonic() - started) < seconds:
            due = int(passed * rate) - changed
            await _in_parallel([self.change(random.choice(self.names), changed + one + 1) for one in range(due)])
            changed += due
            await asyncio.sleep(0.02)
        return changed

    async def _create(self, name: str) -> None:
        labels = {"app": "web", "version": name.split("-")[1], "crowd": "yes"}
        spec: dict[str, Any] = {
            "nodeName": f"nowhere-{hash(name) % _NODES}",
            "containers": [{"name": "web", "image": "web:1.0.0", "ports": [{"containerPort": 8080}]}],
        }
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
        await self._call("POST", "", body)
        await self.change(name, 0)

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> None:
        kind = "application/json" if method == "POST" else "application/strategic-merge-patch+json"
        headers = {"Content-Type": kind}
        async with self._session.request(method, self._pods + path, data=json.dumps(body), headers=headers) as answer:
            answer.raise_for_status()
            await answer.read()


@asynccontextmanager
async def crowd(config: str, context: str = "admin", keep: bool = False) -> AsyncIterator[Crowd]:
    """A namespace with both tracks and the pods; deleted afterwards on a cluster that somebody named, unless `keep`."""
    known = kubeconfig.load(kubeconfig.find(config), context)
    headers = {"Authorization": f"Bearer {known.user['token']}"}
    connector = aiohttp.TCPConnector(ssl=False, limit=_AT_ONCE)
    reach = access(Path(config), context, Path(config), context)
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as session,
        open_client(*reach.admin) as client,
    ):
        stage = Stage(client, NAMESPACE, reach)
        try:
            namespaces = await client.all_of(Resource("", "v1", "namespaces"))
            if NAMESPACE not in {item["metadata"]["name"] for item in namespaces}:
                await plant(stage, 2)
            there = Crowd(stage, session, known.cluster["server"])
            await there.gather()
            yield there
        finally:
            if "COCKPIT_TEST_KUBECONFIG" in os.environ and not (keep or "COCKPIT_BENCH_KEEP" in os.environ):
                namespace = Resource("", "v1", "namespaces", "", NAMESPACE)
                await client.once("DELETE", Request("delete", namespace))


async def _in_parallel(calls: list[Any]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Any) -> None:
        async with gate:
            await call

    await asyncio.gather(*map(one, calls))


def _status(restarts: int) -> dict[str, Any]:
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    container = {"name": "web", "image": "web:1.0.0", "imageID": "", "ready": True, "restartCount": restarts}
    conditions = [{"type": "Ready", "status": "True"}]
    return {"phase": "Running", "conditions": conditions, "containerStatuses": [{**container, "state": state}]}


async def _storm(config: str, context: str, rate: float, seconds: float) -> int:
    async with crowd(config, context, keep=True) as there:
        return await there.storm(rate, seconds)


if __name__ == "__main__":
    print(asyncio.run(_storm(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))))
