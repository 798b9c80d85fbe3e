from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from cockpit.errors import RunbookInvalid, UsageError
from cockpit.runbook import shipped
from cockpit.runbook.findings import Path as Place
from cockpit.runbook.findings import path_text
from cockpit.runbook.jsonschema import schema_text
from cockpit.runbook.load import check, load
from cockpit.runbook.schema import RollbackStep, Step
from cockpit.runbook.shipped import config_path
from cockpit.runbook.yaml_tree import Value, parse

from .conftest import Edited


def test_a_runbook_is_pinned_by_the_bytes_of_its_file(edited: Edited) -> None:
    path = edited()
    loaded = load(str(path), environ={})
    assert loaded.path == path
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert loaded.text == path.read_text()
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.text = ""  # type: ignore[misc]


def test_overrides_come_before_the_environment_and_that_before_defaults(edited: Edited) -> None:
    path = edited()
    environ = {"VERSION": "2", "ZONE": "zone-2", "UNRELATED": "x"}
    loaded = load(path, {"VERSION": "3"}, environ)
    assert loaded.variables == {"VERSION": "3", "IMAGE": "registry.example/shop:3", "ZONE": "zone-2"}
    assert loaded.runbook.metadata.version == "3"
    action = loaded.runbook.steps[0].actions[0]
    assert action.kind == "deploy"
    assert action.image == "registry.example/shop:3"


def test_an_override_that_is_not_declared_is_a_finding(edited: Edited) -> None:
    path = edited()
    (finding,) = check(path, {"VERSOIN": "3"}, {})
    assert finding.path == "variables"
    assert path.read_text().splitlines()[finding.line - 1] == "variables:"
    assert "--var VERSOIN is not a declared variable. Did you mean VERSION?" in str(finding)


def test_a_variable_without_default_takes_its_value_from_outside(edited: Edited) -> None:
    path = edited(("{default: 1.2.3}", "{}"))
    assert load(path, environ={"VERSION": "9"}).runbook.metadata.version == "9"


def test_an_empty_value_is_a_value(edited: Edited) -> None:
    assert load(edited(), {"VERSION": ""}, {}).runbook.metadata.version == ""


def test_values_are_never_read_as_yaml_or_references(edited: Edited) -> None:
    value = "a: [${ZONE}"
    assert load(edited(), {"VERSION": value}, {}).runbook.metadata.version == value


def test_a_reference_can_be_escaped(edited: Edited) -> None:
    loaded = load(edited(("title: Shop", "title: $${VERSION} is ${VERSION}, $5")), environ={})
    assert loaded.runbook.metadata.title == "${VERSION} is 1.2.3, $5"


def test_the_window_stays_in_queries(edited: Edited) -> None:
    assert load(edited(), environ={}).runbook.monitoring.metrics[0].query == "sum(rate(errors[${window}]))"


def test_a_number_may_come_from_a_variable(edited: Edited) -> None:
    path = edited(("{default: zone-1}", '{default: "12"}'), ("weight: 10}", 'weight: "${ZONE}"}'))
    action = load(path, environ={}).runbook.steps[2].actions[0]
    assert action.kind == "traffic"
    assert action.weight == 12


def test_keys_and_the_section_of_variables_are_left_alone(edited: Edited) -> None:
    loaded = load(edited(), environ={})
    assert loaded.runbook.variables["IMAGE"].default == "registry.example/shop:${VERSION}"


@pytest.mark.parametrize("name", ["moshimoshi", "minimal", "gateway"])
def test_shipped_runbooks_are_valid(name: str) -> None:
    loaded = load(config_path(f"runbooks/{name}.yaml"), environ={})
    assert loaded.runbook.metadata.name == name


