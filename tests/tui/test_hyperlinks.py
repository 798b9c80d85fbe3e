"""Addresses are hyperlinks to the terminal (OSC 8): whole, closed, web addresses alone, and only where it has them."""

from __future__ import annotations

import re

import pytest
from rich.console import Console

from cockpit.model.snapshot import ReferenceEntry, ReferenceView
from cockpit.tui.app import CockpitApp
from tests.tui.helpers import cockpit, press, screen_text, wait_for
from tests.tui.worlds import metrics, snapshot
from widgets.lines import Line, Link, Tone, changed_cells, cut_line
from widgets.links import leading, linked, terminal_links
from widgets.pane import faded

LINK = re.compile(r"\x1b]8;([^;]*);([^\x1b]*)\x1b\\(.*?)\x1b]8;;\x1b\\", re.DOTALL)
SGR = re.compile(r"\x1b\[[0-9;]*m")
LONG = "https://grafana.example/d/abc/" + "release-health-" * 12 + "?var-ns=production"
EVIL = "https://grafana.example/\x1b]8;;https://evil.example\x1b\\"


def written(app: CockpitApp) -> str:
    """What goes to the terminal for the whole screen."""
    console = Console(color_system="truecolor", force_terminal=True)
    return "\n".join(strip.render(console) for strip in app.screen._compositor.render_strips())


def links(text: str) -> list[tuple[str, str, str]]:
    """Id, address and text of each hyperlink; nothing else of the kind is written."""
    found = [(id, address, SGR.sub("", said)) for id, address, said in LINK.findall(text)]
    assert text.count("\x1b]8;") == 2 * len(found), "every link is closed before the next one"
    assert all("\x1b" not in said for _, _, said in found)
    return found


def book(*urls: str) -> ReferenceView:
    return ReferenceView(dashboards=tuple(ReferenceEntry(title=f"Board {url[:3]}", detail=url) for url in urls))


@pytest.mark.parametrize("no_color", ["", "1"])
async def test_a_wrapped_address_is_one_link_on_all_its_rows(no_color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("STY", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    state = snapshot().model_copy(update={"reference": book(LONG, EVIL, "javascript:alert(1)")})
    async with cockpit(state, (100, 40)) as (app, pilot, _):
        await press(pilot, "i")
        await wait_for(pilot, lambda: "DASHBOARDS" in screen_text(app), "the addresses are shown")
        found = links(written(app))
        assert len(found) > 2
        assert {address for _, address, _ in found} == {LONG}, "what holds control characters is no link"
        assert len({id for id, _, _ in found}) == 1, "its rows are one link"
        assert "".join(said for _, _, said in found) == LONG
        assert "evil.example" in screen_text(app)


@pytest.mark.parametrize(
    ("environment", "opens"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"}, True),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "xterm-256color", "STY": "1.pts-0"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "linux"}, False),
        ({"TERM": "vt220"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_know_hyperlinks_are_sent_any(
    environment: dict[str, str], opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert terminal_links() is opens


async def test_a_dumb_terminal_gets_the_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    state = snapshot().model_copy(update={"reference": book(LONG)})
    async with cockpit(state, (100, 40)) as (app, pilot, _):
        await press(pilot, "i")
        await wait_for(pilot, lambda: "grafana.example" in screen_text(app), "the address is shown")
        assert "\x1b]" not in written(app)


async def test_the_query_leads_to_its_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("STY", raising=False)
    graph = "https://prom:9090/graph?g0.expr=x"
    linked_one = metrics().metrics[0].model_copy(update={"link": graph})
    seen = metrics().model_copy(update={"metrics": (linked_one,)})
    async with cockpit(snapshot().model_copy(update={"metrics": seen})) as (app, pilot, line):
        await press(pilot, "g")
        await wait_for(pilot, lambda: "sum(rate(error_rate" in screen_text(app), "the query is shown")
        assert [found[1:] for found in links(written(app))] == [(graph, seen.metrics[0].query)]
        line.lose()
        await wait_for(pilot, lambda: app.main.lost, "the line is lost")
        assert [found[1] for found in links(written(app))] == [graph]


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def test_words_around_an_address_are_not_part_of_it() -> None:
    rows = linked("Look at https://a.example/x, then (https://b.example).", 30, Tone.WARN)
    assert [text(row) for row in rows] == ["Look at https://a.example/x,", "then (https://b.example)."]
    ends = [(part, ink.address) for row in rows for part, ink in row if isinstance(ink, Link)]
    assert ends == [("https://a.example/x", "https://a.example/x"), ("https://b.example", "https://b.example")]
    assert linked("no address", 30) == [(("no address", Tone.TEXT),)]


def test_what_is_cut_opens_the_whole_address() -> None:
    rows = linked(f"  {LONG}", 20, Tone.QUIET, 2)
    assert text(rows[-1]).endswith("…")
    assert {ink.address for row in rows for _, ink in row if isinstance(ink, Link)} == {LONG}
    endless = "https://a.example/" + "x" * 1500
    assert {ink.address for row in linked(endless, 60) for _, ink in row if isinstance(ink, Link)} == {endless}
    line: Line = (("https://a", Link(Tone.TEXT, "https://a/")),)
    assert cut_line(line, 5) == (("http…", Link(Tone.TEXT, "https://a/")),)
    assert faded(line) == (("https://a", Link(Tone.QUIET, "https://a/")),)
    other: Line = (("https://a", Link(Tone.TEXT, "https://b/")),)
    assert changed_cells(line, other) == (0, 9), "another address is painted, though it looks the same"
    assert leading([(("  ", Tone.TEXT), ("q", Tone.FAINT))], "https://a/")[0][0] == ("  ", Tone.TEXT)
    assert leading([(("q", Tone.FAINT),)], "") == [(("q", Tone.FAINT),)]
