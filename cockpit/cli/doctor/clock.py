"""The clock: its zone, and how far it is from the API server's."""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from cockpit.adapters.kubernetes import kubeconfig
from cockpit.adapters.kubernetes.resource import text
from cockpit.cli.preflight.finding import Note, fail, ok, warning
from cockpit.errors import CockpitError
from cockpit.model.text import clean

ANSWER_WITHIN = 2.0
"""Seconds for the API server's answer."""
SOME_SKEW = 2.0
MUCH_SKEW = 15.0
"""Seconds: the duration of the run's Lease; a clock that far away sees live holders as dead."""
_SYNC = "Synchronise both clocks (chronyc tracking, timedatectl)."


def timezone() -> Note:
    """The zone of this machine; runs are timed and shown in UTC."""
    now = datetime.now().astimezone()
    return ok(f"{now.tzname()} ({now:%z}); it is {now.astimezone(UTC):%H:%M:%S} UTC, which runs use", "timezone")


def skew(path: str | None) -> Note:
    """The difference to the API server of the current context; no credentials are sent."""
    try:
        files = kubeconfig.find(path)
        if not files:
            return ok("no kubeconfig: not compared with an API server", "skew")
        cluster = kubeconfig.load(files, None).cluster
        return asyncio.run(_ask(text(cluster, "server"), _trust(cluster)))
    except CockpitError as error:
        return warning(str(error), error.hint, "skew")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        # Their texts may quote the address with a user's name in it.
        return warning(f"the API server gave no answer ({type(error).__name__})", "Check the line to it.", "skew")


def skew_note(seconds: float, within: float) -> Note:
    """What a difference means; `seconds` is ours minus theirs, exact to `within`."""
    side = "ahead of" if seconds > 0 else "behind"
    text_ = f"{abs(seconds):.1f} s {side} the API server (±{within:.1f} s)"
    certain = max(0.0, abs(seconds) - within)
    if certain >= MUCH_SKEW:
        return fail(f"{text_}: Leases and gates cannot be judged", _SYNC, "skew")
    if certain >= SOME_SKEW:
        return warning(text_, _SYNC, "skew")
    return ok(text_, "skew")


async def _ask(server: str, trust: ssl.SSLContext) -> Note:
    name = clean(urlsplit(server).hostname or "the API server")
    try:
        async with (
            asyncio.timeout(ANSWER_WITHIN),
            httpx.AsyncClient(verify=trust, trust_env=False, timeout=None) as client,
        ):
            before = datetime.now(UTC)
            answer = await client.get(f"{server.rstrip('/')}/version")
            after = datetime.now(UTC)
    except TimeoutError:
        return warning(f"{name} gave no answer within {ANSWER_WITHIN:.0f} s", "Check the line to it.", "skew")
    said = answer.headers.get("Date")
    if not said:
        return warning(f"{name} does not say what time it is", "", "skew")
    # The header has whole seconds: on average it is half a second late.
    middle = before + (after - before) / 2
    seconds = (middle - parsedate_to_datetime(said)).total_seconds() - 0.5
    return skew_note(seconds, 0.5 + (after - before).total_seconds() / 2)


def _trust(cluster: dict[str, object]) -> ssl.SSLContext:
    file, data = text(cluster, "certificate-authority"), text(cluster, "certificate-authority-data")
    if data:
        try:
            return ssl.create_default_context(cadata=base64.b64decode(data).decode("ascii"))
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("not a certificate") from error
    return ssl.create_default_context(cafile=file or None)
