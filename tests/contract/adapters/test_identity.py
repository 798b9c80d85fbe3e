"""Who the product is to the API server, the same in both worlds: never nobody, never somebody of yesterday."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes import kubeconfig
from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import Denied, OutsideError, UsageError
from cockpit.model.cluster import ServiceState

from ..certificates import Authority
from ..fault_proxy import FaultProxy, proxy_before
from ..faults import a
from .front import BLUE, GREEN, Front
from .stage import CANARY, Stage

SEEN = ServiceState("web", BLUE)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let credentials be renewed as often as they end."""
    monkeypatch.setattr("cockpit.adapters.kubernetes.login._RENEW_AT_MOST_EVERY", 0.0)


@pytest.fixture
async def open_door(stage: Stage) -> AsyncIterator[FaultProxy]:
    """A proxy that passes on whoever the client says it is."""
    async with proxy_before(stage.access.admin, trusted=False) as proxy:
        yield proxy


def plugin(program: str, *arguments: str) -> dict[str, Any]:
    call = {"command": sys.executable, "args": ["-c", program, *arguments]}
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **call}}


TELLER = """
import json, sys
lines = open(sys.argv[1]).read().split("\\n")
open(sys.argv[1], "w").write("\\n".join(lines[1:] or lines))
open(sys.argv[1] + ".calls", "a").write("x")
token, _, ends = lines[0].partition(" ")
status = {"token": token, **({"expirationTimestamp": ends} if ends else {})}
print(json.dumps({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": status}))
"""
"""A plugin that gives the tokens in a file one after the other, the last one for ever."""


