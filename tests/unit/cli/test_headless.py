from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator

import pytest
from link.feeds import AT, a_snapshot

from cockpit import headless
from cockpit.errors import CommandRefused, EngineUnreachable
from cockpit.headless import report
from cockpit.link.feed import Changed, Connected, Disconnected, Recorded, Update
from cockpit.model.commands import Close, Command, Reply
from cockpit.model.events import Held, MessageSent, Noted, RunClosed
from cockpit.model.status import RunStatus

FINAL = a_snapshot().model_copy(
    update={"header": a_snapshot().header.model_copy(update={"status": RunStatus.ROLLED_BACK})}
)
OVER = Changed(snapshot=FINAL, slices=frozenset({"header"}))
NOTE = Recorded(rows=(Noted(seq=1, at=AT, actor="agent1", text="hello"),))
END = Recorded(
    rows=(
        RunClosed(seq=2, at=AT, actor="agent1", status=RunStatus.ROLLED_BACK),
        MessageSent(seq=3, at=AT, actor="engine", message="m", channel="slack"),
    )
)
CLOSED = Reply(ok=True, message="Closed")
BYE = Disconnected(reason="closed", final=True)


class Script:
    """A connection that tells a list of updates; `order` is answered with `reply`."""

    def __init__(self, *updates: Update, reply: Reply | Exception = CLOSED) -> None:
        self._updates = updates
        self._reply = reply
        self.orders: list[Command] = []
        self.closed = False
        self.silent = False

    async def updates(self) -> AsyncIterator[Update]:
        for update in self._updates:
            yield update
        if self.silent:
            await asyncio.Event().wait()

    async def order(self, command: Command) -> Reply:
        self.orders.append(command)
        if isinstance(self._reply, Exception):
            raise self._reply
        return self._reply

    async def close(self) -> None:
        self.closed = True


async def test_events_are_lines_and_the_last_one_tells_the_end() -> None:
    script, output = Script(Connected(run="r", role="commander", you="me"), NOTE, OVER, OVER, END, BYE), io.StringIO()
    assert await report(script, output, as_json=True) is RunStatus.ROLLED_BACK
    rows = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [row["type"] for row in rows] == ["note", "message.sent", "run.closed"]
    assert list(rows[0])[:5] == ["seq", "at", "actor", "epoch", "type"]
    assert rows[-1]["status"] == "rolled_back"
    assert script.orders == [Close()]
    assert script.closed


async def test_people_get_a_line_each() -> None:
    output = io.StringIO()
    await report(Script(NOTE, END, BYE), output, as_json=False)
    lines = output.getvalue().splitlines()
    assert lines[0].startswith("08:00:00  agent1")
    assert "hello" in lines[0]


async def test_an_engine_that_ends_before_its_reply_has_closed_the_run() -> None:
    script = Script(OVER, END, BYE, reply=EngineUnreachable("gone"))
    assert await report(script, io.StringIO(), as_json=True) is RunStatus.ROLLED_BACK


async def test_a_refusal_to_close_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "PATIENCE", 0.01)
    script = Script(OVER, reply=Reply(ok=False, message="not yet"))
    script.silent = True
    with pytest.raises(CommandRefused, match="not yet"):
        await report(script, io.StringIO(), as_json=True)


async def test_two_may_close_a_run() -> None:
    script = Script(OVER, END, BYE, reply=Reply(ok=False, message="The run is closed"))
    assert await report(script, io.StringIO(), as_json=True) is RunStatus.ROLLED_BACK


HELD = Recorded(rows=(Held(seq=1, at=AT, actor="auto", reason="Gate 2.1 does not pass"),))


async def test_a_run_that_waits_for_a_person_is_left_to_wait() -> None:
    script = Script(NOTE, HELD)
    script.silent = True
    assert await report(script, io.StringIO(), as_json=True) is RunStatus.RUNNING
    assert script.orders == []


async def test_a_rehearsal_that_waits_for_a_person_is_closed() -> None:
    script = Script(NOTE, HELD, END, BYE)
    await report(script, io.StringIO(), as_json=True, abandon=True)
    assert script.orders == [Close(reason="nobody is there to decide: Gate 2.1 does not pass")]


async def test_a_persons_hold_is_a_persons_affair() -> None:
    held = Recorded(rows=(Held(seq=1, at=AT, actor="ada", reason="lunch"),))
    script = Script(held, END, BYE)
    await report(script, io.StringIO(), as_json=True, abandon=True)
    assert script.orders == []


async def test_an_engine_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "PATIENCE", 0.01)
    script = Script(NOTE, Disconnected(reason="gone"))
    script.silent = True
    with pytest.raises(EngineUnreachable, match="not answered"):
        await report(script, io.StringIO(), as_json=True)
    assert script.closed


async def test_an_end_without_a_last_word_is_an_error() -> None:
    with pytest.raises(EngineUnreachable, match="before the run was closed"):
        await report(Script(NOTE, BYE), io.StringIO(), as_json=True)
