"""How image references are read."""

from __future__ import annotations

import pytest

from cockpit.adapters.registry import ImageReference
from cockpit.errors import BadAnswer

DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    ("image", "full", "base"),
    [
        ("redis", "docker.io/library/redis:latest", "https://registry-1.docker.io"),
        ("redis:7.4", "docker.io/library/redis:7.4", "https://registry-1.docker.io"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7", "https://registry-1.docker.io"),
        ("docker.io/redis:7", "docker.io/library/redis:7", "https://registry-1.docker.io"),
        ("gcr.io/x/y:tag", "gcr.io/x/y:tag", "https://gcr.io"),
        ("gcr.io/x/y", "gcr.io/x/y:latest", "https://gcr.io"),
        (f"gcr.io/x/y:tag@{DIGEST}", f"gcr.io/x/y@{DIGEST}", "https://gcr.io"),
        (f"redis@{DIGEST}", f"docker.io/library/redis@{DIGEST}", "https://registry-1.docker.io"),
        ("localhost/y:1", "localhost/y:1", "http://localhost"),
        ("localhost:5000/y:1", "localhost:5000/y:1", "http://localhost:5000"),
        ("127.0.0.1:5000/a/b__c:1", "127.0.0.1:5000/a/b__c:1", "http://127.0.0.1:5000"),
        ("registry.test:8443/a:1", "registry.test:8443/a:1", "https://registry.test:8443"),
    ],
)
def test_references(image: str, full: str, base: str) -> None:
    reference = ImageReference.parse(image)

    assert str(reference) == full
    assert reference.base == base


@pytest.mark.parametrize(
    "image", ["", "Upper/case", "a b", "x:", "x:-tag", "x@sha256:12", "x@", "gcr.io/", "../etc/passwd", "a//b", "x\n"]
)
def test_what_is_no_reference(image: str) -> None:
    with pytest.raises(BadAnswer, match="not an image reference"):
        ImageReference.parse(image)
