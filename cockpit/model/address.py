"""Addresses as people may see them, without the secrets that they may hold, and those that a terminal may open."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from cockpit.model.text import clean

_SECRET = ("token", "secret", "password", "passwd", "key", "auth", "sig", "signature", "credential", "session")
MASKED = "***"
LONGEST = 2083
"""Bytes of an address that terminals open; VTE, which sets the least limit, ignores longer ones."""
_FOUND = re.compile(r"https?://[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_AFTER = ".,;:!?"
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F))


def shown(url: str) -> str:
    """The address without user info, and with the values of parameters that look like secrets masked.

    An address that cannot be read is not shown.
    """
    try:
        parts = urlsplit(url)
        # The port is read for its error alone.
        _ = parts.port
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if any(_secret(name) for name, _ in parse_qsl(query, keep_blank_values=True)):
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, MASKED if _secret(name) else value) for name, value in pairs], safe="*")
    return urlunsplit((parts.scheme, host, parts.path, query, parts.fragment))


def opens(url: str) -> str:
    """The address as a terminal may be given it to open in a browser, of printable ASCII alone; empty when it may not.

    Only http and https, only a plain host name: no user info, which makes one host look like another, and no letters
    beyond ASCII in it, which do so too. Source of the characters: the specification of OSC 8, "Encodings".
    """
    if clean(url, len(url)) != url:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return ""
    plain = bool(host) and host.isascii() and "@" not in parts.netloc
    found = quote(url, safe=_PRINTABLE) if plain and parts.scheme in ("http", "https") else ""
    return found if len(found) <= LONGEST else ""


class Place(NamedTuple):
    """Where in a text an address stands."""

    start: int
    end: int
    address: str


def addresses(text: str) -> list[Place]:
    """The addresses in a text that a terminal may open, each without the full stop or closing bracket after it."""
    places = []
    for match in _FOUND.finditer(text):
        found = match.group().rstrip(_AFTER)
        while found.endswith(")") and found.count(")") > found.count("("):
            found = found[:-1].rstrip(_AFTER)
        address = opens(found)
        if address:
            places.append(Place(match.start(), match.start() + len(found), address))
    return places


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)
