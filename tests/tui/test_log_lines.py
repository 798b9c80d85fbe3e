"""Log lines in short, the buffer behind a flood, wrapping and finding: pure."""

from __future__ import annotations

import json

import pytest

from tests.tui.lenses import chatter
from widgets.lines import Line, Tone, width_of
from widgets.log_buffer import Face, LogBuffer, Row, matches, split
from widgets.log_table import lit
from widgets.log_text import LogLine, Source, spans, split_stamp, text_of


def shown(text: str, *, raw: bool = False, stamps: bool = False) -> str:
    return text_of(spans(split_stamp(text), raw=raw, stamps=stamps))


def filled(count: int, capacity: int = 100, face: Face | None = None) -> LogBuffer:
    buffer = LogBuffer(capacity)
    buffer.put_on(face or Face())
    buffer.add([LogLine(f"line {number}") for number in range(count)])
    return buffer


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "  plain"),
        ("2026-01-08T09:00:01.123456789Z plain", "  plain"),
        ('{"level":"error","msg":"boom","path":"/a"}', "✖ ERROR boom path=/a"),
        ('{"level":"warning","message":"slow","ms":12}', "▲ WARN  slow ms=12"),
        ('{"level":30,"msg":"ok","time":1700000000}', "· INFO  ok"),
        ('{"severity":"INFO","event":"x","deep":{"a":[1]}}', '· INFO  x deep={"a":[1]}'),
        ('{"msg":"no level"}', "  no level"),
        ('{"broken":', '  {"broken":'),
        ("[1,2]", "  [1,2]"),
        ("E0108 09:00:00.1 controller.go:1] failed", "✖ E0108 09:00:00.1 controller.go:1] failed"),
        ("time=x level=warn msg=slow", "▲ time=x level=warn msg=slow"),
        ("2026 ERROR it broke", "✖ 2026 ERROR it broke"),
        ("terrors are no errors", "  terrors are no errors"),
    ],
)
def test_a_line_in_short(text: str, wanted: str) -> None:
    assert shown(text) == wanted


def test_a_line_raw_and_with_its_time() -> None:
    text = '2026-01-08T09:00:01.123456789Z {"level":"error","msg":"boom"}'
    assert shown(text, raw=True) == '  {"level":"error","msg":"boom"}'
    assert shown(text, stamps=True) == "✖ 09:00:01.123 ERROR boom"
    assert shown("2026-01-08T09:00:01Z x", stamps=True) == "  09:00:01     x"


def test_levels_are_never_colour_alone() -> None:
    for word, glyph in (("error", "✖"), ("warn", "▲")):
        line = spans(LogLine(json.dumps({"level": word, "msg": "m"})), raw=False, stamps=False)
        assert text_of(line).startswith(glyph)
        assert word.upper() in text_of(line)


def test_escapes_inside_json_stay_inert() -> None:
    evil = json.dumps({"level": "\x1b[31merror", "msg": "\x1b]52;c;aGk=\x07\u202e", "k\x1b": "\ud800"})
    text = shown(evil)
    assert not any(ord(char) < 32 or char in "\u202e\x9b" for char in text)
    text.encode()


def test_standard_error_is_marked_by_a_glyph() -> None:
    assert text_of(spans(LogLine("oops", "", Source.ERR), raw=False, stamps=False)) == "! oops"


def test_the_buffer_keeps_the_newest_and_counts_the_rest() -> None:
    buffer = filled(250)
    assert (len(buffer.lines), buffer.first, buffer.end) == (100, 150, 250)
    assert buffer.lines[0].text == "line 150"
    assert [buffer.rows[0], buffer.rows[-1]] == [Row(150), Row(249)]


def test_a_held_buffer_gives_nothing_up_until_it_is_full() -> None:
    buffer = filled(100)
    assert buffer.add([LogLine(f"line {number}") for number in range(100, 200)], held=True) == 0
    assert buffer.full
    assert buffer.rows[0] == Row(0)
    assert buffer.trim() == 100
    assert buffer.rows[0] == Row(100)


@pytest.mark.parametrize(
    ("only", "count"), [("", 60), ("error", 2), ("!error", 58), ("ERROR", 0), ("/ITEMS/", 0), ("!", 60)]
)
def test_a_filter(only: str, count: int) -> None:
    buffer = LogBuffer()
    buffer.put_on(Face(only=only))
    buffer.add([split_stamp(text) for text in chatter(60)])
    assert len(buffer.rows) == count


def test_wrapping_loses_nothing() -> None:
    buffer = LogBuffer()
    buffer.put_on(Face(wrap=True, width=20, raw=True))
    texts = ["x" * 50, "", "世界" * 15, "short"]
    buffer.add([LogLine(text) for text in texts])
    for number, text in enumerate(texts):
        parts = [buffer.drawn(row) for row in buffer.rows if row.line == number]
        assert "".join(map(text_of, parts)).rstrip() == f"  {text}".rstrip()
        assert all(width_of(part) <= 20 for part in parts)
    assert buffer.place_of(Row(2)) == 4


@pytest.mark.parametrize("width", [1, 2, 3, 7, 80])
def test_parts_fit_and_come_to_an_end(width: int) -> None:
    line: Line = (("ab", Tone.KEY), ("c世d世e", Tone.TEXT))
    parts = split(line, width)
    assert "".join(map(text_of, parts)) == "abc世d世e"
    assert all(width_of(part) <= max(2, width) for part in parts)


def test_finding_goes_both_ways_and_stops() -> None:
    buffer = filled(50)
    assert buffer.find("line 4", 49, -1) == 49
    assert buffer.find("line 4", 38, -1) == 4
    assert buffer.find("line 4", 3, -1) is None
    assert buffer.find("LINE", 0, 1) is None
    assert buffer.hits("line 4") == 11


def test_matches_are_lit() -> None:
    assert matches("aXbx", "x") == [(1, 2), (3, 4)]
    assert lit((("aXb", Tone.TEXT),), "x") == (("a", Tone.TEXT), ("X", Tone.CAP), ("b", Tone.TEXT))
