"""What must be on screen at every size, in every moment."""

from __future__ import annotations

import pytest

from tests.tui.helpers import NARROW, TINY, WIDE, cockpit, screen_text, wait_for
from tests.tui.worlds import (
    alarm,
    completed,
    consenting,
    deciding,
    held,
    preparing,
    ready,
    rolled_back,
    rolling_back,
    snapshot,
    stale,
)

ESSENTIALS = {
    "gating": (snapshot, ["moshimoshi 1.0.0", "PRODUCTION", "MEASURING", "2.2 50 % traffic", "GATE 2.2", "READY"]),
    "alarm": (alarm, ["ROLLBACK IN 0:", "Error rate > 5 %", "roll back NOW", "D", "LEVEL 2 since", "6.20 %", "■ CRIT"]),
    "deciding": (deciding, ["DECIDE", "Continue or roll back?", "hold", "3:5", "◆ deciding"]),
    "rolling": (rolling_back, ["ROLLBACK", "of 5:00", "Switch traf", "▲", "+0:3", "0:06 / 0:30", "0 %"]),
    "held": (held, ["HELD", "No new forward action", "resume"]),
    "preparing": (preparing, ["WAITING", "3 required checklist items", "override"]),
    "ready": (ready, ["NEXT", "Start step 2.3: 100 % traffic"]),
    "consenting": (consenting, ["CONSENT", "Flush the Redis cache", "y"]),
    "completed": (completed, ["COMPLETED", "The deployment is complete"]),
    "rolled_back": (rolled_back, ["ROLLED BACK", "BACK ON STABLE in 0:46"]),
}


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY, (200, 60), (120, 30)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("moment", ESSENTIALS)
async def test_essentials_are_on_screen(moment: str, size: tuple[int, int]) -> None:
    world, texts = ESSENTIALS[moment]
    async with cockpit(world(), size) as (app, pilot, _):
        await wait_for(pilot, lambda: all(text in screen_text(app) for text in texts), f"all of {texts}")


async def test_the_wide_screen_shows_every_pane() -> None:
    titles = [
        "PHASES & STEPS",
        "PODS",
        "METRICS",
        "GATE 2.2",
        "TRAFFIC to blue",
        "ROLLBACK",
        "ESCALATION",
        "CHECKLIST",
        "JOURNAL",
        "GUARD",
        "commanded 50 %",
        "live 50 %",
        "observed 49.6 %",
        "held 11:",
        "15/15",
    ]
    async with cockpit(snapshot()) as (app, _, _):
        text = screen_text(app)
        assert [title for title in titles if title not in text] == []


@pytest.mark.parametrize("number", range(1, 10))
async def test_number_keys_show_a_pane_large_and_again_all(number: int) -> None:
    async with cockpit(snapshot(), NARROW) as (app, pilot, _):
        before = screen_text(app).split("\n")[-1]
        await pilot.press(str(number))
        pane = app.main.query_one(".body.-shown")
        await wait_for(pilot, lambda: pane.size.height >= 19 and pane.size.width >= 76, "the pane is large")
        assert "MEASURING" in screen_text(app)
        await pilot.press(str(number))
        await wait_for(pilot, lambda: not app.main.has_class("-solo"), "all panes again")
        await wait_for(pilot, lambda: screen_text(app).split("\n")[-1] == before, "as before")


async def test_tab_goes_through_the_panes_and_back_to_all() -> None:
    async with cockpit(snapshot()) as (app, pilot, _):
        seen = []
        for _ in range(9):
            await pilot.press("tab")
            seen.append(app.main.query_one(".body.-shown").id)
        await pilot.press("tab")
        assert seen == ["plan", "pods", "metrics", "gate", "traffic", "readiness", "escalation", "checklist", "journal"]
        assert not app.main.has_class("-solo")


async def test_old_values_say_their_age() -> None:
    async with cockpit(stale()) as (app, _, _):
        text = screen_text(app)
        for words in (
            "STALE 2m ago",
            "NO DATA",
            "needs 240 more requests",
            "alerts unknown",
            "NOT READY",
            "live ○ unknown",
            "Prometheus does not answer",
            "green has 2 of 3 pods ready",
        ):
            assert words in text


async def test_loading_faces_are_words() -> None:
    async with cockpit() as (app, pilot, _):
        await wait_for(pilot, lambda: "CONNECTING" in screen_text(app), "the first face")
        for words in (
            "waiting for the plan",
            "waiting for the pods",
            "waiting for the first measurement",
            "waiting for the journal",
            "NOT CHECKED",
        ):
            assert words in screen_text(app)


async def test_without_colour_the_words_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with cockpit(alarm()) as (app, _, _):
        text = screen_text(app)
        for words in ("▲ ROLLBACK IN", "■ CRITICAL", "▲ WARNING", "● NORMAL", "✖ CrashLoop", "▲ TRIPPED", "✔ READY"):
            assert words in text
