"""simulate: the simulated world alone, for kubectl and for trying things."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import click

from cockpit.cli.options import runbook_argument, variable_option


@click.command()
@runbook_argument
@variable_option
@click.option("--scenario", default="healthy", show_default=True, help="How the world behaves.")
@click.option("--speed", type=click.FloatRange(0.1, 2000), default=1.0, show_default=True, help="Run seconds a second.")
@click.option("--redis", metavar="HOST:PORT", help="Let the Redis pod run the real redis-cli against this server.")
def simulate(runbook: Path, variables: dict[str, str], scenario: str, speed: float, redis: str | None) -> None:
    """Serve a cluster built from RUNBOOK, with all the services around it, until Ctrl+C."""
    from cockpit.simulator.scenario import SCENARIOS

    if scenario not in SCENARIOS:
        raise click.BadParameter(f"{scenario!r}; there are {', '.join(SCENARIOS)}", param_hint="--scenario")
    host, _, port = (redis or "").rpartition(":")
    if redis and not (host and port.isascii() and port.isdigit()):
        raise click.BadParameter(f"{redis!r} is not HOST:PORT", param_hint="--redis")
    asyncio.run(_serve(runbook, variables, scenario, speed, (host, int(port)) if redis else None))


async def _serve(
    runbook: Path, variables: dict[str, str], scenario: str, speed: float, redis: tuple[str, int] | None
) -> None:
    from cockpit.journal.filesystem import check_private, private_directory
    from cockpit.link.paths import cockpit_home
    from cockpit.model.clock import RunClock
    from cockpit.runbook.load import load
    from cockpit.simulator.derive import from_runbook
    from cockpit.simulator.kube.redis_cli import RedisCli
    from cockpit.simulator.server import Simulator

    book = load(runbook, variables, os.environ).runbook
    # This machine's time: a run against this world judges the age of its samples by it.
    clock = RunClock.starting(datetime.now(UTC), speed)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    folder = check_private(private_directory(cockpit_home(os.environ) / "simulators"))
    kubeconfig = folder / f"kubeconfig-{os.getpid()}"
    passed = {name: os.environ[name] for name in ("REDISCLI_AUTH",) if name in os.environ}
    redis_cli = RedisCli(*redis, passed) if redis else None
    async with Simulator(from_runbook(book), clock, scenario, redis_cli=redis_cli) as simulator:
        simulator.write_kubeconfig(kubeconfig)
        click.echo(_how_to_use(kubeconfig, book.cluster.namespace, simulator.addresses()))
        try:
            await stop.wait()
        finally:
            kubeconfig.unlink(missing_ok=True)


def _how_to_use(kubeconfig: Path, namespace: str, addresses: dict[str, str]) -> str:
    lines = [
        f"export KUBECONFIG={kubeconfig}",
        f"kubectl get pods -n {namespace} -w",
        "",
        *(f"{name:<11} {address}" for name, address in addresses.items()),
        "",
        "Ctrl+C ends it.",
    ]
    return "\n".join(lines)
