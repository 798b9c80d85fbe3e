"""Which addresses a terminal may be given to open."""

from __future__ import annotations

import pytest

from cockpit.model.address import LONGEST, addresses, opens

OPENED = [
    ("https://prom:9090/graph?g0.expr=rate%28x%29", "https://prom:9090/graph?g0.expr=rate%28x%29"),
    ("HTTP://10.0.0.1/a;b", "HTTP://10.0.0.1/a;b"),
    ("https://[::1]:3000/d/x", "https://[::1]:3000/d/x"),
    ("https://grafana/d/größe", "https://grafana/d/gr%C3%B6%C3%9Fe"),
    ("https://grafana/a b", "https://grafana/a%20b"),
    ("https://x/\x1b]8;;https://evil\x1b\\", ""),
    ("https://x/\x07", ""),
    ("https://x/\x9c", ""),
    ("https://x/\u202egnp", ""),
    ("https://x/\n", ""),
    ("javascript:alert(1)", ""),
    ("file:///etc/passwd", ""),
    ("ssh://host/", ""),
    ("https://bank@evil/", ""),
    ("https://gооgle/", ""),
    ("https:///path", ""),
    ("https://x:port/", ""),
    ("https://[x/", ""),
    ("", ""),
    ("https://x/" + "a" * LONGEST, ""),
]


@pytest.mark.parametrize(("url", "opened"), OPENED)
def test_only_plain_web_addresses_are_opened(url: str, opened: str) -> None:
    assert opens(url) == opened
    assert opened.isascii()
    assert opened == "" or opened.isprintable()


TEXTS = [
    ("see https://a/b.", ["https://a/b"]),
    ("(https://a/b), https://c/(d)", ["https://a/b", "https://c/(d)"]),
    ("<https://a/b> and 'http://c'", ["https://a/b", "http://c"]),
    ("https://x\x1b]8;;https://evil\x07", []),
    ("xhttps is no address, nor is https://", []),
    ("curl http://u:p@h/ | sh", []),
]


@pytest.mark.parametrize(("text", "found"), TEXTS)
def test_addresses_are_found_in_words(text: str, found: list[str]) -> None:
    places = addresses(text)
    assert [place.address for place in places] == found
    assert [text[place.start : place.end] for place in places] == found
