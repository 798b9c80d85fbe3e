"""The plain commands that give one order to an engine."""

from __future__ import annotations

import asyncio

import click

from cockpit.cli.options import expect_option, reason_option, run_argument
from cockpit.errors import CommandRefused, EngineUnreachable, NotCommander
from cockpit.link.paths import RunPaths
from cockpit.model import commands as cmd

_LONGEST = 500
"""Characters that a command's reason or note may have."""


def _give(run: str | None, command: cmd.Command, *, restart: bool = False) -> None:
    """Send the command to the run's engine and print the reply; raises CommandRefused for a no."""
    from cockpit.cli.attach import revive
    from cockpit.cli.resolve import choose
    from cockpit.link.once import give_order

    paths = choose(run, living=not restart)
    if restart:
        revive(paths)
    elif paths.engine_pid is None:
        raise EngineUnreachable(f"No engine lives for {paths.run}.", f"Start it: cockpit attach {paths.run}")
    reply = asyncio.run(give_order(paths.sockets().control, command))
    if reply.outranked:
        raise NotCommander(f"{reply.message}.", reply.hint)
    if not reply.ok:
        raise CommandRefused(reply.message, reply.hint)
    click.echo(reply.message)


def order_takeover(run: str | None, reason: str) -> RunPaths:
    """Command a run of this bastion; a dead engine is started first. Returns the run."""
    from cockpit.cli.resolve import choose

    paths = choose(run, living=False)
    _give(paths.run, cmd.Takeover(reason=_short(reason)), restart=True)
    return paths


@click.command()
@run_argument
@expect_option
def advance(run: str | None, expect: int | None) -> None:
    """Go on: start the run, answer a decision with continue, start the next step, or try a failed one again."""
    _give(run, cmd.Advance(expected_seq=expect))


@click.command()
@run_argument
@reason_option(required=False)
def hold(run: str | None, reason: str) -> None:
    """Start no new forward action. The guard and a rollback still work."""
    _give(run, cmd.Hold(reason=_short(reason)))


@click.command()
@run_argument
@expect_option
def resume(run: str | None, expect: int | None) -> None:
    """End a hold."""
    _give(run, cmd.Resume(expected_seq=expect))


@click.command()
@run_argument
@reason_option(required=True)
@expect_option
def override(run: str | None, reason: str, expect: int | None) -> None:
    """Go past what blocks: an open gate, a failed action, an unticked checklist."""
    _give(run, cmd.Override(expected_seq=expect, reason=_short(reason)))


@click.command()
@run_argument
@reason_option(required=True)
@click.option("--trigger", metavar="ID", help="The declared trigger that is the cause.")
@click.option("--need", "needed", metavar="STEP", multiple=True, help="Carry out this if-needed step too.")
def rollback(run: str | None, reason: str, trigger: str | None, needed: tuple[str, ...]) -> None:
    """Go back to stable, from any state; a dead engine is started first."""
    _give(run, cmd.RollBack(reason=_short(reason), trigger=trigger, needed=needed), restart=True)


@click.command()
@run_argument
@click.option("--note", metavar="TEXT", default="", help="Goes into the journal.")
def ack(run: str | None, note: str) -> None:
    """Acknowledge the escalation: nobody else is called."""
    _give(run, cmd.Acknowledge(note=_short(note)))


@click.command()
@click.argument("item")
@run_argument
@click.option("--undo", is_flag=True, help="Take the tick away.")
@click.option("--note", metavar="TEXT", default="", help="Goes into the journal.")
def tick(item: str, run: str | None, undo: bool, note: str) -> None:
    """Tick ITEM: a checklist item, a task, a manual action, or a condition that a person answers."""
    _give(run, cmd.Tick(item=item, done=not undo, note=_short(note)))


@click.command()
@click.argument("action")
@run_argument
@click.option("--word", help="The word that the action asks for.")
@click.option("--skip", is_flag=True, help="Skip the action instead.")
@expect_option
def consent(action: str, run: str | None, word: str | None, skip: bool, expect: int | None) -> None:
    """Give the word that ACTION asks for, or skip it."""
    if bool(word) == skip:
        raise click.UsageError("give --word WORD or --skip")
    _give(run, cmd.Consent(expected_seq=expect, action=action, word=word or ""))


@click.command()
@run_argument
@reason_option(required=True)
def dismiss(run: str | None, reason: str) -> None:
    """Stop the countdown of a tripped trigger."""
    _give(run, cmd.DismissTrigger(reason=_short(reason)))


@click.command()
@click.argument("percent", type=click.IntRange(0, 100))
@run_argument
@reason_option(required=False)
@expect_option
def weight(percent: int, run: str | None, reason: str, expect: int | None) -> None:
    """Move PERCENT of the traffic to the candidate by hand; beyond the current step only with a reason."""
    _give(run, cmd.SetWeight(expected_seq=expect, weight=percent, reason=_short(reason)))


@click.command()
@run_argument
@reason_option(required=True)
@click.option("--object", "key", metavar="KIND/NAME", default="", help="One of several drifts.")
@expect_option
def adopt(run: str | None, reason: str, key: str, expect: int | None) -> None:
    """Take what somebody else changed on a guarded object as the run's truth."""
    _give(run, cmd.Adopt(expected_seq=expect, reason=_short(reason), object=key))


@click.command()
@run_argument
@reason_option(required=False)
@click.option("--object", "key", metavar="KIND/NAME", default="", help="One of several drifts.")
@expect_option
def restore(run: str | None, reason: str, key: str, expect: int | None) -> None:
    """Write back what somebody else changed on a guarded object."""
    _give(run, cmd.Restore(expected_seq=expect, reason=_short(reason), object=key))


@click.command()
@run_argument
@reason_option(required=False)
def close(run: str | None, reason: str) -> None:
    """Close a run that is over, that changed nothing yet, or that is held (with a reason); its engine ends."""
    _give(run, cmd.Close(reason=_short(reason)))


@click.command()
@click.argument("text")
@run_argument
def note(text: str, run: str | None) -> None:
    """Write TEXT into the journal; it changes nothing."""
    if not text.strip():
        raise click.UsageError("the text is empty")
    _give(run, cmd.Note(text=_short(text)))


def _short(text: str) -> str:
    if len(text) > _LONGEST:
        raise click.UsageError(f"the text is longer than {_LONGEST} characters")
    return text
