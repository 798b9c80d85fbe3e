"""check: a runbook, and what it needs."""

from __future__ import annotations

import os
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
    """Validate RUNBOOK; then see whether its cluster has what it needs. Nothing is changed."""
    from cockpit.runbook.load import check as find

    findings = find(runbook, variables, os.environ)
    if findings:
        if output == "json":
            echo_json(_report(False, [_invalid(finding) for finding in findings], []))
            return RunbookInvalid.exit_code
        raise RunbookInvalid(findings)
    looked = [] if offline else _preflight(runbook, variables, context, kubeconfig)
    ready = all(entry["ok"] for entry in looked)
    if output == "json":
        echo_json(_report(ready, [], looked))
    else:
        click.echo(f"{runbook} is valid.")
        for entry in looked:
            click.echo(entry["text"])
    return 0 if ready else PreflightFailed.exit_code


def _preflight(runbook: Path, variables: dict[str, str], context: str | None, kubeconfig: str | None) -> list[Json]:
    from cockpit.cli.launch import Plan
    from cockpit.cli.preflight import preflight

    found = preflight(Plan(runbook, variables=variables, context=context, kubeconfig=kubeconfig))
    return [
        {"name": one.name, "ok": one.ok, "message": one.message, "hint": one.hint, "text": str(one)} for one in found
    ]


def _invalid(finding: Any) -> Json:
    names = ("file", "line", "path", "problem", "hint")
    return {name: getattr(finding, name) for name in names if hasattr(finding, name)}


def _report(ok: bool, findings: list[Json], looked: list[Json]) -> Json:
    facts = [{name: value for name, value in entry.items() if name != "text"} for entry in looked]
    return {"ok": ok, "findings": findings, "preflight": facts}
