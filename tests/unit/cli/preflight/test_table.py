"""The table: whole at 80 columns and at others, three states as word and glyph."""

from __future__ import annotations

import pytest

from cockpit.cli.preflight import Preflight
from cockpit.cli.preflight.finding import Finding, State
from cockpit.cli.preflight.table import as_json, as_text
from cockpit.cli.settings import ClusterPin

FOUND = Preflight(
    (
        Finding("cluster", "server", State.OK, "https://api.production.test:6443, v1.32.0"),
        Finding("cluster", "clock", State.WARNING, "this machine is 42 s ahead of the API server", "chronyc makestep"),
        Finding(
            "rights",
            "patch ingresses.networking.k8s.io moshimoshi-ingress-canary",
            State.FAIL,
            "not allowed in production; needed for traffic, canary_off and their way back; the commander's epoch",
            'Add the rule {apiGroups: ["networking.k8s.io"], resources: [ingresses], verbs: [patch]}, or apply all',
        ),
    ),
    ClusterPin(server="https://api.production.test:6443", ca_sha256="ab", uid="u-1", context="prod"),
    identity="ops",
    identity_source="SelfSubjectReview v1",
    version="v1.32.0",
    namespace="production",
    production=True,
)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_it_fits_and_says_everything(width: int) -> None:
    text = as_text(FOUND, width)
    assert max(map(len, text.splitlines())) <= min(width, 160)
    squeezed = "".join(text.split())
    for finding in FOUND.findings:
        for words in (finding.message, finding.name, finding.fix):
            assert "".join(words.split()) in squeezed


def test_groups_states_and_the_verdict() -> None:
    lines = as_text(FOUND, 100).splitlines()
    assert [line for line in lines if line.isupper() and not line.startswith(" ")] == ["CLUSTER", "RIGHTS"]
    assert lines[1].startswith("  ✔ ok       server")
    assert lines[2].startswith("  ▲ warning  clock")
    assert any(line.startswith("  ✘ FAIL     patch ingresses") for line in lines)
    assert lines[-2:] == ["✔ 1 ok, ▲ 1 warning, ✘ 1 FAIL", "NOT READY: repair what FAILs. Nothing was changed."]


def test_json_has_the_documented_shape() -> None:
    found = as_json(FOUND)
    assert found["ok"] is False
    assert found["cluster"] == {
        "context": "prod", "server": "https://api.production.test:6443", "ca_sha256": "ab", "uid": "u-1",
        "version": "v1.32.0", "namespace": "production", "production": True, "identity": "ops",
        "identity_source": "SelfSubjectReview v1",
    }  # fmt: skip
    assert [entry["state"] for entry in found["preflight"]] == ["ok", "warning", "fail"]
    assert set(found["preflight"][0]) == {"group", "name", "state", "ok", "message", "fix"}


def test_the_journal_keeps_who_and_every_warning() -> None:
    who, warned = FOUND.notes()
    assert (who.warning, warned.warning) == (False, True)
    assert (
        "the cluster knows us as ops (SelfSubjectReview v1); https://api.production.test:6443, cluster u-1" in who.text
    )
    assert warned.text == "preflight: cluster, clock: this machine is 42 s ahead of the API server"
