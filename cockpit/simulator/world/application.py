"""What the application answers to health checks and requests."""

from __future__ import annotations

from cockpit.simulator.world.pods import is_ready
from cockpit.simulator.world.values import Obj, image_tag
from cockpit.simulator.world.world import World

_ANSWERS: dict[str, dict[str, str]] = {
    "/health": {"status": "ok"},
    "/ready": {"status": "ready"},
    "/health/database": {"database": "ok", "status": "ok"},
    "/health/redis": {"redis": "ok", "status": "ok"},
    "/version": {"version": "${version}"},
    "/": {"app": "ok"},
}


def answer_from(world: World, pods: list[Obj], path: str) -> tuple[int, Obj]:
    """The status and the JSON body that one of these pods gives for a path."""
    pod = pods[int(world.cluster.now) % len(pods)]
    if not is_ready(pod):
        return 503, {"status": "starting"}
    version = image_tag(pod["spec"]["containers"][0]["image"])
    place = "/" + path.split("?", 1)[0].strip("/")
    known = world.spec.answers.get(place) or _ANSWERS.get(place)
    if known is None:
        return 404, {"error": "not found", "path": place}
    body: Obj = {}
    for field, value in known.items():
        _put(body, field.split("."), value.replace("${version}", version))
    return 200, body


def _put(body: Obj, path: list[str], value: str) -> None:
    """Set a nested field."""
    for step in path[:-1]:
        body = body.setdefault(step, {})
    body[path[-1]] = value
