"""The printed Roles at a real API server: what they let through, what they stop, and what a preflight says of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cockpit.adapters.kubernetes.access import KubeAccess
from cockpit.adapters.kubernetes.classify import Request, status_of
from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.cli.edge import run as command
from cockpit.errors import Denied
from cockpit.model.clock import RunClock
from cockpit.runbook.load import load
from cockpit.runbook.permissions import Permission, Role, needed
from cockpit.runbook.rbac import Subject, as_yaml, role_name
from cockpit.runbook.schema import Runbook
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import from_runbook

from .adapters.stage import Stage, http_route, plant, until
from .adapters.stage import access as reach
from .rights import RBAC, apply, trusted, versions
from .test_run_on_a_real_cluster import adapted

pytestmark = [pytest.mark.kube, pytest.mark.xdist_group("kube")]

METHODS = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "patch": "PATCH"}
EVERYTHING = """
          - {id: flush, kind: exec, workload: deployment/web-blue, argv: [redis-cli, FLUSHALL], consent: FLUSHALL}
          - {id: database, kind: job, image: "web:1", argv: [migrate]}
          - {id: smoke, kind: http_checks, track: green, checks: [{name: health, path: /}]}
"""
Capture = pytest.CaptureFixture[str]


@pytest.fixture
async def stage(real_kubeconfig: Path, tmp_path: Path) -> AsyncIterator[Stage]:
    config = trusted(real_kubeconfig, tmp_path / "kubeconfig")
    access = reach(config, "admin", config, "observer")
    async with open_client(*access.admin) as client:
        stage = Stage(client, f"rights-{uuid4().hex[:6]}", access)
        await plant(stage, 2)
        for track in ("web-blue", "web-green"):
            await until(partial(stage.workloads.deployment, track), lambda seen: seen.available == 2, 60)
        yield stage
        await stage.delete(Resource("", "v1", "namespaces", "", stage.namespace))


@pytest.fixture
def runbook(tmp_path: Path) -> Path:
    """The minimal runbook with one action of every kind that asks something of the cluster."""
    path = tmp_path / "runbook.yaml"
    line = "{id: traffic-50, kind: traffic, weight: 50}\n"
    text = adapted()
    assert line in text
    path.write_text(text.replace(line, line.rstrip("\n") + EVERYTHING))
    return path


@asynccontextmanager
async def user(stage: Stage, name: str) -> AsyncIterator[KubeClient]:
    async with open_client(stage.access.admin[0], name) as client:
        yield client


async def grant(stage: Stage, book: Runbook) -> None:
    for role in Role:
        await apply(stage, as_yaml(book, role, [Subject("User", role.value)]))


async def refused(client: KubeClient, one: Permission, pod: str) -> bool:
    """Whether the API server refuses the very request that a permission is for; others may say 403 behind a proxy."""
    served = await client.versions(one.group) if one.group else ["v1"]
    name = one.name or (pod if one.subresource else "")
    if not name and one.verb == "get":
        name = "nothing-of-that-name"
    resource = Resource(one.group, served[0], one.resource, one.namespace, name, one.subresource)
    content = "application/json-patch+json" if one.verb == "patch" else "application/json"
    query = {"watch": "true", "timeoutSeconds": "1"} if one.verb == "watch" else {"command": "true", "stdout": "true"}
    body: Any = [] if one.verb == "patch" else {} if one.verb == "create" else None
    reply = await client.once(METHODS[one.verb], Request(one.verb, resource), query, body=body, content=content)
    return reply.status == 403 and status_of(reply.body) is not None


async def stopped(client: KubeClient, asked: list[Permission], pod: str) -> list[Permission]:
    """Those that the API server refuses."""
    answers = await asyncio.gather(*(refused(client, one, pod) for one in asked))
    return [one for one, no in zip(asked, answers, strict=True) if no]


async def served(client: KubeClient, book: Runbook, role: Role) -> list[Permission]:
    return [one for one in needed(book, role) if not one.group or await client.versions(one.group)]


async def test_a_role_lets_its_holder_do_all_of_it_and_an_observer_none_that_changes(
    stage: Stage, runbook: Path
) -> None:
    book = load(runbook, {"NAMESPACE": stage.namespace}).runbook
    await grant(stage, book)
    pod = (await stage.client.all_of(stage.at("", "pods")))[0]["metadata"]["name"]
    before = await versions(stage)
    async with user(stage, "commander") as commander, user(stage, "observer") as observer:
        commanding = await served(commander, book, Role.COMMANDER)
        observing = await served(observer, book, Role.OBSERVER)
        assert await stopped(commander, commanding, pod) == []
        assert await stopped(observer, observing, pod) == []
        changing = [one for one in commanding if one not in observing]
        assert len([one for one in changing if one.changes]) == 11
        assert await stopped(observer, changing, pod) == changing
    assert await versions(stage) == before


async def test_every_change_the_adapters_make_is_refused_to_an_observer(stage: Stage, runbook: Path) -> None:
    await stage.define_http_routes()
    await until(stage.http_routes_served, bool)
    await stage.client.create(stage.at("gateway.networking.k8s.io", "httproutes"), http_route((0, 100)))
    await grant(stage, load(runbook, {"NAMESPACE": stage.namespace}).runbook)
    before = await versions(stage)
    async with user(stage, "observer") as client:
        seen = Stage(client, stage.namespace, stage.access)
        deployment = await seen.workloads.deployment("web-green")
        service, canary, route = await seen.workloads.service("web"), await seen.nginx.read(), await seen.gateway.read()
        changes: dict[str, Callable[[], Awaitable[Any]]] = {
            "image": lambda: seen.workloads.set_image(deployment, "web:2.0.0"),
            "image, dry": lambda: seen.workloads.set_image(deployment, "web:2.0.0", dry_run=True),
            "selector": lambda: seen.workloads.set_selector(service, {"app": "web", "version": "green"}),
            "selector, dry": lambda: seen.workloads.set_selector(service, {"app": "x"}, dry_run=True),
            "weight": lambda: seen.nginx.set_weight(canary, 50),
            "canary off": lambda: seen.nginx.disable(canary),
            "weights": lambda: seen.gateway.set_weight(route, 50),
            "route off": lambda: seen.gateway.set_weight(route, 10, dry_run=True),
            "job": lambda: seen.create_job("migrate", "web:1"),
            "exec": lambda: seen.workloads.run_in_pod("deployment/web-blue", ["true"], 5.0),
            "proxy": lambda: seen.workloads.get_through_proxy("web-green", 80, "/", 5.0),
        }
        outcomes = await asyncio.gather(*(change() for change in changes.values()), return_exceptions=True)
        assert {name: type(end) for name, end in zip(changes, outcomes, strict=True)} == dict.fromkeys(changes, Denied)
    assert await versions(stage) == before


@pytest.mark.parametrize(
    ("resource", "sub", "named", "other"),
    [("pods", "exec", "redis-0", "redis-1"), ("services", "proxy", "web:80", "web:81")],
)
async def test_names_bind_subresources(stage: Stage, resource: str, sub: str, named: str, other: str) -> None:
    """A rule with resourceNames covers exec into that pod, and the proxy of that port, and no other."""
    rule = {"apiGroups": [""], "resources": [f"{resource}/{sub}"], "resourceNames": [named], "verbs": ["get"]}
    metadata = {"name": "bound", "namespace": stage.namespace}
    head = {"apiVersion": f"{RBAC}/v1", "metadata": metadata}
    await stage.client.create(stage.at(RBAC, "roles"), {**head, "kind": "Role", "rules": [rule]})
    binding = {
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "bound"},
        "subjects": [{"kind": "User", "name": "observer", "apiGroup": RBAC}],
    }
    await stage.client.create(stage.at(RBAC, "rolebindings"), {**head, "kind": "RoleBinding", **binding})
    async with user(stage, "observer") as client:
        for name, allowed in ((named, True), (other, False), ("", False)):
            one = Permission("get", "", resource, stage.namespace, "a test", sub, name)
            assert (await KubeAccess(client).may(one)).allowed is allowed
        assert not await refused(client, Permission("get", "", resource, stage.namespace, "", sub, named), "")
        assert await refused(client, Permission("get", "", resource, stage.namespace, "", sub, other), "")


@pytest.mark.parametrize("missing", ["patch services web", "list pods", "patch ingresses.networking.k8s.io web-canary"])
async def test_a_preflight_names_the_one_permission_that_is_missing(
    missing: str, stage: Stage, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text(adapted())
    book = load(path, {"NAMESPACE": stage.namespace}).runbook
    await grant(stage, book)
    await _take_away(stage, book, missing)
    before = await versions(stage)
    clock = RunClock.starting(datetime.now(UTC), 1.0)
    async with Simulator(from_runbook(book), clock) as simulator:
        code, found = await _check(stage, path, simulator.prometheus_url, capsys)
    assert (code, found["ok"]) == (5, False)
    failed = {(one["group"], one["name"]) for one in found["preflight"] if one["state"] == "fail"}
    assert {name for group, name in failed if group == "rights"} == {missing, "permissions"}
    (row,) = [one for one in found["preflight"] if one["name"] == missing]
    assert f"verbs: [{missing.split()[0]}]" in row["fix"]
    assert f"not allowed in {stage.namespace}" in row["message"]
    proved = {name for group, name in failed if group == "changes (dry run)"}
    assert bool(proved) == missing.startswith("patch")
    assert await versions(stage) == before


async def _check(stage: Stage, path: Path, prometheus: str, capsys: Capture) -> tuple[int, Any]:
    """`cockpit check` as the commander, in a thread: it has an event loop of its own."""

    variables = (f"NAMESPACE={stage.namespace}", f"PROMETHEUS_URL={prometheus}", "IMAGE=web", "VERSION=2.0.0")
    arguments = ["check", str(path), "--kubeconfig", stage.access.admin[0], "--context", "commander", "-o", "json"]
    arguments += [word for each in variables for word in ("--var", each)]
    code = await asyncio.to_thread(command, arguments)
    return code, json.loads(capsys.readouterr().out)


async def _take_away(stage: Stage, book: Runbook, missing: str) -> None:
    """Take one verb out of the commander's Role."""
    verb, what, *name = missing.split()
    resource = what.partition(".")[0]
    at = stage.at(RBAC, "roles", role_name(book, Role.COMMANDER))
    rules = (await stage.client.get(at))["rules"]
    for rule in rules:
        if rule["resources"] == [resource] and rule.get("resourceNames", []) == name and verb in rule["verbs"]:
            rule["verbs"] = [each for each in rule["verbs"] if each != verb]
    kept = [rule for rule in rules if rule["verbs"]]
    assert kept != (await stage.client.get(at))["rules"]
    await stage.client.patch(at, [{"op": "replace", "path": "/rules", "value": kept}])
