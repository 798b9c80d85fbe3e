"""Mail against aiosmtpd, and the registry against one that wants a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import Message as Mail
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP

from cockpit.adapters import web as web_adapter
from cockpit.adapters.mail import MailMessenger
from cockpit.adapters.registry import ImageRegistry
from cockpit.adapters.web import web_client
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound, OutsideError, Unreachable
from cockpit.model.outside import Message

from .faulty import FaultyServer, always, answer

DIGEST = "sha256:" + "ab" * 32
MESSAGE = Message("run 1/go", "Done\r\nBcc: all@test", "Hello ü\n.\nline\x1b[2J")


class Mailbox:
    def __init__(self, reply: str = "250 OK") -> None:
        self.reply = reply
        self.mails: list[Mail] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return self.reply


@asynccontextmanager
async def mail_server(factory: Any) -> AsyncIterator[str]:
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


async def send(server: str) -> str:
    return await MailMessenger(server, "cockpit@moshi.test", "team@moshi.test").send(MESSAGE)


async def test_mail_arrives_whole_and_has_the_same_id_at_every_try() -> None:
    box = Mailbox()
    async with mail_server(lambda: SMTP(box, hostname="test")) as server:
        proofs = [await send(server) for _ in range(2)]

    assert proofs == ["<run-1-go@moshi.test>"] * 2
    assert [mail["Message-ID"] for mail in box.mails] == proofs
    mail = box.mails[0]
    assert (mail["From"], mail["To"]) == ("cockpit@moshi.test", "team@moshi.test")
    assert mail["Subject"] == "Done� Bcc: all@test"
    assert mail["Bcc"] is None
    assert mail.get_content_type() == "text/plain"
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n") == "Hello ü\n.\nline�[2J\n"


@pytest.mark.parametrize(
    ("reply", "error"),
    [("451 4.3.0 try again", Unreachable), ("554 5.7.1 spam", BadAnswer)],
)
async def test_mail_that_is_refused(reply: str, error: type[OutsideError]) -> None:
    async with mail_server(lambda: SMTP(Mailbox(reply), hostname="test")) as server:
        with pytest.raises(error, match=reply.split()[2]):
            await send(server)


async def test_mail_server_that_is_absent_or_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    async with mail_server(asyncio.Protocol) as server:
        monkeypatch.setattr("cockpit.adapters.mail.DEADLINE", 0.3)
        with pytest.raises(OutsideError):
            await send(server)
    with pytest.raises(Unreachable):
        await send(server)


async def test_registry_with_a_bearer_challenge(faulty: FaultyServer) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            assert dict(request.query) == {"service": "reg", "scope": "repository:team/app:pull"}
            return answer(200, {"token": "anon"})
        if request.headers.get("Authorization") != "Bearer anon":
            challenge = f'Bearer realm="{faulty.url}/token",service="reg",scope="repository:team/app:pull"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        assert "application/vnd.oci.image.index.v1+json" in request.headers["Accept"]
        if request.path != "/v2/team/app/manifests/1.0.0":
            return web.Response(status=404)
        return web.Response(headers={"Docker-Content-Digest": DIGEST})

    faulty.script = script
    host = faulty.url.removeprefix("http://")
    async with web_client() as client:
        registry = ImageRegistry(client)
        assert await registry.digest(f"{host}/team/app:1.0.0") == DIGEST
        assert [request.method for request in faulty.requests] == ["HEAD", "GET", "HEAD"]
        with pytest.raises(NotFound, match=r"team/app:9\.9\.9 does not exist"):
            await registry.digest(f"{host}/team/app:9.9.9")


async def test_registry_that_refuses(faulty: FaultyServer) -> None:
    async with web_client() as client:
        registry = ImageRegistry(client, faulty.url)
        faulty.script = always(401, "", WWW_Authenticate='Basic realm="x"')
        with pytest.raises(Denied):
            await registry.digest("gcr.io/moshi/web:1.0.0")
        faulty.script = always(503, "")
        with pytest.raises(Unreachable):
            await registry.digest("gcr.io/moshi/web:1.0.0")
        faulty.script = always(200, "")
        with pytest.raises(BadAnswer, match="no digest"):
            await registry.digest("gcr.io/moshi/web:1.0.0")
        assert await registry.digest(f"gcr.io/moshi/web@{DIGEST}") == DIGEST


async def test_registry_that_hangs(faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    monkeypatch.setitem(web_adapter.send.__kwdefaults__ or {}, "deadline", 0.2)
    faulty.script = hang
    async with web_client() as client:
        with pytest.raises(DeadlineExceeded):
            await ImageRegistry(client, faulty.url).digest("gcr.io/moshi/web:1.0.0")
