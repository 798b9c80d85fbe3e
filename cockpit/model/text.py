"""Text from outside: cleaned once, where it enters."""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_PLAIN = re.compile(r"[\x20-\x7e]*\Z")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str, limit: int = 500) -> str:
    """One line of printable text: control, format and bidi characters become U+FFFD, line ends spaces.

    `limit` is a number of characters; what is longer ends in an ellipsis. Terminals act on control bytes in
    names and messages (CVE-2021-25743), so no string of an adapter goes further without this.
    """
    cut = text[:limit]
    if not _PLAIN.match(cut):
        cut = "".join(_clean_char(char) for char in cut)
    return cut if len(text) <= limit else cut[: limit - 1] + "…"


def clean_lines(text: str, limit: int = 20_000) -> str:
    """Like `clean`, but keeps line ends and turns tabs into spaces."""
    lines = text[:limit].replace("\r\n", "\n").split("\n")
    return "\n".join(clean(line.replace("\t", "    "), limit) for line in lines)


def _clean_char(char: str) -> str:
    if char in "\n\t":
        return " "
    return REPLACEMENT if unicodedata.category(char) in _FORBIDDEN else char