def test_every_outside_address_of_the_shipped_runbook_can_be_moved() -> None:
    moved = {
        name: f"http://simulator/{name}" for name in ("PROMETHEUS_URL", "CLOUDFLARE_API_URL", "STATUSPAGE_API_URL")
    }
    runbook = load(
        config_path("runbooks/moshimoshi.yaml"), {**moved, "SMTP_SERVER": "simulator:2525", "REGISTRY": "simulator"}, {}
    ).runbook
    assert runbook.monitoring.prometheus == moved["PROMETHEUS_URL"]
    steps: list[Step | RollbackStep] = [*runbook.steps, *runbook.rollback.steps]
    actions = [action for step in steps for action in step.actions]
    assert {action.url for action in actions if action.kind == "purge_cdn"} == {moved["CLOUDFLARE_API_URL"]}
    assert {action.url for action in actions if action.kind == "http_checks"} == {None}
    assert {action.image.split("/")[0] for action in actions if action.kind in ("deploy", "job")} == {"simulator"}
    channels = {channel.kind: channel for channel in runbook.communications.channels}
    assert channels["statuspage"].api == moved["STATUSPAGE_API_URL"]
    assert channels["email"].server == "simulator:2525"


def test_queries_of_the_shipped_runbook_are_balanced() -> None:
    monitoring = load(config_path("runbooks/moshimoshi.yaml"), environ={}).runbook.monitoring
    queries = [metric.query for metric in monitoring.metrics]
    queries += [metric.samples.query for metric in monitoring.metrics if metric.samples]
    signals = (monitoring.alerts_critical, monitoring.candidate_share, monitoring.residual)
    queries += [signal.query for signal in signals if signal]
    assert len(queries) == 12
    for query in queries:
        assert query.count("(") == query.count(")")
        assert query.count("{") == query.count("}")
        assert query.replace("${window}", "").count("$") == 0


def test_the_committed_schema_is_that_of_the_code() -> None:
    text = config_path("schema/runbook.v1.json").read_text()
    assert text == schema_text(), "write cockpit.runbook.jsonschema.schema_text() to config/schema/runbook.v1.json"
    assert json.loads(text)["properties"]["apiVersion"]["const"] == "cockpit/v1"


def test_shipped_data_is_found_in_a_wheel_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, checkout = tmp_path / "cockpit" / "_config", tmp_path / "config"
    for root in (wheel, checkout):
        root.mkdir(parents=True)
        (root / "both").touch()
    (checkout / "one").touch()
    monkeypatch.setattr(shipped, "_ROOTS", (wheel, checkout))
    assert config_path("both") == wheel / "both"
    assert config_path("one") == checkout / "one"
    with pytest.raises(UsageError, match="No none is shipped"):
        config_path("none")


def test_the_wheel_holds_the_data_where_it_is_looked_for() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    package = Path(shipped.__file__).parents[1]
    assert package / "_config" == shipped._ROOTS[0]
    assert included == {"config": "cockpit/_config"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("08:00", "08:00"),
        ("yes", "yes"),
        ("1.0.0", "1.0.0"),
        ("2026-01-01", "2026-01-01"),
        ("012", 12),
        ("0o14", 12),
        ("0xc", 12),
        ("1e2", 100.0),
        (".5", 0.5),
        (".inf", ".inf"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("9" * 30, 1e30),
        ("true", True),
        ("~", None),
        ("", None),
        ("{a: 1}", {"a": 1}),
        ("[a, 1]", ["a", 1]),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text: str, value: Value) -> None:
    root = parse(f"a: {text}\n").root
    assert root == {"a": value}
    assert isinstance(root, dict)
    assert type(root["a"]) is type(value)


def test_a_document_that_claims_yaml_1_1_is_read_the_same() -> None:
    assert parse("%YAML 1.1\n---\na: 08:00\nb: yes\nc: 1_0\n").root == {"a": "08:00", "b": "yes", "c": "1_0"}


def test_lines_of_nodes() -> None:
    tree = parse("a:\n  - x: 1\n    y: 2\n  - z\nb: |\n  one\n  two\n")
    lines: dict[Place, int] = {("a",): 1, ("a", 0): 2, ("a", 0, "y"): 3, ("a", 1): 4, ("b",): 5, ("b", "no"): 5}
    assert {path: tree.line(path) for path in lines} == lines
    assert tree.line(("b",), "two") == 7
    assert tree.line(("gone",)) == 1


def test_paths_are_written_as_people_do() -> None:
    assert path_text(("phases", 1, "steps", 0, "title")) == "phases[1].steps[0].title"
    assert path_text(()) == ""


def test_an_invalid_runbook_says_what_to_do(edited: Edited) -> None:
    with pytest.raises(RunbookInvalid) as raised:
        load(edited(("stable: green", "stable: red")), environ={})
    assert raised.value.hint == "Correct these lines and try again."
