"""Debian's prometheus and prometheus-alertmanager on loopback, with configurations of the tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

SCRAPE_S = 0.25
WINDOW_S = 12.0
PATIENCE_S = 60.0
SCRAPE = f"{1000 * SCRAPE_S:.0f}ms"

RULES = {
    "groups": [
        {
            "name": "application",
            "interval": SCRAPE,
            "rules": [
                {
                    "alert": "HighErrorRate",
                    "expr": "100 * sum(rate(nginx_ingress_controller_requests"
                    '{status=~"5..|429|499"}[6s])) / sum(rate(nginx_ingress_controller_requests[6s])) > 1',
                    "labels": {"severity": "critical", "namespace": "production"},
                },
                {
                    "alert": "SomebodyElses",
                    "expr": "vector(1)",
                    "labels": {"severity": "warning", "namespace": "production"},
                },
            ],
        }
    ]
}


def binary(name: str) -> str:
    """The program's path; without it the test is skipped, or fails in CI."""
    found = shutil.which(name)
    if found is None:
        reason = f"no {name} on this machine (Debian: apt-get install {name})"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return str(found)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Awaitable[bool]], patience: float = PATIENCE_S) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(patience):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@dataclass
class Server:
    """A running program that answers HTTP."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait(10)

    async def ready(self) -> bool:
        """Whether it says that it serves."""
        assert self.process.poll() is None, f"{self.process.args!r} ended with {self.process.returncode}"
        return await self.get("/-/ready") is not None

    async def get(self, path: str, **parameters: str) -> httpx.Response | None:
        """The answer if it is a good one."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                response = await client.get(self.url + path, params=parameters)
        except httpx.TransportError:
            return None
        return response if response.status_code == 200 else None

    async def value(self, query: str) -> float | None:
        """The first sample of an instant query."""
        response = await self.get("/api/v1/query", query=query)
        found = response.json()["data"]["result"] if response is not None else []
        return float(found[0]["value"][1]) if found else None


def _start(directory: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen([binary(name), *arguments], cwd=directory, stdout=log, stderr=log)


def write_config(directory: Path, targets: dict[str, str], rules: dict[str, Any] = RULES, **more: Any) -> Path:
    """A configuration that scrapes `targets` (job: host:port) four times a second and knows `rules`."""
    yaml = YAML(typ="safe")
    directory.mkdir(exist_ok=True)
    yaml.dump(rules, directory / "rules.yml")
    config = {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": SCRAPE},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {"job_name": job, "honor_labels": True, "static_configs": [{"targets": [target]}]}
            for job, target in targets.items()
        ],
        **more,
    }
    yaml.dump(config, directory / "prometheus.yml")
    return directory / "prometheus.yml"


@asynccontextmanager
async def prometheus(directory: Path, targets: dict[str, str], web_config: Path | None = None) -> AsyncIterator[Server]:
    """A server that scrapes `targets`; with `web_config` it asks for TLS and passwords, and is not waited for."""
    config, port = write_config(directory, targets), free_port()
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}"]
    arguments += [f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle", "--log.level=warn"]
    if web_config is not None:
        arguments.append(f"--web.config.file={web_config}")
    server = Server(f"http://127.0.0.1:{port}", _start(directory, "prometheus", *arguments))
    try:
        if web_config is None:
            await until(server.ready)
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def alertmanager(directory: Path) -> AsyncIterator[Server]:
    """An Alertmanager that tells nobody."""
    config, port = directory / "alertmanager.yml", free_port()
    YAML(typ="safe").dump({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}, config)
    process = _start(
        directory,
        "prometheus-alertmanager",
        f"--config.file={config}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        await until(server.ready)
        yield server
    finally:
        server.stop()
