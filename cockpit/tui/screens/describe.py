"""One object of the cluster, as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cockpit.errors import CockpitError
from cockpit.tui.closer import lens_of, new_forward, open_shell, read_again, show_logs, with_pod_of
from cockpit.tui.screens.listing import ListingScreen, titled, wrapped
from cockpit.tui.screens.main import CommanderScreen
from widgets.formatting import age
from widgets.lines import Line, Tone, ends, fit, width_of
from widgets.status_line import StatusLine

if TYPE_CHECKING:
    from cockpit.model.lens import Described, DescribedKind, DescribedSection

EVERY_S = 5.0
OLD_S = 15.0


class DescribeScreen(ListingScreen):
    """Read again every five seconds; what was read last stays when that fails."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("r", "read now"), ("l", "logs"), ("s", "shell"), ("f", "forward"), ("↑↓ PgUp PgDn", "scroll")
    )  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "read", "Read", show=False),
        Binding("l", "logs", "Logs", show=False),
        Binding("s", "shell", "Shell", show=False),
        Binding("f", "forward", "Forward", show=False),
    ]
    main: CommanderScreen

    def __init__(self, main: CommanderScreen, kind: DescribedKind, name: str) -> None:
        super().__init__(main)
        self.kind, self.object_name = kind, name
        self.described: Described | None = None
        self.problem = ""
        self._read_at: datetime | None = None
        self._hurry = asyncio.Event()

    def body(self) -> ComposeResult:
        """A line of what and how old, the text."""
        yield StatusLine(id="counts")
        yield from super().body()

    def on_mount(self) -> None:
        """Read at once, and again and again."""
        self.run_worker(self._keep_reading(), group="describe", exclusive=True, exit_on_error=False)
        self.set_interval(1.0, self.tell)
        self.tell()

    async def _keep_reading(self) -> None:
        await read_again(self._read, lambda: self.is_current or self.described is None, self._hurry, EVERY_S)

    async def _read(self) -> None:
        try:
            lens = await lens_of(self.main)
            self.described = await lens.describe(self.kind, self.object_name)
        except CockpitError as error:
            self.problem = f"{error} – {error.hint}" if error.hint else str(error)
        else:
            self.problem, self._read_at = "", datetime.now(self.described.at.tzinfo)
        self.rewrite()
        self.tell()

    def tell(self) -> None:
        """Bring the line above the text up to date."""
        what: Line = ((f"{self.kind} ", Tone.QUIET), (self.object_name, Tone.STRONG))
        line = self.query_one_optional("#counts", StatusLine)
        if line is not None:
            line.show(ends(what, self._age(), self.size.width - 2))

    def _age(self) -> Line:
        if self._read_at is None:
            return (("○ reading …", Tone.WARN),) if not self.problem else (("✖ NOT READ", Tone.BAD),)
        seconds = (datetime.now(self._read_at.tzinfo) - self._read_at).total_seconds()
        if self.problem:
            return ((f"▲ OLD, read {age(seconds)} ago", Tone.WARN),)
        return ((f"read {age(seconds)} ago", Tone.WARN if seconds > OLD_S else Tone.QUIET),)

    def sections(self, width: int) -> list[list[Line]]:
        """What failed, then the parts as they were read."""
        parts: list[list[Line]] = [wrapped(f"✖ {self.problem}", width, "", Tone.BAD)] if self.problem else []
        if self.described is None:
            return parts or [[(("waiting for the API server …", Tone.QUIET),)]]
        return [*parts, *(section_rows(section, width) for section in self.described.sections)]

    def action_read(self) -> None:
        """Read now."""
        self._hurry.set()

    def action_logs(self) -> None:
        """The log of the pod, or of the object's pod."""
        self._with_pod(lambda pod: show_logs(self.main, pod))

    def action_shell(self) -> None:
        """A shell in the pod, or in the object's pod."""
        self._with_pod(lambda pod: open_shell(self.main, pod))

    def action_forward(self) -> None:
        """A port-forward to it."""
        if self.kind == "deployment":
            new_forward(self.main, f"deployment/{self.object_name}")
        else:
            self._with_pod(lambda pod: new_forward(self.main, pod))

    def _with_pod(self, then: Callable[[str], object]) -> None:
        if self.kind == "pod":
            then(self.object_name)
        else:
            with_pod_of(self.main, self.kind, self.object_name, then)


def section_rows(section: DescribedSection, width: int) -> list[Line]:
    """Labels on the left, values wrapped beside them, then lines; a state that is not good is marked."""
    room = min(26, max([len(label) for label, _ in section.rows], default=0) + 2, width // 3)
    rows: list[Line] = []
    for label, value in section.rows:
        first, *rest = wrapped(value, width - room - 2, "") or [()]
        rows.append(((f"  {fit(label, room)}", Tone.QUIET), *first))
        rows += [((" " * (room + 2), Tone.TEXT), *line) for line in rest]
    for text in section.lines:
        rows += line_rows(text, width)
    return titled(section.title.upper(), width, rows, "none")


def line_rows(text: str, width: int) -> list[Line]:
    """A row of a table as it is while it fits, with its columns; else wrapped and indented."""
    tone = Tone.WARN if _warns(text) else Tone.TEXT
    if width_of(((text, tone),)) <= width - 2:
        return [((f"  {text}", tone),)]
    first, *rest = wrapped(text, width, "  ", tone) or [()]
    return [first, *((("    ", tone), *line) for line in rest)]


def _warns(text: str) -> bool:
    return "Warning" in text.split(maxsplit=3)[:3]
