"""What a chart shows for given readings: bands, silence, clipping, marks, and any size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from cockpit.model.comparison import Standing
from cockpit.model.history import Mark
from cockpit.model.readings import Reading, Readings
from cockpit.model.snapshot import ComparisonView, LimitView, MetricView
from cockpit.model.verdict import Thresholds, Verdict
from widgets.chart.axes import Scale, Window, clock_text, close_scale, number, scale, since_text, ticks, window
from widgets.chart.canvas import Canvas, Style
from widgets.chart.chart import chart_lines, grid_lines, marks_row, tile, time_rows
from widgets.chart.detail import asked_rows, bands_rows, verdict_rows
from widgets.chart.metric import MetricPicture
from widgets.chart.picture import hold_s
from widgets.chart.plot import limit_values, plot, strip
from widgets.chart.words import age_line, facts_line, readout
from widgets.lines import Line, Tone, width_of
from widgets.metrics_table import MetricsTable, compared_rows
from widgets.sparkline import sparkline

T = datetime(2026, 11, 26, 8, tzinfo=UTC).timestamp()
N, W, D, B, C = Verdict.NORMAL, Verdict.WARNING, Verdict.NO_DATA, Verdict.BROKEN, Verdict.CRITICAL


Values = Sequence[float | Verdict | None]


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def joined(lines: Sequence[Line]) -> str:
    return "\n".join(text(line) for line in lines)


def a_metric(**changes: Any) -> MetricView:
    made = MetricView(id="e", title="Error rate", unit="%", decimals=2, warning_from=0.1, critical=1.0)
    return made.model_copy(update=changes)


def verdict_for(value: float | None) -> Verdict:
    return D if value is None else C if value > 1 else W if value >= 0.1 else N


def a_picture(values: Values, every: float = 15.0, **changes: Any) -> MetricPicture:
    """One reading every 15 seconds; a verdict stands for a silence, None for a time when nobody asked."""
    readings = Readings()
    for place, value in enumerate(values):
        at = T + every * place
        if isinstance(value, Verdict):
            readings.add(Reading(at, None, value, "the reason"))
        elif value is not None:
            readings.add(Reading(at, value, verdict_for(value)))
    end = T + every * len(values)
    given: dict[str, Any] = {
        "metric": a_metric(),
        "window": Window(T, end),
        "now": end,
        "began": T,
        "label": "whole run",
    }
    return MetricPicture(readings=readings, **{**given, **changes})


def test_a_value_is_on_the_line_of_its_number_and_in_the_tone_of_its_band() -> None:
    picture = a_picture([0.0, 0.0, 0.1, 0.1, 1.0, 1.0, 1.1, 1.1], style=Style.ASCII)
    rows = plot(picture, 8, 12)
    tones = {tone for row in rows for part, tone in row for char in part if char in "'.|" and char.strip()}
    assert tones == {Tone.CALM, Tone.WARN, Tone.BAD}
    assert text(strip(picture, 8)) == "--wwwwCC", "a boundary belongs to the milder band"


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(("silence", "word"), [(D, "NO DATA"), (B, "BROKEN"), (None, "not measured")])
def test_silence_is_a_gap_with_a_face(style: Style, silence: Verdict | None, word: str) -> None:
    values: list[float | Verdict | None] = [0.8] * 20 + [silence] * 40 + [0.2] * 20
    picture = a_picture(values, style=style)
    rows = plot(picture, 80, 9)
    assert word in joined(rows)
    middle = [row for row in (text(line)[26:58] for line in rows)]
    drawn = {char for row in middle for char in row} - set(f" {word}")
    sign = {D: style.value.no_data, B: style.value.broken, None: ""}[silence]
    assert drawn <= {sign}, "nothing is drawn through silence"
    signs = text(strip(picture, 80))
    assert set(signs[30:55]) == ({" "} if silence is None else {style.value.verdicts[2 if silence is D else 3]})


def test_a_short_silence_among_many_readings_is_seen_in_the_strip() -> None:
    values: list[float | Verdict | None] = [0.04] * 400
    values[201] = B
    values[333] = 5.0
    signs = text(strip(a_picture(values), 40))
    assert signs.count("✖") == 1
    assert signs.count("■") == 1


def test_nothing_is_drawn_after_now_nor_long_after_the_last_reading() -> None:
    picture = a_picture([0.5] * 10, window=Window(T, T + 600), now=T + 400, hold=45.0)
    signs = text(strip(picture, 40))
    assert signs.strip() == "▲" * 12, "the last reading stands for three intervals"
    assert hold_s(15.0, 1.0) == 45.0
    assert hold_s(15.0, 60.0) == 300.0


def test_one_spike_does_not_flatten_the_rest_and_is_said_to_be_clipped() -> None:
    values = [0.04] * 100
    values[50] = 80.0
    picture = a_picture(values)
    assert picture.scale.high < 2
    assert picture.scale.clipped
    assert "▲ clipped: 1 above 1.15 %" in text(facts_line(picture, 120))
    assert "▲" in text(plot(picture, 100, 8)[0])
    assert "Error rate ▲ clipped" in text(tile(picture, 60, 4, False)[0])
    assert "max 80.00 % 08:12:30" in text(facts_line(picture, 120))


def test_a_spike_that_is_now_is_on_the_scale() -> None:
    picture = a_picture([0.04] * 99 + [80.0])
    assert picture.scale.high >= 80.0
    assert "clipped" not in text(facts_line(picture, 120))


SCALES = [
    ("calm values: the bands", [0.04, 0.05], 0.1, 1.0, (), (0.0, 1.15)),
    ("nothing measured", [], 0.1, 1.0, (), (0.0, 1.15)),
    ("many high values", [3.0] * 50, 0.1, 1.0, (), (0.0, 3.45)),
    ("a near limit is on it", [0.04], 0.1, 1.0, (2.0,), (0.0, 2.3)),
    ("a far one is not", [0.04], 0.1, 1.0, (5.0,), (0.0, 1.15)),
    ("negative values", [-5.0, 1.0], 10.0, 20.0, (), (-5.0, 23.75)),
    ("bands of nothing", [0.0], 0.0, 0.0, (), (0.0, 1.15)),
]


@pytest.mark.parametrize(("what", "values", "warning", "critical", "limits", "edges"), SCALES)
def test_the_scale_of_the_bands(
    what: str,
    values: list[float],
    warning: float,
    critical: float,
    limits: tuple[float, ...],
    edges: tuple[float, float],
) -> None:
    found = scale(values, Thresholds(warning, critical), limits)
    assert (found.low, found.high) == pytest.approx(edges), what


def test_the_close_scale_shows_small_changes() -> None:
    found = close_scale([143.0, 144.0, 145.0])
    assert 142 < found.low < 143
    assert 145 < found.high < 146
    flat = close_scale([7.0, 7.0])
    assert flat.low < 7 < flat.high
    assert a_picture([], close=True).scale == a_picture([]).scale
    assert Scale(0, 1).row(5, 10) == 0
    assert Scale(0, 1).row(-5, 10) == 9


def test_marks_have_their_words_and_the_grave_ones_come_first() -> None:
    marks = (
        Mark(seq=1, at=T + 10, kind="step", short="2.1", text="Step 2.1"),
        Mark(seq=2, at=T + 12, kind="weight", short="10%", text="Traffic 10 %", grave=True),
        Mark(seq=3, at=T + 300, kind="end", short="back", text="Rollback finished", grave=True),
        Mark(seq=4, at=T + 298, kind="rollback", short="ROLLBACK", text="Rollback started", grave=True),
        Mark(seq=5, at=T - 50, kind="start", short="start", text="before the window"),
        Mark(seq=6, at=T + 595, kind="hold", short="hold", text="Held", grave=True),
    )
    picture = a_picture([0.04] * 40, marks=marks)
    row = text(marks_row(picture, 60))
    assert "10%" in row
    assert "ROLLBACK" in row
    assert row.endswith("hold"), "a word at the edge is shown whole"
    assert "start" not in row
    assert len(row) == 60
    assert text(plot(picture, 60, 6)[0]).count("┊") == 4


def test_the_crosshair_tells_the_reading_and_what_happened() -> None:
    marks = (Mark(seq=4, at=T + 75, kind="trip", short="TRIPPED", text="Rollback trigger: Errors (guard)", grave=True),)
    picture = a_picture([0.04, 0.04, 0.04, 0.04, 6.2, 6.3], cursor=4, marks=marks)
    said = joined(readout(picture, 60, 3))
    assert "08:01:00 +0:01:00  6.2 %  ■ CRITICAL" in said
    assert "08:01:15 Rollback trigger: Errors (guard)" in said
    silent = a_picture([0.04, B, 0.04], cursor=1)
    assert "no value  ✖ BROKEN  the reason" in joined(readout(silent, 60, 1))
    many = a_picture([0.04] * 600, cursor=300)
    assert "worst of 10 in this column" in joined(readout(many, 60, 2))
    assert any("│" in text(line) for line in plot(picture, 60, 6))
    assert "08:01:00" in text(time_rows(picture, 60)[1])


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize(
    "size", [(0, 0), (1, 1), (5, 2), (9, 4), (20, 3), (40, 5), (60, 11), (78, 19), (158, 44), (200, 60)]
)
def test_every_size_is_filled_exactly_or_less(style: Style, size: tuple[int, int]) -> None:
    width, height = size
    values: list[float | Verdict | None] = [0.04, 0.3, 6.0, D, B, None, None, None, None, 0.05] * 9
    title = "Fehler\x1b[31m rate ⚠️ 漢字 [bold]rate"
    limits = (LimitView(kind="trigger", sign=">", value=5.0, text="> 5 in 2 of 3, at once"),)
    metric = a_metric(title=title, limits=limits, reason="why \x07")
    marks = (Mark(seq=1, at=T + 99, kind="drift", short="漢字\x1b[2J", text="x"),)
    pictures = [a_picture(values, style=style, metric=metric, cursor=3, marks=marks) for _ in range(7)]
    for lines in (chart_lines(pictures[0], width, height), grid_lines(pictures, 6, width, height)):
        assert len(lines) <= height
        wrong = [text(line) for line in lines if width_of(line) > width and width >= 20]
        assert not wrong
    assert len(tile(pictures[0], width, height, True)) <= max(0, height)
    assert "\x1b" not in joined(marks_row(pictures[0], 60) and [marks_row(pictures[0], 60)])


def test_ascii_has_ascii_alone_in_the_field() -> None:
    values: list[float | Verdict | None] = [0.04, 0.3, 6.0, D, B, None, 0.05] * 9
    picture = a_picture(values, style=Style.ASCII, cursor=3)
    assert (joined(plot(picture, 60, 12)) + text(strip(picture, 60)) + text(time_rows(picture, 60)[0])).isascii()


def test_braille_dots_are_where_unicode_puts_them() -> None:
    canvas = Canvas(1, 1, Style.BRAILLE)
    for x, y in ((0, 0), (1, 3)):
        canvas.dot(x, y, Tone.CALM)
    assert canvas.cell(0, 0) == ("⢁", Tone.CALM)
    canvas.dot(0, 3, Tone.BAD)
    assert canvas.cell(0, 0) == ("⣁", Tone.BAD), "the gravest tone of a cell is seen"
    assert canvas.cell(0, 5) is None


def test_the_age_is_that_of_the_last_value_not_of_the_last_question() -> None:
    silent = a_picture([0.04] + [B] * 40)
    assert text(age_line(silent)).strip() == "last value 0.04 % 10m ago"
    assert "last 0.04 % 08:00:00" in text(facts_line(silent, 120))
    assert "40 of 41 without a value" in text(facts_line(silent, 120))
    assert text(age_line(a_picture([0.04] * 3))).strip() == "now"
    assert text(age_line(a_picture([0.04], now=T + 300))).strip() == "5m ago"
    assert "OLD 5m" in joined(chart_lines(a_picture([0.04], now=T + 300), 100, 20))
    assert text(age_line(a_picture([B]))).strip() == "no value yet"
    assert "nothing measured in this window" in text(facts_line(a_picture([B]), 99))
    assert "not measured yet" in joined(chart_lines(a_picture([]), 80, 12))


def test_limits_beside_the_bands_are_said_with_where_they_are() -> None:
    metric = a_metric(
        limits=(
            LimitView(kind="trigger", sign=">", value=5.0, text="> 5 in 2 of 3, at once"),
            LimitView(kind="gate", sign="<", value=0.5, text="gate 2.2 needs < 0.5"),
        )
    )
    picture = a_picture([0.04] * 9, metric=metric)
    assert text(picture.remarks()) == (
        "◀ rollback > 5 in 2 of 3, at once (off the scale)   ◐ gate 2.2 needs < 0.5"
    )  # fmt: skip
    shown = joined(chart_lines(picture, 100, 24))
    for name in ("■ crit > 1", "▲ warn ≥ 0.1", "◐ gate < 0.5"):
        assert name in shown
    assert "trigger > 5" not in shown
    low = a_metric(warning_from=0.01, critical=0.02)
    crowded = joined(chart_lines(a_picture([5.0] * 9, metric=low), 100, 20))
    assert crowded.index("crit > 0.02") < crowded.index("warn ≥ 0.01"), "close names stay in the order of their values"
    assert "◀ trigger > 5" in joined(chart_lines(a_picture([4.0] * 9, metric=metric), 100, 24))


WINDOWS = [
    ("follows in steps", T + 3599, None, (T + 3600 - 900 + 60, T + 3600 + 60)),
    ("the same picture a little later", T + 3601, None, (T + 3600 - 900 + 60, T + 3600 + 60)),
    ("around a crosshair", T + 3599, T + 1000.0, (T + 100, T + 1000)),
]


@pytest.mark.parametrize(("what", "now", "end", "edges"), WINDOWS)
def test_the_window(what: str, now: float, end: float | None, edges: tuple[float, float]) -> None:
    assert tuple(window(now, T, 900.0, end)) == edges, what


def test_the_whole_run_is_shown_from_its_first_reading() -> None:
    found = window(T + 43_200, T, None)
    assert found.start == T
    assert T + 43_200 < found.end <= T + 43_200 + 2 * 3600
    assert window(T + 1, T, None).span >= 120


def test_times_on_the_axis_are_round_and_fit() -> None:
    assert [clock_text(at) for at in ticks(Window(T, T + 3600), 5)] == ["08:00", "08:15", "08:30", "08:45", "09:00"]
    assert since_text(4985) == "+1:23"
    assert since_text(-300, True) == "−0:05:00"
    assert since_text(-20) == "+0:00"
    assert [number(value, 2) for value in (0.5, 12_345.678, 2_500_000.0, 0.000012)] == ["0.50", "12.3k", "2.5M", "0.00"]


def test_everything_about_a_metric_in_words() -> None:
    compared = ComparisonView(
        standing=Standing.WORSE,
        sentence="blue 2.10 % of 1,204 requests, green 0.04 % of 11,933: worse, by 1.2 points or more.",
        at=datetime(2026, 11, 26, 8, tzinfo=UTC),
    )
    metric = a_metric(
        value=0.2, verdict=D, at=datetime(2026, 11, 26, 8, tzinfo=UTC), reason="needs 60 more requests",
        warnings=("a store is down",), samples=40.0, floor=100.0, source="https://prom:9090", query="sum(rate(x[2m]))",
        link="https://prom:9090/graph?g0.expr=x", dashboard="https://grafana/d/1", comparison=compared,
    )  # fmt: skip
    said = joined([*verdict_rows(metric, 100, None), *bands_rows(metric, 100), *asked_rows(metric, 100)])
    for words in (
        "NO DATA", "needs 60 more requests", "a store is down", "40, at least 100", "answered by https://prom:9090",
        "sum(rate(x[2m]))", "graph?g0.expr=x", "https://grafana/d/1", "of 1,204 requests", "critical above 1 %",
    ):  # fmt: skip
        assert words in said
    assert "of 11,933" in joined(compared_rows(metric, 60))
    assert compared_rows(a_metric(), 60) == []
    assert "of 1,204 requests" in joined(chart_lines(a_picture([0.04], metric=metric), 100, 20))


def test_the_metrics_pane_shows_a_comparison_whole_or_not_at_all() -> None:
    from cockpit.model.snapshot import MetricsView

    compared = ComparisonView(standing=Standing.NOT_WORSE, sentence="a long sentence " * 8, at=datetime.now(UTC))
    pane = MetricsTable()
    pane.set_reactive(MetricsTable.metrics, MetricsView(metrics=(a_metric(comparison=compared),), loaded=True))
    assert "sentence" not in joined(pane.lines(60, 4))
    assert joined(pane.lines(60, 9)).count("sentence") == 8


FALLING: dict[str, Any] = {"warning_from": 99.5, "critical": 99.0, "low_is_bad": True}


@pytest.mark.parametrize(
    ("value", "tone"), [(100.0, Tone.CALM), (99.5, Tone.WARN), (99.0, Tone.WARN), (98.9, Tone.BAD)]
)
def test_where_lower_is_worse_a_boundary_is_in_the_milder_band_too(value: float, tone: Tone) -> None:
    assert a_picture([value], metric=a_metric(**FALLING)).band(value) is tone


def test_where_lower_is_worse_the_scale_has_no_zero_line_and_a_dip_is_clipped() -> None:
    values = [99.9] * 60
    assert scale(values, Thresholds(99.5, 99.0, low_is_bad=True)) == pytest.approx((98.865, 100.035, False))
    values[30] = 12.0
    picture = a_picture(values, metric=a_metric(**FALLING))
    assert picture.scale == pytest.approx((98.865, 100.035, True))
    assert "clipped: 1 below 98.8" in text(facts_line(picture, 200))


def test_where_lower_is_worse_the_lowest_value_is_the_one_to_look_at() -> None:
    picture = a_picture([99.9, 98.5, 99.95, 98.7], metric=a_metric(**FALLING))
    assert "min 98.50 % 08:00:15  max 99.95 %  last" in text(facts_line(picture, 200))
    assert picture.readings.worst(0, 4, low_is_bad=True) == 1
    # Where the two numbers are one, only the direction tells which side is bad.
    one = a_metric(**FALLING | {"warning_from": 99.0})
    picture = a_picture([99.5], metric=one)
    assert (picture.band(99.5), picture.band(99.0), picture.band(98.0)) == (Tone.CALM, Tone.WARN, Tone.BAD)
    assert a_picture([99.0], metric=one).scale.low < 99.0
    assert (("▁", Tone.BAD)) in sparkline([0.0, 99.5], 2, one.thresholds)


def test_where_lower_is_worse_the_words_say_so() -> None:
    metric = a_metric(**FALLING)
    picture = a_picture([99.9, 99.2], metric=metric)
    assert "normal > 99.5 ≥ warning ≥ 99 > critical" in text(facts_line(picture, 200))
    assert "normal above 99.5 %, critical below 99 %" in joined(bands_rows(metric, 100))
    assert {"warn ≤ 99.5", "crit < 99"} <= {rule.text[2:] for _, rule in limit_values(picture)}
