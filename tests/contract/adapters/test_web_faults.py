"""The web adapters against servers that answer, refuse, hang and lie."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from cockpit.adapters import web as web_adapter
from cockpit.adapters.http import HttpChecks
from cockpit.adapters.slack import SlackMessenger
from cockpit.adapters.statuspage import StatuspageMessenger
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound, OutsideError, Unreachable
from cockpit.model.outside import HttpAnswer, Message

from .faulty import FaultyServer, Script, always, in_turn

TOKEN = SecretStr("s3cret-token")
MESSAGE = Message("run-1/go", "Release <1.0.0> & more", "<!channel> look at <http://evil.test|this>\x1b[2J")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with web_adapter.web_client() as client:
        yield client


async def refused_url() -> str:
    async with FaultyServer().serving() as server:
        return server.url


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    """A body that comes byte by byte, each within every per-read timeout."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b".")
        await asyncio.sleep(0.05)


class TestHttp:
    async def test_answers_of_every_status_are_answers(self, client: httpx.AsyncClient, faulty: FaultyServer) -> None:
        http = HttpChecks(client)
        for status in (200, 404, 503):
            faulty.script = always(status, '{"ok": 1}\x1b]0;x\x07')
            assert await http.get(faulty.url, 2.0) == HttpAnswer(status, '{"ok": 1}�]0;x�')

    async def test_large_body_is_cut(self, client: httpx.AsyncClient, faulty: FaultyServer) -> None:
        faulty.script = always(200, "x" * 2**20)
        assert len((await HttpChecks(client).get(faulty.url, 2.0)).body) == web_adapter.BODY

    @pytest.mark.parametrize("script", [hang, drip])
    async def test_deadline_is_total(self, client: httpx.AsyncClient, faulty: FaultyServer, script: Script) -> None:
        faulty.script = script
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s"):
            await HttpChecks(client).get(faulty.url, 0.3)
        assert time.monotonic() - started < 1.5

    async def test_redirects_stay_on_the_host(self, client: httpx.AsyncClient, faulty: FaultyServer) -> None:
        faulty.script = in_turn(always(302, "", Location="/there"), always(200, "here"))
        assert (await HttpChecks(client).get(faulty.url + "/a", 2.0)).body == "here"
        assert faulty.requests[-1].path == "/there"

        faulty.script = always(302, "", Location="https://login.test/?next=1")
        with pytest.raises(BadAnswer, match=r"redirects to login\.test"):
            await HttpChecks(client).get(faulty.url, 2.0)

        faulty.script = always(302, "", Location="/a")
        with pytest.raises(BadAnswer, match="again and again"):
            await HttpChecks(client).get(faulty.url, 2.0)

    async def test_no_server_and_no_url(self, client: httpx.AsyncClient) -> None:
        with pytest.raises(Unreachable, match="cannot be reached"):
            await HttpChecks(client).get(await refused_url(), 2.0)
        with pytest.raises(BadAnswer, match="not a URL"):
            await HttpChecks(client).get("nonsense", 2.0)

    async def test_proxy_variables_are_ignored_unless_asked_for(
        self, faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", await refused_url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        faulty.script = always(200, "direct")
        async with web_adapter.web_client() as direct, web_adapter.web_client(trust_env=True) as proxied:
            assert (await HttpChecks(direct).get(faulty.url, 2.0)).body == "direct"
            with pytest.raises(Unreachable):
                await HttpChecks(proxied).get(faulty.url, 2.0)


class TestSlack:
    async def test_text_is_escaped(self, client: httpx.AsyncClient, faulty: FaultyServer) -> None:
        faulty.script = always(200, "ok")
        messenger = SlackMessenger(client, lambda: SecretStr(faulty.url + "/services/T/B/x"))
        assert await messenger.send(MESSAGE) == "ok"
        text = json.loads(faulty.bodies[0])["text"]
        assert text == (
            "*Release &lt;1.0.0&gt; &amp; more*\n&lt;!channel&gt; look at &lt;http://evil.test|this&gt;�[2J"
        )

    @pytest.mark.parametrize(
        ("script", "error"),
        [
            (always(429, "rate_limited", Retry_After="30"), Unreachable),
            (always(403, "invalid_token"), Denied),
            (always(404, "no_service"), NotFound),
            (always(200, "<html>"), BadAnswer),
            (always(500, "rollup_error"), Unreachable),
        ],
    )
    async def test_failures_never_tell_the_webhook(
        self,
        client: httpx.AsyncClient,
        faulty: FaultyServer,
        caplog: pytest.LogCaptureFixture,
        script: Script,
        error: type[OutsideError],
    ) -> None:
        caplog.set_level(logging.DEBUG, logger="cockpit")
        faulty.script = script
        with pytest.raises(error) as failure:
            await SlackMessenger(client, lambda: SecretStr(faulty.url + "/s3cret")).send(MESSAGE)
        assert "s3cret" not in str(failure.value) + failure.value.hint + caplog.text

    async def test_unreachable_webhook_is_not_told_either(self, client: httpx.AsyncClient) -> None:
        url = await refused_url() + "/s3cret"
        with pytest.raises(Unreachable) as failure:
            await SlackMessenger(client, lambda: SecretStr(url)).send(MESSAGE)
        assert "s3cret" not in repr(failure.value)
        assert failure.value.__cause__ is None
        assert failure.value.__context__ is None


class TestStatuspage:
    async def test_first_message_opens_and_later_ones_update(
        self, client: httpx.AsyncClient, faulty: FaultyServer
    ) -> None:
        faulty.script = always(201, {"id": "i7"})
        messenger = StatuspageMessenger(client, faulty.url + "/v1", "p1", lambda: TOKEN)
        assert [await messenger.send(MESSAGE) for _ in range(2)] == ["i7", "i7"]
        asked = [(request.method, request.path) for request in faulty.requests]
        assert asked == [("POST", "/v1/pages/p1/incidents"), ("PATCH", "/v1/pages/p1/incidents/i7")]
        assert faulty.requests[0].headers["Authorization"] == "OAuth s3cret-token"
        incident = json.loads(faulty.bodies[0])["incident"]
        assert incident["name"] == MESSAGE.subject
        assert incident["metadata"] == {"cockpit": {"key": "run-1/go"}}

    async def test_incident_that_was_deleted_is_opened_again(
        self, client: httpx.AsyncClient, faulty: FaultyServer
    ) -> None:
        faulty.script = in_turn(always(201, {"id": "i1"}), always(404, {"error": "gone"}), always(201, {"id": "i2"}))
        messenger = StatuspageMessenger(client, faulty.url, "p1", lambda: TOKEN)
        assert [await messenger.send(MESSAGE) for _ in range(2)] == ["i1", "i2"]

    async def test_failures(self, client: httpx.AsyncClient, faulty: FaultyServer) -> None:
        messenger = StatuspageMessenger(client, faulty.url, "p1", lambda: TOKEN)
        faulty.script = always(422, {"error": ["Name can't be blank"]})
        with pytest.raises(BadAnswer, match="Name can't be blank"):
            await messenger.send(MESSAGE)
        faulty.script = always(401, {"error": "Could not authenticate"})
        with pytest.raises(Denied, match="Could not authenticate"):
            await messenger.send(MESSAGE)
        faulty.script = always(200, {})
        with pytest.raises(BadAnswer, match="without the id"):
            await messenger.send(MESSAGE)


def test_httpx_does_not_log_addresses() -> None:
    assert logging.getLogger("httpx").getEffectiveLevel() >= logging.WARNING
