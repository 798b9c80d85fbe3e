"""The written runbook, taken apart."""

from __future__ import annotations

import re
from pathlib import Path

from cockpit.runbook.base import parse_clock
from cockpit.runbook.schema import Planned

SOURCE = (Path(__file__).parents[2] / "data" / "source-runbook.md").read_text()


def under(heading: str, text: str = SOURCE) -> str:
    """The text below the heading that starts so, up to the next heading of its level or a higher one."""
    found = re.search(rf"^(#+) {re.escape(heading)}.*\n", text, re.M)
    assert found, heading
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.M)
    # Comments of shell blocks begin like headings of the first level.
    while end and rest[: end.start()].count("```") % 2:
        end = re.compile(rf"^#{{1,{len(found[1])}}} ", re.M).search(rest, end.end())
    return rest[: end.start()] if end else rest


def headings(level: int, text: str) -> list[str]:
    return re.findall(rf"^#{{{level}}} (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)


def bullets(text: str) -> list[str]:
    return re.findall(r"^\s*(?:# )?(?:- (?:\[ \] )?|\d+\. )(.+?)\s*$", text, re.M)


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def block(text: str) -> str:
    found = re.search(r"```\w*\n(.*?)```", text, re.S)
    assert found
    return found[1]


def planned(text: str) -> Planned | None:
    found = re.search(r"\((\d\d:\d\d) - (\d\d:\d\d)\)", text)
    return Planned(start=parse_clock(found[1]), end=parse_clock(found[2])) if found else None


def named(text: str) -> list[tuple[str, str]]:
    """`- **Name**: value` lines."""
    return re.findall(r"^(?:- |\d\. )?\*\*(.+?)\*\*:? ?:?(.+?)\s*$", text, re.M)
