"""The light that says whether a rollback would work now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.reactive import var

from widgets.formatting import Mark, ago, duration, seconds_between
from widgets.lines import Line, Tone, ends, wrap
from widgets.pane import Pane

if TYPE_CHECKING:
    from cockpit.model.snapshot import ReadinessView, RollbackView

FRESH_S = 60
OLD_S = 300


class ReadinessPane(Pane):
    """Ready or not, and why."""

    TITLE = "ROLLBACK"
    NUMBER = "6"

    readiness: var[ReadinessView | None] = var(None)
    rollback: var[RollbackView | None] = var(None)

    watch_readiness = watch_rollback = Pane.rewrite

    def summary(self) -> Line:
        """The light."""
        return light(self.readiness).line

    def lines(self, width: int, height: int) -> Sequence[Line]:
        """The light on one line, or with its reasons and proofs."""
        view = self.readiness
        if height < 3:
            end = self._checked()
            reasons: Line = ((f"  {'; '.join(view.reasons)}", Tone.BAD),) if view and view.reasons else ()
            return [ends((("ROLLBACK ", Tone.TITLE), *light(view).line, *reasons), end, width)]
        rows = [self.heading(width), *self._plan(width)]
        if view is not None:
            rows += [((f"✖ {text}", Tone.BAD),) for reason in view.reasons for text in wrap(reason, width - 2, 2)]
            rows += [((f"✔ {proof}", Tone.QUIET),) for proof in view.proofs]
        return rows

    def _checked(self) -> Line:
        view = self.readiness
        if view is None or view.checked_at is None:
            return ()
        seconds = seconds_between(view.checked_at, self.now)
        words = "checked now" if seconds < FRESH_S else f"checked {ago(view.checked_at, self.now)}"
        return ((words, Tone.FAINT if seconds < OLD_S else Tone.WARN),)

    def _plan(self, width: int) -> list[Line]:
        if self.rollback is None:
            return []
        steps = len(self.rollback.steps)
        start: Line = (("R", Tone.KEY), (f" goes back: {steps} steps, {duration(self.rollback.budget_s)}", Tone.QUIET))
        return [ends(start, self._checked(), width)]


def light(view: ReadinessView | None) -> Mark:
    """The light as glyph, word and tone."""
    if view is None or view.ready is None:
        return Mark("○", "NOT CHECKED", Tone.WARN)
    return Mark("✔", "READY", Tone.GOOD) if view.ready else Mark("✖", "NOT READY", Tone.ALARM)
