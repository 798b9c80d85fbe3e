"""What a runbook needs to be allowed, table by table."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from cockpit.runbook.load import load
from cockpit.runbook.permissions import Role, needed
from cockpit.runbook.rbac import Subject, as_json, as_yaml, role_name
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shipped import config_path

SHIPPED = {name: config_path(f"runbooks/{name}.yaml") for name in ("minimal", "moshimoshi")}
CHANGING = {
    "minimal": [
        "get pods/portforward",
        "create pods/portforward",
        "patch deployments.apps minimal-blue",
        "patch services minimal-active",
        "patch ingresses.networking.k8s.io minimal-canary",
        "patch leases.coordination.k8s.io cockpit-minimal",
        "patch configmaps cockpit-minimal",
    ],
    "moshimoshi": [
        "get pods/portforward",
        "create pods/portforward",
        "get services/proxy moshimoshi-blue:80",
        "get services/proxy moshimoshi-green:80",
        "patch deployments.apps moshimoshi-blue",
        "patch services moshimoshi-active",
        "patch ingresses.networking.k8s.io moshimoshi-ingress-canary",
        "patch leases.coordination.k8s.io cockpit-moshimoshi",
        "patch configmaps cockpit-moshimoshi",
        "get pods/exec",
        "create pods/exec",
        "create jobs.batch",
    ],
}


def book(name: str, *edits: tuple[str, str], tmp_path: Path | None = None) -> Runbook:
    if not edits or tmp_path is None:
        return load(SHIPPED[name], {}, {}).runbook
    text = SHIPPED[name].read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "edited.yaml"
    path.write_text(text)
    return load(path, {}, {}).runbook


@pytest.mark.parametrize("name", SHIPPED)
def test_a_commander_changes_these_and_no_more(name: str) -> None:
    assert [str(one) for one in needed(book(name), Role.COMMANDER) if one.changes] == CHANGING[name]


@pytest.mark.parametrize("name", SHIPPED)
def test_an_observer_changes_nothing_and_sees_what_a_commander_sees(name: str) -> None:
    observer, commander = needed(book(name), Role.OBSERVER), needed(book(name), Role.COMMANDER)
    assert not [one for one in observer if one.changes]
    assert {one.verb for one in observer} == {"get", "list", "watch"}
    assert set(observer) <= set(commander)
    assert not [one for one in observer if one.subresource]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("role", Role)
def test_no_secrets_no_wildcards_and_a_reason_for_each(name: str, role: Role) -> None:
    found = needed(book(name), role)
    assert len(set(found)) == len(found)
    for one in found:
        assert "*" not in (one.verb, one.group, one.resource, one.name)
        assert one.resource not in ("secrets", "serviceaccounts", "roles", "rolebindings")
        assert one.resource not in ("configmaps", "leases") or one.name == f"cockpit-{name}"
        assert one.why
        assert one.namespace == book(name).cluster.namespace


def test_a_gateway_runbook_patches_the_route_and_no_ingress(tmp_path: Path) -> None:
    edit = ("{backend: nginx, canary_ingress: minimal-canary}", "{backend: gateway, http_route: web}")
    found = [str(one) for one in needed(book("minimal", edit, tmp_path=tmp_path), Role.COMMANDER) if one.changes]
    assert "patch httproutes.gateway.networking.k8s.io web" in found
    assert not [one for one in found if "ingresses" in one]


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        ("deployment/redis", {"get pods/exec", "create pods/exec"}),
        ("pod/redis-0", {"get pods/exec redis-0", "create pods/exec redis-0"}),
        ("statefulset/redis", {"get pods/exec", "create pods/exec", "get statefulsets.apps redis"}),
    ],
)
def test_exec_is_bound_to_a_pod_whose_name_is_known(workload: str, expected: set[str], tmp_path: Path) -> None:
    edited = book("moshimoshi", ("workload: deployment/redis", f"workload: {workload}"), tmp_path=tmp_path)
    found = {str(one) for one in needed(edited, Role.COMMANDER) if "exec" in str(one) or "statefulsets" in str(one)}
    assert found == expected


def test_checks_by_url_need_no_proxy(tmp_path: Path) -> None:
    by_url = r"\n\1kind: http_checks\n\1url: https://x.test\n"
    text = re.sub(r"\n( +)kind: http_checks\n", by_url, SHIPPED["moshimoshi"].read_text())
    path = tmp_path / "by-url.yaml"
    path.write_text(text)
    assert not [one for one in needed(load(path, {}, {}).runbook, Role.COMMANDER) if one.subresource == "proxy"]


@pytest.mark.parametrize("role", Role)
def test_the_shipped_manifests_are_those_of_the_shipped_runbook(role: Role) -> None:
    """`make rbac` writes them."""
    rendered = as_yaml(book("moshimoshi"), role)
    assert config_path(f"rbac/moshimoshi-{role.value}.yaml").read_text() == rendered


@pytest.mark.parametrize("role", Role)
def test_yaml_and_json_say_the_same(role: Role) -> None:
    subjects = [Subject("User", "o'brien: #1"), Subject("ServiceAccount", "cockpit", "tools"), Subject("Group", "yes")]
    parser = YAML(typ="safe", pure=True)
    as_read = [*parser.load_all(as_yaml(book("moshimoshi"), role, subjects))]
    assert as_read == parser.load(as_json(book("moshimoshi"), role, subjects))["items"]
    assert [subject["name"] for subject in as_read[1]["subjects"]] == ["o'brien: #1", "cockpit", "yes"]
    assert as_read[1]["roleRef"]["name"] == as_read[0]["metadata"]["name"] == role_name(book("moshimoshi"), role)


def test_the_command_prints_them() -> None:
    arguments = ["rbac", str(SHIPPED["minimal"]), "--role", "commander", "--service-account", "tools:cockpit"]
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", *arguments, "--var", "NAMESPACE=shop"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made, binding, *empty = YAML(typ="safe", pure=True).load_all(done.stdout)
    assert {each["metadata"]["namespace"] for each in (made, binding, *empty)} == {"shop"}
    assert [(each["kind"], each["metadata"]["name"]) for each in empty] == [
        ("Lease", "cockpit-minimal"),
        ("ConfigMap", "cockpit-minimal"),
    ]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "cockpit", "namespace": "tools"}]
