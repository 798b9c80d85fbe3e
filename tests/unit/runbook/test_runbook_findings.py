"""Every kind of finding: a small edit of a valid runbook, and the file, line, path and words that it leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import RunbookInvalid
from cockpit.runbook.findings import Finding
from cockpit.runbook.load import check, load
from cockpit.runbook.schema import Runbook
from cockpit.runbook.validate import CHECKS
from cockpit.runbook.variables import resolve, substitute
from cockpit.runbook.yaml_tree import parse

from .conftest import Edited
from .finding_cases import ALL, AT_CONDITION, CHECKED, COMPARE, COMPARED, Case


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.path}-{case.words}")
def test_an_edit_leads_to_one_finding_in_its_place(edited: Edited, case: Case) -> None:
    path = edited((case.old, case.new))
    findings = [item for item in check(path, environ={}) if item.path == case.path]
    assert len(findings) == 1, [str(item) for item in check(path, environ={})]
    lines = path.read_text().splitlines()
    assert case.at in lines[findings[0].line - 1]
    assert findings[0].file == str(path)
    assert case.words in str(findings[0])


def test_the_unedited_runbook_has_no_finding(edited: Edited) -> None:
    assert check(edited(), environ={}) == ()


def test_every_check_is_met_by_a_case(edited: Edited) -> None:
    silent = set(CHECKS)
    for case in CHECKED:
        runbook = _unchecked(edited((case.old, case.new)))
        silent -= {check for check in silent if next(iter(check(runbook)), None)}
    assert {check.__name__ for check in silent} == set()


def test_all_findings_come_at_once_from_the_top_down(edited: Edited) -> None:
    path = edited(
        ("title: Shop", "title: Shop ${NOPE}\n  titel: x"),
        ("stable: green", "stable: red"),
        ("weight: 50", "weight: 5"),
        ("budget: 1m", "budget: 59s"),
        ("  HOOK:", "  HOOK: {env: [X]}\n  HOOK:"),
    )
    findings = check(path, environ={})
    assert [item.path for item in findings] == [
        "metadata.title",
        "metadata.titel",
        "secrets.HOOK",
        "cluster.stable",
        "phases[1].steps[0].actions[1].weight",
        "rollback.budget",
    ]
    with pytest.raises(RunbookInvalid) as raised:
        load(path, environ={})
    assert raised.value.findings == findings
    assert str(raised.value).splitlines() == [str(item) for item in findings]
    assert raised.value.exit_code == 2


def test_several_errors_of_shape_come_at_once(edited: Edited) -> None:
    path = edited(("weight: 10}", "weight: x}"), ("hold: 10m", "hold: x"), ("title: Shop", "titel: Shop"))
    assert [item.path for item in check(path, environ={})] == [
        "metadata.title",
        "metadata.titel",
        "phases[1].steps[0].actions[0].weight",
        "phases[1].steps[0].gate.hold",
    ]


def test_a_window_that_ends_before_it_starts_is_found(edited: Edited) -> None:
    findings = check(edited(("  end: 12:00\n", "  end: 07:00\n")), environ={})
    assert ("window.end", 10) in [(item.path, item.line) for item in findings]


def test_a_rollback_that_moves_no_traffic_is_found(edited: Edited) -> None:
    path = edited(
        ("{id: back-switch, kind: switch, to: green}", "{id: back-switch, kind: workloads}"),
        ("{id: back-weight, kind: traffic, weight: 0}", "{id: back-weight, kind: canary_off}"),
    )
    assert [item.problem for item in check(path, environ={})] == ["no step takes the traffic back"]


def test_the_text_of_a_finding() -> None:
    finding = Finding("a.yaml", 7, "phases[0].title", "is missing", "Add `title:`.")
    assert str(finding) == "a.yaml:7: phases[0].title: is missing. Add `title:`."
    assert str(Finding("a.yaml", 1, "", "is empty", "")) == "a.yaml:1: is empty."


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "not a mapping"),
        ("- a\n", 1, "not a mapping"),
        ("a: 1\nb: [1\n", 3, "expected"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: *b\n", 1, "undefined alias"),
        ("a: &a [*a]\n", 1, "an alias repeats too much"),
        ("a: \x07\n", 1, "characters that YAML does not allow"),
        ("a: " + "[" * 5000, 1, "nested too deeply"),
    ],
    ids=range(8),
)
def test_a_syntax_error_is_one_finding(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    (finding,) = check(path, environ={})
    assert (finding.line, finding.path) == (line, "")
    assert words in finding.problem


def test_a_file_that_is_no_text_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    assert [(item.line, item.problem) for item in check(path, environ={})] == [(2, "the text is not UTF-8")]


def test_a_file_that_is_not_there_or_too_large_is_one_finding(tmp_path: Path) -> None:
    assert "No such file" in str(*check(tmp_path / "no.yaml", environ={}))
    large = tmp_path / "large.yaml"
    large.write_text("#" * 1_000_001)
    assert "larger than 1 MB" in str(*check(large, environ={}))


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "laughs.yaml"
    rows = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    path.write_text("\n".join(rows) + "\n")
    assert "an alias repeats too much" in str(*check(path, environ={}))


def _unchecked(path: Path) -> Runbook:
    root = parse(path.read_text()).root
    assert isinstance(root, dict)
    values, _ = resolve(root["variables"], {}, {})
    return Runbook.model_validate(substitute(root, values, root["variables"])[0])


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ((), ""),
        ((("metric: errors, below", "metric: latency, below"), ("below: 0.5", "below: 200")), "no absolute limit"),
        ((("weight: 50", "weight: 100"),), "can never hold at 100 %: one track has no traffic"),
    ],
)
def test_a_comparison_that_decides_needs_a_limit_and_two_tracks(
    edited: Edited, edits: tuple[tuple[str, str], ...], words: str
) -> None:
    path = edited(
        (COMPARED, COMPARE + COMPARED),
        ("{alerts_critical: 0}", "{compare: errors}"),
        ("            - {all_metrics: WARNING}\n", ""),
        *edits,
    )
    found = [str(item) for item in check(path, environ={}) if item.path == AT_CONDITION]
    assert len(found) == bool(words), [str(item) for item in check(path, environ={})]
    assert all(words in item for item in found)
