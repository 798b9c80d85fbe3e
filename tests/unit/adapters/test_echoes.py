"""A server that says back what it was sent tells nobody our secrets."""

from __future__ import annotations

import base64

import httpx
import pytest
from pydantic import SecretStr

from cockpit.adapters.echoes import masked, shown_by
from cockpit.adapters.slack import SlackMessenger
from cockpit.adapters.web import send
from cockpit.errors import OutsideError
from cockpit.model.outside import Message

WEBHOOK = "https://hooks.slack.example/services/T0/B0/canary-4711"
BASIC = base64.b64encode(b"ada:canary-4712").decode()


@pytest.mark.parametrize(
    ("headers", "form", "said"),
    [
        ({"Authorization": "Bearer canary-4711"}, {}, b'{"error": "bad token canary-4711"}'),
        ({"authorization": f"Basic {BASIC}"}, {}, f"I got Basic {BASIC}".encode()),
        ({"authorization": f"Basic {BASIC}"}, {}, b"no user ada with canary-4712"),
        ({"Authorization": "OAuth canary/4713"}, {}, b"GET /?token=canary%2F4713"),
        ({}, {"refresh_token": "canary-4714"}, b"form: refresh_token=canary-4714"),
    ],
)
def test_what_was_shown_is_masked(headers: dict[str, str], form: dict[str, str], said: bytes) -> None:
    found = masked(said, shown_by(headers, form))
    assert b"canary" not in found
    assert BASIC.encode() not in found
    assert b"***" in found


def test_what_is_no_secret_stays() -> None:
    numbers = b'{"value": [1700000000.1, "12345"], "path": "/health"} \xff'
    assert masked(numbers, shown_by({"Authorization": "Bearer 12345", "Accept": "application/json"})) == numbers


def answering(status: int) -> httpx.AsyncClient:
    """A proxy whose page tells the URL that was asked for."""
    return httpx.AsyncClient(
        transport=httpx.MockTransport(lambda asked: httpx.Response(status, text=f"cannot retrieve {asked.url}"))
    )


@pytest.mark.parametrize("status", [200, 403, 503])
async def test_a_page_that_tells_the_webhook_does_not(status: int) -> None:
    async with answering(status) as client:
        with pytest.raises(OutsideError) as refused:
            await SlackMessenger(client, lambda: SecretStr(WEBHOOK)).send(Message("run-1/x", "Started", "now"))
    assert "canary" not in str(refused.value)
    assert "cannot retrieve https://hooks.slack.example" in str(refused.value)


async def test_a_path_that_is_no_secret_is_read_as_it_is() -> None:
    async with answering(200) as client:
        answer = await send(client, "GET", "https://app.example/health/live", what="app")
    assert answer.text == "cannot retrieve https://app.example/health/live"
