"""Metrics that a runbook takes over from the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.runbook.compare import CompareKind, TrackQueries, selects_counter
from cockpit.runbook.gate import Metric, Residual, Signal
from cockpit.runbook.load import check, load
from cockpit.runbook.presets import METRICS, SIGNALS, presets
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shipped import config_path
from cockpit.runbook.variables import substitute
from cockpit.runbook.yaml_tree import parse

SHIPPED = config_path("runbooks/moshimoshi.yaml")
FAMILIES = ("ingress-nginx", "kubernetes")


def with_monitoring(path: Path, monitoring: str) -> Path:
    """The shipped runbook with another `monitoring:`."""
    text = SHIPPED.read_text()
    begin, end = text.index("  metrics:\n    - id: error_rate"), text.index("\nchecklists:")
    file = path / "runbook.yaml"
    file.write_text(text[:begin] + monitoring + text[end:])
    return file


TAKEN_OVER = """\
  metrics:
    - preset: ingress-nginx/error_rate
      title: Failures
      bands: {warning_from: 0.2, critical_above: 2}
    - preset: ingress-nginx/p95_latency
    - preset: kubernetes/cpu
    - preset: kubernetes/memory
    - preset: kubernetes/pod_restarts
    - preset: ingress-nginx/errors_5xx
  alerts_critical: {preset: kubernetes/alerts_critical}
  candidate_share: {preset: ingress-nginx/candidate_share}
  residual: {preset: ingress-nginx/residual, at_most: 0.5}
"""


def test_presets_are_what_the_source_runbook_writes_out() -> None:
    book = load(SHIPPED, {}, {}).runbook
    root = parse(SHIPPED.read_text()).root
    assert isinstance(root, dict)
    values = load(SHIPPED, {}, {}).variables

    for metric in book.monitoring.metrics:
        name = next(name for family in FAMILIES if (name := f"{family}/{metric.id}") in presets(METRICS))
        assert Metric.model_validate(substitute(dict(presets(METRICS)[name]), values, {})[0]) == metric
    for field in ("alerts_critical", "candidate_share", "residual"):
        name = next(name for family in FAMILIES if (name := f"{family}/{field}") in presets(SIGNALS))
        kind: type[Signal] = Residual if field == "residual" else Signal
        filled = kind.model_validate(substitute(dict(presets(SIGNALS)[name]), values, {})[0])
        assert filled == getattr(book.monitoring, field)


def test_fields_beside_the_preset_take_its_place(tmp_path: Path) -> None:
    book = load(with_monitoring(tmp_path, TAKEN_OVER), {}, {}).runbook

    error_rate, latency, *_ = book.monitoring.metrics
    assert (error_rate.id, error_rate.title, error_rate.bands.warning_from) == ("error_rate", "Failures", 0.2)
    assert 'namespace="production",ingress=~"moshimoshi-ingress.*"' in error_rate.query
    assert latency.query == load(SHIPPED, {}, {}).runbook.monitoring.metrics[1].query
    assert book.monitoring.residual is not None
    assert book.monitoring.residual.at_most == 0.5
    assert Runbook.model_validate(book.model_dump(mode="json")) == book


@pytest.mark.parametrize(
    ("wrong", "path", "problem", "hint"),
    [
        (("ingress-nginx/errors_5xx", "ingress-nginx/errors_5x"), "monitoring.metrics[5].preset", "does not exist",
         "Did you mean `ingress-nginx/errors_5xx`?"),
        (("ingress-nginx/errors_5xx", "gateway-istio/errors_5xx"), "monitoring.metrics[5].query",
         "the variable ${ROUTE_LABELS} is not declared", "Did you mean POD_LABELS?"),
        (("{preset: kubernetes/alerts_critical}", "{preset: kubernetes/cpu}"), "monitoring.alerts_critical.preset",
         "does not exist", "Did you mean `kubernetes/alerts_critical`?"),
        (("at_most: 0.5", "at_most: -1"), "monitoring.residual.at_most", "", ""),
    ],
)  # fmt: skip
def test_findings_stand_where_the_preset_is_named(
    tmp_path: Path, wrong: tuple[str, str], path: str, problem: str, hint: str
) -> None:
    file = with_monitoring(tmp_path, TAKEN_OVER.replace(*wrong))

    findings = check(file, {}, {})

    first = findings[0]
    assert first.path == path
    assert len({finding.line for finding in findings}) == 1
    assert problem in first.problem
    assert hint in first.hint
    assert wrong[1].split("\n")[0] in file.read_text().splitlines()[first.line - 1]


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("http_requests_total", True),
        (' a:b{x="}{",y=~"5.."} ', True),
        ("sum(a)", False),
        ("a[1m]", False),
        ("a offset 5m", False),
        ('a{x="1"} or b', False),
        ("", False),
    ],
)
def test_a_bare_selector_is_counted_since_the_comparison_began(text: str, selects: bool) -> None:
    assert selects_counter(text) is selects
    errors, requests = TrackQueries(errors=text, requests="sum(increase(r[${window}]))").asked(CompareKind.COUNTS)
    name = text.strip()
    whole = (
        f"sum (increase({name}[${{window}}]) and {name} offset ${{window}} or {name} unless {name} offset ${{window}}"
        " and on (job, instance) up offset ${window} == 1)"
    )
    assert (errors, requests) == (whole if selects else text, "sum(increase(r[${window}]))")
    (buckets,) = TrackQueries(buckets=text).asked(CompareKind.LATENCY)
    assert buckets.startswith("sum by (le) (increase(") is selects
