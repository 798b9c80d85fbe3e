"""Image references, as a pod's `image` holds them.

Source: the reference grammar of the OCI Distribution Specification 1.1, and the short names of `docker.io`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cockpit.errors import BadAnswer
from cockpit.model.text import clean

DOCKER_HUB = "docker.io"

_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?\Z")
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}\Z")
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
            host, path = DOCKER_HUB, rest
        name, colon, tag = path.partition(":")
        if host == DOCKER_HUB and "/" not in name:
            name = f"library/{name}"
        reference = digest if at else tag if colon else "latest"
        good = is_digest(digest) if at else _TAG.match(reference)
        if not (_HOST.match(host) and _NAME.match(name) and good):
            raise BadAnswer(f"{clean(image, 200)} is not an image reference.", "Write it as host/name:tag.")
        return cls(host, name, reference)

    @property
    def base(self) -> str:
        """The registry's root URL; loopback registries are asked without TLS, as the container runtimes do."""
        if self.host == DOCKER_HUB:
            return "https://registry-1.docker.io"
        plain = self.host.rpartition(":")[0] if re.search(r":\d+\Z", self.host) else self.host
        return f"http://{self.host}" if plain in _LOOPBACK else f"https://{self.host}"

    def __str__(self) -> str:
        return f"{self.host}/{self.name}{'@' if ':' in self.reference else ':'}{self.reference}"


def is_digest(text: str) -> bool:
    """Whether the text is a content digest, such as `sha256:…`."""
    return _DIGEST.match(text) is not None
