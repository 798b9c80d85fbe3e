"""Cloudflare: purge a zone's cache.

Source: Cloudflare API v4, `POST /zones/{zone_id}/purge_cache`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from cockpit.adapters.web import refuse, send
from cockpit.errors import BadAnswer
from cockpit.model.text import clean

_NAME = "Cloudflare"


class Cloudflare:
    """See `cockpit.engine.ports.Cdn`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def purge_everything(self, api: str, zone: str, token: SecretStr) -> str:
        """Purge all of a zone; `api` is the base URL with its version. Returns the result's id.

        Raises BadAnswer when Cloudflare says that it did not do it, with its own reasons.
        """
        url = f"{api.rstrip('/')}/zones/{quote(zone, safe='')}/purge_cache"
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        answer = await send(self._client, "POST", url, what=_NAME, headers=headers, body={"purge_everything": True})
        said: Any = answer.json
        reasons = _reasons(said)
        if answer.status >= 300:
            raise refuse(answer, _NAME, reasons)
        if not isinstance(said, dict) or said.get("success") is not True:
            raise BadAnswer(f"{_NAME} did not purge the cache: {reasons or 'no reason given'}")
        result = said.get("result")
        return clean(str(result["id"]), 100) if isinstance(result, dict) and "id" in result else "purged"


def _reasons(said: Any) -> str:
    errors = said.get("errors") if isinstance(said, dict) else None
    found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return clean("; ".join(f"{error.get('message')} ({error.get('code')})" for error in found))
