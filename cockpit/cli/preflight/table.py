"""A preflight in words, for a terminal of any width and without colour, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from cockpit.cli.preflight import Preflight
from cockpit.cli.preflight.finding import Finding, State

NARROWEST = 60
WIDEST = 160
_STATES = max(len(state.value) for state in State)
_LONGEST_NAME = 28

Json = dict[str, Any]


def as_text(found: Preflight, width: int) -> str:
    """All findings by group, then the count."""
    return "\n".join([*rows(found.findings, width), "", summary(found.findings)])


def rows(findings: Iterable[Finding], width: int) -> Iterator[str]:
    """The lines of a table with a heading for each group; a fix stands below what it repairs."""
    kept = tuple(findings)
    width = min(max(width, NARROWEST), WIDEST)
    column = min(max((len(one.name) for one in kept), default=0), _LONGEST_NAME, width // 3)
    group = ""
    for one in kept:
        if one.group != group:
            yield from ([""] if group else [])
            group = one.group
            yield group.upper()
        yield from _row(one, column, width)


def summary(findings: Iterable[Finding]) -> str:
    """How many there are of each state, and what that means."""
    counts = {state: 0 for state in State}
    for one in findings:
        counts[one.state] += 1
    parts = [f"{state.glyph} {counts[state]} {state.value}" for state in State]
    verdict = "NOT READY: repair what FAILs." if counts[State.FAIL] else "READY."
    return f"{', '.join(parts)}\n{verdict} Nothing was changed."


def as_json(found: Preflight) -> Json:
    """The cluster, and the findings in the order of the table."""
    pin = found.pin
    facts: Json = {
        "context": pin.context if pin else "",
        "server": pin.server if pin else "",
        "ca_sha256": pin.ca_sha256 if pin else "",
        "uid": pin.uid if pin else "",
        "version": found.version,
        "namespace": found.namespace,
        "production": found.production,
        "identity": found.identity,
        "identity_source": found.identity_source,
    }
    return {"ok": found.ready, "cluster": facts, "preflight": [entry(one) for one in found.findings]}


def entry(one: Finding) -> Json:
    """A finding as JSON."""
    return {
        "group": one.group,
        "name": one.name,
        "state": one.state.value.lower(),
        "ok": one.ok,
        "message": one.message,
        "fix": one.fix,
    }


def _row(one: Finding, column: int, width: int) -> Iterator[str]:
    head = f"  {one.state.glyph} {one.state.value:<{_STATES}}  "
    indent = " " * (len(head) + column + 2)
    if len(one.name) <= column:
        yield from _wrapped(one.message, f"{head}{one.name:<{column}}  ", indent, width)
    else:
        yield from _wrapped(one.name, head, " " * len(head), width)
        yield from _wrapped(one.message, indent, indent, width)
    if one.fix:
        yield from _wrapped(one.fix, f"{indent}→ ", f"{indent}  ", width)


def _wrapped(text: str, first: str, later: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False, replace_whitespace=True
    )
