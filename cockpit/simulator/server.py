"""The simulator: a world and the servers through which it is reached."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from cockpit.model.clock import RunClock
from cockpit.simulator.kube.app import KubeApi
from cockpit.simulator.kube.redis_cli import RedisCli
from cockpit.simulator.kube.reviews import COMMANDER_TOKEN, OBSERVER_TOKEN
from cockpit.simulator.kubeconfig import kubeconfig_text, write_private
from cockpit.simulator.scenario import SCENARIOS
from cockpit.simulator.smtp import MailServer
from cockpit.simulator.spec import WorldSpec, default_spec
from cockpit.simulator.web.app import SideServices
from cockpit.simulator.world.world import World

_HOST = "127.0.0.1"
_SHUTDOWN_SECONDS = 0.2


class Simulator:
    """A served world. Port 0 means any free port; everything listens on loopback only.

    Use it as an async context manager, or call `start` and `stop`.
    """

    token = COMMANDER_TOKEN
    observer_token = OBSERVER_TOKEN

    def __init__(
        self,
        spec: WorldSpec | None = None,
        clock: RunClock | None = None,
        scenario: str = "healthy",
        *,
        kube_port: int = 0,
        http_port: int = 0,
        smtp_port: int = 0,
        redis_cli: RedisCli | None = None,
    ) -> None:
        """`redis_cli` lets the Redis pod run the real redis-cli against a server that it names."""
        if scenario not in SCENARIOS:
            raise ValueError(f"no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
        self.spec = spec or default_spec()
        self.clock = clock or RunClock()
        self.world = World(self.spec, self.clock, scenario)
        self.kube = KubeApi(self.world, redis_cli)
        self.side = SideServices(self.world, self.kube)
        self._mail = MailServer(self.world)
        self._ports = (kube_port, http_port, smtp_port)
        self._runners: list[web.AppRunner] = []
        self._ticker: asyncio.Task[None] | None = None
        self._last_cut = self.world.cluster.now
        self._bound = {"kube": 0, "http": 0, "smtp": 0}

    async def start(self) -> None:
        """Listen, and let time pass; raises OSError when a port is taken."""
        kube_port, http_port, smtp_port = self._ports
        self._bound["kube"] = await self._listen(self.kube.application(), kube_port)
        self._bound["http"] = await self._listen(self.side.application(), http_port)
        self._bound["smtp"] = await self._mail.start(_HOST, smtp_port)
        self._ticker = asyncio.create_task(self._tick(), name="simulator-tick")

    async def stop(self) -> None:
        """Close every connection and stop."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
            self._ticker = None
        self.kube.close()
        await self._mail.stop()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def kube_url(self) -> str:
        """The Kubernetes API server."""
        return f"http://{_HOST}:{self._bound['kube']}"

    @property
    def http_url(self) -> str:
        """The root of every other HTTP service."""
        return f"http://{_HOST}:{self._bound['http']}"

    @property
    def prometheus_url(self) -> str:
        """The base URL of the Prometheus API."""
        return f"{self.http_url}/prometheus"

    @property
    def smtp_address(self) -> tuple[str, int]:
        """Host and port of the mail server."""
        return _HOST, self._bound["smtp"]

    def addresses(self) -> dict[str, str]:
        """Every service and where it is."""
        http = self.http_url
        return {
            "kube": self.kube_url,
            "http": http,
            "prometheus": self.prometheus_url,
            "alertmanager": f"{http}/alertmanager",
            "metrics": f"{http}/metrics",
            "slack": f"{http}/slack/services/T000/B000/simulator",
            "cloudflare": f"{http}/cloudflare/client/v4",
            "statuspage": f"{http}/statuspage/v1",
            "grafana": f"{http}/grafana",
            "datadog": f"{http}/datadog",
            "sentry": f"{http}/sentry",
            "registry": http,
            "app": f"{http}/app",
            "smtp": f"{_HOST}:{self._bound['smtp']}",
            "record": f"{http}/sim/record",
            "state": f"{http}/sim/state",
        }

    def kubeconfig(self, token: str | None = None) -> str:
        """The text of a kubeconfig whose context `simulator` reaches this world."""
        return kubeconfig_text(self.kube_url, token or self.token, self.spec.namespace)

    def write_kubeconfig(self, path: Path, token: str | None = None) -> Path:
        """Write the kubeconfig, readable by its owner alone; returns the path."""
        write_private(path, self.kubeconfig(token))
        return path

    async def _listen(self, application: web.Application, port: int) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, _HOST, port).start()
        return int(runner.addresses[0][1])

    async def _tick(self) -> None:
        """Bring the world to the present whenever something is due, so that watchers hear of it in time."""
        while True:
            now = self.world.advance()
            self._cut_watches(now)
            await asyncio.sleep(self.world.seconds_to_next())

    def _cut_watches(self, now: float) -> None:
        """Break off the open watches when the API is away, or when the scenario lets them last no longer."""
        limit = self.world.scenario.watch_seconds
        if self.world.faults.down("kube", now) or (limit is not None and now - self._last_cut >= limit):
            self.kube.resources.watches.cut()
            self._last_cut = now


async def serve(
    spec: WorldSpec,
    clock: RunClock,
    scenario: str = "healthy",
    *,
    kube_port: int = 0,
    http_port: int = 0,
    smtp_port: int = 0,
) -> Simulator:
    """Start a simulator; the caller stops it."""
    simulator = Simulator(spec, clock, scenario, kube_port=kube_port, http_port=http_port, smtp_port=smtp_port)
    await simulator.start()
    return simulator
