"""check: a runbook, and what it needs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import click

from cockpit.cli.options import (
    context_option,
    echo_json,
    kubeconfig_option,
    output_option,
    runbook_argument,
    variable_option,
)
from cockpit.errors import PreflightFailed, RunbookInvalid

Json = dict[str, Any]


@click.command()
@runbook_argument
@variable_option
@click.option("--offline", is_flag=True, help="Look at the file alone.")
@context_option
@kubeconfig_option
@output_option
def check(
    runbook: Path,
    variables: dict[str, str],
    offline: bool,
    context: str | None,
    kubeconfig: str | None,
    output: str,
) -> int:
    """Validate RUNBOOK; then see whether its cluster has what it needs. Nothing is changed.

    Everything is asked at the same time: the kubeconfig and who you are, every permission by verb and name, the very
    patches of the run with dryRun=All, objects, images, queries, secrets, channels and programs. Warnings fail nothing;
    a FAIL is exit code 5, an invalid runbook 2.
    """
    from cockpit.runbook.load import check as find

    findings = find(runbook, variables, os.environ)
    if findings:
        if output == "json":
            echo_json({"ok": False, "findings": [_invalid(finding) for finding in findings], "preflight": []})
            return RunbookInvalid.exit_code
        raise RunbookInvalid(findings)
    if offline:
        if output == "json":
            echo_json({"ok": True, "findings": [], "preflight": []})
        else:
            click.echo(f"{runbook} is valid.")
        return 0
    return _online(runbook, variables, context, kubeconfig, output)


def _online(runbook: Path, variables: dict[str, str], context: str | None, kubeconfig: str | None, output: str) -> int:
    from cockpit.cli.launch import Plan
    from cockpit.cli.preflight import preflight
    from cockpit.cli.preflight.table import as_json, as_text

    found = preflight(Plan(runbook, variables=variables, context=context, kubeconfig=kubeconfig))
    if output == "json":
        echo_json({**as_json(found), "findings": []})
    else:
        click.echo(f"{runbook} is valid.\n")
        click.echo(as_text(found, shutil.get_terminal_size((80, 24)).columns))
    return 0 if found.ready else PreflightFailed.exit_code


def _invalid(finding: Any) -> Json:
    names = ("file", "line", "path", "problem", "hint")
    return {name: getattr(finding, name) for name in names if hasattr(finding, name)}
