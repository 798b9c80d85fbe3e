"""The chart of the share: two lines, what lies between them, and its own kinds of silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from cockpit.model.readings import Reading, Readings
from cockpit.model.share import Commanded, Course, Judged, residual_reading, share_reading
from cockpit.model.snapshot import ResidualView, ShareView
from cockpit.model.verdict import Verdict
from widgets.chart.axes import Window
from widgets.chart.canvas import Style
from widgets.chart.chart import chart_lines, grid_lines, tile
from widgets.chart.plot import plot, strip
from widgets.chart.share import ResidualPicture, SharePicture
from widgets.chart.words import facts_line, readout
from widgets.lines import Line, Tone, width_of

T = datetime(2026, 11, 26, 8, tzinfo=UTC).timestamp()
N, D, B = Verdict.NORMAL, Verdict.NO_DATA, Verdict.BROKEN
STEPS = Course((Commanded(T, 0, True, 5), Commanded(T + 600, 50, True, 5), Commanded(T + 1200, 50, False, 5)))
Values = Sequence[float | Verdict | None]


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def joined(lines: Sequence[Line]) -> str:
    return "\n".join(text(line) for line in lines)


def readings(values: Values) -> Readings:
    """One every 15 seconds; a verdict stands for a silence, None for a time when nobody asked."""
    found = Readings()
    for place, value in enumerate(values):
        at = T + 15.0 * place
        if isinstance(value, Verdict):
            found.add(Reading(at, None, value, "the reason"))
        elif value is not None:
            found.add(Reading(at, value, N))
    return found


def share(values: Values, course: Course = STEPS, **changes: Any) -> SharePicture:
    view = ShareView(
        id="candidate.share", title="Share to blue", unit="%", decimals=1, candidate="blue", tolerance=5, settles_s=30.0
    )
    judged = Judged().take(readings(values), "", lambda each: share_reading(each, course, view.settles_s))
    end = T + 15.0 * len(values)
    given: dict[str, Any] = {"window": Window(T, end), "now": end, "began": T, "label": "whole run"}
    return SharePicture(view, judged, course=course, **{**given, **changes})


CALM: list[float | Verdict | None] = [0.0] * 40 + [49.0] * 20


def test_the_scale_is_the_whole_traffic_and_the_commanded_share_a_line_of_steps() -> None:
    picture = share([*CALM, *[80.0] * 20])
    assert (picture.scale.low, picture.scale.high) == (0.0, 100.0)
    rows = [text(row) for row in plot(picture, 80, 21)]
    assert "═" * 19 in rows[10], "what was commanded is seen where the observed share is elsewhere"
    assert not any("═" in row[:39] for row in rows), "and under it where they are one"
    drawn = [(part, tone) for row in plot(picture, 80, 21) for part, tone in row]
    tones = {tone for part, tone in drawn if part.strip(" ═┄┊")}
    assert tones == {Tone.CALM, Tone.WARN}
    assert text(strip(picture, 80)) == "─" * 60 + "▲" * 20
    assert picture.mark(picture.readings[-1]).word == "WARNING"


def test_both_numbers_and_the_difference_are_said() -> None:
    picture = share([*CALM, 62.5], cursor=60)
    assert "observed 62.5 %  commanded 50 %  +12.5 points  ▲ WARNING" in joined(readout(picture, 80, 2))
    large = joined(chart_lines(picture, 100, 24))
    for words in (
        "SHARE TO BLUE",
        "62.5 vs 50 %",
        "═ set 50 %",
        "═ commanded 50 %  ┄ ± 5",
        "100.0",
        "max 62.5",
    ):
        assert words in large
    assert "Share to blue" in joined(tile(picture, 40, 6, False))
    assert "62.5 vs 50 % ▲ WARNING" in joined(tile(picture, 60, 6, False))
    assert "50 %, accepted are 5 points more or less" in joined(picture.held_rows(100))
    assert "counts 30 s after" in joined(picture.held_rows(100))
    assert "not observed  commanded 50 %" in joined(readout(share([*CALM, B], cursor=60), 80, 2))


def test_right_after_a_move_a_difference_says_nothing() -> None:
    picture = share([0.0] * 42)
    assert "◐ SETTLING" in text(tile(picture, 60, 5, False)[0])
    assert "▲" not in text(strip(picture, 42))
    assert "▲ WARNING" in text(tile(share([0.0] * 43), 60, 5, False)[0])


@pytest.mark.parametrize(("silence", "word"), [(D, "NO DATA"), (B, "BROKEN"), (None, "not measured")])
def test_silence_is_a_gap_in_what_is_observed_not_in_what_is_commanded(silence: Verdict | None, word: str) -> None:
    picture = share([*CALM, *[silence] * 20])
    rows = plot(picture, 80, 21)
    assert word in text(rows[10])
    assert text(rows[10])[78:] == "══"
    signs = {char for row in rows for char in text(row)[64:] if char not in f" ═┄{word}"}
    assert signs <= {"░", "▒"}, "no value is drawn"


def test_while_the_route_is_off_nothing_is_observed_and_that_is_no_fault() -> None:
    picture = share([*CALM, *[49.0] * 20, *[0.0] * 40], style=Style.ASCII)
    assert len(picture.readings) == 80
    rows = plot(picture, 120, 21)
    assert "route off" in joined(rows)
    assert "not measured" not in joined(rows)
    assert text(strip(picture, 120))[81:].strip() == ""
    assert "– vs 50 % · route off" in text(tile(picture, 60, 5, False)[0])
    assert "no share is observed" in joined(picture.held_rows(140))
    assert "without a value" not in text(facts_line(picture, 200))


def test_a_share_can_be_looked_at_closely() -> None:
    picture = share([49.0, 50.5, 51.0] * 20, Course((Commanded(T, 50, True, 5),)), close=True)
    assert 45 < picture.scale.low < 49
    assert 51 < picture.scale.high < 55
    assert share([], Course(), close=True).scale.high == 100.0
    assert share([100.0] * 9, Course((Commanded(T, 100, True, 5),)), close=True).scale.high == 100.0


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("size", [(0, 0), (9, 4), (20, 3), (40, 5), (78, 19), (158, 44)])
def test_every_size_is_filled_exactly_or_less(style: Style, size: tuple[int, int]) -> None:
    width, height = size
    values: list[float | Verdict | None] = [*CALM, D, B, None, None, None, None, 5.0]
    for course in (STEPS, Course()):
        picture = share(values, course, style=style, cursor=3)
        for lines in (chart_lines(picture, width, height), grid_lines([picture] * 3, 1, width, height)):
            assert len(lines) <= height
            assert not [text(line) for line in lines if width_of(line) > width and width >= 20]
    ascii_only = share(values, style=Style.ASCII, cursor=3)
    assert joined(plot(ascii_only, 60, 12)).isascii()


def residual(values: Values, at_most: float = 0.1) -> ResidualPicture:
    view = ResidualView(
        id="canary.residual", title="Residual requests", unit="/s", decimals=2, candidate="blue", at_most=at_most,
        settles_s=30.0,
    )  # fmt: skip
    course = Course((Commanded(T, 50, True, 0), Commanded(T + 300, 50, False, 0)))
    found = readings([*[None] * 20, *values])
    judged = Judged().take(found, "", lambda each: residual_reading(each, course, 30.0, at_most))
    end = T + 15.0 * (20 + len(values))
    return ResidualPicture(view, judged, Window(T, end), end, course=course)


def test_what_still_reaches_the_route_is_held_against_what_counts_as_none() -> None:
    picture = residual([3.0, 3.0, 2.0, 0.02, 0.02])
    assert picture.scale.high >= 3.0
    assert text(strip(picture, 25))[20:] == "──▲──"
    assert "route in service" in joined(plot(picture, 60, 9))
    assert "0.02 /s ● NORMAL" in text(tile(picture, 60, 5, False)[0])
    assert "up to 0.1 /s counts as none" in text(facts_line(picture, 200))
    assert picture.mark(picture.readings[0]).word == "SETTLING"
    assert "some > 0.1" in joined(chart_lines(residual([0.0]), 100, 20))
    assert residual([0.0], 0.0).scale.high > 0
    assert "up to 0.1 /s" in joined(picture.held_rows(80))
