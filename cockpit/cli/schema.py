"""schema: the JSON Schema of runbooks."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of runbooks, for editors."""
    from cockpit.runbook.jsonschema import schema_text

    click.echo(schema_text(), nl=False)
