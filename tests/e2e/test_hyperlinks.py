"""The bytes of hyperlinks on a pty: written whole and closed, read over by a terminal that knows none."""

from __future__ import annotations

import re

import pytest

from .terminal import Terminal

pytestmark = pytest.mark.e2e
LINK = re.compile(rb"\x1b\]8;id=(\d+);([^\x1b\x07]*)\x1b\\((?:\x1b\[[0-9;]*m|[^\x1b])*)\x1b\]8;;\x1b\\")


def test_an_address_goes_to_the_terminal_as_a_closed_hyperlink() -> None:
    terminal = Terminal("-m", "tests.tui.preview", "gating", size=(100, 30))
    try:
        terminal.until("PODS")
        terminal.answer("i", "DASHBOARDS", "https://grafana.moshimoshi.app")
        found = LINK.findall(terminal.received)
        assert {address for _, address, _ in found} == {b"https://grafana.moshimoshi.app"}
        assert len({id for id, _, _ in found}) == 1
        assert terminal.received.count(b"\x1b]8;") == 2 * len(found), "nothing of the kind besides"
        line = next(line for line in terminal.text.split("\n") if "grafana" in line)
        assert re.search(r"Grafana +https://grafana\.moshimoshi\.app$", line), "the words are as they were"
    finally:
        terminal.kill()
