"""The presets ask for series and labels that the exporters are publicly known to write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.runbook.presets import METRICS, SIGNALS, presets
from cockpit.runbook.yaml_tree import Value
from tests.contract.prometheus.shapes import Shapes
from tests.contract.prometheus.test_presets import LABELS

QUOTED = Path(__file__).parents[2] / "data" / "exposition"
FAMILIES = ("gateway-envoy", "gateway-istio", "ingress-nginx")
_SERIES = re.compile(r"([a-z_]+)\{((?:[^\"{}]|\"[^\"]*\")*)\}")
_LABEL = re.compile(r"([a-z_]+)(?:=~|!~|!=|=)\"")


def series(text: str) -> Iterator[tuple[str, set[str]]]:
    """The series of a page or a query, with their label names."""
    for name, labels in _SERIES.findall(text):
        yield name, set(_LABEL.findall(labels))


def known(text: str) -> dict[str, set[str]]:
    """All labels that a series has somewhere on a page."""
    found: dict[str, set[str]] = {}
    for name, labels in series(text):
        found.setdefault(name, set()).update(labels)
    return found


def texts(value: Value) -> Iterator[str]:
    """All strings of a preset."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def asked(family: str) -> str:
    """Every query of a family, with the labels of its example."""
    entries = (entry for section in (METRICS, SIGNALS) for name, entry in presets(section).items() if family in name)
    text = "\n".join(each for entry in entries for each in texts(entry))
    for variable, labels in LABELS[family].items():
        text = text.replace(f"${{{variable}}}", labels)
    return text


@pytest.mark.parametrize("family", FAMILIES)
def test_presets_and_test_pages_have_the_series_that_public_sources_quote(family: str) -> None:
    quoted = known((QUOTED / f"{family}.txt").read_text())
    queries = dict.fromkeys(name for name, _ in series(asked(family)))
    assert queries
    for name, labels in series(asked(family)):
        assert labels <= quoted[name], name
    page = known(Shapes().page())
    for name in queries:
        assert page[name] <= quoted[name] | {"destination_workload", "request_protocol"}, name


def test_two_backends_of_one_envoy_cluster_are_not_told_apart_by_chance() -> None:
    labels = LABELS["gateway-envoy"]
    route, candidate, stable = (re.findall(r'"([^"]*)"', labels[name])[0] for name in labels)
    alone, mine, theirs = (f"httproute/shop/shop/rule/0{end}" for end in ("", "/backend/1", "/backend/0"))
    assert all(re.fullmatch(route, name) for name in (alone, mine, theirs))
    assert not re.fullmatch(route, "httproute/shop/shop/rule/01")
    assert [name for name in (alone, mine, theirs) if re.fullmatch(candidate, name)] == [mine]
    assert [name for name in (alone, mine, theirs) if re.fullmatch(stable, name)] == [theirs]
