"""Whether the systems that a run tells things are there and know us. Nothing is posted, mailed or purged.

Source: RFC 5321, 4.1.1.9 (NOOP); Statuspage API v1, `GET /pages/{page}`; Cloudflare API v4, `GET /user/tokens/verify`,
which knows a user's tokens alone, and `GET /zones/{zone}`.
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import quote, urlsplit

import aiosmtplib
import httpx
from pydantic import SecretStr

from cockpit.adapters.web import refuse, send
from cockpit.errors import BadAnswer, OutsideError, Unreachable
from cockpit.model.text import clean

DEADLINE = 8.0


async def slack(webhook: SecretStr) -> str:
    """Open a connection to the webhook's host, with TLS; the webhook itself could only be proved by posting."""
    at = urlsplit(webhook.get_secret_value())
    if at.scheme not in ("http", "https") or not at.hostname:
        raise BadAnswer("The webhook of Slack is not a URL.", "Correct the secret.")
    secure = at.scheme == "https"
    host, port = at.hostname, at.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(DEADLINE):
            context = ssl.create_default_context() if secure else None
            _, writer = await asyncio.open_connection(host, port, ssl=context)
            writer.close()
    except (OSError, TimeoutError) as error:
        # The host is no secret, the path is.
        said = clean(str(error) or type(error).__name__, 100)
        raise Unreachable(f"{clean(host, 100)} cannot be reached: {said}", "Check the network.") from error
    return f"{clean(host, 100)} answers{' with TLS' if secure else ''}; nothing was posted"


async def smtp(server: str) -> str:
    """Greet the mail server (EHLO, STARTTLS where offered) and ask it for nothing (NOOP)."""
    host, _, port = server.partition(":")
    client = aiosmtplib.SMTP(hostname=host, port=int(port) if port.isdecimal() else 25, timeout=DEADLINE)
    name = clean(server, 100)
    try:
        async with asyncio.timeout(DEADLINE), client:
            await client.ehlo()
            await client.noop()
    except (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError) as error:
        said = clean(str(error) or type(error).__name__, 100)
        raise Unreachable(f"The mail server {name} does not answer: {said}", "Check its name and port.") from error
    return f"{name} answers EHLO and NOOP; nothing was mailed"


async def statuspage(client: httpx.AsyncClient, api: str, page: str, token: SecretStr) -> str:
    """Read the page by its id."""
    headers = {"Authorization": f"OAuth {token.get_secret_value()}"}
    url = f"{api.rstrip('/')}/pages/{quote(page, safe='')}"
    answer = await send(client, "GET", url, what="Statuspage", headers=headers, deadline=DEADLINE)
    if answer.status >= 300:
        raise refuse(answer, "Statuspage")
    found = answer.json
    name = found.get("name") if isinstance(found, dict) else None
    return f"the page {clean(str(name or page), 100)} is there, the key is accepted"


async def cloudflare(client: httpx.AsyncClient, api: str, zone: str, token: SecretStr) -> str:
    """Let Cloudflare verify the token; one that belongs to an account is tried on the zone instead."""
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    base = api.rstrip("/")
    answer = await send(
        client, "GET", f"{base}/user/tokens/verify", what="Cloudflare", headers=headers, deadline=DEADLINE
    )
    said = answer.json.get("result") if isinstance(answer.json, dict) else None
    status = clean(str(said.get("status")), 40) if isinstance(said, dict) else ""
    if answer.status < 300 and status == "active":
        return "the token is active; nothing was purged"
    refusal: OutsideError = (
        refuse(answer, "Cloudflare") if answer.status >= 300 else BadAnswer(f"The token is {status}")
    )
    url = f"{base}/zones/{quote(zone, safe='')}"
    answer = await send(client, "GET", url, what="Cloudflare", headers=headers, deadline=DEADLINE)
    if answer.status >= 300:
        raise refusal
    return "the token reads the zone; nothing was purged"
