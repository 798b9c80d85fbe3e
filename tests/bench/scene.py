"""A run of the shipped minimal runbook on a real API server, seen through a proxy that keeps what passes."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cockpit.link.paths import RunPaths, all_runs
from cockpit.model.clock import RunClock
from cockpit.runbook.load import load
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook
from tests.contract.adapters.stage import Stage
from tests.contract.fault_proxy import FaultProxy, proxy_before
from tests.contract.test_run_on_a_real_cluster import unhurried


@dataclass(frozen=True)
class Scene:
    """`arguments` start the run; its engine goes through the proxy, and asks the simulator for the metrics."""

    proxy: FaultProxy
    kubeconfig: Path
    arguments: tuple[str, ...]
    environ: dict[str, str]
    home: Path

    @property
    def run(self) -> RunPaths:
        """The only run."""
        (paths,) = all_runs(self.home)
        return paths

    @property
    def engine(self) -> int:
        """The engine's process."""
        pid = self.run.engine_pid
        assert pid is not None
        return pid


@asynccontextmanager
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    """Everything but the run itself, whose engine is ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="cockpit-bench-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        book = directory / "runbook.yaml"
        book.write_text(unhurried())
        spec = from_runbook(load(book, {"NAMESPACE": stage.namespace}).runbook)
        async with (
            Simulator(spec, RunClock.starting(datetime.now(UTC), 1.0)) as simulator,
            proxy_before(stage.access.admin) as proxy,
        ):
            config = proxy.kubeconfig(directory)
            given = {
                "NAMESPACE": stage.namespace,
                "PROMETHEUS_URL": simulator.prometheus_url,
                "IMAGE": "web",
                "VERSION": "2.0.0",
                "GATE_HOLD": "30m",
            }
            variables = [word for key, value in given.items() for word in ("--var", f"{key}={value}")]
            reach = ("--kubeconfig", str(config), "--context", "proxied")
            home = directory / "home"
            made = Scene(
                proxy,
                config,
                ("-m", "cockpit", "run", str(book), *reach, *variables),
                {"COCKPIT_HOME": str(home)},
                home,
            )
            try:
                yield made
            finally:
                for run in all_runs(home) if home.exists() else ():
                    if (pid := run.engine_pid) is not None:
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
