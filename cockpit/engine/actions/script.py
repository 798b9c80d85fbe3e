"""Run the user's own program."""

from __future__ import annotations

import asyncio
import json
import signal

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.model.outside import Program
from cockpit.runbook.actions import OnAmbiguous, Script
from cockpit.runbook.schema import RollbackStep, Step


class ScriptHandler:
    """`script`: proved by the exit code. The program's hash is journaled, and checked again right before it starts."""

    async def plan(self, world: World, action: Script) -> Planned:
        """Find the program and take its hash."""
        digest = await asyncio.to_thread(world.outside.programs.inspect, action.argv)
        for name in action.secrets:
            world.lookup(name)
        return Planned(request=f"run {json.dumps(list(action.argv))}", before={"sha256": digest})

    async def execute(self, world: World, action: Script, planned: Planned) -> Done:
        """Run it; raises ActionFailure for an exit code other than 0."""
        program = Program(
            argv=action.argv,
            sha256=planned.before["sha256"],
            deadline=world.deadline,
            environ={
                **action.env,
                **{name: world.lookup(name).get_secret_value() for name in action.secrets},
                **_told(world, action),
            },
            mask=world.mask(),
        )
        result = await world.outside.programs.run(program, world.emit)
        said = "; ".join(line for line in result.tail if line.strip())
        if result.exit_code != 0:
            raise ActionFailure(
                f"{ending(result.exit_code)}: {said or 'no output'}"[:400], "Its output is in the journal."
            )
        return Done(f"exit code 0: {result.tail[-1] if said else 'no output'}"[:400], {"exit_code": "0"})

    async def recover(self, world: World, action: Script, planned: Planned) -> Found:
        """A program leaves nothing that could be read back; whether it still runs can be seen."""
        if action.on_ambiguous is OnAmbiguous.RETRY:
            await end(world, action)
            return Found.UNKNOWN
        left = await asyncio.to_thread(world.outside.programs.left_behind, _told(world, action))
        if left:
            await world.say(f"it still runs: process {', '.join(map(str, left))}")
        return Found.UNKNOWN


async def end(world: World, action: Script) -> None:
    """End what a killed engine left running of a program: it must not work beside its second start, or a rollback."""
    ended = await world.outside.programs.end_left_behind(_told(world, action))
    if ended:
        await world.say(f"it still ran and was ended: process {', '.join(map(str, ended))}")


def _told(world: World, action: Script) -> dict[str, str]:
    """What every program is told."""
    return {
        "COCKPIT_RUN": world.run,
        "COCKPIT_ACTION": action.id,
        "COCKPIT_STEP": _step(world, action),
        "COCKPIT_NAMESPACE": world.book.cluster.namespace,
        "COCKPIT_CONTEXT": world.context,
        "COCKPIT_REASON": world.state.rollback.reason if world.state.rollback else "",
    }


def _step(world: World, action: Script) -> str:
    steps: tuple[Step | RollbackStep, ...] = (*world.book.steps, *world.book.rollback.steps)
    return next((step.id for step in steps if any(each.id == action.id for each in step.actions)), "")


def ending(code: int) -> str:
    """An exit code in words: a signal by its name, also where a shell reports one as 128 and more."""
    number = -code if code < 0 else code - 128
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"exit code {code}"
    return f"ended by {name}" if code < 0 else f"exit code {code} (128 + {name})"
