"""A new port-forward: which port of what, at which port here."""

from __future__ import annotations

import re
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.widgets import Input

from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.screens.main import MainScreen
from widgets.lines import Line, Tone

HIGHEST = 65535


class Ports(NamedTuple):
    """What was asked for; `local` 0 is any free port."""

    target: str
    remote: int
    local: int


class ForwardDialog(Dialog[Ports | None]):
    """Two numbers; Enter in the first goes on to the second."""

    TITLE = "PORT-FORWARD"
    bound = False

    def __init__(self, main: MainScreen, target: str) -> None:
        super().__init__(main)
        self.target = target
        self.remote, self.local = suggested(main, target)

    @property
    def armed(self) -> bool:
        """A closer look does not need the engine."""
        return True

    def fields(self) -> ComposeResult:
        """The two ports."""
        yield Input(self.remote, placeholder="port of the pod", type="integer", max_length=5, id="remote")
        yield Input(self.local, placeholder="local port; empty: any free one", type="integer", max_length=5, id="local")

    def said(self) -> list[Line]:
        """From where to where."""
        return [
            (),
            (("127.0.0.1:local  →  ", Tone.QUIET), (self.target, Tone.STRONG), (":remote", Tone.QUIET)),
            (("It lives as long as this screen; anybody on this machine can use it.", Tone.TEXT),),
            (("Above: the port of the pod. Below: the local port.", Tone.QUIET),),
            (),
        ]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter goes on, then opens."""
        last = self.focused is not None and self.focused.id == "local"
        return (("Enter", "open it" if last else "next port"), ("Tab", "other port"), ("Esc", "cancel"))

    @on(DescendantFocus)
    def moved(self) -> None:
        """Enter means something else in the other field."""
        self.rewrite()

    @on(Input.Submitted, "#remote")
    def next_field(self) -> None:
        """On to the local port."""
        self.query_one("#local", Input).focus()

    @on(Input.Submitted, "#local")
    def submitted(self) -> None:
        """Open it."""
        self.action_confirm()

    def confirm(self) -> None:
        """Close with the ports when both can be ports."""
        remote, local = (self._number(name) for name in ("remote", "local"))
        if not 1 <= remote <= HIGHEST or not 0 <= local <= HIGHEST:
            self.app.bell()
            self.app.notify(f"A port is a number from 1 to {HIGHEST}.", severity="warning", markup=False)
            return
        self.dismiss(Ports(self.target, remote, local))

    def _number(self, name: str) -> int:
        text = self.query_one(f"#{name}", Input).value.strip()
        return int(text) if text.isdecimal() else 0 if name == "local" and not text else -1


def suggested(main: MainScreen, target: str) -> tuple[str, str]:
    """The ports of the runbook's own port-forward to this target, or to any: an application has mostly one port."""
    found = ("", "")
    for entry in main.reference.commands if main.reference else ():
        if "port-forward" not in entry.argv:
            continue
        pair = next((match for word in entry.argv if (match := re.fullmatch(r"(?:(\d*):)?(\d+)", word))), None)
        if pair is None:
            continue
        ports = (pair.group(2), pair.group(1) or pair.group(2))
        if target in entry.argv:
            return ports
        found = found if found[0] else (ports[0], "")
    return found
