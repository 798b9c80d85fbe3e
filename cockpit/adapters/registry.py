"""The image registry: whether an image exists, and its digest.

Source: OCI Distribution Specification 1.1, `HEAD /v2/<name>/manifests/<reference>`; Docker Registry token
authentication; the reference grammar of `docker.io` short names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from cockpit.adapters.web import Answer, refuse, send
from cockpit.errors import BadAnswer, NotFound
from cockpit.model.text import clean

_ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?\Z")
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}\Z")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image reference in full; `reference` is a tag or a digest."""

    host: str
    name: str
    reference: str

    @classmethod
    def parse(cls, image: str) -> ImageReference:
        """Read what a pod's `image` may hold; raises BadAnswer for anything else."""
        rest, at, digest = image.partition("@")
        first, slash, path = rest.partition("/")
        # As Docker does: the first part is a host when it looks like one.
        if slash and ("." in first or ":" in first or first == "localhost"):
            host = first
        else:
            host, path = "docker.io", rest
        name, colon, tag = path.partition(":")
        if host == "docker.io" and "/" not in name:
            name = f"library/{name}"
        reference = digest if at else tag if colon else "latest"
        good = _DIGEST.match(digest) if at else _TAG.match(reference)
        if not (_HOST.match(host) and _NAME.match(name) and good):
            raise BadAnswer(f"{clean(image, 200)} is not an image reference.", "Write it as host/name:tag.")
        return cls(host, name, reference)

    @property
    def base(self) -> str:
        """The registry's root URL; loopback registries are asked without TLS, as the container runtimes do."""
        if self.host == "docker.io":
            return "https://registry-1.docker.io"
        plain = self.host.rpartition(":")[0] if re.search(r":\d+\Z", self.host) else self.host
        return f"http://{self.host}" if plain in _LOOPBACK else f"https://{self.host}"

    def __str__(self) -> str:
        return f"{self.host}/{self.name}{'@' if ':' in self.reference else ':'}{self.reference}"


class ImageRegistry:
    """Asks the registry that an image names, or `base` for all of them."""

    def __init__(self, client: httpx.AsyncClient, base: str | None = None) -> None:
        self._client = client
        self._base = base

    async def digest(self, image: str) -> str:
        """The digest of an image; raises NotFound when the registry does not have it."""
        reference = ImageReference.parse(image)
        url = f"{(self._base or reference.base).rstrip('/')}/v2/{reference.name}/manifests/{reference.reference}"
        what = f"The registry {clean(reference.host, 100)}"
        answer = await send(self._client, "HEAD", url, what=what, headers={"Accept": _ACCEPT})
        if answer.status == 401:
            headers = {"Accept": _ACCEPT, **await self._token(answer, what)}
            answer = await send(self._client, "HEAD", url, what=what, headers=headers)
        if answer.status == 404:
            raise NotFound(f"The image {clean(str(reference), 300)} does not exist.", "Was it built and pushed?")
        if answer.status >= 300:
            raise refuse(answer, what)
        found = answer.headers.get("Docker-Content-Digest", reference.reference)
        if not _DIGEST.match(found):
            raise BadAnswer(f"{what} gave no digest for {clean(str(reference), 300)}.")
        return clean(found, 200)

    async def _token(self, answer: Answer, what: str) -> dict[str, str]:
        """An anonymous token, as the registry's challenge describes where to get one."""
        scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
        parameters = dict(_PARAMETER.findall(rest))
        realm = parameters.pop("realm", "")
        if scheme.lower() != "bearer" or not realm.startswith(("https://", "http://")):
            raise refuse(answer, what)
        query = urlencode({key: parameters[key] for key in ("service", "scope") if key in parameters})
        given = await send(self._client, "GET", f"{realm}?{query}", what=f"{what} (its token service)")
        if given.status >= 300:
            raise refuse(given, f"{what} (its token service)")
        body = given.json if isinstance(given.json, dict) else {}
        token = body.get("token") or body.get("access_token")
        if not isinstance(token, str):
            raise BadAnswer(f"{what} gave no token.")
        return {"Authorization": f"Bearer {token}"}
