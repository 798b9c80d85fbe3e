"""Both traffic backends, the same against the simulator and a real API server."""

from __future__ import annotations

import asyncio
import json
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.kubernetes.nginx import PREFIX
from cockpit.errors import BadAnswer, Conflict, Denied, NotFound
from cockpit.model.cluster import CanaryState, Severity

from .stage import CANARY, MAIN, Stage, http_route, parent, until

AFFINITY = f"{PREFIX}affinity"


async def written(stage: Stage) -> dict[str, str]:
    found = await stage.client.get(stage.ingress)
    return {key.removeprefix(PREFIX): value for key, value in found["metadata"].get("annotations", {}).items()}


async def annotate(stage: Stage, manager: str, values: Mapping[str, str | None]) -> None:
    named = {PREFIX + key: value for key, value in values.items()}
    await stage.write_as(manager, stage.ingress, {"metadata": {"annotations": named}})


async def by_hand(command: str, kubeconfig: str, cache: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    argv = [*shlex.split(command), "--kubeconfig", kubeconfig, "--cache-dir", str(cache)]
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, said


async def test_weight_is_written_and_read_back(stage: Stage) -> None:
    traffic = stage.nginx
    assert await traffic.read() == CanaryState(CANARY, 0, True)

    await traffic.set_weight(await traffic.read(), 10)
    await traffic.set_weight(await traffic.read(), 50)

    assert await traffic.read() == CanaryState(CANARY, 50, True)
    assert await written(stage) == {"canary": "true", "canary-weight": "50"}


async def test_weight_can_be_written_again_without_reading(stage: Stage) -> None:
    traffic = stage.nginx
    await traffic.set_weight(CanaryState(CANARY, 0, True), 10)
    await traffic.set_weight(CanaryState(CANARY, 10, True), 100)

    assert (await traffic.read()).share == 100


async def test_disabled_canary_gets_nothing_and_can_be_enabled(stage: Stage) -> None:
    traffic = stage.nginx
    await traffic.set_weight(await traffic.read(), 100)

    await traffic.disable(await traffic.read())

    off = await traffic.read()
    assert (off.enabled, off.share) == (False, 0)
    assert await written(stage) == {"canary": "false", "canary-weight": "0"}
    await traffic.set_weight(off, 10)
    assert (await traffic.read()).share == 10


@pytest.mark.parametrize("present", [{}, {"canary": "true"}, {"canary-weight": "30"}])
async def test_absent_annotations_are_added(stage: Stage, present: dict[str, str]) -> None:
    await annotate(stage, "kubectl", {key: present.get(key) for key in ("canary", "canary-weight")})

    await stage.nginx.set_weight(await stage.nginx.read(), 20)

    assert await written(stage) == {"canary": "true", "canary-weight": "20"}


async def test_stale_weight_is_a_conflict_that_names_the_other_writer(stage: Stage) -> None:
    traffic = stage.nginx
    seen = await traffic.read()
    await annotate(stage, "kubectl-patch", {"canary-weight": "77"})

    with pytest.raises(Conflict, match="on at weight 77, expected on at weight 0, written by kubectl-patch"):
        await traffic.set_weight(seen, 10)

    assert (await traffic.read()).weight == 77


async def test_weight_that_is_there_already_is_no_conflict(stage: Stage) -> None:
    traffic = stage.nginx
    seen = await traffic.read()
    await annotate(stage, "kubectl-patch", {"canary-weight": "10"})

    await traffic.set_weight(seen, 10)

    assert (await traffic.read()).weight == 10


async def test_dry_run_of_a_weight_changes_nothing(stage: Stage) -> None:
    traffic = stage.nginx
    seen = await traffic.read()

    await traffic.set_weight(seen, 50, dry_run=True)
    await traffic.disable(seen, dry_run=True)

    assert await traffic.read() == seen


@pytest.mark.parametrize(("total", "written_as"), [("200", "50"), ("1000", "250"), ("40", "25"), ("x", "25")])
async def test_weight_is_a_part_of_its_total(stage: Stage, total: str, written_as: str) -> None:
    await annotate(stage, "kubectl", {"canary-weight-total": total})
    traffic = stage.nginx

    await traffic.set_weight(await traffic.read(), 25)

    state = await traffic.read()
    assert (state.weight, state.exact) == (25, True)
    assert (await written(stage))["canary-weight"] == written_as
    assert [note.text.split(":")[0] for note in state.notes if "total" in note.text or "counts" in note.text] == [
        f"canary-weight counts of {total}, not of 100"
        if total.isdecimal() and int(total) > 100
        else f"canary-weight-total {total} has no effect"
    ]


RULES: list[tuple[dict[str, str], str, bool]] = [
    ({"canary-by-header": "X-Beta"}, "header X-Beta: always go to the candidate at every weight", True),
    ({"canary-by-header": "X-Beta", "canary-by-header-value": "yes"}, "with the header X-Beta: yes go", True),
    ({"canary-by-header": "X-Beta", "canary-by-header-pattern": "y.*"}, "header X-Beta matches y.* go", True),
    ({"canary-by-header-value": "yes"}, "have no effect without canary-by-header", False),
    ({"canary-by-cookie": "beta"}, "the cookie beta: always go to the candidate at every weight", True),
    ({"affinity": "cookie"}, "cookie affinity on web-canary: users who are pinned", True),
]


@pytest.mark.parametrize(("rules", "said", "evades"), RULES)
async def test_what_overrides_the_weight_is_said(stage: Stage, rules: dict[str, str], said: str, evades: bool) -> None:
    await annotate(stage, "kubectl", rules)

    state = await stage.nginx.read()

    (note,) = (note for note in state.notes if said in note.text)
    assert note.evades is state.evades is evades
    assert ("weight 0 does not evict them" in note.text) is evades
    assert state.evicts


@pytest.mark.parametrize(("behaviour", "evades"), [(None, True), ("sticky", True), ("legacy", False)])
async def test_affinity_of_the_primary_reaches_the_canary(stage: Stage, behaviour: str | None, evades: bool) -> None:
    await stage.write_as("helm", stage.ingress.named(MAIN), {"metadata": {"annotations": {AFFINITY: "cookie"}}})
    await annotate(stage, "kubectl", {"affinity-canary-behavior": behaviour})

    state = await stage.nginx.read()

    (note,) = (note for note in state.notes if f"cookie affinity on {MAIN}" in note.text)
    assert note.evades is evades
    assert "the observed share stays below the weight" in note.text


async def test_second_canary_is_a_fault_until_it_is_none(stage: Stage) -> None:
    await stage.add_ingress("web-canary-b", "web-blue", {"canary": "true", "canary-weight": "5"})
    traffic = stage.nginx
    faults = [note.text for note in (await traffic.read()).notes if note.severity is Severity.FAULT]
    assert any("the canary Ingress web-canary-b has the same host and path" in text for text in faults)

    off = {"metadata": {"annotations": {f"{PREFIX}canary": "false"}}}
    await stage.write_as("kubectl", stage.ingress.named("web-canary-b"), off)

    state = await traffic.read(whole=True)
    assert not [note for note in state.notes if "same host and path: ingress-nginx uses only one" in note.text]


async def test_canary_without_a_primary_is_a_fault(stage: Stage) -> None:
    await stage.delete(stage.ingress.named(MAIN))

    state = await stage.nginx.read()

    assert state.fault is not None
    assert "no primary Ingress serves web.test/: ingress-nginx ignores this canary" in state.fault.text
    assert state.main == ""


async def test_primary_without_endpoints_is_a_fault(stage: Stage, staffed: Stage) -> None:
    empty = (await stage.nginx.read()).fault
    assert empty is not None
    assert "Service web of the primary Ingress web-main has no ready endpoints" in empty.text
    assert "503 to everybody, even at canary weight 100" in empty.text

    traffic = staffed.nginx
    state = await until(lambda: traffic.read(whole=True), lambda seen: seen.fault is None)
    assert state.main == "web"
    await traffic.set_weight(state, 100)
    assert "keep the pods of Service web up" in [note.text.split(":")[0] for note in (await traffic.read()).notes]


async def test_canary_that_would_take_its_host_over_stays_a_canary(stage: Stage, tmp_path: Path) -> None:
    """ingress-nginx serves a host by its oldest Ingress, so that canary "false" would send everybody there."""
    await stage.delete(stage.ingress.named(MAIN))
    await stage.add_ingress("a-main", "web", {})
    traffic = stage.nginx
    state = await traffic.read()
    assert not state.evicts
    assert [note.severity for note in state.notes if "would serve its host itself" in note.text] == [Severity.WARNING]
    await traffic.set_weight(state, 30)

    await traffic.disable(await traffic.read())

    assert await written(stage) == {"canary": "true", "canary-weight": "0"}
    assert (await traffic.read()).enabled is False
    (command,) = traffic.commands(0)
    assert '"nginx.ingress.kubernetes.io/canary":"true"' in command
    await annotate(stage, "kubectl", {"canary-by-header": "X-Beta"})
    faults = [note.text for note in (await traffic.read()).notes if note.severity is Severity.FAULT]
    assert any("which does not evict everyone" in text for text in faults)


async def test_canary_that_took_its_host_over_is_seen_and_repaired(stage: Stage) -> None:
    await stage.delete(stage.ingress.named(MAIN))
    await stage.add_ingress("a-main", "web", {})
    await annotate(stage, "kubectl", {"canary": "false"})
    traffic = stage.nginx

    state = await traffic.read()
    assert (state.share, state.exact) == (100, False)
    assert state.fault is not None
    assert "everybody goes to the candidate" in state.fault.text
    await traffic.disable(state)

    assert await written(stage) == {"canary": "true", "canary-weight": "0"}


async def test_what_cannot_be_looked_at_is_a_note_and_no_failure(stage: Stage) -> None:
    async def refused(*_: object) -> list[object]:
        raise Denied("Not allowed to list ingresses", "")

    traffic = stage.nginx
    stage.client.all_of = refused  # type: ignore[method-assign,assignment]

    state = await traffic.read()

    assert [note.text for note in state.notes] == [
        "what else serves this host could not be looked at: Not allowed to list ingresses"
    ]
    await traffic.set_weight(state, 10)


async def test_commands_do_by_hand_what_the_adapter_does(stage: Stage, tmp_path: Path) -> None:
    path, _ = stage.access.admin
    for weight, share in ((30, 30), (0, 0)):
        (command,) = stage.nginx.commands(weight)
        await by_hand(command, path, tmp_path)
        assert (await stage.nginx.read()).share == share


async def test_absent_ingress_is_not_found_and_observer_denied(stage: Stage) -> None:
    seen = await stage.nginx.read()
    async with stage.as_observer() as observer:
        with pytest.raises(Denied):
            await observer.nginx.set_weight(seen, 10)
    await stage.delete(stage.ingress)
    with pytest.raises(NotFound):
        await stage.nginx.read()


@pytest.mark.parametrize(("weights", "now"), [((None, None), 50), ((0, 100), 0), ((None, 3), 25)])
async def test_route_weights_always_sum_to_100(
    gateway: Stage, weights: tuple[int | None, int | None], now: int
) -> None:
    await gateway.add_route(http_route(weights))
    traffic = gateway.gateway
    seen = await traffic.read()
    assert seen.weight == now

    await traffic.set_weight(seen, 10)

    route = await gateway.client.get(gateway.route)
    (rule,) = route["spec"]["rules"]
    assert [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]] == [("web", 90), ("web-green", 10)]
    assert rule["timeouts"] == {"request": "10s"}
    assert (await traffic.read()).share == 10


