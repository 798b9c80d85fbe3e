"""What the Kubernetes client makes of an API server that is ill."""

from __future__ import annotations

import asyncio
import stat
import sys
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.errors import (
    BadAnswer,
    Conflict,
    DeadlineExceeded,
    Denied,
    NotFound,
    OutsideError,
    Unreachable,
    UsageError,
)
from cockpit.model.cluster import ServiceState

from .faulty import FaultyServer, Script, always, answer, cut, in_turn, status

SERVICE = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"version": "blue"}}}
SEEN = ServiceState("web", {"version": "blue"})
PAGE = "<html><body>Please log in</body></html>"


async def read(faulty: FaultyServer, tmp_path: Path, deadline: float = 5.0) -> ServiceState:
    async with faulty.client(tmp_path, deadline) as client:
        return await KubeWorkloads(client, "n").service("web")


async def write(faulty: FaultyServer, tmp_path: Path, deadline: float = 5.0) -> None:
    async with faulty.client(tmp_path, deadline) as client:
        await KubeWorkloads(client, "n").set_selector(SEEN, {"version": "green"})


@pytest.mark.parametrize(
    "trouble",
    [
        always(429, status(429, "TooManyRequests", "slow down"), Retry_After="0"),
        always(500, status(500, "InternalError", "etcd leader changed")),
        always(503, "upstream connect error"),
        cut,
    ],
)
async def test_reads_are_tried_again(faulty: FaultyServer, tmp_path: Path, trouble: Script) -> None:
    faulty.script = in_turn(trouble, trouble, always(200, SERVICE))

    assert await read(faulty, tmp_path) == SEEN
    assert len(faulty.requests) == 3


async def test_reads_are_not_tried_for_ever(faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.script = always(503, "no")

    with pytest.raises(Unreachable, match="HTTP 503"):
        await read(faulty, tmp_path)
    assert len(faulty.requests) == 4


async def test_wish_to_come_back_later_than_the_deadline_ends_the_read(faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.script = always(429, status(429, "TooManyRequests", "slow down"), Retry_After="60")

    with pytest.raises(Unreachable, match="throttling"):
        await read(faulty, tmp_path, deadline=0.3)
    assert len(faulty.requests) == 1


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (always(200, PAGE), BadAnswer, "a web page"),
        (always(200, "[1, 2]"), BadAnswer, "not a JSON object"),
        (always(404, PAGE), BadAnswer, "not from the API server"),
        (always(404, status(404, "NotFound", 'services "web" not found')), NotFound, "does not exist"),
        (always(404, "404 page not found"), NotFound, "does not exist"),
        (always(401, status(401, "Unauthorized", "Unauthorized")), Denied, "credentials"),
        (always(403, PAGE), Denied, "get services web in n"),
        (always(418, "teapot"), BadAnswer, "418"),
    ],
)
async def test_answers_to_a_read(
    faulty: FaultyServer, tmp_path: Path, script: Script, error: type[OutsideError], words: str
) -> None:
    faulty.script = script

    with pytest.raises(error, match=words):
        await read(faulty, tmp_path)
    assert len(faulty.requests) == 1


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (always(200, PAGE), DeadlineExceeded),
        (always(500, status(500, "InternalError", "boom")), DeadlineExceeded),
        (always(504, PAGE), DeadlineExceeded),
        (cut, DeadlineExceeded),
        (always(429, status(429, "TooManyRequests", "slow down"), Retry_After="0"), Unreachable),
        (always(403, status(403, "Forbidden", "no")), Denied),
    ],
)
async def test_writes_are_sent_once_and_told_apart(
    faulty: FaultyServer, tmp_path: Path, script: Script, error: type[OutsideError]
) -> None:
    faulty.script = script

    with pytest.raises(error):
        await write(faulty, tmp_path)
    assert [request.method for request in faulty.requests] == ["PATCH"]


async def test_write_that_hangs_after_it_was_applied_is_unknown(faulty: FaultyServer, tmp_path: Path) -> None:
    applied, forever = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        applied.set()
        await forever.wait()
        return answer(200, SERVICE)

    faulty.script = hang
    with pytest.raises(DeadlineExceeded, match="did not answer in time"):
        await write(faulty, tmp_path, deadline=0.3)
    forever.set()
    assert applied.is_set()


