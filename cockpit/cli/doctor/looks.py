"""All looks of the doctor, in the order of the table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cockpit.cli.doctor import clock, leftovers, login, machine, network, terminal
from cockpit.cli.preflight.finding import Finding, Note
from cockpit.link.paths import cockpit_home


def examine(environ: Mapping[str, str], kubeconfig: str | None) -> tuple[Finding, ...]:
    """Look at everything; nothing is raised and nothing is changed."""
    home = cockpit_home(environ)
    return (
        *_group("versions", [*machine.versions(), *machine.programs(environ)]),
        *_group("home", [*machine.disk(home), *machine.permissions(home)]),
        *_group("terminal", [*terminal.locale_notes(), *terminal.terminal_notes(environ, terminal.size())]),
        *_group("clock", [clock.timezone(), clock.skew(kubeconfig)]),
        *_group("limits", machine.limits()),
        *_group("login", [login.kill_note(login.kill_user_processes(), environ, login.linger(os.geteuid()))]),
        *_group("network", network.notes(environ, Path.home())),
        *_group("runs", leftovers.notes(home, environ)),
    )


def _group(name: str, notes: Iterable[Note]) -> tuple[Finding, ...]:
    return tuple(Finding(name, note.name, note.state, note.message, note.fix) for note in notes)
