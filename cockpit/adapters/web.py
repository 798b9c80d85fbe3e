"""Requests to web APIs: a total deadline, a cap on the body, and one reading of what can go wrong.

httpx has no total timeout, trusts proxy variables and ~/.netrc, and logs whole URLs, of which some are secrets.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from cockpit.adapters.echoes import masked, shown_by
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, NotFound, OutsideError, Unreachable
from cockpit.model.text import clean

DEADLINE = 10.0
"""Seconds for a whole request when the caller does not say otherwise."""

BODY = 65_536
"""Bytes of a body that are read."""

logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status; `body` is at most `BODY` bytes."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as one cleaned line."""
        return clean(self.body.decode("utf-8", "replace").strip(), 300)

    @property
    def json(self) -> Any:
        """The body as JSON, or None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def web_client(trust_env: bool = False) -> httpx.AsyncClient:
    """A client that follows no redirects; `trust_env` lets proxy variables and ~/.netrc take part."""
    return httpx.AsyncClient(verify=trusted(), trust_env=trust_env, follow_redirects=False, timeout=None)


def trusted() -> ssl.SSLContext:
    """The machine's certificate authorities, which $SSL_CERT_FILE and $SSL_CERT_DIR replace; httpx's without any."""
    context, at = ssl.create_default_context(), ssl.get_default_verify_paths()
    some = context.cert_store_stats()["x509_ca"] or (at.capath and any(Path(at.capath).iterdir()))
    return context if some else httpx.create_ssl_context(trust_env=False)


async def send(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    what: str,
    deadline: float = DEADLINE,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    form: Mapping[str, str] | None = None,
    secret_url: bool = False,
) -> Answer:
    """One request, with `body` as JSON or `form` as a web form.

    `what` names the system in errors, which never tell the URL. The answer is without the credentials that we showed,
    and without the URL's path where that is one of them (`secret_url`).
    Raises Unreachable when nothing can have arrived, and DeadlineExceeded when a request may have.
    """
    try:
        async with asyncio.timeout(deadline):
            async with client.stream(method, url, headers=headers, json=body, data=form) as response:
                shown = shown_by(headers or {}, form, url if secret_url else "")
                return Answer(response.status_code, response.headers, masked(await _read(response), shown))
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError, OSError, ValueError) as error:
        # The error's own text and chain may hold the URL.
        found = _failure(error, method, what, deadline)
    raise found


def refuse(answer: Answer, what: str, said: str = "") -> OutsideError:
    """The error for an answer that is not 2xx; `said` is the system's own words."""
    words = f"{what} answered HTTP {answer.status}" + (f": {clean(said or answer.text)}" if said or answer.text else "")
    if answer.status == 429:
        seconds = clean(answer.headers.get("Retry-After", ""), 20)
        return Unreachable(words, f"It asks to wait {seconds} s." if seconds.isdecimal() else "It asks to wait.")
    if answer.status >= 500:
        return Unreachable(words, f"{what} has a problem of its own; try again.")
    if answer.status in (401, 403):
        return Denied(words, f"Check the credentials for {what}.")
    return NotFound(words) if answer.status in (404, 410) else BadAnswer(words)


def retry_after(headers: httpx.Headers) -> float | None:
    """The seconds that a server asks to wait, which it may write as a number or as a date; None when it does not."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


async def _read(response: httpx.Response) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) >= BODY:
            break
    return bytes(data[:BODY])


def _failure(error: BaseException, method: str, what: str, deadline: float) -> OutsideError:
    kind = type(error).__name__
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol | ValueError):
        return BadAnswer(f"The address of {what} is not a URL.", "Correct it in the runbook or the secret.")
    if isinstance(error, TimeoutError):
        return DeadlineExceeded(f"{what} did not answer within {deadline:g} s.")
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        hint = "Add its authority to this machine's certificates, or name a file that holds it in SSL_CERT_FILE."
        return Unreachable(f"{what}'s TLS certificate is not trusted.", hint)
    if isinstance(error, httpx.ConnectError) or method in ("GET", "HEAD"):
        return Unreachable(f"{what} cannot be reached ({kind}).", "Check the address and the network.")
    return DeadlineExceeded(f"The connection to {what} broke ({kind}).", "It may have taken the request.")
