"""What all descriptions are made of. Every text is cleaned here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cockpit.adapters.kubernetes.pods import parse_time
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.model.lens import DescribedSection
from cockpit.model.text import clean

EVENTS = 40
"""Newest events that are shown."""

_WORDS = 500
_STEPS = ((8 * 365 * 86_400, 365 * 86_400, "y"), (2 * 86_400, 86_400, "d"), (3 * 3600, 3600, "h"), (120, 60, "m"))


def section(title: str, rows: Iterable[tuple[str, object]] = (), lines: Iterable[str] = ()) -> DescribedSection:
    """A section of cleaned text; rows without a value are left out."""
    shown = ((clean(label, 100), clean(str(value), _WORDS)) for label, value in rows if value not in ("", None))
    return DescribedSection(
        title=clean(title, 200), rows=tuple(shown), lines=tuple(clean(line, 1000) for line in lines)
    )


def table(rows: Sequence[Sequence[object]], head: Sequence[str] = ()) -> list[str]:
    """Rows as lines of equal columns; the last column is as long as it needs to be."""
    cells = [[clean(str(cell), _WORDS) for cell in row] for row in ([head, *rows] if head and rows else rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]) - 1)] if cells else []
    padded = ([*(cell.ljust(wide) for cell, wide in zip(row, widths, strict=False)), row[-1]] for row in cells)
    return ["  ".join(row).rstrip() for row in padded]


def age(stamp: object, now: datetime) -> str:
    """How long ago a time of the API is, in one unit, as kubectl writes it; empty when it is no time."""
    at = parse_time(stamp) if isinstance(stamp, str) else None
    if at is None or at.tzinfo is None:
        return ""
    return human((now - at).total_seconds())


def human(seconds: float) -> str:
    """A duration in its largest useful unit."""
    whole = max(0, int(seconds))
    for least, size, unit in _STEPS:
        if whole >= least:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def ago(stamp: object, now: datetime) -> str:
    """`5m ago`, or an empty string."""
    found = age(stamp, now)
    return f"{found} ago" if found else ""


def pairs(values: Mapping[str, object], between: str = ", ") -> str:
    """Labels, requests and the like in one line."""
    return between.join(f"{key}={value}" for key, value in values.items())


def selector_words(selector: Json) -> str:
    """A selector's labels and expressions in one line."""
    labels = [pairs(mapping(selector, "matchLabels"))] if mapping(selector, "matchLabels") else []
    for each in items(selector, "matchExpressions"):
        values = ",".join(map(str, items(each, "values")))
        labels.append(f"{text(each, 'key')} {text(each, 'operator')} {values}".rstrip())
    return ", ".join(labels)


def conditions(obj: Json, now: datetime) -> list[DescribedSection]:
    """The conditions of an object's status, none when it has none."""
    found = items(obj, "status", "conditions")
    return [section("Conditions", lines=condition_lines(found, now))] if found else []


def condition_lines(found: Iterable[Json], now: datetime) -> list[str]:
    """One line for each condition: type, status, age, reason and message."""
    return table([
        [
            text(each, "type"),
            text(each, "status"),
            age(text(each, "lastTransitionTime"), now) or "-",
            _joined(text(each, "reason"), text(each, "message")),
        ]
        for each in found
    ])  # fmt: skip


def events(found: Sequence[Json], now: datetime, problem: str = "") -> DescribedSection:
    """The newest events, newest last, with count and age; `problem` says why they cannot be shown."""
    newest = sorted(found, key=_event_time)[-EVENTS:]
    rows = [
        [
            age(_event_time(each), now) or "-",
            f"×{_event_count(each)}",
            text(each, "type"),
            text(each, "reason"),
            text(each, "message") or text(each, "note"),
        ]
        for each in newest
    ]
    return section("Events", lines=table(rows) or [problem or "none"])


def owner(obj: Json) -> str:
    """The controller of an object as `Kind/name`, or an empty string."""
    references = items(obj, "metadata", "ownerReferences")
    chosen = next((each for each in references if dig(each, "controller") is True), references[0] if references else {})
    return f"{text(chosen, 'kind')}/{text(chosen, 'name')}" if chosen else ""


def _joined(reason: str, message: str) -> str:
    return f"{reason}: {message}" if reason and message else reason or message


def _event_time(event: Json) -> str:
    series = text(event, "series", "lastObservedTime")
    known = (series, text(event, "lastTimestamp"), text(event, "eventTime"), text(event, "firstTimestamp"))
    return next(filter(None, known), text(event, "metadata", "creationTimestamp"))


def _event_count(event: Json) -> int:
    return number(event, "series", "count") or number(event, "count") or 1
