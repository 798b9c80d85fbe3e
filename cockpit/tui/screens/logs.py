"""The log of a container."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from cockpit.model.lens import LogQuery
from cockpit.tui.closer import ask_choice, lens_of
from cockpit.tui.screens.main import CommanderScreen
from cockpit.tui.screens.stream import Flow, StreamScreen
from widgets.lines import Line, Tone
from widgets.log_text import LogLine, split_stamp

TAIL = 1000


class LogsScreen(StreamScreen):
    """Follows one container; `p` shows the log of its last end, `c` another container."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        *StreamScreen.HINTS,
        ("p", "previous"),
        ("c", "container"),
        ("t", "times"),
        ("J", "raw"),
        ("S", "save"),
        ("r", "read again"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "previous", "Previous", show=False),
        Binding("c", "container", "Container", show=False),
        Binding("t", "stamps", "Times", show=False),
        Binding("J", "raw", "Raw", show=False),
    ]

    def __init__(self, main: CommanderScreen, pod: str, container: str | None = None) -> None:
        super().__init__(main)
        self.pod = pod
        self.container = container
        self.containers: tuple[str, ...] = ()
        self.previous = False

    async def batches(self) -> AsyncIterator[Sequence[LogLine]]:
        """The lines with their times, so that they can be shown or hidden at once."""
        lens = await lens_of(self.main)
        self.containers = self.containers or await lens.containers(self.pod)
        self.container = self.container or (self.containers[0] if self.containers else None)
        self.flow = Flow.WAITING
        self.tell()
        query = LogQuery(self.pod, self.container, self.previous, follow=not self.previous, tail=TAIL, timestamps=True)
        async with aclosing(_batches(lens.logs(query))) as batches:
            async for lines in batches:
                yield lines

    def about(self) -> Line:
        """Pod, container, and which of its lives."""
        which = f" / {self.container}" if self.container else ""
        others = f" (1 of {len(self.containers)})" if len(self.containers) > 1 else ""
        before = ((" PREVIOUS ", Tone.NOTICE), (" ", Tone.TEXT)) if self.previous else ()
        return (*before, ("log ", Tone.QUIET), (self.pod, Tone.STRONG), (which + others, Tone.QUIET))

    def file_name(self) -> str:
        """Pod and container."""
        life = "-previous" if self.previous else ""
        return f"log-{self.pod}-{self.container or 'default'}{life}"

    def last_word(self) -> str:
        """Why there are no more lines."""
        if self.previous:
            return "the end of the log before the last restart; p: the present log"
        return "the log ended: the container stopped or the line was closed; r: read again, p: before the last restart"

    def action_previous(self) -> None:
        """The log before the last restart, or the present one."""
        self.previous = not self.previous
        self.action_again()

    def action_stamps(self) -> None:
        """Times in front of the lines, or not."""
        self.show_as(replace(self.buffer.face, stamps=not self.buffer.face.stamps))

    def action_raw(self) -> None:
        """JSON as it came, or made short."""
        self.show_as(replace(self.buffer.face, raw=not self.buffer.face.raw))

    def action_container(self) -> None:
        """Choose another container."""
        if len(self.containers) < 2:
            self.notify("The pod has one container.", timeout=4)
            return
        ask_choice(self.main, f"CONTAINER OF {self.pod}", [(name, name) for name in self.containers], self._chosen)

    def _chosen(self, container: str) -> None:
        self.container, self.previous = container, False
        self.action_again()


async def _batches(texts: AsyncIterator[tuple[str, ...]]) -> AsyncGenerator[Sequence[LogLine], None]:
    """Whole lines from batches of texts; the source is closed with it."""
    try:
        async for batch in texts:
            yield [split_stamp(text) for text in batch]
    finally:
        close = getattr(texts, "aclose", None)
        if close is not None:
            await close()
