"""Screens that show lines as they come: the log of a container, the output of a program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from cockpit.errors import CockpitError
from cockpit.tui.saving import save_text
from cockpit.tui.screens.base import SubScreen
from cockpit.tui.screens.main import CommanderScreen
from widgets.formatting import clock
from widgets.lines import Line, Tone, ends
from widgets.log_buffer import Face, LogBuffer, Row
from widgets.log_table import LogTable
from widgets.log_text import LogLine, Source
from widgets.status_line import StatusLine

FRAME_S = 0.1
"""Real seconds between two pictures."""
FLOOD_S = 0.5
"""The same while each picture replaces the whole table, which a slow line has to carry."""
CHUNK = 100
"""Lines that are taken in one go, so that a key never waits long."""


class Flow(StrEnum):
    """How it stands with the lines."""

    OPENING = "opening"
    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"
    CUT = "cut"


class StreamScreen(SubScreen):
    """Follows while the end is in sight; pause, search, filter, wrap, save.

    Lines are pulled: while somebody reads further up, nothing is dropped, and when the buffer is full the source waits.
    """

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Space", "pause"),
        ("/", "search"),
        (", .", "older, newer"),
        ("&", "filter"),
        ("w", "wrap"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause", show=False, priority=True),
        Binding("slash", "type('search')", "Search", show=False),
        Binding("ampersand", "type('filter')", "Filter", show=False),
        Binding("comma", "jump(-1)", "Older", show=False),
        Binding("full_stop", "jump(1)", "Newer", show=False),
        Binding("w", "wrap", "Wrap", show=False),
        Binding("r", "again", "Again", show=False),
        Binding("S", "save", "Save", show=False),
    ]
    main: CommanderScreen

    def __init__(self, main: CommanderScreen) -> None:
        super().__init__(main)
        self.buffer = LogBuffer()
        self.flow = Flow.OPENING
        self.paused = False
        self._ended_at: datetime | None = None
        self._go_on = asyncio.Event()
        self._due = False
        self._gone = 0
        self._flooded = False
        self._found = ""

    def body(self) -> ComposeResult:
        """A line about the stream, two inputs, the lines."""
        yield StatusLine(id="counts")
        yield Input(placeholder="search; Enter finds, Esc gives up", id="search", classes="-hidden")
        yield Input(placeholder="only lines with this text; !text: without it", id="filter", classes="-hidden")
        yield LogTable(self.buffer, id="table")

    @property
    def table(self) -> LogTable:
        """The lines."""
        return self.query_one(LogTable)

    def on_mount(self) -> None:
        """Start at once."""
        table = self.table
        table.focus()
        self.watch(table, "scroll_y", self._scrolled, init=False)
        self.call_after_refresh(self.start)

    async def batches(self) -> AsyncIterator[Sequence[LogLine]]:
        """The lines as they come; raises CockpitError."""
        raise NotImplementedError
        yield ()

    def about(self) -> Line:
        """Whose lines these are."""
        raise NotImplementedError

    def file_name(self) -> str:
        """What a saved file is called, without its time."""
        raise NotImplementedError

    def last_word(self) -> str:
        """What is said when there are no more lines."""
        return "the end"

    def start(self) -> None:
        """Read from the beginning."""
        face = self.buffer.face
        self.buffer = self.table.buffer = LogBuffer()
        self.buffer.put_on(replace(face, width=self.table.room or face.width))
        self.flow, self._ended_at, self._found, self._gone = Flow.OPENING, None, "", 0
        self.table.mark = None
        self.table.set_rows(())
        self.tell()
        self.run_worker(self._pump(), group="stream", exclusive=True, exit_on_error=False)

    async def _pump(self) -> None:
        try:
            async for lines in self.batches():
                self.flow = Flow.RUNNING
                for start in range(0, len(lines), CHUNK):
                    await self._room()
                    self.receive(lines[start : start + CHUNK])
                    await asyncio.sleep(0)
        except CockpitError as error:
            hint = f" – {error.hint}" if error.hint else ""
            self._over(Flow.CUT, LogLine(f"{clock(self.run_time())} {error}{hint}", "", Source.FAULT))
        else:
            self._over(Flow.ENDED, LogLine(f"{clock(self.run_time())} {self.last_word()}", "", Source.MARK))

    async def _room(self) -> None:
        """Wait while somebody reads and the buffer is full."""
        while self.held and self.buffer.full:
            self._go_on.clear()
            self.tell()
            await self._go_on.wait()

    def receive(self, lines: Sequence[LogLine]) -> None:
        """Keep lines and show them with the next picture."""
        self._gone += self.buffer.add(lines, held=self.held)
        if not self._due:
            self._due = True
            self.set_timer(FLOOD_S if self._flooded else FRAME_S, self.paint)

    def _over(self, flow: Flow, word: LogLine) -> None:
        self.flow, self._ended_at = flow, self.run_time()
        self.receive([word])

    @property
    def held(self) -> bool:
        """Whether somebody reads what must not go away."""
        return self.paused or not self.table.at_end

    def paint(self) -> None:
        """Show what has come."""
        self._due = False
        if not self.paused:
            new = len(self.buffer.rows) - len(self.table.rows) + self._gone
            self._flooded = new > self.table.size.height
            self.keep_up()
        self.tell()

    def keep_up(self) -> None:
        """Have the table show what the buffer shows."""
        gone, self._gone = self._gone, 0
        self.table.keep_up(gone)

    def _scrolled(self) -> None:
        if not self.held:
            self._go_on.set()
        self.tell()

    def on_resize(self) -> None:
        """Wrapped lines depend on the width."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        if self.buffer.face.wrap and self.buffer.face.width != self.table.room:
            self.show_as(self.buffer.face)
        self.tell()

    def tell(self) -> None:
        """Bring the line above the lines up to date."""
        line = self.query_one_optional("#counts", StatusLine)
        if line is not None:
            line.show(ends(self.about(), (*self._counts(), *self._state()), self.size.width - 2))

    def _counts(self) -> Line:
        buffer = self.buffer
        only = ((f"  & {buffer.face.only} ", Tone.NOTICE),) if buffer.face.only else ()
        found = ((f"  / {self.table.wanted}{self._found}", Tone.KEY),) if self.table.wanted else ()
        dropped = ((f" ({buffer.first:,} older dropped)", Tone.WARN),) if buffer.first else ()
        return (*only, *found, (f"  {len(buffer.lines):,} lines", Tone.QUIET), *dropped, ("  ", Tone.TEXT))

    def _state(self) -> Line:
        unseen = len(self.buffer.rows) - len(self.table.rows)
        waits = ", source waits" if self.held and self.buffer.full else ""
        if self.paused:
            return ((f"‖ PAUSED, {unseen:,} new{waits}", Tone.WARN),)
        if self.flow in (Flow.OPENING, Flow.WAITING):
            return (("○ OPENING" if self.flow is Flow.OPENING else "○ NO LINE YET", Tone.WARN),)
        if self.flow is not Flow.RUNNING:
            word, tone = ("✖ CUT", Tone.BAD) if self.flow is Flow.CUT else ("■ ENDED", Tone.WARN)
            return ((f"{word} {clock(self._ended_at)}", tone),)
        return (("● FOLLOWING", Tone.GOOD),) if self.table.at_end else ((f"○ READING, End follows{waits}", Tone.WARN),)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, a space is a space."""
        return not (action == "pause" and isinstance(self.focused, Input))

    def action_pause(self) -> None:
        """Stop the picture, or go to the newest line and follow."""
        self.paused = not self.paused
        if not self.paused:
            self._gone += self.buffer.trim()
            self.keep_up()
            self.table.to_end()
            self._go_on.set()
        self.tell()

    def show_as(self, face: Face) -> None:
        """Show the lines another way, with the same line at the top, or the newest one still in sight."""
        table = self.table
        at_end, top = table.at_end, int(table.scroll_offset.y)
        line = table.rows[top].line if top < len(table.rows) else 0
        self.buffer.put_on(replace(face, width=table.room))
        self._gone = 0
        table.repaint()
        table.keep_up()
        if at_end:
            table.to_end()
        else:
            table.scroll_to(y=self.buffer.place_of(Row(line)), animate=False, immediate=True)
        self.tell()

    def action_wrap(self) -> None:
        """Long lines on several rows, or cut."""
        self.show_as(replace(self.buffer.face, wrap=not self.buffer.face.wrap))

    def action_again(self) -> None:
        """Read again from the beginning."""
        self.paused = False
        self.start()

    def action_type(self, name: str) -> None:
        """Open an input."""
        field = self.query_one(f"#{name}", Input)
        field.remove_class("-hidden")
        field.focus()

    @on(Input.Changed, "#search")
    def searched(self, event: Input.Changed) -> None:
        """Light up what is found in sight."""
        self.table.wanted, self._found = event.value.strip(), ""
        self.table.mark = None
        self.table.repaint()
        self.tell()

    @on(Input.Submitted)
    def typed(self, event: Input.Submitted) -> None:
        """Enter: filter, or find the newest match that is not below the sight."""
        value = event.value.strip()
        if event.input.id == "filter":
            self.show_as(replace(self.buffer.face, only=value))
        self._close(event.input)
        if event.input.id == "search" and value:
            self._find(int(self.table.scroll_offset.y) + self.table.size.height - 1, -1)

    def _close(self, field: Input) -> None:
        field.add_class("-hidden")
        self.table.focus()

    def action_jump(self, step: int) -> None:
        """The next match up or down."""
        if not self.table.wanted:
            self.action_type("search")
            return
        mark = self.table.mark
        here = self.buffer.place_of(Row(mark)) if mark is not None else int(self.table.scroll_offset.y)
        self._find(here + step, step)

    def _find(self, start: int, step: int) -> None:
        wanted = self.table.wanted
        place = self.buffer.find(wanted, start, step) if start >= 0 else None
        if place is None:
            self.app.bell()
            self._found = f": no {'older' if step < 0 else 'newer'} match"
        else:
            self.table.mark = self.buffer.rows[place].line
            self._found = f": {self.buffer.hits(wanted):,} lines"
            self.keep_up()
            self.table.show_place(place)
        self.tell()

    def action_save(self) -> None:
        """Write all kept lines into a file of the run."""
        text = "".join(f"{line.stamp} {line.text}\n" if line.stamp else f"{line.text}\n" for line in self.buffer.lines)
        self.run_worker(save_text(self.main, self.file_name(), text), group="save", exit_on_error=False)

    def action_back(self) -> None:
        """Leave an input first; an abandoned search or filter is gone."""
        field = self.focused
        if not isinstance(field, Input):
            super().action_back()
            return
        field.value = ""
        self._close(field)
        if field.id == "filter" and self.buffer.face.only:
            self.show_as(replace(self.buffer.face, only=""))
