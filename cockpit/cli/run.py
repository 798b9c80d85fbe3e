"""run: a runbook against its cluster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from cockpit.cli.options import (
    context_option,
    decide_option,
    headless_option,
    kubeconfig_option,
    output_option,
    runbook_argument,
    variable_option,
)


@click.command()
@runbook_argument
@variable_option
@context_option
@kubeconfig_option
@headless_option
@decide_option
@output_option
def run(
    runbook: Path,
    variables: dict[str, str],
    context: str | None,
    kubeconfig: str | None,
    headless: bool,
    decide: str | None,
    output: str,
) -> int:
    """Run RUNBOOK against its cluster, after a preflight that changes nothing.

    The engine is a process of its own: it goes on when this terminal goes away. Secrets are read from its environment,
    which is that of this command.
    """
    from cockpit.cli.doctor.login import warn_of_logout
    from cockpit.cli.front import follow, in_terminal, open_screen
    from cockpit.cli.launch import Plan, launch
    from cockpit.cli.preflight.require import require_ready

    headless = headless or not in_terminal()
    plan = Plan(
        runbook,
        variables=variables,
        automatic=decide == "auto" if decide else headless,
        context=context,
        kubeconfig=kubeconfig,
    )
    found = require_ready(plan)
    if said := warn_of_logout():
        click.echo(said, err=True)
    paths = launch(replace(plan, cluster=found.pin, notes=found.notes()))
    return follow(paths, as_json=output == "json") if headless else open_screen(paths)
