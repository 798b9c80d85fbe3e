"""How much of the checklists is ticked, and what comes next on them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import var

from cockpit.model.snapshot import ChecklistView, ItemView, ListView
from widgets.formatting import clock_minutes
from widgets.gate_pane import progress
from widgets.lines import Line, Tone, ends, width_of
from widgets.pane import Pane


class ChecklistPane(Pane):
    """A bar and the open items; the checklist screen has them all."""

    TITLE = "CHECKLIST"
    NUMBER = "8"

    checklist: var[ChecklistView | None] = var(None)

    watch_checklist = Pane.rewrite

    def summary(self) -> Line:
        """Done of total."""
        view = self.checklist
        if view is None:
            return ()
        done = view.done >= view.total
        return ((f"{'✔' if done else '☐'} {view.done}/{view.total}", Tone.GOOD if done else Tone.WARN),)

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """One line, or the open items too."""
        view = self.checklist
        if height < 3:
            return [ends((("CHECKLIST ", Tone.TITLE), *self.summary()), (), width)]
        if view is None:
            return [self.heading(width), (("waiting for the checklists …", Tone.QUIET),)]
        if not view.lists:
            return [self.heading(width), (("the runbook has no checklists", Tone.QUIET),)]
        rows = [self.heading(width), *([_bar(view, width)] if height > 4 and view.done < view.total else [])]
        return [*rows, *open_rows(view, width, height - len(rows))]


def _bar(view: ChecklistView, width: int) -> Line:
    share = view.done / view.total if view.total else 1.0
    return progress(share, width, Tone.GOOD if share >= 1 else Tone.NOW)


def open_items(view: ChecklistView) -> list[tuple[ListView, ItemView]]:
    """What is not ticked, in order."""
    return [(group, item) for group in view.lists for item in group.items if not item.done]


def open_rows(view: ChecklistView, width: int, room: int) -> list[Line]:
    """The next open items; of other stages than the present one too, but those come later in the list."""
    items = open_items(view)
    if not items:
        return [(("everything is ticked", Tone.QUIET),)]
    rows = [item_row(item, width) for _, item in items[:room]]
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
