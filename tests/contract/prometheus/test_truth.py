"""What the gates read through a real Prometheus is what the world knows of itself."""

from __future__ import annotations

from pathlib import Path

from tests.contract.prometheus.truth import text, two_tables


async def test_the_shipped_runbook_measures_the_truth(tmp_path: Path) -> None:
    tables = await two_tables(tmp_path)

    off = [row for rows in tables.values() for row in rows if not row.holds]
    assert not off, text(tables)
    measured = {row.name: row.measured for row in tables["sick"]}
    assert measured["pod_restarts"] == 2
    assert measured["alerts"] == 1
    assert measured["error_rate"] > 1
