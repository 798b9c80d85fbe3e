"""What the facts mean for a run, table by table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.adapters.kubernetes.access import Identity, Review, Rule, ServerFacts
from cockpit.adapters.kubernetes.hygiene import Danger, Kubeconfig
from cockpit.adapters.kubernetes.survey import ScalerFacts, ServiceFacts, WorkloadFacts, Writer
from cockpit.cli.preflight import cluster, metrics, neighbours, objects, rights
from cockpit.cli.preflight.finding import Note, State
from cockpit.errors import Unreachable
from cockpit.model.cluster import CanaryState
from cockpit.model.cluster import Note as RouteNote
from cockpit.model.guarded import GuardedObject
from cockpit.model.verdict import Measurement, Verdict
from cockpit.runbook.load import load
from cockpit.runbook.permissions import Permission
from cockpit.runbook.shipped import config_path

BOOK = load(config_path("runbooks/moshimoshi.yaml"), {}, {}).runbook
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
KUBECONFIG = Kubeconfig("blue", "https://api.test:6443", "aa", (Path("/home/ops/.kube/config"),))
FACTS = cluster.Facts(
    ServerFacts("https://api.test:6443", "v1.32.0", 0.1), Identity("ops", ("sre",), "review"), "u-1", KUBECONFIG, "blue"
)
LABELS = {"app": "moshimoshi", "version": "green"}
WARM = WorkloadFacts("moshimoshi-green", 3, 3, LABELS, ("web",), ())
SERVICE = ServiceFacts("moshimoshi-green", LABELS, (80,), ())
OK, WARNING, FAIL = State.OK, State.WARNING, State.FAIL


def worst(notes: Iterable[Note]) -> tuple[State, str]:
    found = sorted(notes, key=lambda note: [FAIL, WARNING, OK].index(note.state))
    return found[0].state, f"{found[0].message} → {found[0].fix}"


@pytest.mark.parametrize(
    ("facts", "name", "state", "words"),
    [
        (FACTS, "server", OK, "v1.32.0"),
        (FACTS, "identity", OK, "ops, groups sre (review)"),
        (replace(FACTS, server=Unreachable("no route", "look")), "server", FAIL, "no route"),
        (replace(FACTS, server=ServerFacts("s", "v1", 42.0)), "clock", WARNING, "42 s ahead of"),
        (replace(FACTS, server=ServerFacts("s", "v1", -9.0)), "clock", WARNING, "9 s behind"),
        (replace(FACTS, identity=Identity("")), "identity", OK, "unknown (this API server"),
        (
            replace(FACTS, identity=Identity(""), kubeconfig=replace(KUBECONFIG, user="cn")),
            "identity",
            OK,
            "cn (the kubeconfig's certificate",
        ),
        (
            replace(FACTS, kubeconfig=replace(KUBECONFIG, dangers=(Danger("open to all", "chmod 600 it"),))),
            "kubeconfig",
            FAIL,
            "chmod 600 it",
        ),
        (
            replace(FACTS, kubeconfig=replace(KUBECONFIG, expires=NOW - timedelta(hours=1))),
            "credentials",
            FAIL,
            "ended at 2026-11-26 07:00",
        ),
        (
            replace(FACTS, kubeconfig=replace(KUBECONFIG, expires=NOW + timedelta(hours=3))),
            "credentials",
            WARNING,
            "in 3.0 h",
        ),
        (
            replace(FACTS, kubeconfig=replace(KUBECONFIG, expires=NOW + timedelta(days=3))),
            "credentials",
            OK,
            "end at 2026-11-29",
        ),
        (FACTS, "context", OK, "PRODUCTION: blue, namespace production"),
    ],
)
def test_the_cluster(facts: cluster.Facts, name: str, state: State, words: str) -> None:
    found = worst(note for note in cluster.judge(facts, BOOK, NOW) if note.name == name)
    assert found[0] is state
    assert words in found[1]


def test_another_context_than_the_runbooks_is_said() -> None:
    planned = BOOK.model_copy(update={"cluster": BOOK.cluster.model_copy(update={"context": "prod-eu"})})
    found = worst(note for note in cluster.judge(FACTS, planned, NOW) if note.name == "context")
    assert found[0] is WARNING
    assert "written for prod-eu" in found[1]


@pytest.mark.parametrize(
    ("context", "namespace", "environment", "expected"),
    [
        ("prod-eu", "shop", "test", True),
        ("eu_PRD", "shop", "test", True),
        ("x", "production", "test", True),
        ("x", "shop", "Production", True),
        ("product-search", "reproduce", "delivery", False),
        ("live", "shop", "staging", True),
        ("x", "alive", "staging", False),
    ],
)
def test_production_is_recognised(context: str, namespace: str, environment: str, expected: bool) -> None:
    book = BOOK.model_copy(
        update={
            "cluster": BOOK.cluster.model_copy(update={"namespace": namespace}),
            "metadata": BOOK.metadata.model_copy(update={"environment": environment}),
        }
    )
    assert cluster.is_production(replace(FACTS, context=context), book) is expected


@pytest.mark.parametrize(
    ("track", "seen", "state", "words"),
    [
        ("green", WARM, OK, "stable, warm: 3 of 3"),
        ("green", replace(WARM, available=2), FAIL, "2 of 3 pods are available → kubectl -n production describe"),
        ("green", replace(WARM, wanted=1, available=1), FAIL, "kubectl -n production scale deployment"),
        ("green", replace(WARM, wanted=1), FAIL, "scaled to 1, 3 of 3 pods are available"),
        ("green", replace(WARM, labels={"app": "moshimoshi"}), FAIL, "lack the labels version=green"),
        ("blue", replace(WARM, labels={**LABELS, "version": "blue"}), OK, "candidate: 3 of 3"),
        ("blue", replace(WARM, wanted=0, labels={**LABELS, "version": "blue"}), WARNING, "scaled to 0"),
    ],
)
def test_workloads(track: str, seen: WorkloadFacts, state: State, words: str) -> None:
    found = worst(objects.judge_workload(BOOK.cluster, track, seen))
    assert found[0] is state
    assert words in found[1]


def test_a_container_that_is_not_there() -> None:
    tracks = {name: track.model_copy(update={"container": "api"}) for name, track in BOOK.cluster.tracks.items()}
    named = BOOK.cluster.model_copy(update={"tracks": tracks})
    assert worst(objects.judge_workload(named, "green", WARM))[1].startswith("has no container api → It has web:")


@pytest.mark.parametrize(
    ("seen", "proxied", "state", "words"),
    [
        (SERVICE, True, OK, "app=moshimoshi,version=green, ports 80"),
        (replace(SERVICE, selector={"app": "moshimoshi"}), True, FAIL, "has no version"),
        (replace(SERVICE, selector={"version": "blue"}), True, FAIL, "has version=blue, the track is green"),
        (replace(SERVICE, ports=(8080,)), True, FAIL, "has no port 80 → It has 8080"),
        (replace(SERVICE, ports=(8080,)), False, OK, "ports 8080"),
    ],
)
def test_services_of_tracks(seen: ServiceFacts, proxied: bool, state: State, words: str) -> None:
    found = worst(objects.judge_service(BOOK.cluster, BOOK.cluster.tracks["green"], seen, proxied))
    assert found[0] is state
    assert words in found[1]


@pytest.mark.parametrize(
    ("selector", "state", "words"),
    [
        ({"version": "green"}, OK, "points at green"),
        ({"version": "blue"}, FAIL, "would deploy to the live track"),
        ({"version": "red"}, FAIL, "version is red: the Service points at neither"),
        ({}, FAIL, "version is missing"),
    ],
)
def test_the_active_service_points_at_stable(selector: dict[str, str], state: State, words: str) -> None:
    found = worst(objects.judge_active(BOOK.cluster, replace(SERVICE, selector=selector)))
    assert found[0] is state
    assert words in found[1]


@pytest.mark.parametrize(
    ("seen", "backend", "state", "words"),
    [
        (CanaryState("web", 0, True), "gateway", OK, "weight 0 %, on"),
        (CanaryState("web", 40, False), "gateway", OK, "weight 40 %, off"),
        (CanaryState("web", 40, True), "gateway", FAIL, "40 % already → kubectl one && kubectl two"),
        (CanaryState("web", 0, True, notes=(RouteNote(text="a cookie"),)), "gateway", WARNING, "a cookie"),
        (CanaryState("web", 0, True), "nginx", WARNING, "retired in March 2026"),
    ],
)
def test_the_route_is_idle(seen: CanaryState, backend: str, state: State, words: str) -> None:
    found = worst(objects.judge_route(seen, backend, ("kubectl one", "kubectl two")))
    assert found[0] is state
    assert words in found[1]


@pytest.mark.parametrize(
    ("manager", "state", "words"),
    [
        ("argocd-controller", WARNING, "Argo CD (argocd-controller) writes the selector of service/web"),
        ("kustomize-controller", WARNING, "flux suspend"),
        ("flagger", WARNING, "suspend its Canary"),
        ("kubectl-edit", OK, "last written by kubectl-edit"),
    ],
)
def test_reconcilers_are_named(manager: str, state: State, words: str) -> None:
    found = worst(neighbours.judge_writers([("service/web", Writer(manager, "the selector"))]))
    assert found[0] is state
    assert words in found[1]


def test_stamps_of_another_run_are_said() -> None:
    (calm,) = neighbours.judge_stamps([GuardedObject("service/web", {})], ())
    assert calm.state is OK
    stamped = [
        GuardedObject("service/web", {}, epoch=3, holder="r-1 by ops"),
        GuardedObject("ingress/web", {}, epoch=2),
    ]
    (note,) = neighbours.judge_stamps(stamped, {"r-2"})
    assert (note.state, note.message) == (WARNING, "the guarded objects carry epoch 3 of r-1 by ops")
    (over,) = neighbours.judge_stamps(stamped, {"r-1"})
    assert over.state is OK


def test_an_autoscaler_that_would_let_stable_shrink() -> None:
    scalers = [ScalerFacts("a", "deployment/moshimoshi-green", 1, 9), ScalerFacts("b", "deployment/other", 1, 2)]
    (note,) = neighbours.judge_scalers(BOOK.cluster, scalers)
    assert note.state is WARNING
    assert "minReplicas to 3" in note.fix
    (calm,) = neighbours.judge_scalers(BOOK.cluster, [ScalerFacts("a", "deployment/moshimoshi-green", 3, 9)])
    assert calm.state is OK


@pytest.mark.parametrize(
    ("verdict", "value", "reason", "state", "words"),
    [
        (Verdict.NORMAL, 0.04, "", OK, "0.04 %, NORMAL"),
        (Verdict.WARNING, 0.5, "", WARNING, "0.50 % is WARNING before anything was changed"),
        (Verdict.CRITICAL, 5.0, "", WARNING, "5.00 % is CRITICAL"),
        (Verdict.NO_DATA, None, "no series", WARNING, "no data yet: no series → Is there traffic"),
        (Verdict.BROKEN, None, "3 series where one is expected", FAIL, "one series: book.yaml:7"),
    ],
)
def test_measurements(verdict: Verdict, value: float | None, reason: str, state: State, words: str) -> None:
    measured = Measurement(metric="error_rate", at=NOW, value=value, verdict=verdict, reason=reason)
    found = worst(metrics.judge(BOOK.monitoring.metrics[0], measured, "book.yaml:7"))
    assert found[0] is state
    assert words in found[1]


def test_a_missing_permission_names_verb_name_reason_and_rule() -> None:
    asked = [
        Permission("patch", "", "services", "shop", "switch: back", name="web"),
        Permission("get", "", "pods", "shop", "the logs screen", "log", required=False),
        Permission("list", "", "pods", "shop", "pods"),
    ]
    reviews = [Review(False, "no RBAC policy matched"), Review(False), Review(True)]
    first, second, last = rights.judge(asked, reviews, "cockpit rbac book.yaml")
    assert rights.judge(asked, [Review(True)] * 3, "") == [Note(OK, "3 of 3 verbs on resources and names are granted")]
    assert (first.state, first.name) == (FAIL, "patch services web")
    assert first.message == "not allowed in shop (no RBAC policy matched); needed for switch: back"
    assert '{apiGroups: [""], resources: [services], resourceNames: [web], verbs: [patch]}' in first.fix
    assert (second.state, second.name) == (WARNING, "get pods/log")
    assert "resourceNames" not in second.fix
    assert (last.state, last.message) == (FAIL, "1 of 3 verbs on resources and names are granted")
    assert last.fix == "Somebody who may grant rights runs: cockpit rbac book.yaml"


def test_verbs_that_are_missing_together_are_one_row() -> None:
    asked = [Permission(verb, "apps", "deployments", "shop", "images") for verb in ("get", "list", "watch")]
    row, _ = rights.judge(asked, [Review(False)] * 3, "")
    assert row.name == "get,list,watch deployments.apps"
    assert "verbs: [get, list, watch]" in row.fix


@pytest.mark.parametrize(
    ("rule", "sweeping"),
    [
        (Rule(("get",), ("",), ("pods",)), False),
        (Rule(("*",), ("",), ("pods",)), True),
        (Rule(("get",), ("",), ("*",)), True),
        (Rule(("get",), ("",), ("*/scale",)), True),
        (Rule(("get",), ("*",), ("pods",)), False),
    ],
)
def test_wildcard_rules(rule: Rule, sweeping: bool) -> None:
    assert rule.sweeping is sweeping
