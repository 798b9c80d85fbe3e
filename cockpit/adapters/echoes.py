"""A server may say back what it was sent: an error page tells the URL, a debugging proxy the headers.

What we showed of ourselves is masked in its answer before anybody reads that.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from cockpit.model.masking import Mask

SHORTEST = 8
"""Characters that a secret needs to be looked for: a shorter one would hit what is none, such as numbers."""


def masked(body: bytes, shown: Iterable[str]) -> bytes:
    """The body without what was shown."""
    secrets = [secret for secret in shown if len(secret) >= SHORTEST]
    if not secrets:
        return body
    return Mask(secrets)(body.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def shown_by(headers: Mapping[str, str], form: Mapping[str, str] | None = None, secret_url: str = "") -> Iterator[str]:
    """What a request shows: credentials in its headers, a password in its form, the path that a webhook's secret is."""
    yield urlsplit(secret_url).path
    for name, value in headers.items():
        if name.lower() == "authorization":
            yield from _credentials(value)
    for name in ("password", "refresh_token"):
        yield (form or {}).get(name, "")


def _credentials(value: str) -> Iterator[str]:
    scheme, _, shown = value.partition(" ")
    yield shown
    if scheme.lower() == "basic":
        try:
            yield base64.b64decode(shown).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return