async def test_route_is_taken_out_of_service_with_both_weights(gateway: Stage) -> None:
    await gateway.add_route(http_route((50, 50)))
    traffic = gateway.gateway
    seen = await traffic.read()

    await traffic.disable(seen, dry_run=True)
    assert (await traffic.read()).share == 50
    await traffic.disable(seen)

    assert (await traffic.read()).enabled is False
    with pytest.raises(Conflict, match="weight is 0, expected 50"):
        await traffic.set_weight(seen, 10)


async def test_route_without_both_backends_is_refused(gateway: Stage) -> None:
    route = http_route((0, 100))
    route["spec"]["rules"][0]["backendRefs"].pop()
    await gateway.add_route(route)

    with pytest.raises(BadAnswer, match="web-green and web or web-blue"):
        await gateway.gateway.read()


async def test_routes_list_both_kinds(gateway: Stage) -> None:
    await gateway.add_route(http_route((0, 100)))

    assert [route.name for route in await gateway.workloads.routes()] == [CANARY, MAIN, "web"]


async def test_commands_of_a_route_do_by_hand_what_the_adapter_does(gateway: Stage, tmp_path: Path) -> None:
    await gateway.add_route(http_route((0, 100)))
    traffic = gateway.gateway
    await traffic.read()
    (command,) = traffic.commands(40)

    path, _ = gateway.access.admin
    await by_hand(command, path, tmp_path)

    assert (await traffic.read()).share == 40


