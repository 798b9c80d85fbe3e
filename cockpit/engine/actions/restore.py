"""Write back a guarded object that somebody else changed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cockpit.engine.ports import Outside
from cockpit.model.guarded import ENABLED, IMAGE, SELECTOR, WEIGHT
from cockpit.runbook.schema import Runbook


async def write_back(book: Runbook, outside: Outside, key: str, expected: Mapping[str, str]) -> None:
    """Make the object as expected, if it is still as it is read now; raises OutsideError."""
    kind, _, name = key.partition("/")
    if kind == "deployment":
        await _image(book, outside, name, expected[IMAGE])
    elif kind == "service":
        seen = await outside.workloads.service(name)
        await outside.workloads.set_selector(seen, json.loads(expected[SELECTOR]))
    else:
        await _route(outside, expected)


async def _image(book: Runbook, outside: Outside, name: str, image: str) -> None:
    container = next((track.container for track in book.cluster.tracks.values() if track.deployment == name), None)
    seen = await outside.workloads.deployment(name, container)
    await outside.workloads.set_image(seen, image)


async def _route(outside: Outside, expected: Mapping[str, str]) -> None:
    seen = await outside.traffic.read()
    if expected[ENABLED] == "true":
        await outside.traffic.set_weight(seen, int(expected[WEIGHT]))
    else:
        await outside.traffic.disable(seen)
