"""Which commands empty a Redis. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit

_CLIENTS = ("redis-cli", "valkey-cli", "keydb-cli")
_WITH_VALUE = frozenset(
    ("-h", "-p", "-t", "-s", "-a", "-u", "-r", "-i", "-n", "-d", "-D", "-X", "--user", "--pass", "--cacert",
     "--cacertdir", "--cert", "--key", "--sni", "--tls-ciphers", "--tls-ciphersuites", "--show-pushes")
)  # fmt: skip
_FLUSH = re.compile(r"\bflush(all|db)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Flush:
    """A flush: how its client is called (`client`, with its options), and what it empties.

    `database` is the one that FLUSHDB empties; `everything` says that all are.
    """

    client: tuple[str, ...]
    command: str
    everything: bool
    asynchronous: bool
    database: int = 0


def flush_of(argv: Sequence[str]) -> Flush | None:
    """The flush that an argv is, or None."""
    if not argv or argv[0].rpartition("/")[2] not in _CLIENTS:
        return None
    at, database = 1, 0
    while at < len(argv) and argv[at].startswith("-"):
        takes = argv[at] in _WITH_VALUE and at + 1 < len(argv)
        database = _database(argv[at], argv[at + 1], database) if takes else database
        at += 1 + takes
    command = argv[at].upper() if at < len(argv) else ""
    if command not in ("FLUSHALL", "FLUSHDB"):
        return None
    words = {word.upper() for word in argv[at + 1 :]}
    return Flush(tuple(argv[:at]), command, command == "FLUSHALL", "ASYNC" in words, database)


def hidden_flush(argv: Sequence[str]) -> bool:
    """Whether an argv that is no plain flush seems to hold one, as for a shell."""
    return flush_of(argv) is None and any(_FLUSH.search(word) for word in argv[1:])


def has_password(argv: Sequence[str]) -> bool:
    """Whether a Redis client is given a password where every user of the machine can read it."""
    if not argv or argv[0].rpartition("/")[2] not in _CLIENTS:
        return False
    urls = [value for name, value in pairwise(argv) if name == "-u"]
    return any(word in ("-a", "--pass") for word in argv[1:]) or any(_password_in(url) for url in urls)


def _password_in(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False


def _database(option: str, value: str, before: int) -> int:
    if option == "-u":
        value = value.rpartition("/")[2]
    return int(value) if option in ("-n", "-u") and value.isascii() and value.isdigit() else before
