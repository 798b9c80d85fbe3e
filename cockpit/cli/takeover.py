"""takeover: command a run instead of somebody else, on this bastion or from another one that is gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import click

from cockpit.cli.options import context_option, headless_option, kubeconfig_option, output_option, run_argument
from cockpit.cli.options import reason_option as reason
from cockpit.errors import CommandRefused, UsageError


@click.command()
@run_argument
@reason(required=True)
@click.option("--from", "source", metavar="NAMESPACE/NAME", help="The mirror of a run of another bastion.")
@click.option("--now", is_flag=True, help="Take the Lease at once, although its holder may be alive.")
@click.option("--yes", is_flag=True, help="Do not ask for the word that --now needs.")
@context_option
@kubeconfig_option
@headless_option
@output_option
def takeover(
    run: str | None,
    reason: str,
    source: str | None,
    now: bool,
    yes: bool,
    context: str | None,
    kubeconfig: str | None,
    headless: bool,
    output: str,
) -> int:
    """Command RUN instead of whoever does now; the screen that commanded is told by whom and why, and watches.

    With --from the run is that of another bastion: its journal and its runbook are read from the ConfigMap NAME in
    NAMESPACE (cockpit-RUNBOOK), its Lease is taken when its holder has been silent for 15 seconds, and an engine here
    goes on with it. The engine there can change nothing any more, and says by whom it was replaced.
    """
    from cockpit.cli.front import follow, in_terminal, open_screen
    from cockpit.cli.orders import order_takeover

    if source is None:
        if now or yes or context or kubeconfig:
            raise UsageError("--now, --yes, --context and --kubeconfig belong to --from.", "cockpit takeover --help")
        paths = order_takeover(run, reason)
    else:
        if run is not None:
            raise UsageError("Either RUN or --from, not both.", "The run's id is in the mirror.")
        from cockpit.cli.relocate import Source, relocate

        if now and not yes:
            _confirm(source)
        place = Source(*_split(source), kubeconfig, context)
        paths = asyncio.run(relocate(place, reason, at_once=now, say=_say()))
        from cockpit.cli.spawn import start_engine

        start_engine(paths)
        click.echo(f"{paths.run} goes on here.", err=True)
    if headless or not in_terminal():
        return follow(paths, as_json=output == "json") if headless else 0
    return open_screen(paths)


def _split(source: str) -> tuple[str, str]:
    namespace, slash, name = source.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise UsageError(f"{source!r} is not NAMESPACE/NAME.", "Such as production/cockpit-moshimoshi.")
    return namespace, name


def _confirm(source: str) -> None:
    """`--now` may replace somebody who is at work: it needs the name of what is taken."""
    name = _split(source)[1]
    if click.prompt(f"Whoever holds {name} is replaced even if at work. Type {name} to go on", default="") != name:
        raise CommandRefused("Nothing was taken.", "Without --now the holder's silence is waited for.")


def _say() -> Callable[[str], None]:
    started = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {line}", err=True)

    return say
