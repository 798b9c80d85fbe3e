"""What the gate pane says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cockpit.model.snapshot import ConditionView, GateView
from cockpit.model.status import GateStatus
from cockpit.model.verdict import Thresholds, Verdict
from widgets.gate_pane import compact, gate_rows, why
from widgets.lines import Tone
from widgets.sparkline import band

NOW = datetime(2026, 11, 26, 9, 10, tzinfo=UTC)
SENTENCE = "blue 0.42 % errors of 12,310 requests, green 0.05 % of 118,200: worse, with at most 1 % chance"
ADVISORY = ConditionView(text="Error Rate not worse than stable", met=False, reason=SENTENCE, advisory=True)


def gate(reason: str, **changes: object) -> GateView:
    view = GateView(step="2.1", status=GateStatus.WAITING, verdict=Verdict.WARNING, needs_s=1800, reason=reason)
    return view.model_copy(update=changes)


BROKE = NOW - timedelta(seconds=130)
HIGH = "P95 Latency 214 ms, must be < 200"


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (gate(HIGH, broke_at=BROKE, broke_value="231 ms"), f"{HIGH} for 30:00; broke 2:10 ago at 231 ms"),
        (gate(HIGH), f"{HIGH} for 30:00"),
        (gate(HIGH, gave_up=True, broke_at=BROKE, broke_value="231 ms"), f"{HIGH}; broke 2:10 ago at 231 ms"),
        (
            gate("warming up after the weight change until 09:10:12"),
            "warming up after the weight change until 09:10:12",
        ),
        (gate("1 failed look of 2 allowed", status=GateStatus.HOLDING), "1 failed look of 2 allowed"),
        (gate(""), ""),
    ],
)
def test_it_says_why_it_waits_for_how_long_and_at_what_it_broke(view: GateView, words: str) -> None:
    assert why(view, NOW) == words


def text(view: GateView) -> str:
    return "\n".join("".join(part for part, _ in row) for row in gate_rows(view, NOW, 60))


def test_the_clock_shows_what_was_held_and_nothing_else() -> None:
    assert text(gate("", status=GateStatus.HOLDING, held_since=BROKE)).startswith("held 2:10 of 30:00")
    assert text(gate(HIGH)).startswith("held 0:00 of 30:00  ╌"), "what never held has not broken"
    assert text(gate(HIGH, broke_at=BROKE)).startswith("held 0:00 of 30:00  broke 2:10 ago")
    overridden = text(gate("known", status=GateStatus.OVERRIDDEN, broke_at=BROKE))
    assert overridden == "overridden; it needed 30:00\nknown"


def test_an_advisory_comparison_is_a_whole_sentence_and_not_counted() -> None:
    view = gate("", conditions=(ConditionView(text="Error Rate < 0.5 %", met=True, reason="0.04 %"), ADVISORY))
    rows = ["".join(text for text, _ in row) for row in gate_rows(view, NOW, 60)]
    at = rows.index("◇ Error Rate not worse than stable (advisory)")
    assert " ".join(row.strip() for row in rows[at + 1 :]) == SENTENCE
    line = "".join(text for text, _ in compact(view, NOW, 80)[0])
    assert "1 of 1 met" in line


@pytest.mark.parametrize(
    ("value", "high", "low"),
    [
        (None, Tone.FAINT, Tone.FAINT),
        (0.5, Tone.CALM, Tone.BAD),
        (1.0, Tone.WARN, Tone.WARN),
        (2.0, Tone.WARN, Tone.WARN),
        (2.5, Tone.BAD, Tone.CALM),
    ],
)
def test_a_trend_has_the_tone_of_its_band_in_either_direction(value: float | None, high: Tone, low: Tone) -> None:
    assert band(value, Thresholds(1, 2)) is high
    assert band(value, Thresholds(2, 1, low_is_bad=True)) is low
