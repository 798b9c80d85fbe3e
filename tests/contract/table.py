"""`python -m tests.contract.table [pytest arguments]`: run the contract tests; print, as Markdown, what passed where.

Every cell is the outcome of a test of this very run; nothing is kept from an earlier one. pytest's own words and the
failures go to the standard error. The exit code is pytest's.
"""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
DEFAULT = (str(HERE / "adapters"), *map(str, sorted(HERE.glob("test_*_on_a_*.py"))))
WORLDS = ("simulator", "real")
SCRIPTED = "scripted server"
COLUMNS = (*WORLDS, SCRIPTED)
_HEADS = {"real": "real API server"}
_ON_REAL_ALONE = "on_a_real_cluster"
_NODE = re.compile(r"(?P<file>[^:]+)::(?P<test>\w+)(?:\[(?P<ids>.*)\])?$", re.DOTALL)


@dataclass(frozen=True, order=True)
class Case:
    """One promise, whichever world keeps it."""

    file: str
    test: str
    ids: str

    @property
    def words(self) -> str:
        """The test's name as a sentence, with its parameters."""
        sentence = self.test.removeprefix("test_").replace("_", " ")
        return sentence[:1].upper() + sentence[1:] + (f": {self.ids}" if self.ids else "")


@dataclass(eq=False)
class Table:
    """Collects outcomes while pytest runs; a plugin of pytest."""

    cells: dict[Case, dict[str, str]] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst of a test's three phases."""
        case, world = split(report.nodeid)
        outcome = str(report.outcome)
        if report.skipped and isinstance(report.longrepr, tuple):
            outcome = f"skipped: {report.longrepr[2].removeprefix('Skipped: ')}"
        row = self.cells.setdefault(case, {})
        if world not in row or outcome != "passed":
            row[world] = outcome

    def markdown(self) -> Iterator[str]:
        """The lines of the document."""
        for file in dict.fromkeys(case.file for case in self.cells):
            rows = {case: row for case, row in self.cells.items() if case.file == file}
            columns = [column for column in COLUMNS if any(column in row for row in rows.values())]
            yield from ("", f"### {title(file)}", "")
            yield _line(["case", *(_HEADS.get(column, column) for column in columns)])
            yield _line(["---"] * (len(columns) + 1))
            for case, row in rows.items():
                yield _line([case.words, *(row.get(column, "–") for column in columns)])
        yield from ("", self.summary())

    def summary(self) -> str:
        """How many cases passed in each world, and how many in both."""
        passed = {world: sum(row.get(world) == "passed" for row in self.cells.values()) for world in COLUMNS}
        both = sum(all(row.get(world) == "passed" for world in WORLDS) for row in self.cells.values())
        other = sum(outcome != "passed" for row in self.cells.values() for outcome in row.values())
        counts = ", ".join(f"{count} passed on the {_HEADS.get(world, world)}" for world, count in passed.items())
        return f"{len(self.cells)} cases: {counts}; {both} passed in both worlds; {other} did not pass."


def split(nodeid: str) -> tuple[Case, str]:
    """The case of a test, and the world it ran in."""
    match = _NODE.match(nodeid)
    if match is None:
        return Case(nodeid, "", ""), SCRIPTED
    ids = (match["ids"] or "").split("-")
    world = next((world for world in WORLDS if world in ids), SCRIPTED)
    if _ON_REAL_ALONE in match["file"]:
        world = "real"
    if world in ids:
        ids.remove(world)
    return Case(match["file"], match["test"], "-".join(ids)), world


def title(file: str) -> str:
    """The first line of a module's docstring."""
    path = HERE.parents[1] / file
    doc = ast.get_docstring(ast.parse(path.read_text())) if path.is_file() else None
    return (doc or file).splitlines()[0].rstrip(".")


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def main(arguments: Sequence[str]) -> int:
    """Run the tests and print the table."""
    chosen = [
        argument for argument in arguments if not argument.startswith("-") and Path(argument.split("::")[0]).exists()
    ]
    table = Table()
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main([*arguments, *(() if chosen else DEFAULT)], plugins=[table])
    print("\n".join(table.markdown()))
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
