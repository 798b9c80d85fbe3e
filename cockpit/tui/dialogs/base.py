"""The base of the dialogs: a box over the main screen, bound to the situation it was opened for."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from cockpit.tui.screens.main import MainScreen
from cockpit.tui.state import MIRRORED, RunScreen
from widgets.dialog_text import DialogText, fitted
from widgets.lines import Line, Tone
from widgets.next_banner import keys_line

Answer = TypeVar("Answer")
CHROME = 3
"""Rows of the box that hold no text: its border and the padding below."""
WIDEST = 72
"""Cells of a line of text at the most: longer lines are hard to read in an alarm."""


class Dialog(RunScreen[Answer], ModalScreen[Answer]):
    """Says exactly what will happen. When the situation changes it is disarmed and says so.

    Subclasses give `said`, the lines of the box, and act in `confirm`; `bound` ones lose their keys when the
    situation is no longer the one they were opened for, until the person has looked again (Ctrl+L).
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("ctrl+l", "look_again", "Look again", show=False),
    ]
    TITLE: ClassVar[str] = ""
    bound: ClassVar[bool] = True

    def __init__(self, main: MainScreen) -> None:
        super().__init__()
        self.main = main
        self.mirror(main)
        self.opened_for = main.situation

    def compose(self) -> ComposeResult:
        """A box with the text, and what subclasses put below it."""
        with Vertical(id="box"):
            yield DialogText(id="said")
            yield from self.fields()
            yield DialogText(id="foot")

    def fields(self) -> ComposeResult:
        """Inputs between the text and the keys."""
        yield from ()

    def on_mount(self) -> None:
        """Keep up with the run: what is said must be true now."""
        self.query_one("#box").border_title = self.TITLE
        self.follow(self.main)
        for name in MIRRORED:
            self.watch(self, name, self.rewrite, init=False)
        self.rewrite()
        self.call_after_refresh(self.rewrite)

    @property
    def armed(self) -> bool:
        """Whether the person saw the situation that is true now, and the engine can be asked."""
        return not self.lost and (not self.bound or self.opened_for == self.situation)

    def said(self) -> list[Line]:
        """What the box says."""
        raise NotImplementedError

    def keys(self) -> tuple[tuple[str, str], ...]:
        """The keys of the armed dialog."""
        return (("Enter", "confirm"), ("Esc", "cancel"))

    def rewrite(self) -> None:
        """Bring the text up to date."""
        said = self.query_one_optional("#said", DialogText)
        if said is None:
            return
        foot = self._foot()
        said.show(fitted(self.said(), self._room() - len(foot)))
        self.query_one("#foot", DialogText).show(foot)
        self.query_one("#box").set_class(not self.armed, "-disarmed")

    @property
    def wide(self) -> int:
        """Cells that a line of the box has."""
        text = self.query_one_optional("#said", DialogText)
        return min(WIDEST, text.size.width) if text is not None and text.size.width else WIDEST

    def _room(self) -> int:
        """How many rows the text and the keys may take, so that the keys are always on the screen."""
        box = self.query_one("#box")
        fields = sum(
            field.outer_size.height + field.styles.margin.height
            for field in box.children
            if not isinstance(field, DialogText)
        )
        return self.size.height - CHROME - fields

    def on_resize(self) -> None:
        """Another terminal size leaves another room."""
        self.rewrite()

    def _foot(self) -> list[Line]:
        if self.lost:
            return [((" ENGINE LOST – nothing can be sent ", Tone.ALARM),), keys_line((("Esc", "close"),), 200)]
        if not self.armed:
            words = " THE SITUATION CHANGED while this was open – read again "
            return [
                ((words, Tone.NOTICE),),
                keys_line((("Ctrl+L", "I have read it: arm again"), ("Esc", "cancel")), 200),
            ]
        return [(), keys_line(self.keys(), 200)]

    def confirm(self) -> None:
        """Give the answer if it can be given."""
        raise NotImplementedError

    def action_confirm(self) -> None:
        """Confirm; a disarmed dialog does nothing but ring."""
        if self.armed:
            self.confirm()
        else:
            self.app.bell()

    def action_look_again(self) -> None:
        """Arm for the situation that is shown now."""
        self.opened_for = self.situation
        self.rewrite()

    def action_cancel(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
