"""rbac: the manifests that give a role what a runbook needs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cockpit.cli.options import runbook_argument, variable_option


@click.command()
@runbook_argument
@variable_option
@click.option("--role", type=click.Choice(["commander", "observer"]), required=True, help="Whose Role to print.")
@click.option("--user", "users", metavar="NAME", multiple=True, help="Bind this user; may be repeated.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="Bind this group; may be repeated.")
@click.option(
    "--service-account", "accounts", metavar="[NAMESPACE:]NAME", multiple=True,
    help="Bind this ServiceAccount, by default of the runbook's namespace; may be repeated.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
def rbac(
    runbook: Path,
    variables: dict[str, str],
    role: str,
    users: tuple[str, ...],
    groups: tuple[str, ...],
    accounts: tuple[str, ...],
    output: str,
) -> int:
    """Print the Role and RoleBinding that RUNBOOK needs, least privilege, for `kubectl apply -f -`.

    For a commander it prints the empty Lease and ConfigMap too, by which bastions agree and take over.

    Every rule says which action or screen needs it; objects are named wherever RBAC can bind a name. Without --user,
    --group and --service-account the group cockpit-commanders or cockpit-observers is bound.
    """
    from cockpit.runbook.load import load
    from cockpit.runbook.permissions import Role
    from cockpit.runbook.rbac import Subject, as_json, as_yaml

    book = load(runbook, variables, os.environ).runbook
    subjects = [Subject("User", name) for name in users] + [Subject("Group", name) for name in groups]
    subjects += [Subject("ServiceAccount", *_account(name, book.cluster.namespace)) for name in accounts]
    render = as_json if output == "json" else as_yaml
    click.echo(render(book, Role(role), subjects), nl=False)
    return 0


def _account(given: str, namespace: str) -> tuple[str, str]:
    """The name and the namespace of a ServiceAccount."""
    before, colon, after = given.rpartition(":")
    return (after, before) if colon and before else (after, namespace)
