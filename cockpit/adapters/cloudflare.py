"""Cloudflare: purge a zone's cache.

Source: Cloudflare API v4, `POST /zones/{zone_id}/purge_cache`; developers.cloudflare.com, "Purge cache", Availability
and limits: at most 100 operations a request, 5 requests a minute on the smallest plan, 429 with Retry-After beyond it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from cockpit.adapters.web import DEADLINE, Answer, refuse, retry_after, send
from cockpit.errors import BadAnswer, DeadlineExceeded, OutsideError, Unreachable
from cockpit.model.outside import Purge
from cockpit.model.text import clean

BATCH = 100
"""Entries a request may have. The page on prefixes says 30 for those."""

BATCH_PREFIXES = 30
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)
_NAME = "Cloudflare"
_KEYS = {"hosts": "hosts", "tags": "tags", "urls": "files", "prefixes": "prefixes"}

Say = Callable[[str], Awaitable[None]]


class Cloudflare:
    """See `cockpit.engine.ports.Cdn`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def purge(
        self, api: str, zone: str, token: SecretStr, purge: Purge, deadline: float, say: Say
    ) -> tuple[str, ...]:
        """Purge in batches, within `deadline` seconds; `api` is the base URL with its version.

        A 429 is waited out as Cloudflare asks, and what brought no answer is tried again: a second purge is harmless.
        Raises OutsideError with Cloudflare's own reasons and with what was purged before.
        """
        url = f"{api.rstrip('/')}/zones/{quote(zone, safe='')}/purge_cache"
        until = asyncio.get_running_loop().time() + deadline
        bodies, ids = list(batches(purge)), list[str]()
        for number, body in enumerate(bodies, 1):
            try:
                ids.append(await self._one(url, token, body, until, say))
            except OutsideError as error:
                raise _partial(error, ids, len(bodies)) from None
            if len(bodies) > 1:
                await say(f"batch {number} of {len(bodies)} purged, result id {ids[-1]}")
        return tuple(ids)

    async def _one(self, url: str, token: SecretStr, body: dict[str, Any], until: float, say: Say) -> str:
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        loop, attempt = asyncio.get_running_loop(), 0
        while True:
            wish: float | None = None
            trouble: OutsideError
            try:
                seconds = max(0.1, min(DEADLINE, until - loop.time()))
                answer = await send(self._client, "POST", url, what=_NAME, deadline=seconds, headers=headers, body=body)
            except (Unreachable, DeadlineExceeded) as error:
                trouble = error
            else:
                if answer.status != 429 and answer.status < 500:
                    return _result(answer)
                trouble, wish = refuse(answer, _NAME, _reasons(answer.json)), retry_after(answer.headers)
            wait = BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)] * random.uniform(0.8, 1.2) if wish is None else wish
            if loop.time() + wait >= until:
                raise _no_time(trouble, wish, until - loop.time(), attempt + 1)
            attempt += 1
            await say(f"{trouble}; trying again in {wait:.0f} s")
            await asyncio.sleep(wait)


def batches(purge: Purge) -> Iterator[dict[str, Any]]:
    """The bodies of the requests."""
    if purge.by == "everything":
        yield {"purge_everything": True}
        return
    size = BATCH_PREFIXES if purge.by == "prefixes" else BATCH
    for start in range(0, len(purge.values), size):
        yield {_KEYS[purge.by]: list(purge.values[start : start + size])}


def _result(answer: Answer) -> str:
    """The result's id; raises OutsideError when Cloudflare says that it did not purge."""
    said = answer.json
    reasons = _reasons(said)
    if answer.status >= 300:
        raise refuse(answer, _NAME, reasons)
    if not isinstance(said, dict) or said.get("success") is not True:
        raise BadAnswer(f"{_NAME} did not purge the cache: {reasons or 'no reason given'}")
    result = said.get("result")
    return clean(str(result["id"]), 100) if isinstance(result, dict) and "id" in result else "purged"


def _no_time(trouble: OutsideError, wish: float | None, left: float, tries: int) -> OutsideError:
    asked = f"it asks to wait {wish:.0f} s, and " if wish is not None else ""
    message = f"{trouble}; {asked}{max(0.0, left):.0f} s are left after {tries} {'try' if tries == 1 else 'tries'}"
    return type(trouble)(message, trouble.hint)


def _partial(error: OutsideError, ids: list[str], total: int) -> OutsideError:
    if not ids:
        return error
    return type(error)(
        f"{len(ids)} of {total} batches are purged (result id {', '.join(ids)}), then: {error}", error.hint
    )


def _reasons(said: Any) -> str:
    errors = said.get("errors") if isinstance(said, dict) else None
    return (
        clean("; ".join(_reason(error) for error in errors if isinstance(error, dict)))
        if isinstance(errors, list)
        else ""
    )


def _reason(error: dict[str, Any]) -> str:
    chain = error.get("error_chain")
    causes = [cause for cause in chain if isinstance(cause, dict)] if isinstance(chain, list) else []
    because = "".join(f", because {cause.get('message')} ({cause.get('code')})" for cause in causes)
    return f"{error.get('message')} ({error.get('code')}){because}"
