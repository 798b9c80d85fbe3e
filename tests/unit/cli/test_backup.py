"""A backup and a check say which of their rows the journal's own disk never took."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from cockpit.cli.runs import runs
from cockpit.journal.store import Journal
from cockpit.link.paths import create_run
from tests.unit.journal.test_spill import limit, note


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--backup", "web-1", "copy.db"), "copy.db: 2 rows, checked"), (("--verify", "web-1"), "web-1  ok, 2 rows")],
    ids=["backup", "verify"],
)
def test_rows_in_the_spill_are_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    spill = tmp_path / "web-1.spill.jsonl"
    monkeypatch.setattr("cockpit.cli.verify.spill_place", lambda journal, environ: spill)
    monkeypatch.chdir(tmp_path)
    paths = create_run(home, "web-1")

    async def fill_the_disk() -> None:
        journal = await Journal.open(paths.journal, spill=spill)
        await journal.append([note("kept")])
        await limit(journal, None)
        await journal.append([note("x" * 60_000)])
        await journal.close()

    asyncio.run(fill_the_disk())
    done = CliRunner().invoke(runs, words)
    assert done.exit_code == 0, done.output
    assert done.output == f"{said} (1 of them from the spill: the journal's disk took no more)\n"
