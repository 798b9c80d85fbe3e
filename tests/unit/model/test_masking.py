"""Secrets in what others print."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from cockpit.model.masking import Mask

SECRET = 'p@ss w/rd"7'


@pytest.mark.parametrize(
    "form", [SECRET, json.dumps(SECRET)[1:-1], quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()]
)
def test_every_form_is_masked(form: str) -> None:
    assert Mask([SECRET])(f"before {form} after") == "before *** after"


def test_the_longer_secret_is_masked_first() -> None:
    assert Mask(["abc", "abcdef"])("abcdef abc") == "*** ***"


def test_each_line_of_a_long_secret_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEabc\nxyzw123\n}\n-----END KEY-----\n"
    mask = Mask([key])
    assert [mask(line) for line in key.splitlines()] == ["***", "***", "***", "}", "***"]


def test_no_secret_leaves_the_text_alone() -> None:
    assert Mask()("text") == Mask([""])("text") == "text"


def test_bytes_that_are_no_utf8_are_masked() -> None:
    secret = b"\xff\xfekey".decode(errors="surrogateescape")
    assert Mask([secret])(f"x{secret}x") == "x***x"


def test_a_mask_does_not_tell_its_secrets() -> None:
    assert SECRET not in repr(Mask([SECRET]))
