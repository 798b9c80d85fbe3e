"""demo and rehearse: a run against a simulator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cockpit.cli.options import decide_option, headless_option, output_option, runbook_argument, variable_option

Command = Callable[..., Any]


def _rehearsal_options(command: Command) -> Command:
    for option in (
        variable_option,
        output_option,
        decide_option,
        headless_option,
        click.option("--speed", type=click.FloatRange(0.1, 2000), help="Run seconds per real second."),
        click.option("--scenario", default="healthy", show_default=True, help="How the simulated world behaves."),
    ):
        command = option(command)
    return command


@click.command()
@_rehearsal_options
def demo(**options: Any) -> int:
    """Run the shipped runbook against the built-in simulator.

    In a terminal it opens the full screen, sixty times as fast as real time. Without one it decides by itself, prints
    one line for each event and ends within a minute.
    """
    from cockpit.runbook.shipped import config_path

    return _start(config_path("runbooks/moshimoshi.yaml"), **options)


@click.command()
@runbook_argument
@_rehearsal_options
def rehearse(runbook: Path, **options: Any) -> int:
    """Run RUNBOOK against a simulator built from it. Nothing outside this machine is reached."""
    return _start(runbook, **options)


def _start(
    runbook: Path,
    *,
    scenario: str,
    speed: float | None,
    headless: bool,
    decide: str | None,
    output: str,
    variables: dict[str, str],
) -> int:
    from cockpit.cli.front import follow, in_terminal, open_screen
    from cockpit.cli.launch import HEADLESS_SPEED, SCREEN_SPEED, Plan, launch
    from cockpit.simulator.scenario import SCENARIOS

    if scenario not in SCENARIOS:
        raise click.BadParameter(f"{scenario!r}; there are {', '.join(SCENARIOS)}", param_hint="--scenario")
    headless = headless or output == "json" or not in_terminal()
    plan = Plan(
        runbook,
        variables=variables,
        automatic=decide == "auto" if decide else headless,
        scenario=scenario,
        speed=speed or (HEADLESS_SPEED if headless else SCREEN_SPEED),
    )
    paths = launch(plan)
    if not headless:
        return open_screen(paths)
    return follow(paths, as_json=output == "json", abandon=plan.automatic)
