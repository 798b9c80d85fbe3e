"""Whose certificates the web adapters trust: a registry behind a private authority is the rule in a company."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from cockpit.adapters.registry import ImageRegistry
from cockpit.adapters.web import web_client
from cockpit.errors import Unreachable
from tests.contract.certificates import Authority

from .registries import needs

DIGEST = f"sha256:{'4' * 64}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    needs("openssl")
    return Authority.create(tmp_path / "authority")


@pytest.fixture
async def registry(authority: Authority) -> AsyncIterator[str]:
    async def manifest(_: web.Request) -> web.Response:
        return web.Response(headers={"Docker-Content-Digest": DIGEST})

    app = web.Application()
    app.router.add_route("*", "/v2/app/manifests/1.0", manifest)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.sign("server"))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    host, port = runner.addresses[0][:2]
    yield f"https://{host}:{port}"
    await runner.cleanup()


async def test_a_private_authority_is_trusted_once_it_is_named(
    registry: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_client() as client:
        with pytest.raises(Unreachable, match="TLS certificate is not trusted") as caught:
            await ImageRegistry(client, registry, {}).digest("registry.test/app:1.0")
    assert "SSL_CERT_FILE" in caught.value.hint
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with web_client() as client:
        assert await ImageRegistry(client, registry, {}).digest("registry.test/app:1.0") == DIGEST


async def test_a_machine_without_certificates_trusts_the_librarys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    async with web_client() as client:
        pool = client._transport._pool  # type: ignore[attr-defined]
        assert pool._ssl_context.cert_store_stats()["x509_ca"] > 50
