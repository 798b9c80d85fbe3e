"""What the environment would do to requests, and that it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from cockpit.cli.preflight.finding import Note, ok

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def notes(environ: Mapping[str, str], home: Path) -> Iterator[Note]:
    """Proxy variables and ~/.netrc: named, never their values."""
    found = [name for upper in _PROXIES for name in (upper, upper.lower()) if environ.get(name)]
    if found:
        yield ok(f"{', '.join(found)} set; not used: every request goes straight to its host", "proxies")
    else:
        yield ok("none set; none would be used", "proxies")
    if (home / ".netrc").exists() or environ.get("NETRC"):
        yield ok("present; not used: no request takes its passwords", "~/.netrc")
    else:
        yield ok("none; it would not be used", "~/.netrc")
