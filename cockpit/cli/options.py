"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

run_argument = click.argument("run", required=False)
output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
runbook_argument = click.argument("runbook", type=click.Path(path_type=Path))
variable_option = click.option(
    "--var", "variables", metavar="K=V", multiple=True, callback=lambda _, __, given: parse_variables(given),
    help="Set a variable of the runbook; may be repeated.",
)  # fmt: skip
context_option = click.option("--context", help="The kubeconfig context; default: the runbook's, or the current one.")
kubeconfig_option = click.option("--kubeconfig", metavar="FILE", help="Default: $KUBECONFIG or ~/.kube/config.")
headless_option = click.option("--headless", is_flag=True, help="Print events instead of the full screen.")
decide_option = click.option(
    "--decide", type=click.Choice(["auto", "ask"]), help="Who decides; default: ask on the screen, auto without."
)


expect_option = click.option(
    "--expect", metavar="SEQ", type=int,
    help="Only in the situation that `status -o json` showed; default: the one just before the command is sent.",
)  # fmt: skip


def reason_option(required: bool) -> Callable[[F], F]:
    """`--reason TEXT`, which goes into the journal."""
    if required:
        return click.option("--reason", metavar="TEXT", required=True, help="Why; goes into the journal.")
    return click.option("--reason", metavar="TEXT", default="", help="Why; goes into the journal.")


def parse_variables(given: tuple[str, ...]) -> dict[str, str]:
    """`K=V` pairs as a mapping; raises BadParameter for anything else."""
    pairs = [text.partition("=") for text in given]
    wrong = [name for name, equals, _ in pairs if not equals or not name]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=VALUE")
    return {name: value for name, _, value in pairs}


def echo_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