async def test_patch_carries_its_tests_and_the_field_manager(faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.script = always(200, SERVICE)

    await write(faulty, tmp_path)

    (request,) = faulty.requests
    assert request.headers["Content-Type"] == "application/json-patch+json"
    assert request.query["fieldManager"] == "deployment-cockpit"
    assert await request.read() == faulty.bodies[0]
    assert faulty.bodies[0].startswith(b'[{"op": "test", "path": "/spec/selector", "value": {"version": "blue"}}')


async def test_value_that_is_refused_while_the_object_is_as_expected(faulty: FaultyServer, tmp_path: Path) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return answer(200, SERVICE)
        return answer(422, status(422, "Invalid", "selector: Invalid value"))

    faulty.script = script
    with pytest.raises(Conflict, match="Invalid value"):
        await write(faulty, tmp_path)
    assert [request.method for request in faulty.requests].count("PATCH") == 3


async def test_refused_connection_is_unreachable(tmp_path: Path) -> None:
    async with FaultyServer().serving() as server:
        path = server.kubeconfig(tmp_path)
    async with open_client(str(path), "it") as client:
        workloads = KubeWorkloads(client, "n")
        with pytest.raises(Unreachable, match="cannot be reached"):
            await workloads.service("web")
        with pytest.raises(Unreachable, match="cannot be reached"):
            await workloads.set_selector(SEEN, {"version": "green"})


async def test_hostile_text_is_cleaned(faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.script = always(200, {"metadata": {"name": "web\x1b]52;c;x\x07"}, "spec": {"selector": {"v": "\u202eblue"}}})

    state = await read(faulty, tmp_path)

    assert state.name == "web\N{REPLACEMENT CHARACTER}]52;c;x\N{REPLACEMENT CHARACTER}"
    assert state.selector == {"v": "\N{REPLACEMENT CHARACTER}blue"}


async def test_list_that_does_not_fit_one_page(faulty: FaultyServer, tmp_path: Path) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        assert request.query["limit"] == "500"
        more = {} if "continue" in request.query else {"continue": "a+b/c="}
        assert request.query.get("continue") in (None, "a+b/c=")
        return answer(200, {"kind": "ServiceList", "metadata": more, "items": [SERVICE]})

    faulty.script = script
    async with faulty.client(tmp_path) as client:
        assert await KubeWorkloads(client, "n").services() == (SEEN, SEEN)


async def test_proxy_tells_the_application_from_the_api_server(faulty: FaultyServer, tmp_path: Path) -> None:
    async with faulty.client(tmp_path) as client:
        workloads = KubeWorkloads(client, "n")
        faulty.script = always(503, '{"status": "down"}')
        assert (await workloads.get_through_proxy("web", 80, "/health?deep=1", 1.0)).status == 503
        assert faulty.requests[-1].path_qs == "/api/v1/namespaces/n/services/web:80/proxy/health?deep=1"

        faulty.script = always(503, status(503, "ServiceUnavailable", "no endpoints available for service"))
        with pytest.raises(Unreachable, match="no endpoints available"):
            await workloads.get_through_proxy("web", 80, "/health", 1.0)


async def test_context_that_does_not_exist_is_named(faulty: FaultyServer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no context 'other'") as wrong:
        async with open_client(str(faulty.kubeconfig(tmp_path)), "other"):
            pass
    assert wrong.value.hint == "It has: it."


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; sys.exit('session expired')", "session expired"),
        ("print('hello')", "not JSON"),
        ('print(\'{"kind": "ExecCredential", "status": {}}\')', "neither a token nor a certificate"),
    ],
)
async def test_failing_credential_plugin_never_makes_us_anonymous(
    faulty: FaultyServer, tmp_path: Path, program: str, words: str
) -> None:
    with pytest.raises(Denied, match=words):
        async with open_client(str(faulty.kubeconfig(tmp_path, plugin(program))), "it"):
            pass
    assert faulty.requests == []


async def test_missing_credential_plugin_is_denied(faulty: FaultyServer, tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin"}}

    with pytest.raises(Denied, match="no-such-plugin gave no credentials"):
        async with open_client(str(faulty.kubeconfig(tmp_path, user)), "it"):
            pass


async def test_credential_plugin_has_no_keyboard_and_little_environment(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.test/secret")
    program = (
        "import json, os, sys; kept = 'SLACK_WEBHOOK_URL' in os.environ;"
        "token = f\"{len(sys.stdin.read())}-{kept}-{os.environ['A']}\";"
        "print(json.dumps({'kind': 'ExecCredential', 'status': {'token': token}}))"
    )
    user = plugin(program)
    user["exec"]["env"] = [{"name": "A", "value": "b"}]
    faulty.script = always(200, SERVICE)

    async with open_client(str(faulty.kubeconfig(tmp_path, user)), "it") as client:
        await KubeWorkloads(client, "n").service("web")

    assert faulty.requests[0].headers["Authorization"] == "Bearer 0-False-b"


async def test_credential_plugin_that_hangs_is_ended(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.kubernetes.credentials.PLUGIN_DEADLINE", 0.3)
    with pytest.raises(Denied, match=r"nothing within 0\.3 s"):
        async with open_client(str(faulty.kubeconfig(tmp_path, plugin("import time; time.sleep(60)"))), "it"):
            pass


@pytest.mark.parametrize("code", [401, 403, 404, 409, 418, 429, 503])
async def test_a_server_that_says_our_token_back_tells_nobody(faulty: FaultyServer, tmp_path: Path, code: int) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        said = f"I got {request.headers['Authorization']} for {request.path}"
        return answer(code, status(code, "Echo", said), Retry_After="0")

    faulty.script = script
    config = str(faulty.kubeconfig(tmp_path, {"token": "canary-token-4711"}))
    watched = Request("watch", Resource("", "v1", "pods", "n"))
    async with open_client(config, "it") as client:
        workloads = KubeWorkloads(client, "n")
        for asked in (
            workloads.service("web"),
            workloads.set_selector(SEEN, {"version": "green"}),
            _opened(client, watched),
        ):
            with pytest.raises(OutsideError) as refused:
                await asked
            assert "I got Bearer *** for /api/v1" in str(refused.value)


async def _opened(client: KubeClient, request: Request) -> None:
    async with client.stream(request, {"watch": "true"}, "application/json", 5):
        pass


async def test_expired_token_is_renewed_once_and_the_request_repeated(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.kubernetes.login._RENEW_AT_MOST_EVERY", 0.0)
    tokens = tmp_path / "token"
    tokens.write_text("old")

    async def script(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer new":
            return answer(200, SERVICE)
        tokens.write_text("new")
        return answer(401, status(401, "Unauthorized", "Unauthorized"))

    faulty.script = script
    async with open_client(str(faulty.kubeconfig(tmp_path, {"tokenFile": "token"})), "it") as client:
        await KubeWorkloads(client, "n").set_selector(SEEN, {"version": "green"})
    assert len(faulty.requests) == 2


async def test_keys_are_kept_in_a_private_directory_and_removed(
    faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    config = faulty.kubeconfig(tmp_path, {"client-certificate-data": "eA==", "client-key-data": "eA=="})
    seen: list[int] = []

    def remove(path: Path, **how: Any) -> None:
        seen.extend(modes(path))
        rmtree(path, **how)

    monkeypatch.setattr("cockpit.adapters.kubernetes.scratch.shutil.rmtree", remove)
    # Over plain HTTP a certificate proves nothing: that too would be an anonymous request.
    with pytest.raises(Denied, match="gave no credentials"):
        async with open_client(str(config), "it"):
            pass

    assert seen == [0o700, 0o600, 0o600]
    assert list(run.iterdir()) == []


def modes(path: Path) -> list[int]:
    return [stat.S_IMODE(each.stat().st_mode) for each in (path, *path.iterdir())]


def plugin(program: str) -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-c", program],
        }
    }
