"""What the runbook says for looking things up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cockpit.tui.screens.listing import ListingScreen, titled, wrapped
from widgets.lines import Line, Tone, fit

if TYPE_CHECKING:
    from cockpit.model.snapshot import ReferenceEntry

PARTS = (
    ("CONTACTS", "contacts"),
    ("DASHBOARDS", "dashboards"),
    ("COMMANDS", "commands"),
    ("TROUBLESHOOTING", "troubleshooting"),
    ("CHANNELS", "channels"),
)


class ReferenceScreen(ListingScreen):
    """Contacts first: whoever opens this in need looks for a number."""

    USES = ("reference",)

    def sections(self, width: int) -> list[list[Line]]:
        """All lists."""
        if self.reference is None:
            return [[(("waiting for the runbook …", Tone.QUIET),)]]
        return [
            titled(
                title,
                width,
                [row for entry in getattr(self.reference, name) for row in self.entry_rows(name, entry, width)],
                "none",
            )
            for title, name in PARTS
        ]

    def entry_rows(self, name: str, entry: ReferenceEntry, width: int) -> list[Line]:
        """One entry of the list `name`."""
        return rows(entry, width)


def rows(entry: ReferenceEntry, width: int) -> list[Line]:
    """Title and detail side by side, lines below."""
    room = min(30, width // 3)
    first, *rest = wrapped(entry.detail, width - room - 4, "") or [()]
    head: list[Line] = [((f"  {fit(entry.title, room)}  ", Tone.STRONG), *first)]
    head += [((" " * (room + 4), Tone.TEXT), *line) for line in rest]
    return [*head, *(line for text in entry.lines for line in wrapped(text, width, "    • ", Tone.TEXT))]
