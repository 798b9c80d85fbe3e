"""Looking closer: logs, descriptions, workloads, port-forwards, shells; and that observers have none of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from cockpit.errors import NotFound, Unreachable
from cockpit.link.feed import Connected
from cockpit.model import commands as c
from cockpit.model.snapshot import Snapshot
from cockpit.tui.app import CockpitApp
from cockpit.tui.commands.look import LOOK
from cockpit.tui.screens.logs import LogsScreen
from cockpit.tui.screens.main import CommanderScreen
from cockpit.tui.screens.stream import StreamScreen
from tests.tui.helpers import NARROW, WIDE, cockpit, press, screen_text, wait_for
from tests.tui.lenses import FakeLens, chatter, stamped
from tests.tui.test_hostile import EVIL, assert_inert
from tests.tui.worlds import FakeConnection, alarm, pod, pods, snapshot

BLUE = "moshimoshi-blue-7c9d5b6f4-8xkzp"


class Looker:
    """An app with a lens on no cluster."""

    def __init__(self, app: CockpitApp, pilot: Pilot[int], line: FakeConnection, lens: FakeLens) -> None:
        self.app, self.pilot, self.line, self.lens = app, pilot, line, lens

    @property
    def text(self) -> str:
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        await press(self.pilot, *keys)

    async def see(self, *words: str) -> None:
        await wait_for(self.pilot, lambda: all(word in self.text for word in words), f"shows {words}")

    async def until(self, condition: object, what: str) -> None:
        assert callable(condition)
        await wait_for(self.pilot, condition, what)

    @property
    def stream(self) -> StreamScreen:
        assert isinstance(self.app.screen, StreamScreen)
        return self.app.screen

    def notes(self) -> list[str]:
        return [order.text for order in self.line.orders if isinstance(order, c.Note)]


@asynccontextmanager
async def looking(
    place: Path, state: Snapshot | None = None, size: tuple[int, int] = WIDE, *, rehearsal: bool = False
) -> AsyncIterator[Looker]:
    lens = FakeLens()
    async with cockpit(state or snapshot(), size, look=lens.settings(place, rehearsal=rehearsal)) as (app, pilot, line):
        yield Looker(app, pilot, line, lens)
    assert lens.opened == lens.closed
    assert lens.open_logs == 0


async def in_log(on: Looker, *lines: str) -> None:
    """Open the log of the first pod."""
    await on.press("p")
    await on.see("6 of 6 pods", "▶ moshimoshi-blue")
    await on.press("l")
    if lines:
        on.lens.say(*lines)


async def test_a_log_is_followed_and_json_is_short(tmp_path: Path) -> None:
    async with looking(tmp_path, size=NARROW) as on:
        await in_log(on, *chatter(220))
        await on.see("● FOLLOWING", "220 lines", "✖ ERROR upstream timed out", "ms=23")
        assert on.lens.queries[0].pod == BLUE
        assert on.lens.queries[0].container == "app"
        on.lens.say(stamped(900, "the newest line"))
        await on.see("the newest line")
        await on.press("t")
        await on.see("09:00:00.900 the newest line")
        await on.press("J")
        await on.see('"msg": "request served"')


async def test_pausing_shows_nothing_new_and_loses_nothing(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await in_log(on, "first")
        await on.see("first")
        await on.press("space")
        on.lens.say("second")
        await on.see("‖ PAUSED, 1 new")
        assert "second" not in on.text
        await on.press("space")
        await on.see("second", "● FOLLOWING")


async def test_who_reads_further_up_keeps_the_place_and_the_source_waits(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await in_log(on)
        await on.until(lambda: isinstance(on.app.screen, LogsScreen), "the log")
        on.stream.buffer.capacity = 100
        on.lens.say(*(f"row {number}" for number in range(100)))
        await on.see("row 99")
        await on.press("home")
        await on.see("row 0", "READING, End follows")
        for start in range(100, 500, 50):
            on.lens.say(*(f"row {number}" for number in range(start, start + 50)))
        await on.see("source waits")
        assert "row 0 " in on.text.replace("\n", " ")
        assert on.lens.queue.qsize() > 0
        await on.press("end")
        await on.see("row 499", "● FOLLOWING", "(400 older dropped)")


async def test_search_goes_from_match_to_match(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await in_log(on, *(f"{'needle' if number % 100 == 50 else 'hay'} {number}" for number in range(300)))
        await on.see("hay 299")
        await on.press("slash", *"needle", "enter")
        await on.see("▶ needle 250", "/ needle: 3 lines")
        await on.press("comma")
        await on.see("▶ needle 150")
        await on.press("comma", "comma")
        await on.see("no older match")
        await on.press("full_stop")
        await on.see("▶ needle 150")


async def test_a_filter_and_wrapping(tmp_path: Path) -> None:
    async with looking(tmp_path, size=NARROW) as on:
        await in_log(on, *(f"{'odd' if number % 2 else 'even'} {number} {'x' * 90} end" for number in range(20)))
        await on.see("odd 19")
        await on.press("ampersand", *"even", "enter")
        await on.see("& even", "even 18")
        assert "odd" not in on.text.split("& even")[1]
        assert "x end" not in on.text
        await on.press("w")
        await on.see("x end", "● FOLLOWING")
        await on.press("ampersand", "escape")
        await on.see("odd 19")


async def test_what_ends_and_what_is_cut_says_so_with_its_time(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await in_log(on, "last words")
        on.lens.queue.put_nowait(None)
        await on.see("■ ENDED 09:4", "the log ended", "last words")
        await on.press("r")
        await on.until(lambda: len(on.lens.queries) == 2, "read again")
        on.lens.queue.put_nowait(Unreachable("The API server was lost.", "r reads again."))
        await on.see("✖ CUT 09:4", "The API server was lost. – r reads again.")


async def test_the_log_before_the_restart_and_another_container(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        on.lens.names = ("app", "proxy", "setup")
        await in_log(on, "now")
        await on.see("now", "/ app")
        await on.press("p")
        await on.see("PREVIOUS")
        await on.until(lambda: on.lens.queries[-1].previous and not on.lens.queries[-1].follow, "the previous log")
        await on.press("c")
        await on.see("CONTAINER OF", "▶ app")
        await on.press("down", "enter")
        await on.until(lambda: on.lens.queries[-1].container == "proxy", "the other container")
        assert not on.lens.queries[-1].previous


async def test_a_log_is_saved_for_its_owner_alone(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await in_log(on, stamped(1, "kept"), "no time")
        await on.see("kept")
        await on.press("S")
        await on.see("2 lines saved")
        (path,) = list(tmp_path.glob("*"))  # noqa: ASYNC240 - a test may wait for a disk
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.name.startswith(f"log-{BLUE}-app-")
        assert path.read_text() == "2026-11-26T09:00:00.001000000Z kept\nno time\n"


async def test_l_opens_the_log_of_the_pod_in_trouble(tmp_path: Path) -> None:
    broken = pods(pods=(*pods().pods, pod("blue", "7c9d5b6f4-zzzzz", "CrashLoopBackOff", ready=0, restarts=4)))
    async with looking(tmp_path, snapshot(pods=broken)) as on:
        await on.press("l")
        await on.see("log moshimoshi-blue-7c9d5b6f4-zzzzz")


async def test_l_lets_one_choose_when_all_is_well(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await on.press("l")
        await on.see("6 of 6 pods", f"▶ {BLUE}")


async def test_the_cursor_stays_on_its_pod(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await on.press("p")
        await on.see(f"▶ {BLUE}")
        await on.press("down")
        await on.see("▶ moshimoshi-blue-7c9d5b6f4-j2m9q")
        broken = pods(pods=(*pods().pods, pod("blue", "0-first", "Error", ready=0)))
        on.line.show(snapshot(pods=broken), "pods")
        await on.see("7 of 7 pods", "▶ moshimoshi-blue-7c9d5b6f4-j2m9q")


async def test_a_description_keeps_what_was_read_when_reading_fails(tmp_path: Path) -> None:
    async with looking(tmp_path, size=NARROW) as on:
        await on.press("p", "d")
        await on.see("STATUS", "CONDITIONS", "Readiness probe failed", "read 0s ago")
        on.lens.error = NotFound("The pod is gone.", "It may have been replaced.")
        await on.press("r")
        await on.see("✖ The pod is gone. – It may have been replaced.", "▲ OLD, read", "CONDITIONS")
        on.lens.error = None
        await on.press("r")
        await on.until(lambda: "gone" not in on.text, "read again")


async def test_workloads_lead_to_their_pods(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        await on.press("p", "tab")
        await on.see("6 objects", "✖ 1 not well", "✖ deployment redis", "canary, weight 50")
        await on.press("L")
        await on.see("PODS OF moshimoshi-blue")
        await on.press("down", "enter")
        await on.see("log moshimoshi-blue-7c9d5b6f4-j2m9q")
        await on.press("escape", "d")
        await on.see("deployment moshimoshi-blue", "CONDITIONS")
        await on.press("escape", "down", "down", "l")
        await on.see("None of the run's pods belongs to deployment redis")
        await on.press("tab")
        await on.see("6 of 6 pods")


async def test_a_port_forward_is_opened_listed_and_stopped(tmp_path: Path) -> None:
    async with looking(tmp_path, size=NARROW) as on:
        await on.press("W", "f")
        await on.see("PORT-FORWARD", "deployment/moshimoshi-blue")
        await on.press("enter", "enter")
        await on.see("1 listening of 1", "http://127.0.0.1:3000")
        assert on.lens.open_forwards[0].remote_port == 3000
        assert on.notes() == ["Port-forward opened: 127.0.0.1:3000 to deployment/moshimoshi-blue port 3000"]
        await on.press("escape", "escape", "q")
        await on.see("1 port-forward ends with this screen")
        await on.press("escape", "f", "delete")
        await on.see("0 listening of 1", "■ ended")


async def test_a_taken_port_is_said(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        on.lens.taken = {3000}
        await on.press("W", "f", "enter", "enter")
        await on.see("Port 3000 of this machine is taken", "Choose another one")


@pytest.mark.parametrize("ports", [["0", "1"], ["70000", "1"], ["", ""]])
async def test_what_is_no_port_opens_nothing(tmp_path: Path, ports: list[str]) -> None:
    async with looking(tmp_path) as on:
        await on.press("p", "f")
        await on.see("PORT-FORWARD")
        await on.press(*["backspace"] * 4, *ports[0], "enter", *ports[1], "enter")
        await on.see("A port is a number")
        assert on.lens.open_forwards == []


async def test_a_shell_asks_first_and_needs_a_terminal(tmp_path: Path) -> None:
    async with looking(tmp_path, size=NARROW) as on:
        await on.press("p", "s")
        await on.see("LEND THE TERMINAL", "rings", "out of sight")
        await on.press("escape", "s")
        await on.see("LEND THE TERMINAL")
        await on.press("enter")
        await on.see("no terminal to lend")


async def test_what_the_lens_refuses_is_said(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        on.lens.error = NotFound("The pod is gone.", "Look at the list.")
        await on.press("p", "s")
        await on.see("The pod is gone.", "→ Look at the list.")


async def test_orders_work_on_every_closer_screen(tmp_path: Path) -> None:
    for keys in (
        ["p"],
        ["p", "l"],
        ["p", "d"],
        ["W"],
        ["f"],
        ["i"],
        ["i", "down", "down", "enter"],
        ["p", "question_mark"],
    ):
        async with looking(tmp_path) as on:
            await on.press(*keys, "R", *"bad", "enter", "ctrl+r")
            await on.until(lambda on=on: c.RollBack(reason="bad") in on.line.orders, f"the rollback after {keys}")


async def test_no_key_of_a_closer_screen_shadows_an_order(tmp_path: Path) -> None:
    async with looking(tmp_path) as on:
        anywhere = {key for command in on.app.main.commands if command.anywhere for key in command.keys.split(",")}
        for keys in (["p"], ["l"], ["d"], ["escape", "tab"], ["escape", "f"], ["escape", "i"]):
            await on.press(*keys)
            bound = {key for key, _ in on.app.screen._bindings}
            assert not bound & anywhere, type(on.app.screen)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_hostile_logs_and_descriptions_are_inert(tmp_path: Path, size: tuple[int, int]) -> None:
    async with looking(tmp_path, size=size) as on:
        await in_log(on, EVIL, f'{{"level":"error","msg":"\\u001b[31m{EVIL[:3]}"}}')
        await on.see("2 lines")
        assert_inert(on.text)
        on.lens.error = NotFound(EVIL, EVIL)
        await on.press("escape", "d")
        await on.see("NOT READ")
        assert_inert(on.text)


async def test_an_observer_has_nothing_to_look_closer_with(tmp_path: Path) -> None:
    lens = FakeLens()
    async with cockpit(alarm(), observer=True, look=lens.settings(tmp_path)) as (app, pilot, line):
        assert app.looking is None
        names = {command.name() for command in LOOK}
        assert not names & {command.name() for command in app.main.commands}
        assert not any(name in binding.action for name in names for _, binding in app.main._bindings)
        for opener in ("p", "i", "b", "question_mark"):
            await press(pilot, opener)
            for key in ("l", "L", "d", "s", "f", "W", "enter", "tab", "S", "r", "K"):
                await press(pilot, key)
                assert type(app.screen).__module__.rsplit(".")[-1] in {
                    "main", "pods", "reference", "break_glass", "help"
                }, f"{opener} {key}"  # fmt: skip
            await press(pilot, "escape", "escape")
        assert (lens.opened, line.orders) == (0, [])


async def test_whom_the_engine_calls_an_observer_loses_the_lens(tmp_path: Path) -> None:
    lens = FakeLens()
    line = FakeConnection.showing(snapshot())
    async with cockpit(line=line, look=lens.settings(tmp_path)) as (app, pilot, _):
        await wait_for(pilot, lambda: app.main.loaded, "loaded")
        await press(pilot, "p", "d")
        await wait_for(pilot, lambda: lens.opened == 1, "the lens is open")
        line.put(Connected(run="moshimoshi-1", role="observer", you="agent2"))
        await wait_for(pilot, lambda: lens.closed == 1, "the lens is closed")
        assert not isinstance(app.main, CommanderScreen)
        assert not {command.name() for command in LOOK} & {command.name() for command in app.main.commands}


async def test_without_a_lens_the_keys_say_so() -> None:
    async with cockpit(snapshot()) as (app, pilot, _):
        await press(pilot, "l")
        await wait_for(pilot, lambda: "no line of its own" in screen_text(app), "why not")