def busy_route() -> dict[str, Any]:
    """A route with much that belongs to others: filters, a third backend, rules with one of the two Services."""
    route = http_route((10, 90))
    main, candidate = route["spec"]["rules"][0]["backendRefs"]
    header = {
        "type": "RequestHeaderModifier",
        "requestHeaderModifier": {"set": [{"name": "X-Track", "value": "green"}]},
    }
    candidate["filters"] = [header]
    route["spec"]["rules"] = [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shadow", "port": 80}}}],
            "timeouts": {"request": "10s"},
            "backendRefs": [{"name": "experiment", "port": 80, "weight": 50}, main, candidate],
        },
        {"matches": [{"path": {"type": "PathPrefix", "value": "/admin"}}], "backendRefs": [dict(main)]},
        {"matches": [{"headers": [{"name": "X-Beta", "value": "1"}]}], "backendRefs": [dict(candidate)]},
    ]
    return route


def without_pair(route: dict[str, Any]) -> str:
    """The spec without the two weights that are the cockpit's."""
    spec = json.loads(json.dumps(route["spec"]))
    for ref in spec["rules"][0]["backendRefs"][1:]:
        del ref["weight"]
    return json.dumps(spec, sort_keys=True)


async def test_everything_else_of_a_route_stays_as_it_is(gateway: Stage) -> None:
    await gateway.add_route(busy_route())
    before = await gateway.client.get(gateway.route)
    traffic = gateway.gateway

    await traffic.set_weight(await traffic.read(), 40)
    await traffic.disable(await traffic.read())
    await traffic.set_weight(await traffic.read(), 60)

    after = await gateway.client.get(gateway.route)
    assert without_pair(after) == without_pair(before)
    assert [ref["weight"] for ref in after["spec"]["rules"][0]["backendRefs"]] == [50, 40, 60]


