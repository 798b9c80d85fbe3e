from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from .table import Case, Table, split

FILE = "tests/contract/adapters/test_workloads.py"


@pytest.mark.parametrize(
    ("nodeid", "ids", "world"),
    [
        (f"{FILE}::test_it_holds[simulator]", "", "simulator"),
        (f"{FILE}::test_it_holds[real-http_503-HTTP 503]", "http_503-HTTP 503", "real"),
        (f"{FILE}::test_it_holds[lost]", "lost", "scripted server"),
        (f"{FILE}::test_it_holds", "", "scripted server"),
        ("tests/contract/test_run_on_a_real_cluster.py::test_it_holds", "", "real"),
    ],
)
def test_a_test_is_a_case_in_a_world(nodeid: str, ids: str, world: str) -> None:
    case, where = split(nodeid)
    assert (case.test, case.ids, where) == ("test_it_holds", ids, world)


def report(nodeid: str, outcome: str, why: str = "") -> Any:
    longrepr = ("file", 1, f"Skipped: {why}") if why else None
    return SimpleNamespace(nodeid=nodeid, outcome=outcome, skipped=outcome == "skipped", longrepr=longrepr)


def test_the_worst_of_a_test_is_shown_and_nothing_is_counted_that_did_not_pass() -> None:
    table = Table()
    for phase, outcome in (("setup", "passed"), ("call", "passed"), ("teardown", "failed")):
        assert phase
        table.pytest_runtest_logreport(report(f"{FILE}::test_a_thing_is_true[real]", outcome))
    table.pytest_runtest_logreport(report(f"{FILE}::test_a_thing_is_true[simulator]", "passed"))
    table.pytest_runtest_logreport(report(f"{FILE}::test_other[real]", "skipped", "no control plane"))

    lines = list(table.markdown())

    assert "| A thing is true | passed | failed |" in lines
    assert "| Other | – | skipped: no control plane |" in lines
    assert "0 passed in both worlds; 2 did not pass" in table.summary()


def test_case_reads_as_a_sentence() -> None:
    assert Case("f", "test_write_is_made_once", "lost").words == "Write is made once: lost"
