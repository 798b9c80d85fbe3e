"""What happened while another program had the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.describe import importance
from cockpit.model.words import Importance, duration
from cockpit.tui.alarms import alarms
from cockpit.tui.commands.act import RollBackCommand
from cockpit.tui.dialogs.base import Dialog
from cockpit.tui.screens.main import MainScreen
from widgets.journal_pane import event_row
from widgets.lines import Line, Tone, cut_line, toned, wrap

if TYPE_CHECKING:
    from cockpit.model.events import Event
    from cockpit.tui.aside import Ended

MOST_ROWS = 10
_RANK = {Importance.BAD: 0, Importance.WARNING: 1, Importance.NOTICE: 2, Importance.GOOD: 3, Importance.INFO: 4}


class AwayDialog(Dialog[None]):
    """Alarms first, then the rows that matter."""

    TITLE = "WHILE YOU WERE AWAY"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "confirm", "Seen", show=False),
        Binding("R", "roll_back", "Roll back", show=False),
    ]
    bound = False

    def __init__(self, main: MainScreen, title: str, ended: Ended, rows: Sequence[Event]) -> None:
        super().__init__(main)
        self._words = f"{title}: {duration(ended.took_s)}, exit code {ended.code}"
        self._alarms = ended.alarms
        ranked = sorted(rows, key=lambda row: (_RANK[importance(row)], -row.seq))[:MOST_ROWS]
        self._recorded = sorted(ranked, key=lambda row: row.seq)
        self._missing = len(rows) - len(ranked)

    @property
    def armed(self) -> bool:
        """There is nothing to send."""
        return True

    def said(self) -> list[Line]:
        """What rang, what lasts, what was recorded."""
        now = tuple(alarms(self.main).values())
        rows: list[Line] = [(), ((self._words, Tone.QUIET),), ()]
        for text in self._alarms:
            lasts = "" if text in now else "  (over)"
            rows += toned(wrap(f"▲ {text}{lasts}", self.wide, 3), Tone.QUIET if lasts else Tone.BAD)
        for text in now:
            if text not in self._alarms:
                rows += toned(wrap(f"▲ NOW: {text}", self.wide, 3), Tone.BAD)
        rows.append(())
        rows += [cut_line(event_row(row, self.wide), self.wide) for row in self._recorded]
        more = f"… and {self._missing} more: j shows the journal"
        return [*rows, *([((more, Tone.QUIET),)] if self._missing else []), ()]

    def keys(self) -> tuple[tuple[str, str], ...]:
        """Enter closes; the way back is not one key further away than elsewhere."""
        return (("Enter", "seen"), ("R", "roll back"))

    def action_roll_back(self) -> None:
        """Close, and open the rollback dialog."""
        self.dismiss(None)
        self.main.call_later(self.main.action_command, RollBackCommand.name())

    def confirm(self) -> None:
        """Close."""
        self.dismiss(None)
