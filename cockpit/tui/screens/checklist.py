"""The checklists and task lists; the commander's screen ticks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from cockpit.model.commands import Tick
from cockpit.tui.screens.base import SubScreen
from widgets.checklist_pane import item_row
from widgets.lines import Line, Tone, heading
from widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from cockpit.model.snapshot import ItemView, ListView


class Entry(NamedTuple):
    """A row: a list's heading, or an item."""

    group: ListView
    item: ItemView | None


class ChecklistScreen(SubScreen):
    """Who ticked what, and when."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("↑↓", "move"),)

    def body(self) -> ComposeResult:
        """The items."""
        yield VirtualTable[Entry](self._draw, cursor=True, id="items")

    def on_mount(self) -> None:
        """Start at the first open item."""
        table = self.query_one(VirtualTable)
        table.focus()
        self.rewrite()
        first = next((n for n, entry in enumerate(table.rows) if entry.item and not entry.item.done), 0)
        self.call_after_refresh(table.choose, first)

    def _draw(self, entry: Entry, width: int) -> Line:
        if entry.item is not None:
            line = item_row(entry.item, width - 2)
            return (("  ", Tone.TEXT), *line)
        group = entry.group
        done = sum(item.done for item in group.items)
        mark = "✔" if done == len(group.items) else "☐"
        tone = Tone.GOOD if mark == "✔" else Tone.WARN
        return heading(f"{group.title}  {group.when}".strip(), width, ((f"{mark} {done}/{len(group.items)}", tone),))

    def watch_checklist(self) -> None:
        """Something was ticked."""
        self.rewrite()

    def rewrite(self) -> None:
        """The rows."""
        table = self.query_one_optional(VirtualTable)
        if table is None:
            return
        lists = self.checklist.lists if self.checklist else ()
        rows = [entry for group in lists for entry in (Entry(group, None), *(Entry(group, i) for i in group.items))]
        table.set_rows(rows)


class TickScreen(ChecklistScreen):
    """Space ticks, N ticks with a note."""

    HINTS = (("↑↓", "move"), ("Space", "tick / untick"), ("N", "tick with a note"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter,x,t", "tick", "Tick", show=False, priority=True),
        Binding("n,N", "note", "Note", show=False),
    ]

    def body(self) -> ComposeResult:
        """The items and the note."""
        yield from super().body()
        yield Input(placeholder="note, for the journal; Enter ticks, Esc leaves", id="note", classes="-hidden")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a note is typed, its letters are letters."""
        return not (action == "tick" and isinstance(self.focused, Input))

    def chosen(self) -> ItemView | None:
        """The item under the cursor."""
        table: VirtualTable[Entry] = self.query_one(VirtualTable)
        return table.rows[table.cursor].item if table.cursor is not None else None

    def action_tick(self) -> None:
        """Tick, or take a tick back."""
        item = self.chosen()
        if item is not None:
            self.main.order(Tick(item=item.id, done=not item.done))

    def action_note(self) -> None:
        """Ask for a note."""
        if self.chosen() is not None:
            field = self.query_one("#note", Input)
            field.remove_class("-hidden")
            field.focus()

    @on(Input.Submitted, "#note")
    def tick_with_note(self, event: Input.Submitted) -> None:
        """Tick with the note."""
        item = self.chosen()
        if item is not None:
            self.main.order(Tick(item=item.id, note=event.value.strip()))
        self._close_note()

    def _close_note(self) -> None:
        field = self.query_one("#note", Input)
        field.value = ""
        field.add_class("-hidden")
        self.query_one(VirtualTable).focus()

    def action_back(self) -> None:
        """Leave the note first."""
        if isinstance(self.focused, Input):
            self._close_note()
        else:
            super().action_back()