async def tokens(stage: Stage) -> tuple[str, str]:
    """A token that has ended, and one that is good: of a ServiceAccount where the API server has TokenRequest."""
    context = kubeconfig.load(kubeconfig.find(stage.access.admin[0]), stage.access.admin[1])
    if context.name == "simulator":
        return "of-yesterday", str(context.user["token"])
    ended = await _request_token(stage, "gone")
    await stage.delete(stage.at("", "serviceaccounts", "gone"))
    good = await _request_token(stage, "commander")
    subject = {"kind": "ServiceAccount", "name": "commander", "namespace": stage.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
    binding = {"metadata": {"name": "commander"}, "subjects": [subject], "roleRef": role}
    await stage.client.create(stage.at("rbac.authorization.k8s.io", "rolebindings"), binding)
    return ended, good


async def _request_token(stage: Stage, account: str) -> str:
    await stage.client.create(stage.at("", "serviceaccounts"), {"metadata": {"name": account}})
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
    request = Request("create", stage.at("", "serviceaccounts", account))
    at = replace(request.resource, sub="token")
    reply = await stage.client.once("POST", Request("create", at), body=wanted)
    assert reply.status == 201, reply.body
    return str(json.loads(reply.body)["status"]["token"])


@pytest.mark.usefixtures("impatient")
async def test_token_that_ends_in_mid_run_is_renewed_and_the_write_made_once(
    stage: Stage, open_door: FaultProxy, tmp_path: Path
) -> None:
    ended, good = await tokens(stage)
    file = tmp_path / "tokens"
    file.write_text(f"{ended}\n{good}")

    async with open_door.client(tmp_path, plugin(TELLER, str(file))) as client:
        await KubeWorkloads(client, stage.namespace).set_selector(SEEN, GREEN)

    assert [seen.status for seen in open_door.asked(a("patch"))] == [401, 200]
    assert (tmp_path / "tokens.calls").read_text() == "xx"
    assert (await stage.workloads.service("web")).selector == GREEN


@pytest.mark.usefixtures("impatient")
async def test_token_that_ends_soon_is_renewed_before_it_is_shown(
    stage: Stage, open_door: FaultProxy, tmp_path: Path
) -> None:
    ended, good = await tokens(stage)
    file = tmp_path / "tokens"
    file.write_text(f"{ended} 2020-01-01T00:00:00Z\n{good} 2999-01-01T00:00:00Z")

    async with open_door.client(tmp_path, plugin(TELLER, str(file))) as client:
        for _ in range(2):
            await KubeWorkloads(client, stage.namespace).service("web")

    assert [seen.status for seen in open_door.seen] == [200, 200]
    assert (tmp_path / "tokens.calls").read_text() == "xx"


@pytest.mark.usefixtures("impatient")
async def test_watch_whose_token_has_ended_goes_on_with_the_next(
    stage: Stage, open_door: FaultProxy, tmp_path: Path
) -> None:
    ended, good = await tokens(stage)
    file = tmp_path / "tokens"
    file.write_text(f"{ended}\n{good}")
    front = Front(open_door, stage, stage, tmp_path)
    await front.add_pod("one")

    async with open_door.client(tmp_path, plugin(TELLER, str(file))) as client:
        through = replace(front, through=replace(stage, client=client))
        async with asyncio.timeout(20):
            async for change in through.watch():
                assert not change.problem
                if len(open_door.asked(a("watch", "pods"))):
                    break
                if not change.pods:
                    continue
                await front.add_pod("two")


async def test_token_that_is_refused_twice_is_denied_and_nothing_written(
    stage: Stage, open_door: FaultProxy, tmp_path: Path
) -> None:
    ended, _ = await tokens(stage)

    async with open_door.client(tmp_path, {"token": ended}) as client:
        with pytest.raises(Denied, match="does not accept the credentials") as denied:
            await KubeWorkloads(client, stage.namespace).set_selector(SEEN, GREEN)

    assert "Log in again" in denied.value.hint
    assert open_door.applied() == []


async def test_token_file_that_was_replaced_is_read_again(stage: Stage, open_door: FaultProxy, tmp_path: Path) -> None:
    ended, good = await tokens(stage)
    file = tmp_path / "token"
    file.write_text(ended)

    async with open_door.client(tmp_path, {"tokenFile": str(file)}) as client:
        workloads = KubeWorkloads(client, stage.namespace)
        with pytest.raises(Denied):
            await workloads.service("web")
        file.write_text(good)
        await workloads.service("web")

    assert [seen.status for seen in open_door.seen] == [401, 200]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there to make certificates")
    return Authority.create(tmp_path / "authority")


@asynccontextmanager
async def mutual(stage: Stage, authority: Authority) -> AsyncIterator[FaultProxy]:
    """A front that wants a client's certificate, and is to the API server whom it trusts."""
    async with proxy_before(stage.access.admin, tls=authority.server_context()) as proxy:
        yield proxy


def by_certificate(proxy: FaultProxy, directory: Path, authority: Authority, user: dict[str, Any]) -> str:
    trusted = {"certificate-authority": str(authority.certificate)}
    return str(proxy.kubeconfig(directory, user, **trusted))


def encoded(path: str) -> str:
    return base64.b64encode(Path(path).read_bytes()).decode()


@pytest.mark.parametrize("inline", [False, True])
async def test_client_certificate_names_the_person(
    stage: Stage, authority: Authority, tmp_path: Path, inline: bool
) -> None:
    certificate, key = authority.sign("alice")
    user: dict[str, Any] = {"client-certificate": str(certificate), "client-key": str(key)}
    if inline:
        user = {f"{name}-data": encoded(path) for name, path in user.items()}

    async with mutual(stage, authority) as proxy:
        config = by_certificate(proxy, tmp_path, authority, user)
        async with open_client(config, "proxied") as client:
            await KubeWorkloads(client, stage.namespace).set_selector(SEEN, GREEN)

    assert {seen.person for seen in proxy.seen} == {"alice"}
    assert (await stage.workloads.service("web")).selector == GREEN


async def test_certificate_that_was_replaced_on_disk_is_shown_from_the_next_request(
    stage: Stage, authority: Authority, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "me.crt", tmp_path / "me.key"

    def become(name: str) -> Iterator[None]:
        for source, target in zip(authority.sign(name), (certificate, key), strict=True):
            shutil.copy(source, target)
            yield

    list(become("alice"))
    async with mutual(stage, authority) as proxy:
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        async with open_client(by_certificate(proxy, tmp_path, authority, user), "proxied") as client:
            workloads = KubeWorkloads(client, stage.namespace)
            await workloads.service("web")
            for _ in become("bob"):
                # Between its two files the old certificate does.
                await workloads.service("web")

    assert [seen.person for seen in proxy.seen] == ["alice", "alice", "bob"]


async def test_certificate_from_a_plugin_is_used(stage: Stage, authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.sign("carol")
    shown = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
    answer = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": shown}

    async with mutual(stage, authority) as proxy:
        config = by_certificate(proxy, tmp_path, authority, plugin(f"print({json.dumps(answer)!r})"))
        async with open_client(config, "proxied") as client:
            await KubeWorkloads(client, stage.namespace).service("web")

    assert [seen.person for seen in proxy.seen] == ["carol"]


async def test_server_that_nobody_vouches_for_gets_nothing(stage: Stage, authority: Authority, tmp_path: Path) -> None:
    other = Authority.create(tmp_path / "other")
    certificate, key = authority.sign("alice")

    async with mutual(stage, authority) as proxy:
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        config = by_certificate(proxy, tmp_path, other, user)
        async with open_client(config, "proxied") as client:
            with pytest.raises(OutsideError, match="cannot be reached") as refused:
                await KubeWorkloads(client, stage.namespace).service("web")

    assert "certificate" in refused.value.hint
    assert proxy.seen == []


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit('session expired: run the login command')", "session expired"),
        ("input('Password: ')", "EOFError"),
        ("open('/dev/tty').read()", "dev/tty"),
        ("print('Please open https://login.test in a browser')", "not JSON"),
        ('print(\'{"kind": "ExecCredential", "status": {}}\')', "neither a token nor a certificate"),
        ("import time; time.sleep(60)", "nothing within"),
    ],
    ids=["fails", "prompts", "prompts-on-the-terminal", "talks", "gives-nothing", "hangs"],
)
async def test_plugin_that_gives_nothing_never_makes_us_nobody(
    front: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, words: str
) -> None:
    deadline = 0.5 if "sleep" in program else 10.0
    monkeypatch.setattr("cockpit.adapters.kubernetes.credentials.PLUGIN_DEADLINE", deadline)

    with pytest.raises(Denied, match=words):
        async with front.proxy.client(tmp_path, plugin(program)):
            pass

    assert front.proxy.seen == []


@pytest.mark.usefixtures("impatient")
async def test_plugin_that_fails_in_mid_run_stops_the_write_before_it_is_sent(front: Front, tmp_path: Path) -> None:
    once = tmp_path / "once"
    program = (
        "import json, os, sys; done = os.path.exists(sys.argv[1]); open(sys.argv[1], 'w');"
        "sys.exit('session expired') if done else None;"
        "status = {'token': 't', 'expirationTimestamp': '2020-01-01T00:00:00Z'};"
        "print(json.dumps({'kind': 'ExecCredential', 'status': status}))"
    )
    async with front.proxy.client(tmp_path, plugin(program, str(once))) as client:
        with pytest.raises(Denied, match="session expired"):
            await KubeWorkloads(client, front.stage.namespace).set_selector(SEEN, GREEN)

    assert front.proxy.seen == []


async def test_context_that_does_not_exist_is_named_with_those_that_do(stage: Stage) -> None:
    config, context = stage.access.admin
    with pytest.raises(UsageError, match="no context 'produktion'") as wrong:
        async with open_client(config, "produktion"):
            pass

    assert context in wrong.value.hint


@pytest.mark.parametrize(
    ("verb", "right"),
    [
        ("patch", "services"),
        ("patch", "deployments.apps"),
        ("patch", "ingresses.networking.k8s.io"),
        ("create", "jobs.batch"),
    ],
)
async def test_missing_right_is_named_by_verb_and_resource(stage: Stage, verb: str, right: str) -> None:
    deployment = await stage.workloads.deployment("web-green")
    canary = await stage.nginx.read()
    async with stage.as_observer() as observer:
        writes = {
            "services": lambda: observer.workloads.set_selector(SEEN, GREEN),
            "deployments.apps": lambda: observer.workloads.set_image(deployment, "web:2.0.0"),
            "ingresses.networking.k8s.io": lambda: _weight(stage, observer, canary),
            "jobs.batch": lambda: observer.create_job(),
        }
        with pytest.raises(Denied) as denied:
            await writes[right]()

    assert denied.value.hint == f"Grant the verb {verb} on {right} in namespace {stage.namespace}."


async def _weight(stage: Stage, observer: Stage, canary: Any) -> None:
    """The write alone: in the real world the observer may not even read."""
    await observer.client.patch(
        stage.ingress,
        [{"op": "add", "path": "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight", "value": "10"}],
    )
    raise AssertionError(f"the observer could write {CANARY}, which was {canary}")


@pytest.mark.parametrize("asked", [False, True])
async def test_proxy_of_the_environment_is_used_only_when_asked(
    front: Front, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: bool
) -> None:
    caught: list[str] = []

    async def catch(request: web.Request) -> web.StreamResponse:
        caught.append(request.headers.get("Authorization", ""))
        return web.Response(status=502)

    async with _server(catch) as elsewhere:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, elsewhere)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        config = str(front.proxy.kubeconfig(tmp_path))
        async with open_client(config, "proxied", trust_env=asked) as client:
            workloads = KubeWorkloads(client, front.stage.namespace)
            if asked:
                with pytest.raises(OutsideError, match="502"):
                    await workloads.service("web")
            else:
                await workloads.service("web")

    assert bool(caught) is asked
    assert bool(front.proxy.seen) is not asked


@asynccontextmanager
async def _server(handler: Any) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
