"""The list of commands; each one's module is imported when it is called."""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click

from cockpit import __version__


class _Entry(NamedTuple):
    place: str
    help: str
    hidden: bool = False


_COMMANDS = {
    "demo": _Entry("rehearse:demo", "Run the shipped runbook against the built-in simulator."),
    "rehearse": _Entry("rehearse:rehearse", "Run any runbook against a simulator built from it."),
    "run": _Entry("run:run", "Run a runbook against its cluster."),
    "attach": _Entry("attach:attach", "Command a run; starts its engine again if that died."),
    "observe": _Entry("attach:observe", "Watch a run, read-only."),
    "status": _Entry("status:status", "Print where a run stands."),
    "runs": _Entry("runs:runs", "List the runs and whether their engines live."),
    "advance": _Entry("orders:advance", "Go on: start, continue, or try again."),
    "hold": _Entry("orders:hold", "Start no new forward action."),
    "resume": _Entry("orders:resume", "End a hold."),
    "override": _Entry("orders:override", "Go past what blocks, with a reason."),
    "rollback": _Entry("orders:rollback", "Go back to stable, from any state."),
    "takeover": _Entry("takeover:takeover", "Command a run instead of somebody else, also from another bastion."),
    "ack": _Entry("orders:ack", "Acknowledge the escalation."),
    "tick": _Entry("orders:tick", "Tick a checklist item, a task or a manual action."),
    "consent": _Entry("orders:consent", "Give the word an action asks for, or skip it."),
    "dismiss": _Entry("orders:dismiss", "Stop the countdown of a tripped trigger."),
    "adopt": _Entry("orders:adopt", "Take what somebody else changed as the run's truth."),
    "restore": _Entry("orders:restore", "Write back what somebody else changed."),
    "weight": _Entry("orders:weight", "Move the traffic by hand."),
    "note": _Entry("orders:note", "Write a row into the journal."),
    "close": _Entry("orders:close", "Close a run that has nothing left to do."),
    "check": _Entry("check:check", "Validate a runbook, and see whether its cluster is ready."),
    "rbac": _Entry("rbac:rbac", "Print the RBAC manifests that a runbook needs."),
    "schema": _Entry("schema:schema", "Print the JSON Schema of runbooks."),
    "doctor": _Entry("doctor:doctor", "See whether this machine is fit for a run."),
    "simulate": _Entry("simulate:simulate", "Serve a simulated cluster until Ctrl+C."),
    "engine": _Entry("processes:engine", "The engine's process.", hidden=True),
    "simulator-process": _Entry("processes:simulator_process", "A rehearsal's simulator.", hidden=True),
}


class _Lazy(click.Group):
    """Knows every command's name and summary, and imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, entry in _COMMANDS.items() if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, name = entry.place.partition(":")
        command = getattr(importlib.import_module(f"cockpit.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, entry.help) for name, entry in _COMMANDS.items() if not entry.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="cockpit")
def cockpit() -> None:
    """Run a blue/green deployment on Kubernetes by a written runbook, from one terminal.

    State lives in $COCKPIT_HOME (default: $XDG_STATE_HOME/cockpit). RUN may be left out when exactly one run is live.

    \b
    Exit codes: 0 completed, 1 failed, 2 bad usage or invalid runbook, 3 rolled back, 4 rollback failed,
    5 preflight failed, 6 not the commander.
    """
