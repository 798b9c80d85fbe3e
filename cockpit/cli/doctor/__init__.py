"""doctor: whether this machine, this account and this terminal are fit for a run."""

from __future__ import annotations

import os
import shutil

import click

from cockpit.cli.options import echo_json, kubeconfig_option, output_option

_FAILED = 1


@click.command()
@kubeconfig_option
@output_option
def doctor(kubeconfig: str | None, output: str) -> int:
    """See whether this machine, this account and this terminal are fit for a run. Nothing is changed.

    Versions, disk, permissions, terminal, clock, limits, sockets, what dead processes left, proxies, the end of a
    login session. Warnings fail nothing; a FAIL is exit code 1.
    """
    from cockpit.cli.doctor.looks import examine
    from cockpit.cli.preflight.table import entry, rows, summary

    found = examine(os.environ, kubeconfig)
    fit = all(one.ok for one in found)
    if output == "json":
        echo_json({"ok": fit, "findings": [entry(one) for one in found]})
    else:
        click.echo("\n".join([*rows(found, shutil.get_terminal_size((80, 24)).columns), "", summary(found)]))
    return 0 if fit else _FAILED
