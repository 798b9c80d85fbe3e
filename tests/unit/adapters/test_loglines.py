"""Log lines: cut, decoded, cleaned, and not shown twice."""

from __future__ import annotations

import pytest

from cockpit.adapters.kubernetes.loglines import LINE, Cursor, Splitter, nanoseconds, readable, shown

BAD = "\N{REPLACEMENT CHARACTER}"
SECOND = 1_000_000_000


def test_lines_are_the_same_however_the_bytes_are_cut() -> None:
    text = "one\nzwei €\n\ndrei 🚀\r\nrest".encode()
    for size in (1, 2, 3, 5, len(text)):
        splitter = Splitter()
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        lines = [line for part in parts for line in splitter.feed(part)]
        assert [readable(line) for line in lines] == ["one", "zwei €", "", "drei 🚀"]
        assert splitter.take_rest() == b"rest"
        assert splitter.take_rest() == b""


def test_endless_line_is_cut_in_bounded_memory() -> None:
    splitter = Splitter()
    for _ in range(1000):
        assert splitter.feed(b"x" * 65_536) == []
    (line, after) = splitter.feed(b"\nshort\n")
    assert len(line) < 5 * LINE
    assert readable(line) == "x" * (LINE - 1) + "…"
    assert after == b"short"


def test_line_that_is_cut_within_a_character_stays_text() -> None:
    line = readable(("€" * 3 * LINE).encode()[: 4 * LINE])
    assert line == "€" * (LINE - 1) + "…"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[1;31mERROR\x1b[0m boom", "ERROR boom"),
        (b"\x1b]0;title\x07 \x1b]52;c;ZWNobw==\x07", f"{BAD}]0;title{BAD} {BAD}]52;c;ZWNobw=={BAD}"),
        (b"\x1b[2J\x1b[H\x9b5n", f"{BAD}[2J{BAD}[H{BAD}5n"),
        ("a\u202eb\u2066c\u200bd".encode(), f"a{BAD}b{BAD}c{BAD}d"),
        (b"10%\r50%\r100%\r", f"10%{BAD}50%{BAD}100%"),
        (b"a\tb\0c\xff", f"a    b{BAD}c{BAD}"),
        (b"[red]markup[/red] stays", "[red]markup[/red] stays"),
    ],
)
def test_hostile_text_is_neutralised(raw: bytes, text: str) -> None:
    assert readable(raw) == text


@pytest.mark.parametrize(
    ("stamp", "found"),
    [
        (b"1970-01-01T00:00:01Z", SECOND),
        (b"1970-01-01T00:00:01.5Z", SECOND + 500_000_000),
        (b"1970-01-01T00:00:01.000000001Z", SECOND + 1),
        (b"1970-01-01T02:00:01.25+02:00", SECOND + 250_000_000),
        (b"1970-01-01", None),
        (b"1970-13-01T00:00:00Z", None),
        (b"unable", None),
        (b"", None),
    ],
)
def test_times(stamp: bytes, found: int | None) -> None:
    assert nanoseconds(stamp) == found


def test_log_goes_on_from_its_last_second_without_a_double() -> None:
    lines = [b"2026-01-01T00:00:01.1Z a", b"2026-01-01T00:00:01.2Z b", b"2026-01-01T00:00:01.2Z b", b"own words"]
    more = [b"2026-01-01T00:00:01.2Z b", b"2026-01-01T00:00:02Z c", b"2026-01-01T00:00:01.9Z late"]
    cursor = Cursor()
    assert cursor.since == ""
    assert shown(lines, cursor, timestamps=False) == ("a", "b", "b", "own words")
    assert cursor.since == "2026-01-01T00:00:01Z"

    cursor.resume()

    assert shown([*lines[:3], *more], cursor, timestamps=False) == ("b", "c", "late")
    assert cursor.since == "2026-01-01T00:00:02Z"


def test_several_returns_in_one_second_show_each_line_once() -> None:
    lines = [f"2026-01-01T00:00:01Z {number}".encode() for number in range(6)]
    cursor, found = Cursor(), []
    for end in (2, 2, 5, 6):
        cursor.resume()
        found += shown(lines[:end], cursor, timestamps=False)
    assert found == ["0", "1", "2", "3", "4", "5"]


def test_times_are_kept_when_asked_for() -> None:
    assert shown([b"2026-01-01T00:00:01Z a"], Cursor(), timestamps=True) == ("2026-01-01T00:00:01Z a",)
