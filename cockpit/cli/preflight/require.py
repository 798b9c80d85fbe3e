"""The preflight that every run makes before it exists."""

from __future__ import annotations

import shutil

import click

from cockpit.cli.launch import Plan
from cockpit.cli.preflight import Preflight, preflight
from cockpit.cli.preflight.finding import State
from cockpit.cli.preflight.table import rows, summary
from cockpit.errors import PreflightFailed


def require_ready(plan: Plan) -> Preflight:
    """Look at everything, and print what is not well on standard error.

    Raises PreflightFailed with everything that is missing; RunbookInvalid when the runbook is not valid.
    """
    found = preflight(plan)
    notable = [finding for finding in found.findings if finding.state is not State.OK]
    text = "\n".join(rows(notable, shutil.get_terminal_size((80, 24)).columns))
    if not found.ready:
        raise PreflightFailed(f"\n{text}\n\n{summary(found.findings)}", "`cockpit check` shows what is well, too.")
    if notable:
        click.echo(f"{text}\n\n{summary(found.findings)}", err=True)
    return found
