"""The whole preflight of the shipped runbook, against a simulated cluster with the printed Roles."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cockpit.adapters.kubernetes.nginx import PREFIX
from cockpit.adapters.open import Adapters, Endpoints, open_outside
from cockpit.cli.launch import Plan
from cockpit.cli.pin import refuse_rebuilt_cluster
from cockpit.cli.preflight import Finding, Preflight, State, look, metrics, rights
from cockpit.cli.preflight.ground import Ground
from cockpit.cli.preflight.table import as_json, as_text
from cockpit.cli.settings import RunSettings
from cockpit.errors import BadAnswer, Denied, UsageError
from cockpit.model.clock import RunClock
from cockpit.model.cluster import JobOrder
from cockpit.model.outside import QueryAnswer
from cockpit.runbook.load import LoadedRunbook, load
from cockpit.runbook.permissions import Role, needed
from cockpit.runbook.rbac import manifests
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path
from cockpit.simulator.derive import from_runbook
from cockpit.simulator.faults import Fault
from cockpit.simulator.kube.reviews import COMMANDER_TOKEN
from cockpit.simulator.server import Simulator
from cockpit.simulator.world.kinds import NAMESPACE as NAMESPACE_KIND

SHIPPED = config_path("runbooks/moshimoshi.yaml")
SECRETS = {
    "CLOUDFLARE_API_TOKEN": "cf-canary-secret",
    "CLOUDFLARE_ZONE_ID": "zone-canary",
    "STATUSPAGE_API_KEY": "sp-key",
}
MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass
class Stage:
    """The simulator, the runbook as it would be run against it, and the way to it."""

    simulator: Simulator
    loaded: LoadedRunbook
    kubeconfig: Path

    async def look(self) -> Preflight:
        at = self.simulator.addresses()
        plan = Plan(SHIPPED, kubeconfig=str(self.kubeconfig))
        return await look(self.loaded, plan, Endpoints(registry=at["registry"]))

    async def change(self, path: str, body: dict[str, Any]) -> None:
        """A change by somebody else."""
        headers = {**MERGE, "Authorization": f"Bearer {COMMANDER_TOKEN}"}
        self.simulator.kube.access.roles.clear()
        url = f"{self.simulator.kube_url}{path}"
        async with aiohttp.ClientSession(headers=headers) as session, session.patch(url, json=body) as answer:
            assert answer.status == 200, await answer.text()
        self.bind()

    def bind(self) -> None:
        made, _ = manifests(self.loaded.runbook, Role.COMMANDER, [])
        self.simulator.kube.access.bind(COMMANDER_TOKEN, made)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    clock = RunClock.starting(datetime.now(UTC), speed=1.0)
    async with Simulator(from_runbook(load(SHIPPED, {}, {}).runbook), clock) as simulator:
        at = simulator.addresses()
        for name, value in {**SECRETS, "SLACK_WEBHOOK_URL": at["slack"]}.items():
            monkeypatch.setenv(name, value)
        where = {
            "PROMETHEUS_URL": at["prometheus"],
            "CLOUDFLARE_API_URL": at["cloudflare"],
            "STATUSPAGE_API_URL": at["statuspage"],
            "SMTP_SERVER": at["smtp"],
        }
        config = simulator.write_kubeconfig(tmp_path / "kubeconfig")
        made = Stage(simulator, load(SHIPPED, where, {}), config)
        made.bind()
        yield made


@pytest.fixture
async def adapters(stage: Stage) -> AsyncIterator[Adapters]:
    book = stage.loaded.runbook
    async with open_outside(book, SecretStore(book.secrets), kubeconfig=str(stage.kubeconfig)) as outside:
        yield outside


def failed(found: Preflight) -> set[tuple[str, str]]:
    return {(one.group, one.name) for one in found.findings if one.state is State.FAIL}


def named(found: Preflight, name: str) -> list[Finding]:
    return [one for one in found.findings if one.name == name]


async def test_a_commander_with_the_printed_role_is_ready(stage: Stage) -> None:
    found = await stage.look()
    assert failed(found) == set(), as_text(found, 120)
    warned = {(one.group, one.name) for one in found.findings if one.state is State.WARNING}
    # The Role is there; the empty Lease that is printed with it is not.
    assert warned == {("objects", "route"), ("one commander", "lease")}, as_text(found, 120)
    assert {one.group for one in found.findings} == {
        "cluster", "rights", "one commander", "objects", "changes (dry run)", "neighbours", "images", "metrics",
        "secrets and messages",
    }  # fmt: skip
    assert (found.identity, found.production) == ("commander@simulator", True)
    assert found.pin is not None
    assert (found.pin.server, found.pin.context) == (stage.simulator.kube_url, "simulator")


async def test_nothing_is_changed_and_no_secret_is_shown(stage: Stage) -> None:
    version = stage.simulator.world.cluster.store.version
    found = await stage.look()
    assert stage.simulator.world.cluster.store.version == version
    assert stage.simulator.world.record.all() == []
    said = as_text(found, 160) + json.dumps(as_json(found)) + "".join(note.text for note in found.notes())
    for secret in (*SECRETS.values(), stage.simulator.addresses()["slack"]):
        assert secret not in said


async def test_the_permission_that_is_missing_is_named_each_time(stage: Stage, adapters: Adapters) -> None:
    """Every permission in turn is taken out of the Role."""
    book = stage.loaded.runbook
    ground = Ground(stage.loaded, SecretStore(book.secrets), adapters, None)
    unserved = ("autoscaling", "policy")
    for one in needed(book, Role.COMMANDER):
        rules = [
            {
                "verbs": [each.verb],
                "apiGroups": [each.group],
                "resources": [each.plural],
                **({"resourceNames": [each.name]} if each.name else {}),
            }
            for each in needed(book, Role.COMMANDER)
            if each != one
        ]
        stage.simulator.kube.access.bind(COMMANDER_TOKEN, {"metadata": {"namespace": one.namespace}, "rules": rules})
        notes = await rights.permissions(ground)
        found = [(note.name, note.state) for note in notes]
        state = State.FAIL if one.required else State.WARNING
        assert found == ([("", State.OK)] if one.group in unserved else [(str(one), state), ("", state)])


async def test_what_runs_in_the_cluster_runs_under_the_role(stage: Stage, adapters: Adapters) -> None:
    workloads = adapters.workloads
    assert (await workloads.run_in_pod("deployment/redis", ["redis-cli", "PING"], 10.0)).stdout.strip() == "PONG"
    assert (await workloads.get_through_proxy("moshimoshi-blue", 80, "/health", 5.0)).status == 200
    await workloads.jobs.create(JobOrder("migrate", "run-1", "migrate", 60, "busybox", ("true",)))
    assert (await workloads.jobs.state("migrate")).name == "migrate"
    with pytest.raises(Denied, match="services/proxy"):
        await workloads.get_through_proxy("moshimoshi-active", 80, "/health", 5.0)
    seen = await workloads.deployment("moshimoshi-green")
    with pytest.raises(Denied, match="patch deployments"):
        await workloads.set_image(seen, "busybox", dry_run=True)


NAMESPACE = "/namespaces/production"
ACTIVE = f"/api/v1{NAMESPACE}/services/moshimoshi-active"
CANARY = f"/apis/networking.k8s.io/v1{NAMESPACE}/ingresses/moshimoshi-ingress-canary"
GREEN = f"/apis/apps/v1{NAMESPACE}/deployments/moshimoshi-green"


@pytest.mark.parametrize(
    ("path", "body", "name", "words"),
    [
        (ACTIVE, {"spec": {"selector": {"version": "blue"}}}, "service moshimoshi-active", "the live track"),
        (CANARY, {"metadata": {"annotations": {f"{PREFIX}canary-weight": "30"}}}, "route", "30 % already"),
        (GREEN, {"spec": {"replicas": 1}}, "deployment moshimoshi-green", "stable is not warm: scaled to 1"),
    ],
)
async def test_a_cluster_that_is_not_at_its_start(
    path: str, body: dict[str, Any], name: str, words: str, stage: Stage
) -> None:
    await stage.change(path, body)
    found = await stage.look()
    (row,) = [one for one in named(found, name) if one.state is State.FAIL]
    assert words in row.message
    assert row.fix
    assert {group for group, _ in failed(found)} == {"objects"}


@pytest.mark.parametrize(
    ("surface", "group", "state"),
    [("prometheus", "metrics", State.FAIL), ("statuspage", "secrets and messages", State.WARNING)],
)
async def test_a_system_that_is_down_hides_nothing_else(surface: str, group: str, state: State, stage: Stage) -> None:
    whole = await stage.look()
    stage.simulator.world.faults.set(Fault(surface, "close", trigger="set"), stage.simulator.world.cluster.now)
    found = await stage.look()
    assert [(one.group, one.name) for one in found.findings] == [(one.group, one.name) for one in whole.findings]
    worse = {one.group for one, before in zip(found.findings, whole.findings, strict=True) if one.state != before.state}
    assert worse == {group}
    assert state in {one.state for one in found.findings if one.group == group}


async def test_an_api_server_that_is_down_hides_no_metric(stage: Stage) -> None:
    stage.simulator.world.faults.set(Fault("kube", "close", trigger="set"), stage.simulator.world.cluster.now)
    found = await stage.look()
    assert ("cluster", "server") in failed(found)
    assert {one.state for one in found.findings if one.group == "metrics"} == {State.OK}


async def test_a_secret_that_is_missing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    found = await stage.look()
    assert failed(found) == {("secrets and messages", "secret SLACK_WEBHOOK_URL")}
    assert [one.state for one in named(found, "channel slack")] == [State.WARNING]


async def test_an_image_that_was_never_pushed(stage: Stage) -> None:
    found_in = {**stage.loaded.variables, "VERSION": "9.9.9"}
    stage.loaded = load(SHIPPED, found_in, {})
    found = await stage.look()
    assert failed(found) == {("images", "gcr.io/moshimoshi-prod/moshimoshi:9.9.9")}


async def test_a_query_that_is_refused_is_told_with_its_line(
    stage: Stage, adapters: Adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(expression: str) -> QueryAnswer:
        raise BadAnswer('Prometheus refused the query: bad_data: 1:5: parse error: unexpected "by"')

    monkeypatch.setattr(adapters.metrics, "query", refuse)
    book = stage.loaded.runbook
    ground = Ground(stage.loaded, SecretStore(book.secrets), adapters, None)
    (note,) = await metrics.measure(ground, 2, book.monitoring.metrics[2])
    assert note.state is State.FAIL
    assert "unexpected" in note.message
    line = next(number for number, text in enumerate(SHIPPED.read_text().splitlines(), 1) if "100 * max(sum by" in text)
    assert note.fix == f"Correct monitoring.metrics[2].query at {SHIPPED}:{line - 1}"


async def test_a_cluster_that_was_built_again_is_refused(stage: Stage) -> None:
    found = await stage.look()
    stage.simulator.kube.access.roles.clear()
    uid = stage.simulator.world.cluster.store.get(NAMESPACE_KIND, "", "kube-system")["metadata"]["uid"]  # type: ignore[index]
    settings = RunSettings(
        run="r-1", runbook="r", original="/r.yaml", kubeconfig=str(stage.kubeconfig), commander="ops", cluster=found.pin
    )
    for known, refused in (("", False), (uid, False), ("another", True)):
        assert found.pin is not None
        pinned = settings.model_copy(update={"cluster": found.pin.model_copy(update={"uid": known})})
        (outcome,) = await asyncio.gather(asyncio.to_thread(refuse_rebuilt_cluster, pinned), return_exceptions=True)
        assert isinstance(outcome, UsageError) is refused, outcome


async def test_more_power_than_needed_is_warned_about(stage: Stage) -> None:
    made, _ = manifests(stage.loaded.runbook, Role.COMMANDER, [])
    for extra in (
        {"verbs": ["*"], "apiGroups": ["batch"], "resources": ["cronjobs"]},
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]},
    ):
        stage.simulator.kube.access.bind(COMMANDER_TOKEN, {**made, "rules": [*made["rules"], extra]})
        (row,) = named(await stage.look(), "too much power")
        assert row.state is State.WARNING
        assert ("wildcard rule * cronjobs.batch" in row.message) == (extra["verbs"] == ["*"])
        assert ("read every Secret" in row.message) == (extra["resources"] == ["secrets"])
        assert "--role commander" in row.fix
