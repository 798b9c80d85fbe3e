"""Whom a client certificate names and when it ends.

Source: RFC 5280, 4.1 (TBSCertificate); Kubernetes takes the common name for the user and organisations for groups.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cockpit.model.text import clean

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_COMMON_NAME, _ORGANISATION = bytes.fromhex("550403"), bytes.fromhex("55040a")
_VERSION_TAG, _UTC_TIME = 0xA0, 0x17


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a certificate."""

    name: str
    organisations: tuple[str, ...]
    expires: datetime | None


def subject_of(pem: bytes) -> Subject | None:
    """The subject of the first certificate in a PEM text; None when there is none that can be read."""
    found = _PEM.search(pem)
    if found is None:
        return None
    try:
        return _subject(base64.b64decode(b"".join(found[1].split()), validate=True))
    except (IndexError, ValueError, binascii.Error):
        return None


def _subject(der: bytes) -> Subject:
    (_, certificate), *_ = _items(der)
    (_, body), *_ = _items(certificate)
    fields = [*_items(body)]
    if fields[0][0] == _VERSION_TAG:
        fields = fields[1:]
    _, _, _, (_, validity), (_, subject), *_ = fields
    names = [*_names(subject)]
    return Subject(
        name=next((value for kind, value in names if kind == _COMMON_NAME), ""),
        organisations=tuple(value for kind, value in names if kind == _ORGANISATION),
        expires=_time(*[*_items(validity)][1]),
    )


def _names(name: bytes) -> Iterator[tuple[bytes, str]]:
    for _, relative in _items(name):
        for _, pair in _items(relative):
            (_, kind), (_, value), *_ = _items(pair)
            yield kind, clean(value.decode("utf-8", "replace"), 200)


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tags and contents of a sequence of DER values."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            width = length & 0x7F
            length, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + length > len(data):
            raise ValueError("cut short")
        yield tag, data[at : at + length]
        at += length


def _time(tag: int, value: bytes) -> datetime | None:
    written = value.decode("ascii")
    if tag == _UTC_TIME:
        # Two digits: 50 to 99 are of the twentieth century.
        written = ("19" if written[:2] >= "50" else "20") + written
    return datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