async def test_notes_of_a_route_tell_what_its_weight_does_not(gateway: Stage) -> None:
    await gateway.add_route(busy_route())

    state = await gateway.gateway.read()

    assert [note.text for note in state.notes] == [
        "other backends of rule 1 hold 50 of 150: the candidate's weight 10 is 6.7 % of the requests",
        "rule 2 has web and not web-green: its requests stay with web at every weight",
        "rule 3 sends requests to web-green and not to web: neither the weight nor a rollback changes that",
    ]
    assert [note.evades for note in state.notes] == [False, False, True]
    assert (state.weight, state.exact, state.main, state.evicts) == (10, True, "web", False)
    assert [(field.field, field.value, field.written(40)) for field in state.fields] == [
        ("web-green weight", "10", 40),
        ("web weight", "90", 60),
    ]


async def test_weights_that_sum_to_0_are_a_fault(gateway: Stage) -> None:
    await gateway.add_route(http_route((0, 0)))
    traffic = gateway.gateway

    state = await traffic.read()
    assert state.share == 0
    assert state.fault is not None
    assert "sum to 0: its requests are answered with an error" in state.fault.text
    await traffic.disable(state)

    assert (await traffic.read()).fault is None


async def test_absent_weights_are_no_exact_ones(gateway: Stage) -> None:
    await gateway.add_route(http_route((None, None)))
    traffic = gateway.gateway
    state = await traffic.read()
    assert (state.weight, state.exact) == (50, False)

    await traffic.set_weight(state, 50)

    route = await gateway.client.get(gateway.route)
    assert [ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]] == [50, 50]
    assert (await traffic.read()).exact


