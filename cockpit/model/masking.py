"""Secrets in text that others printed: replaced before the text goes anywhere."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote

MASKED = "***"
_SHORTEST_LINE = 4
"""A shorter line of a secret of several lines, such as a bracket, is no secret."""


class Mask:
    """Replaces secrets by `***`: as they are, each line of one that has several, and as JSON, a URL or base64.

    A program that takes its secret apart in other ways is not caught.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = {form for secret in secrets if secret for form in _forms(secret)}
        self._forms = sorted(found, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        return self._pattern.sub(MASKED, text) if self._forms else text

    @property
    def longest(self) -> int:
        """Bytes that the longest masked text may have."""
        return max((len(form.encode(errors="surrogateescape")) for form in self._forms), default=0)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._forms)))

    def __repr__(self) -> str:
        return f"Mask({len(self._forms)} forms)"


def _forms(secret: str) -> Iterator[str]:
    lines = [line.strip() for line in secret.splitlines()]
    for text in {secret, secret.strip(), *(line for line in lines if len(line) >= _SHORTEST_LINE)}:
        if text:
            yield text
            yield json.dumps(text)[1:-1]
            # A variable of the environment may hold bytes that are no UTF-8.
            data = text.encode(errors="surrogateescape")
            yield quote(data, safe="")
            yield base64.b64encode(data).decode()
            yield base64.b64encode(data + b"\n").decode()
