"""How much of the checklists is ticked, and what comes next on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from cockpit.model.status import RunStatus
from widgets.formatting import clock_minutes
from widgets.gate_pane import progress
from widgets.lines import Line, Tone, ends, width_of
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import ChecklistView, HeaderView, ItemView


class ChecklistPane(Pane):
    """A bar and the open items; the checklist screen has them all."""

    TITLE = "CHECKLIST"
    NUMBER = "8"

    checklist: var[ChecklistView | None] = var(None)

    header: var[HeaderView | None] = var(None)

    watch_checklist = watch_header = Pane.rewrite

    def summary(self) -> Line:
        """Done of total."""
        items = self._items()
        if not items:
            return ()
        done = sum(item.done for item in items)
        good = done == len(items)
        return ((f"{'✔' if good else '☐'} {done}/{len(items)}", Tone.GOOD if good else Tone.WARN),)

    def _items(self) -> list[ItemView]:
        status = self.header.status if self.header else RunStatus.PREPARING
        return due_items(self.checklist, status) if self.checklist else []

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One line, or the open items too."""
        view = self.checklist
        if height < 3:
            return [ends((("CHECKLIST ", Tone.TITLE), *self.summary()), (), width)]
        if view is None:
            return [self.heading(width), (("waiting for the checklists …", Tone.QUIET),)]
        if not view.lists:
            return [self.heading(width), (("the runbook has no checklists", Tone.QUIET),)]
        items = self._items()
        rows = [self.heading(width), *([_bar(items, width)] if height > 4 and items else [])]
        return [*rows, *open_rows(items, width, height - len(rows))]


def _bar(items: list[ItemView], width: int) -> Line:
    share = sum(item.done for item in items) / len(items) if items else 1.0
    return progress(share, width, Tone.CALM if share >= 1 else Tone.NOW)


_STAGES = {
    RunStatus.PREPARING: ("before",),
    RunStatus.RUNNING: ("before", "during"),
    RunStatus.VALIDATING: ("before", "during"),
    RunStatus.COMPLETED: ("after",),
}


def due_items(view: ChecklistView, status: RunStatus) -> list[ItemView]:
    """The items of the lists that matter in this state of the run."""
    stages = _STAGES.get(status, ("rollback",))
    return [item for group in view.lists if group.stage in stages for item in group.items]


def open_rows(due: list[ItemView], width: int, room: int) -> list[Line]:
    """The next open items, or the last ones that were ticked."""
    items = [item for item in due if not item.done]
    if not due:
        return [(("nothing to tick now", Tone.QUIET),)]
    if not items:
        latest = sorted((item for item in due if item.done_at), key=lambda item: str(item.done_at))[-room:]
        return [item_row(item, width) for item in latest]
    rows = [item_row(item, width) for item in items[:room]]
    if len(items) > room and rows:
        rows[-1] = ((f"… {len(items) - room + 1} more, ", Tone.QUIET), ("c", Tone.KEY), (" shows all", Tone.QUIET))
    return rows


def item_row(item: ItemView, width: int) -> Line:
    """One item: box, text, when and who."""
    box, tone = ("☑", Tone.GOOD) if item.done else ("☐", Tone.WARN if item.required else Tone.QUIET)
    start: Line = ((f"{box} ", tone), (item.text, Tone.QUIET if item.done else Tone.TEXT))
    if item.done:
        note = f" – {item.note}" if item.note else ""
        end: Line = ((f"{item.done_by} {clock_minutes(item.done_at)}{note}", Tone.QUIET),)
    else:
        due = clock_minutes(item.at) if item.at else ""
        end = ((f"{due} {item.who}".strip(), Tone.QUIET), ("" if item.required else " optional", Tone.FAINT))
    return ends(start, end, width) if width_of(start) + width_of(end) < width else start
