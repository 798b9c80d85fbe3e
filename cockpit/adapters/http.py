"""Plain HTTP GET for checks."""

from __future__ import annotations

import httpx

from cockpit.adapters.web import BODY, Answer, send
from cockpit.errors import BadAnswer
from cockpit.model.outside import HttpAnswer
from cockpit.model.text import clean, clean_lines

_REDIRECTS = 3


class HttpChecks:
    """See `cockpit.engine.ports.Http`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, url: str, timeout: float) -> HttpAnswer:
        """GET a URL, within `timeout` seconds for each of at most four answers.

        Redirects are followed on the same host alone; one to another host, which would tell about that host, raises
        BadAnswer.
        """
        what = clean(url.split("?")[0], 200)
        at = url
        for _ in range(_REDIRECTS + 1):
            answer = await send(self._client, "GET", at, what=what, deadline=timeout)
            if answer.status not in (301, 302, 303, 307, 308) or "Location" not in answer.headers:
                return HttpAnswer(answer.status, clean_lines(answer.body.decode("utf-8", "replace"), BODY))
            at = _next(at, answer, what)
        raise BadAnswer(f"{what} redirects again and again.")


def _next(url: str, answer: Answer, what: str) -> str:
    here = httpx.URL(url)
    try:
        there = here.join(answer.headers["Location"])
    except (httpx.InvalidURL, ValueError):
        raise BadAnswer(f"{what} redirects to something that is not a URL.") from None
    if there.host != here.host:
        raise BadAnswer(f"{what} redirects to {clean(there.host, 100)}.", "Check that host by its own URL.")
    return str(there)
