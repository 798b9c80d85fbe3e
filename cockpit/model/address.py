"""Addresses as people may see them: without the user name, the password and the tokens that they may hold."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_SECRET = ("token", "secret", "password", "passwd", "key", "auth", "sig", "signature", "credential", "session")
MASKED = "***"


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


def _secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)
