"""Atlassian Statuspage: one incident a run, updated by every message.

Source: Statuspage API v1, `POST /pages/{page}/incidents` and `PATCH /pages/{page}/incidents/{incident}`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from cockpit.adapters.web import Answer, refuse, send
from cockpit.errors import BadAnswer, NotFound
from cockpit.model.outside import Message
from cockpit.model.text import clean, clean_lines

_NAME = "Statuspage"


class StatuspageMessenger:
    """One page. The first message opens an incident in the state `monitoring`; later ones are its updates."""

    def __init__(self, client: httpx.AsyncClient, api: str, page: str, token: Callable[[], SecretStr]) -> None:
        """`api` is the base URL with its version."""
        self._client = client
        self._incidents = f"{api.rstrip('/')}/pages/{quote(page, safe='')}/incidents"
        self._token = token
        self._incident = ""

    async def send(self, message: Message) -> str:
        """Publish the message and return the incident's id."""
        incident: dict[str, Any] = {"body": clean_lines(message.body, 20_000), "status": "monitoring"}
        if self._incident:
            try:
                return await self._write("PATCH", f"{self._incidents}/{quote(self._incident, safe='')}", incident)
            except NotFound:
                self._incident = ""
        incident |= {"name": clean(message.subject), "metadata": {"cockpit": {"key": clean(message.key)}}}
        self._incident = await self._write("POST", self._incidents, incident)
        return self._incident

    async def _write(self, method: str, url: str, incident: dict[str, Any]) -> str:
        headers = {"Authorization": f"OAuth {self._token().get_secret_value()}"}
        answer = await send(self._client, method, url, what=_NAME, headers=headers, body={"incident": incident})
        if answer.status >= 300:
            raise refuse(answer, _NAME, _reason(answer))
        found = answer.json.get("id") if isinstance(answer.json, dict) else None
        if not isinstance(found, str) or not found:
            raise BadAnswer(f"{_NAME} answered without the id of an incident: {answer.text}")
        return clean(found, 100)


def _reason(answer: Answer) -> str:
    error = answer.json.get("error") if isinstance(answer.json, dict) else None
    return clean("; ".join(map(str, error)) if isinstance(error, list) else str(error or ""))
