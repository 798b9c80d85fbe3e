"""Run the user's own program."""

from __future__ import annotations

import asyncio
import json

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.runbook.actions import Script


class ScriptHandler:
    """`script`: proved by the exit code. The program's hash is journaled before it starts."""

    async def plan(self, world: World, action: Script) -> Planned:
        """Find the program and take its hash."""
        digest = await asyncio.to_thread(world.outside.programs.inspect, action.argv)
        return Planned(request=f"run {json.dumps(list(action.argv))}", before={"sha256": digest})

    async def execute(self, world: World, action: Script, planned: Planned) -> Done:
        """Run it; raises ActionFailure for an exit code other than 0."""
        environ = {
            **action.env,
            **{name: world.lookup(name).get_secret_value() for name in action.secrets},
            "COCKPIT_RUN": world.run,
            "COCKPIT_REASON": world.state.rollback.reason if world.state.rollback else "",
        }
        deadline = action.deadline.total_seconds()
        result = await world.outside.programs.run(action.argv, environ, deadline, world.say)
        lines = [line for line in result.output.strip().split("\n") if line.strip()]
        if result.exit_code != 0:
            raise ActionFailure(f"exit code {result.exit_code}: {'; '.join(lines[-3:])}"[:400])
        return Done(f"exit code 0: {lines[-1] if lines else 'no output'}"[:400], {"exit_code": "0"})

    async def recover(self, world: World, action: Script, planned: Planned) -> Found:
        """A program leaves nothing that could be read back."""
        return Found.UNKNOWN
