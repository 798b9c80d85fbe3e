"""The registry adapter against docker-registry itself: open, with passwords, and with signed tokens."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cockpit.adapters.registry import ImageRegistry
from cockpit.adapters.web import web_client
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound

from .faulty import FaultyServer, answer
from .registries import (
    HTPASSWD,
    IDENTITY,
    ISSUER,
    PASSWORD,
    REPOSITORY,
    SERVICE,
    USER,
    TokenService,
    docker_registry,
    push,
    token_for_pushing,
)

AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
DIGEST = "sha256:" + "ab" * 32


@dataclass
class Login:
    """The home of a user who may be logged in."""

    home: Path

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": f"{self.home / 'bin'}:/usr/bin:/bin", "SECRET_OF_OURS": "x"}

    def docker(self, config: dict[str, Any]) -> None:
        path = self.home / ".docker" / "config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(config))

    def helper(self, name: str, script: str) -> None:
        """A credential helper in the user's PATH."""
        path = self.home / "bin" / f"docker-credential-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    async def digest(self, image: str, **environ: str) -> str:
        async with web_client() as client:
            return await ImageRegistry(client, environ={**self.environ, **environ}).digest(image)


@pytest.fixture
def login(tmp_path: Path) -> Login:
    home = tmp_path / "user"
    home.mkdir()
    return Login(home)


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[str]:
    """A registry that wants a password, with an image."""
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    auth = {"htpasswd": {"realm": "Basic things, Bearer none", "path": str(tmp_path / "htpasswd")}}
    async with docker_registry(tmp_path, auth) as host:
        await push(host, "1.0.0", {"Authorization": f"Basic {AUTH}"})
        yield host


@dataclass
class Tokens:
    host: str
    service: TokenService
    digest: str


@pytest.fixture
async def tokens(tmp_path: Path, faulty: FaultyServer) -> AsyncIterator[Tokens]:
    """A registry that wants a token signed by the token service beside it, with an image."""
    service = TokenService(tmp_path)
    faulty.script = service.answer
    realm = f"{faulty.url}/token"
    auth = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(service.certificate)}
    async with docker_registry(tmp_path, {"token": auth}) as host:
        digest = await push(host, "1.0.0", await token_for_pushing(realm))
        service.asked.clear()
        yield Tokens(host, service, digest)


async def test_open_registry_tells_the_digest_and_what_is_missing(tmp_path: Path, login: Login) -> None:
    async with docker_registry(tmp_path) as host:
        digest = await push(host, "1.0.0")

        assert await login.digest(f"{host}/{REPOSITORY}:1.0.0") == digest
        assert await login.digest(f"{host}/{REPOSITORY}@{digest}") == digest
        with pytest.raises(NotFound, match=r"team/app:1\.0\.1 does not exist"):
            await login.digest(f"{host}/{REPOSITORY}:1.0.1")
        with pytest.raises(NotFound, match=r"team/other:1\.0\.0 does not exist"):
            await login.digest(f"{host}/team/other:1.0.0")


