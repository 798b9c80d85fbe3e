from __future__ import annotations

import contextlib
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.runbook.base import format_duration, parse_clock, parse_duration


@given(st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=999_999)))
def test_a_duration_is_read_back_to_the_second(duration: timedelta) -> None:
    whole = timedelta(seconds=int(duration.total_seconds()))
    assert parse_duration(format_duration(duration)) == whole


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    read = timedelta(-1)
    with contextlib.suppress(ValueError):
        read = parse_duration(text)
    assert read == timedelta(-1) or format_duration(read).endswith(("h", "m", "s"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("1h1s", 3601), ("2h3m4s", 7384)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "5", "5 m", "5ms", "1m1h", "-5s", "1.5h", "5s ", "5s\n", "٣s", "9" * 99 + "h", 5, None]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="write a duration such as 90s, 30m or 1h30m"):
        parse_duration(value)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59.9, "59s"), (60, "1m"), (3661, "1h1m1s"), (90000, "25h")])
def test_durations_are_written_short(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


def test_values_of_their_own_type_are_kept() -> None:
    assert parse_duration(timedelta(seconds=5)) == timedelta(seconds=5)
    assert parse_clock(time(8, 30)) == time(8, 30)


@given(st.times())
def test_a_clock_time_is_read_back_to_the_minute(at: time) -> None:
    assert parse_clock(f"{at:%H:%M}") == at.replace(second=0, microsecond=0)


@pytest.mark.parametrize("value", ["", "8:00", "24:00", "08:60", "08:00:00", "08:00\n", "08-00", 480, None])
def test_what_is_no_clock_time(value: object) -> None:
    with pytest.raises(ValueError, match="write a time of day such as 08:30"):
        parse_clock(value)
