"""The user's own programs in runs that go on in real time, as the programs do."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cockpit.model.clock import RunClock
from cockpit.model.commands import Advance, RollBack
from cockpit.model.status import ActionStatus
from cockpit.runbook.actions import Script
from cockpit.runbook.schema import Runbook
from tests.engine.test_effects import view_of
from tests.engine.test_session import accepted, begin
from tests.engine.world import START, Stage


def with_script(book: Runbook, script: Script) -> Runbook:
    """The runbook with a program in place of the smoke tests."""
    first = book.phases[0]
    steps = (first.steps[0], first.steps[1].model_copy(update={"actions": (script,)}))
    return book.model_copy(update={"phases": (first.model_copy(update={"steps": steps}), *book.phases[1:])})


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"


def program(stage: Stage, text: str, **fields: object) -> None:
    path = stage.tmp / "tool.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    facts = {"id": "tool", "kind": "script", "argv": ["./tool.sh"], **fields}
    stage.book = replace(stage.book, runbook=with_script(stage.book.runbook, Script.model_validate(facts)))


class TestScript:
    @pytest.fixture
    def real(self, stage: Stage, tmp_path: Path) -> Stage:
        """Programs run in real time, and so does this run."""
        tmp_path.chmod(0o755)
        stage.clock = RunClock.starting(START, 1.0)
        # Programs that are left behind are found by their run: no other test on this machine has the same.
        stage.run = f"scripts-{os.getpid()}"
        stage.world.rollout_s = 0.0
        return stage

    async def test_it_is_told_where_it_stands_and_its_output_is_journaled(self, real: Stage) -> None:
        program(
            real,
            'env | grep ^COCKPIT_ | sort; echo "key $CLOUDFLARE_API_TOKEN" >&2',
            secrets=["CLOUDFLARE_API_TOKEN"],
        )
        await begin(real)
        await real.until("step.finished", step="1.1", seconds=60)
        await accepted(real, Advance())
        await real.until("action.succeeded", action="tool", seconds=60)
        printed = {
            stream: [line for event in real.store.events if event.type == "action.output" and event.stream == stream
                     for line in event.lines]
            for stream in ("out", "err")
        }  # fmt: skip
        assert printed["out"] == [
            "COCKPIT_ACTION=tool",
            "COCKPIT_CONTEXT=test",
            "COCKPIT_NAMESPACE=production",
            "COCKPIT_REASON=",
            f"COCKPIT_RUN=scripts-{os.getpid()}",
            "COCKPIT_STEP=1.2",
        ]
        assert printed["err"] == ["key ***"]

    async def test_a_rollback_ends_it_before_it_takes_the_traffic_back(self, real: Stage) -> None:
        program(real, "trap '' TERM; echo begun; while :; do sleep 0.1; done")
        await begin(real)
        await real.until("step.finished", step="1.1", seconds=60)
        await accepted(real, Advance())
        await real.until("action.output", action="tool", seconds=60)
        await accepted(real, RollBack(reason="back"))
        failed = await real.until("action.failed", action="tool", seconds=60)
        assert failed.message == "stopped: the run goes back"
        await real.until("rollback.finished", seconds=60)

    async def test_its_failure_tells_its_last_words_and_its_signal(self, real: Stage) -> None:
        program(real, "echo one; echo two >&2; kill -9 $$")
        await begin(real)
        await real.until("step.finished", step="1.1", seconds=60)
        await accepted(real, Advance())
        failed = await real.until("action.failed", action="tool", seconds=60)
        assert failed.message == "ended by SIGKILL: two"

    async def test_its_deadline_is_its_own(self, real: Stage) -> None:
        program(real, "echo begun; sleep 300", deadline="1s")
        await begin(real)
        await real.until("step.finished", step="1.1", seconds=60)
        await accepted(real, Advance())
        unclear = await real.until("action.ambiguous", action="tool", seconds=60)
        assert unclear.message == "./tool.sh did not end within 1 s and was killed"
        assert real.session is not None
        assert view_of(real, "tool").status is ActionStatus.AMBIGUOUS

    async def test_an_engine_that_ends_takes_its_program_with_it(self, real: Stage) -> None:
        program(real, "trap '' TERM; echo $$ > pid; echo begun; while :; do sleep 0.1; done")
        await begin(real)
        await real.until("step.finished", step="1.1", seconds=60)
        await accepted(real, Advance())
        await real.until("action.output", action="tool", seconds=60)
        await real.kill()
        assert not alive(int((real.tmp / "pid").read_text()))