async def test_route_with_the_stable_service_is_told_apart(gateway: Stage) -> None:
    route = http_route((10, 90))
    route["spec"]["rules"][0]["backendRefs"][0]["name"] = "web-blue"
    await gateway.add_route(route)
    traffic = gateway.gateway

    state = await traffic.read()
    await traffic.set_weight(state, 20)

    assert state.main == "web-blue"
    assert [note.text.split(":")[0] for note in state.notes] == [
        "its other backend is web-blue, not the active Service web"
    ]
    assert (await traffic.read()).share == 20


async def test_another_route_to_the_candidate_is_said(gateway: Stage) -> None:
    await gateway.add_route(http_route((0, 100)))
    testers = http_route((100, 0))
    testers["metadata"]["name"] = "testers"
    await gateway.add_route(testers)

    state = await gateway.gateway.read()

    assert [note.text.split(":")[0] for note in state.notes] == ["the HTTPRoute testers leads to web-green as well"]
    assert state.evades


async def test_other_writer_of_a_route_is_named(gateway: Stage) -> None:
    await gateway.add_route(http_route((0, 100)))
    traffic = gateway.gateway
    seen = await traffic.read()
    theirs = http_route((30, 70))["spec"]["rules"]
    await gateway.write_as("argocd-application-controller", gateway.route, {"spec": {"rules": theirs}})

    with pytest.raises(Conflict, match="the weight is 30, expected 0, written by argocd-application-controller"):
        await traffic.set_weight(seen, 10)

    assert (await traffic.read()).weight == 30


async def test_route_is_in_force_when_every_gateway_says_so(gateway: Stage) -> None:
    route = http_route((0, 100))
    route["spec"]["parentRefs"] = [{"name": "edge"}, {"name": "inner"}]
    await gateway.add_route(route)
    traffic = gateway.gateway
    generation = (await gateway.client.get(gateway.route))["metadata"]["generation"]
    assert "gateway edge has not taken the route yet" in (await traffic.read()).pending

    await gateway.say_of_route([parent(generation)])
    assert "gateway inner has not taken the route yet" in (await traffic.read()).pending
    await gateway.say_of_route([parent(generation), parent(generation, "inner")])
    assert ((await traffic.read()).pending, (await traffic.read()).rejected) == ("", "")


async def test_old_word_of_a_gateway_does_not_count_for_a_new_weight(gateway: Stage) -> None:
    await gateway.add_route(http_route((0, 100)))
    traffic = gateway.gateway
    generation = (await gateway.client.get(gateway.route))["metadata"]["generation"]
    await gateway.say_of_route([parent(generation)])
    assert (await traffic.read()).pending == ""

    await traffic.set_weight(await traffic.read(), 10)

    assert "gateway edge has not looked at the newest route yet" in (await traffic.read()).pending
    await gateway.say_of_route([parent(generation + 1)])
    assert (await traffic.read()).pending == ""


@pytest.mark.parametrize(
    ("kind", "words"), [("Accepted", "does not accept the route"), ("ResolvedRefs", "cannot resolve the route's")]
)
async def test_refusal_of_a_gateway_is_passed_on(gateway: Stage, kind: str, words: str) -> None:
    await gateway.add_route(http_route((0, 100)))
    generation = (await gateway.client.get(gateway.route))["metadata"]["generation"]

    await gateway.say_of_route([parent(generation, **{kind: ("False", "no such listener\x1b[2J")})])

    state = await gateway.gateway.read()
    assert words in state.rejected
    assert "Refused: no such listener" in state.rejected
    assert "\x1b" not in state.rejected


@pytest.fixture
async def gateway(stage: Stage) -> Stage:
    """The stage, with the HTTPRoute resource known to the API server."""
    if "v1" not in await stage.client.versions("gateway.networking.k8s.io"):
        await stage.define_http_routes()
    await until(lambda: stage.http_routes_served(), bool)
    return stage
