# ruff: noqa: PT012
"""Who sits at the control socket: persons, terminals, and who is told that the command moved."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from cockpit.link import peer
from cockpit.link.client import SocketConnection
from cockpit.link.feed import Seated
from cockpit.link.once import give_order
from cockpit.link.server import serve
from cockpit.model.commands import Advance, Hold

from .feeds import HandFeed
from .test_link import ME, Watcher


@pytest.fixture
def feed() -> HandFeed:
    return HandFeed()


def roles(watcher: Watcher) -> list[str]:
    return [update.place.role for update in watcher.of(Seated)]


async def test_each_screen_is_told_where_it_stands_and_when_that_changes(feed: HandFeed, tmp_path: Path) -> None:
    control, watch = tmp_path / "control.sock", tmp_path / "watch.sock"
    async with serve(feed, control, watch):
        first = Watcher(SocketConnection(control, seat=True))
        await first.until(lambda: roles(first) == ["commander"])
        second = Watcher(SocketConnection(control, seat=True))
        await second.until(lambda: roles(second) == ["observer"])
        assert [front.person for front in feed.fronts] == [ME, ME]
        feed.fronts.reverse()
        await feed.record("the command moved")
        await first.until(lambda: roles(first) == ["commander", "observer"])
        await second.until(lambda: roles(second) == ["observer", "commander"])
        await first.close()
        await second.close()


async def test_who_was_made_an_observer_does_not_ask_for_the_command_when_the_line_comes_back(
    feed: HandFeed, tmp_path: Path
) -> None:
    control, watch = tmp_path / "control.sock", tmp_path / "watch.sock"
    with pytest.raises(asyncio.CancelledError):
        async with serve(feed, control, watch):
            first = Watcher(SocketConnection(control, seat=True))
            await first.until(lambda: roles(first) == ["commander"])
            second = Watcher(SocketConnection(control, seat=True))
            await second.until(lambda: roles(second) == ["observer"])
            raise asyncio.CancelledError
    await first.close()
    late = HandFeed()
    async with serve(late, control, watch):
        await second.until(lambda: len(roles(second)) == 2)
        assert roles(second) == ["observer", "observer"]
        assert late.fronts == []
        await second.close()


async def test_a_plain_command_takes_no_seat_and_is_bound_to_what_it_saw(feed: HandFeed, tmp_path: Path) -> None:
    control, watch = tmp_path / "control.sock", tmp_path / "watch.sock"
    await feed.show(situation=41)
    async with serve(feed, control, watch):
        assert (await give_order(control, Advance())).ok
        assert (await give_order(control, Advance(expected_seq=7))).ok
        await give_order(control, Hold())
    assert [command.expected_seq for _, command in feed.orders] == [41, 7, 41]
    assert feed.fronts == []


@pytest.mark.parametrize(
    ("login", "expected"),
    [("0", "root"), ("4294967295", None), ("", None), ("4000000001", "uid 4000000001")],
    ids=["a-login", "not-set", "no-audit", "unknown-login"],
)
def test_the_person_is_who_logged_in(
    login: str, expected: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a shared account the audit login tells people apart; without one the account's name has to do."""
    monkeypatch.setattr(peer, "_number", lambda path: int(login) if login else None)
    assert peer.person_of(1, os.geteuid()) == (expected or peer.user_name(os.geteuid()))


@pytest.mark.parametrize(
    ("number", "name"), [(136 << 8 | 3, "pts/3"), (137 << 8 | 1, "pts/257"), (4 << 8 | 2, "tty2"), (0, "")]
)
def test_the_terminal_has_its_usual_name(number: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"7 (a (odd) name) S 1 7 7 {number} 7 0"
    monkeypatch.setattr(Path, "read_text", lambda *_: line)
    assert peer.terminal_of(7) == name
