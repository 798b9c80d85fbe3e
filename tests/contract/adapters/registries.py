"""Debian's docker-registry on loopback, and a token service that signs what it believes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

USER, PASSWORD = "deployer", "not-a-real-password"
HTPASSWD = f"{USER}:$2b$04$abcdefghijklmnopqrstuuvoAsEQFJ20T9HDj1L/isWuL/E78y9.u\n"
IDENTITY = "an-identity-token"
SERVICE, ISSUER = "registry.test", "token.test"
REPOSITORY = "team/app"

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


def needs(program: str) -> str:
    """Where a program is; without it the test is skipped, and fails in CI."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@dataclass
class TokenService:
    """Gives tokens to who knows the password or the identity token, and to anybody when `anonymous`."""

    directory: Path
    anonymous: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        key, certificate = self.directory / "key.pem", self.certificate
        argv = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=token", "-days", "2"]
        subprocess.run(
            [needs("openssl"), *argv, "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL
        )

    @property
    def certificate(self) -> Path:
        return self.directory / "token.pem"

    async def answer(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        query = form or dict(request.query)
        self.asked.append({"method": request.method, **query})
        if not (self.anonymous or self._believes(request, form)):
            return web.json_response({"details": "incorrect username or password"}, status=401)
        kind, name, actions = query["scope"].rsplit(":", 2)
        access = [{"type": kind, "name": name, "actions": actions.split(",")}]
        return web.json_response({"access_token" if form else "token": self._sign(access, query["service"])})

    def _believes(self, request: web.Request, form: dict[str, str]) -> bool:
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {basic}" or form.get("refresh_token") == IDENTITY

    def _sign(self, access: list[dict[str, Any]], audience: str) -> str:
        """A JSON Web Token as the registry's token specification asks for it."""
        der = "".join(self.certificate.read_text().splitlines()[1:-1])
        header = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        now = int(time.time())
        times = {"exp": now + 300, "nbf": now - 10, "iat": now}
        claims = {"iss": ISSUER, "sub": USER, "aud": audience, "jti": "1", "access": access, **times}
        signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        argv = [needs("openssl"), "dgst", "-sha256", "-sign", self.directory / "key.pem"]
        made = subprocess.run(argv, input=signed.encode(), check=True, capture_output=True)
        return f"{signed}.{_base64url(made.stdout)}"


@asynccontextmanager
async def docker_registry(directory: Path, auth: dict[str, Any] | None = None) -> AsyncIterator[str]:
    """A registry's host and port; `auth` is that part of its configuration."""
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(directory / "data")}},
        "http": {"addr": "127.0.0.1:0", "secret": "test"},
    }
    path, log = directory / "registry.yml", directory / "registry.log"
    path.write_text(json.dumps(config | ({"auth": auth} if auth else {})))
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            needs("docker-registry"), "serve", str(path), stdout=out, stderr=asyncio.subprocess.STDOUT
        )
    try:
        async with asyncio.timeout(20):
            while not (found := _LISTENING.search(log.read_text())):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.02)
        yield found[1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def push(host: str, tag: str, headers: dict[str, str] | None = None) -> str:
    """Push a small image as any client would, and return its digest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "tag": tag}).encode()
    digest = _digest(config)
    async with httpx.AsyncClient(trust_env=False, headers=headers or {}) as client:
        begun = await client.post(f"http://{host}/v2/{REPOSITORY}/blobs/uploads/")
        assert begun.status_code == 202, begun.text
        where = httpx.URL(begun.headers["Location"]).copy_merge_params({"digest": digest})
        done = await client.put(where, content=config, headers={"Content-Type": "application/octet-stream"})
        assert done.status_code == 201, done.text
        kind = "application/vnd.docker.container.image.v1+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": kind, "size": len(config), "digest": digest},
            "layers": [],
        }
        body = json.dumps(manifest).encode()
        url = f"http://{host}/v2/{REPOSITORY}/manifests/{tag}"
        done = await client.put(url, content=body, headers={"Content-Type": _MANIFEST})
        assert done.status_code == 201, done.text
    return _digest(body)


async def token_for_pushing(realm: str) -> dict[str, str]:
    query = {"service": SERVICE, "scope": f"repository:{REPOSITORY}:pull,push"}
    async with httpx.AsyncClient(trust_env=False, auth=(USER, PASSWORD)) as client:
        token = (await client.get(realm, params=query)).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
