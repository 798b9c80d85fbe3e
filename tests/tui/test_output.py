"""What programs print, and what a consent is asked for, on the screen."""

from __future__ import annotations

from cockpit.link.feed import Recorded
from cockpit.model.events import ActionOutput, Event, Noted
from cockpit.model.snapshot import PlanView, Snapshot
from tests.tui.helpers import cockpit, pane_text, press, screen_text, wait_for
from tests.tui.worlds import NOW, consenting, journal, snapshot
from widgets.journal_pane import OutputLine, collapsed, expanded


def output(seq: int, *lines: str, stream: str = "out", left_out: int = 0) -> ActionOutput:
    facts = {"seq": seq, "at": NOW, "actor": "engine", "action": "migrate"}
    return ActionOutput.model_validate({**facts, "stream": stream, "lines": lines, "left_out": left_out})


def note(seq: int, text: str) -> Event:
    return Noted(seq=seq, at=NOW, actor="engine", text=text)


ROWS = (
    note(1, "before"),
    output(2, "one", "two"),
    output(3, "bad", stream="err"),
    output(4, "last", left_out=70),
    note(5, "after"),
)


def test_the_pane_keeps_one_row_of_what_is_printed_without_a_break() -> None:
    assert [row.seq for row in collapsed(ROWS)] == [5, 4, 1]


def test_the_journal_has_a_row_for_every_line() -> None:
    rows = list(expanded(ROWS))
    assert [row.text if isinstance(row, OutputLine) else row.seq for row in rows] == [
        1,
        "migrate │ one",
        "migrate │ two",
        "migrate │ ! bad",
        "migrate │ … 70 lines left out",
        "migrate │ last",
        5,
    ]


async def test_a_chatty_program_does_not_drown_the_journal_pane() -> None:
    last = journal()[-1].seq
    async with cockpit(snapshot()) as (app, pilot, line):
        line.put(Recorded(rows=(note(last + 1, "the run goes on"),)))
        for number in range(40):
            line.put(Recorded(rows=(output(last + 2 + number, f"row {number}", f"more {number}"),)))
        await wait_for(pilot, lambda: "more 39" in pane_text(app, "journal"), "the last line")
        text = pane_text(app, "journal")
        assert "the run goes on" in text
        assert "more 38" not in text
        await press(pilot, "j")
        await wait_for(pilot, lambda: "migrate │ row 39" in screen_text(app), "every line in the journal")
        assert "migrate │ more 38" in screen_text(app)
        await pilot.press("slash", *"row 17")
        await wait_for(pilot, lambda: "1 of " in screen_text(app), "the line that is searched for")


def looking(state: Snapshot, is_looking: bool) -> PlanView:
    """The plan with the flush in the state of being looked at."""

    def changed(action: object) -> object:
        return action.model_copy(update={"looking": is_looking, "message": "" if is_looking else MESSAGE})  # type: ignore[attr-defined]

    phases = []
    for phase in state.plan.phases:
        steps = tuple(
            step.model_copy(update={"actions": tuple(changed(each) if each.consent else each for each in step.actions)})
            for step in phase.steps
        )
        phases.append(phase.model_copy(update={"steps": steps}))
    return state.plan.model_copy(update={"phases": tuple(phases)})


MESSAGE = "redis-0: role master · 12 431 keys in db0, 310 in db1: FLUSHALL deletes ALL of them"


async def test_no_word_is_given_before_it_is_read_what_it_would_do() -> None:
    state = consenting()
    before = state.model_copy(update={"plan": looking(state, True)})
    async with cockpit(before) as (app, pilot, line):
        await press(pilot, "y")
        await wait_for(pilot, lambda: "What it would do is being read" in screen_text(app), "the dialog")
        await press(pilot, *"FLUSH", "enter")
        assert line.orders == []
        line.show(state.model_copy(update={"plan": looking(state, False)}), "plan")
        await wait_for(pilot, lambda: "12 431 keys in db0, 310 in db1" in screen_text(app), "what it would do")
        await press(pilot, "enter")
        await wait_for(pilot, lambda: line.orders, "the consent")
        assert line.orders[0].kind == "consent"
