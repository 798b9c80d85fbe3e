"""The image registry: the part of the OCI distribution API that tells whether an image exists."""

from __future__ import annotations

import hashlib
import json

from aiohttp import web

from cockpit.simulator.world.seed import SUPPORT_IMAGES
from cockpit.simulator.world.values import image_repository, image_tag
from cockpit.simulator.world.world import World

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_HEADERS = {"Docker-Distribution-Api-Version": "registry/2.0"}


class Registry:
    """Knows the spec's images, whatever registry host they name."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def base(self, request: web.Request) -> web.Response:
        """The version check."""
        return web.json_response({}, headers=_HEADERS)

    async def manifest(self, request: web.Request) -> web.Response:
        """A manifest, by tag or digest."""
        name = request.match_info["name"].removeprefix("library/")
        reference = request.match_info["reference"]
        for image in (*self._world.spec.images, *SUPPORT_IMAGES):
            body = _manifest(image)
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            if image_repository(image) == name and reference in (image_tag(image), digest):
                headers = {**_HEADERS, "Docker-Content-Digest": digest, "Content-Type": _MANIFEST}
                return web.Response(body=body, headers=headers)
        return _unknown(name, reference)

    async def tags(self, request: web.Request) -> web.Response:
        """The tags of a repository."""
        name = request.match_info["name"]
        images = [image for image in self._world.spec.images if image_repository(image) == name]
        if not images:
            return _unknown(name, "")
        return web.json_response({"name": name, "tags": [image_tag(image) for image in images]}, headers=_HEADERS)


def _manifest(image: str) -> bytes:
    digest = "sha256:" + hashlib.sha256(image.encode()).hexdigest()
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 1024}
    return json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": []}).encode()


def _unknown(name: str, reference: str) -> web.Response:
    code = "MANIFEST_UNKNOWN" if reference else "NAME_UNKNOWN"
    error = {"code": code, "message": f"{name}:{reference} is not known", "detail": {}}
    return web.json_response({"errors": [error]}, status=404, headers=_HEADERS)
