"""Log lines as people read them: JSON made short, levels as a glyph and a word, times of day in front. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from cockpit.model.text import clean
from widgets.lines import Line, Tone

LONGEST = 16_000
"""Characters of one line that are looked at."""


class Source(StrEnum):
    """Where a line comes from: the log or standard output, standard error, or the cockpit itself."""

    OUT = "out"
    ERR = "err"
    MARK = "mark"
    FAULT = "fault"


class LogLine(NamedTuple):
    """One line; `stamp` is its RFC 3339 time when it came with one."""

    text: str
    stamp: str = ""
    source: Source = Source.OUT


class Level(NamedTuple):
    """A level, three times."""

    glyph: str
    word: str
    tone: Tone


_BAD = ("FATAL", "CRITICAL", "PANIC", "ALERT", "EMERGENCY", "ERROR", "ERR", "SEVERE")
_WARN = ("WARNING", "WARN")
_CALM = ("INFO", "NOTICE", "INFORMATION")
_FINE = ("DEBUG", "TRACE", "VERBOSE", "FINE")
_SHORT = {
    "WARNING": "WARN", "ERR": "ERROR", "INFORMATION": "INFO", "CRITICAL": "CRIT", "EMERGENCY": "EMERG",
    "VERBOSE": "TRACE",
}  # fmt: skip
_NUMBERS = ((60, "FATAL"), (50, "ERROR"), (40, "WARN"), (30, "INFO"), (20, "DEBUG"), (0, "TRACE"))
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)", re.DOTALL)
_WORD = re.compile(
    r"(?:\b(?:level|lvl|severity)\s*[=:]\s*\"?(\w+))|\b(" + "|".join((*_BAD, *_WARN, *_CALM, *_FINE)) + r")\b"
)
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:")
_KLOG_WORDS = {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
_LEVEL_KEYS = ("level", "lvl", "severity", "levelname", "log.level", "loglevel")
_TEXT_KEYS = ("msg", "message", "event", "text")
_TIME_KEYS = frozenset(("ts", "time", "timestamp", "@timestamp", "t", "datetime"))


def split_stamp(text: str, source: Source = Source.OUT) -> LogLine:
    """A line whose time in front, as the API server writes it, is taken apart."""
    found = _STAMP.match(text[:64])
    if found is None:
        return LogLine(text[:LONGEST], "", source)
    return LogLine(text[found.start(2) : LONGEST], found.group(1), source)


def level(word: str) -> Level | None:
    """What a level's word means; None for a word that is none."""
    upper = word.upper()
    short = _SHORT.get(upper, upper)
    for words, glyph, tone in ((_BAD, "✖", Tone.BAD), (_WARN, "▲", Tone.WARN), (_CALM, "·", Tone.QUIET)):
        if upper in words:
            return Level(glyph, short, tone)
    return Level("·", short, Tone.FAINT) if upper in _FINE else None


@lru_cache(2048)
def plain_level(text: str) -> Level | None:
    """The level that a line of plain text names near its beginning."""
    klog = _KLOG.match(text)
    if klog:
        return level(_KLOG_WORDS[klog.group(1)])
    found = _WORD.search(text[:120])
    return level(found.group(1) or found.group(2)) if found else None


@lru_cache(4096)
def spans(line: LogLine, *, raw: bool, stamps: bool) -> Line:
    """The whole line without a limit of width; the first span is a glyph of one cell and a space."""
    if line.source is Source.MARK:
        return (("─ ", Tone.NOW), (line.text, Tone.NOW))
    if line.source is Source.FAULT:
        return (("✖ ", Tone.BAD), (line.text, Tone.BAD))
    stamp: Line = ((f"{_clock(line.stamp)} ", Tone.FAINT),) if stamps and line.stamp else ()
    body = None if raw else _compact(line.text)
    if body is not None:
        return (body[0], *stamp, *body[1:])
    found = plain_level(line.text)
    text = line.text.replace("\t", "    ")
    if line.source is Source.ERR:
        return (("! ", Tone.WARN), *stamp, (text, found.tone if found and found.tone is Tone.BAD else Tone.WARN))
    if found is None or found.tone in (Tone.QUIET, Tone.FAINT):
        return (("  ", Tone.TEXT), *stamp, (text, Tone.TEXT))
    return ((f"{found.glyph} ", found.tone), *stamp, (text, found.tone))


def text_of(line: Line) -> str:
    """The characters of a line."""
    return "".join(text for text, _ in line)


def _clock(stamp: str) -> str:
    """The time of day with milliseconds."""
    return (stamp[11:23] if stamp[19:20] == "." else stamp[11:19]).rstrip("Z+-").ljust(12)


def _compact(text: str) -> Line | None:
    """A JSON object as level, message and the rest as key=value; None for anything else."""
    if not text.startswith("{") or not text.rstrip().endswith("}"):
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    found = level(_level_word(_take(fields, _LEVEL_KEYS)))
    message = _shown(_take(fields, _TEXT_KEYS))
    rest = [(clean(str(key), 80), _shown(value)) for key, value in fields.items() if key not in _TIME_KEYS]
    mark: Line = ((f"{found.glyph} ", found.tone), (f"{found.word:<5} ", found.tone)) if found else (("  ", Tone.TEXT),)
    tone = found.tone if found and found.tone in (Tone.BAD, Tone.WARN) else Tone.TEXT
    return (*mark, (message, tone), *_pairs(rest))


def _pairs(rest: Iterable[tuple[str, str]]) -> Line:
    return tuple(span for key, value in rest for span in ((f" {key}=", Tone.FAINT), (value, Tone.QUIET)))


def _take(fields: dict[str, object], names: tuple[str, ...]) -> object:
    """The first of the fields that is there, removed."""
    return next((fields.pop(name) for name in names if name in fields), "")


def _level_word(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return next((word for number, word in _NUMBERS if value >= number), "TRACE")


def _shown(value: object) -> str:
    """A value on one line; escapes in JSON can make characters that the cleaning of the line has not seen."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return clean(text, LONGEST)