@pytest.mark.parametrize("key", ["{host}", "http://{host}/v2/", "https://{host}", "{host}/team", "{host}/team/app"])
async def test_password_of_the_docker_config(guarded: str, login: Login, key: str) -> None:
    login.docker({"auths": {key.format(host=guarded): {"auth": AUTH}, "other.test": {"auth": "eDp5"}}})

    assert (await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")).startswith("sha256:")
    with pytest.raises(NotFound):
        await login.digest(f"{guarded}/{REPOSITORY}:9")


@pytest.mark.parametrize("variable", ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "XDG_CONFIG_HOME"])
async def test_password_of_another_file(guarded: str, login: Login, tmp_path: Path, variable: str) -> None:
    place = tmp_path / "elsewhere"
    path = {
        "REGISTRY_AUTH_FILE": place,
        "DOCKER_CONFIG": place / "config.json",
    }.get(variable, place / "containers" / "auth.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {guarded: {"username": USER, "password": PASSWORD}}}))

    assert await login.digest(f"{guarded}/{REPOSITORY}:1.0.0", **{variable: str(place)})


async def test_without_a_login_the_error_says_how_to_get_one(guarded: str, login: Login) -> None:
    with pytest.raises(Denied, match="without a login") as denied:
        await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")

    assert f"`docker login {guarded}` or `podman login {guarded}`" in denied.value.hint


@pytest.mark.parametrize("content", ["{", '{"auths": []}', '{"auths": {"HOST": {"auth": "%%%"}}}', "[]"])
async def test_a_damaged_file_is_no_login(guarded: str, login: Login, content: str) -> None:
    login.docker({})
    (login.home / ".docker" / "config.json").write_text(content.replace("HOST", guarded))

    with pytest.raises(Denied, match=r"config\.json cannot be read" if content == "{" else "without a login"):
        await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")


async def test_a_wrong_password_is_told_by_its_place_and_never_by_itself(guarded: str, login: Login) -> None:
    wrong = base64.b64encode(f"{USER}:wrong-password".encode()).decode()
    login.docker({"auths": {guarded: {"auth": wrong}}})

    with pytest.raises(Denied, match=r"the login in .*\.docker/config\.json") as denied:
        await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")

    said = f"{denied.value} {denied.value.hint} {denied.value.__cause__!r} {denied.value.__context__!r}"
    assert "wrong-password" not in said
    assert wrong not in said


@pytest.mark.parametrize("config", [{"credHelpers": {"HOST": "test"}}, {"credsStore": "test"}])
async def test_helper_is_asked_for_this_registry_alone(guarded: str, login: Login, config: dict[str, Any]) -> None:
    login.docker(json.loads(json.dumps(config).replace("HOST", guarded)))
    answer = json.dumps({"ServerURL": guarded, "Username": USER, "Secret": PASSWORD})
    login.helper("test", f'read -r address; echo "$1 $address" >"$HOME/asked"; env >"$HOME/env"; echo \'{answer}\'')

    assert await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")
    assert (login.home / "asked").read_text() == f"get {guarded}\n"
    assert "SECRET_OF_OURS" not in (login.home / "env").read_text()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo session expired >&2; exit 1", "session expired"),
        (f'echo \'{{"Secret": "{PASSWORD}\'; exit 3', "exit code 3"),
        ("echo credentials not found in native keychain; exit 1", r"HTTP 401\)\.$"),
        ("exec sleep 60 >/dev/null", "gave nothing within"),
    ],
)
async def test_helper_that_gives_nothing(
    guarded: str, login: Login, script: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.adapters.registry.credentials.HELPER_DEADLINE", 2.0)
    login.docker({"credHelpers": {guarded: "test"}})
    login.helper("test", script)

    with pytest.raises(Denied, match=words) as denied:
        await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")

    assert PASSWORD not in str(denied.value)


async def test_helper_that_is_absent_or_named_by_a_path(guarded: str, login: Login) -> None:
    for name in ("absent", "../../bin/sh"):
        login.docker({"credHelpers": {guarded: name}})
        with pytest.raises(Denied, match="gave no credentials"):
            await login.digest(f"{guarded}/{REPOSITORY}:1.0.0")


async def test_token_for_a_password(tokens: Tokens, login: Login) -> None:
    login.docker({"auths": {tokens.host: {"auth": AUTH}}})

    assert await login.digest(f"{tokens.host}/{REPOSITORY}:1.0.0") == tokens.digest
    scope = f"repository:{REPOSITORY}:pull"
    assert tokens.service.asked == [{"method": "GET", "service": SERVICE, "scope": scope}]
    with pytest.raises(NotFound):
        await login.digest(f"{tokens.host}/{REPOSITORY}:9")


async def test_token_for_nobody_where_that_is_allowed(tokens: Tokens, login: Login) -> None:
    tokens.service.anonymous = True

    assert await login.digest(f"{tokens.host}/{REPOSITORY}:1.0.0") == tokens.digest


@pytest.mark.parametrize("by_helper", [False, True])
async def test_token_for_an_identity_token(tokens: Tokens, login: Login, by_helper: bool) -> None:
    if by_helper:
        login.docker({"credsStore": "test"})
        login.helper("test", f'echo \'{{"Username": "<token>", "Secret": "{IDENTITY}"}}\'')
    else:
        login.docker({"auths": {tokens.host: {"identitytoken": IDENTITY}}})

    assert await login.digest(f"{tokens.host}/{REPOSITORY}:1.0.0") == tokens.digest
    (asked,) = tokens.service.asked
    assert (asked["method"], asked["grant_type"], asked["service"]) == ("POST", "refresh_token", SERVICE)


async def test_token_service_that_gives_no_token(tokens: Tokens, login: Login) -> None:
    with pytest.raises(Denied, match=r"token service\) does not let anybody pull") as denied:
        await login.digest(f"{tokens.host}/{REPOSITORY}:1.0.0")
    assert f"docker login {tokens.host}" in denied.value.hint

    login.docker({"auths": {tokens.host: {"identitytoken": "an-old-one"}}})
    with pytest.raises(Denied, match="does not let the login") as denied:
        await login.digest(f"{tokens.host}/{REPOSITORY}:1.0.0")
    assert "an-old-one" not in f"{denied.value}{denied.value.__cause__!r}"


async def test_token_that_the_registry_does_not_believe(tokens: Tokens, login: Login) -> None:
    login.docker({"auths": {tokens.host: {"registrytoken": "e30.e30.e30"}}})

    with pytest.raises(Denied, match="does not let the login"):
        await login.digest(f"{tokens.host}/{REPOSITORY}:1.0.0")
    assert tokens.service.asked == []


async def test_credentials_stay_at_home_when_the_registry_redirects(faulty: FaultyServer, login: Login) -> None:
    """registry.k8s.io, for one, sends its clients on to another registry."""
    async with FaultyServer().serving() as other:

        async def script(request: web.Request) -> web.StreamResponse:
            if "Authorization" not in request.headers:
                return answer(401, "", WWW_Authenticate='Basic realm="x"')
            return answer(307, "", Location=f"{other.url}{request.path}")

        async def there(request: web.Request) -> web.StreamResponse:
            assert "Authorization" not in request.headers
            return answer(200, "", Docker_Content_Digest=DIGEST)

        faulty.script, other.script = script, there
        host = faulty.url.removeprefix("http://")
        login.docker({"auths": {host: {"auth": AUTH}}})

        assert await login.digest(f"{host}/{REPOSITORY}:1.0.0") == DIGEST
        assert len(other.requests) == 1


async def test_the_whole_look_up_has_a_deadline(
    faulty: FaultyServer, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.2)
        return answer(302, "", Location=request.path)

    monkeypatch.setattr("cockpit.adapters.registry.client.DEADLINE", 0.3)
    faulty.script = slow
    with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s"):
        await login.digest(f"{faulty.url.removeprefix('http://')}/{REPOSITORY}:1.0.0")


async def test_redirects_without_end(faulty: FaultyServer, login: Login) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        return answer(302, "", Location=request.path)

    faulty.script = script
    with pytest.raises(BadAnswer, match="redirects again and again"):
        await login.digest(f"{faulty.url.removeprefix('http://')}/{REPOSITORY}:1.0.0")


async def test_digest_of_a_registry_that_does_not_tell_it(faulty: FaultyServer, login: Login) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"" if request.method == "HEAD" else b'{"schemaVersion": 2}')

    faulty.script = script
    host = faulty.url.removeprefix("http://")

    # printf '{"schemaVersion": 2}' | sha256sum
    digest = "sha256:c5d902c53b4afcf32ad746fd9d696431650d3fbe8f7b10ca10519543fefd772c"
    assert await login.digest(f"{host}/{REPOSITORY}:1.0.0") == digest
