"""Asks an image registry whether an image exists.

Source: OCI Distribution Specification 1.1, `HEAD /v2/<name>/manifests/<reference>`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping

import httpx

from cockpit.adapters.registry.challenge import authorize
from cockpit.adapters.registry.credentials import Search, find_login
from cockpit.adapters.registry.reference import DOCKER_HUB, ImageReference, is_digest
from cockpit.adapters.web import BODY, Answer, refuse, send
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound
from cockpit.model.text import clean

DEADLINE = 30.0
"""Seconds for a whole look-up: login, token, redirects and manifest."""

_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_MOST_REQUESTS = 6
_REDIRECTS = (301, 302, 303, 307, 308)


class ImageRegistry:
    """Asks the registry that an image names, or `base` for all of them, as the user that `environ` describes."""

    def __init__(
        self, client: httpx.AsyncClient, base: str | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self._client = client
        self._base = base
        self._environ = os.environ if environ is None else environ

    async def digest(self, image: str) -> str:
        """The digest of an image; raises NotFound when the registry does not have it, Denied when it may not tell."""
        reference = ImageReference.parse(image)
        what = f"The registry {clean(reference.host, 100)}"
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._digest(reference, what)
        except TimeoutError:
            raise DeadlineExceeded(f"{what} did not tell the digest within {DEADLINE:g} s.", "Try again.") from None

    async def _digest(self, reference: ImageReference, what: str) -> str:
        name = clean(str(reference), 300)
        answer = await self._manifest("HEAD", reference, what)
        if answer.status == 404:
            raise NotFound(f"The image {name} does not exist.", "Was it built and pushed?")
        if answer.status >= 300:
            raise refuse(answer, what)
        found = answer.headers.get("Docker-Content-Digest", reference.reference)
        if not is_digest(found):
            found = _digest_of(await self._manifest("GET", reference, what))
        if not is_digest(found):
            raise BadAnswer(f"{what} gave no digest for {name}.")
        return clean(found, 200)

    async def _manifest(self, method: str, image: ImageReference, what: str) -> Answer:
        """The final answer: a challenge is answered once at each host, and a redirect takes no credentials along."""
        url = httpx.URL(f"{(self._base or image.base).rstrip('/')}/v2/{image.name}/manifests/{image.reference}")
        authorization: dict[str, str] = {}
        at_home, search = True, Search()
        for _ in range(_MOST_REQUESTS):
            headers = {"Accept": _ACCEPT, **authorization}
            answer = await send(self._client, method, str(url), what=what, headers=headers)
            if answer.status == 401 and not authorization:
                search = await self._search(image) if at_home else Search()
                authorization = await self._authorize(answer, image, search, what, url.scheme == "https")
                if authorization:
                    continue
            if answer.status in (401, 403):
                raise _refused(answer, image, search, what)
            if answer.status not in _REDIRECTS:
                return answer
            there = _next(url, answer, what)
            if there.netloc != url.netloc:
                at_home, authorization = False, {}
            url = there
        raise BadAnswer(f"{what} redirects again and again.")

    async def _search(self, image: ImageReference) -> Search:
        # A rehearsal's registry stands for the real one and must not be given its credentials.
        return Search() if self._base else await find_login(image, self._environ)

    async def _authorize(
        self, answer: Answer, image: ImageReference, search: Search, what: str, secure: bool
    ) -> dict[str, str]:
        try:
            return await authorize(self._client, answer, image.name, search.login, what, secure)
        except Denied as error:
            raise _refused(answer, image, search, f"{what} (its token service)") from error


def _next(url: httpx.URL, answer: Answer, what: str) -> httpx.URL:
    try:
        there = url.join(answer.headers.get("Location", ""))
    except (httpx.InvalidURL, ValueError):
        raise BadAnswer(f"{what} redirects to something that is not a URL.") from None
    if url.scheme == "https" and there.scheme != "https":
        raise BadAnswer(f"{what} redirects to an address without TLS.")
    return there


def _digest_of(answer: Answer) -> str:
    """The digest of a manifest's own bytes, for a registry that does not tell it."""
    whole = answer.status == 200 and answer.body.startswith(b"{") and len(answer.body) < BODY
    return f"sha256:{hashlib.sha256(answer.body).hexdigest()}" if whole else ""


def _refused(answer: Answer, image: ImageReference, search: Search, what: str) -> Denied:
    name = clean(f"{image.host}/{image.name}", 300)
    command = "docker login" if image.host == DOCKER_HUB else f"docker login {clean(image.host, 100)}"
    if search.login is not None:
        message = f"{what} does not let the login in {search.login.source} pull {name} (HTTP {answer.status})."
        return Denied(message, f"Check that it may pull there, and that the name is right; log in again: `{command}`.")
    because = f": {search.problem}" if search.problem else ""
    message = f"{what} does not let anybody pull {name} without a login (HTTP {answer.status}){because}."
    hint = f"Log in as the user who runs the cockpit: `{command}` or `podman {command[7:]}`."
    return Denied(message, f"{hint} Many registries say the same of a repository that does not exist.")
