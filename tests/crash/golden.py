"""Golden journals: what this release wrote, replayed by this and every later release to the same state.

`python -m tests.crash.golden` records those of the present version; the files of a released version are final.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import looptime
from pydantic import TypeAdapter

from cockpit.journal.chain import GENESIS, link
from cockpit.model import commands as cmd
from cockpit.model.events import Event
from cockpit.model.reduce import replay
from cockpit.model.run import RunState
from tests.crash.fragile import Play
from tests.crash.test_chaos import Chaos

PLACE = Path(__file__).resolve().parents[1] / "data/journals"
VERSION = "0.1.0"
_STATES = TypeAdapter(RunState)


def canonical(state: RunState) -> Any:
    """A state as plain JSON."""
    return _STATES.dump_python(state, mode="json")


async def _played(directory: Path, back_after: str) -> list[Event]:
    return (await Play(directory, back_after).run()).store.events


async def _script(directory: Path, script: Sequence[tuple[str, Any]]) -> list[Event]:
    chaos = Chaos(directory, automatic=True)
    await chaos.live()
    for kind, what in script:
        if kind == "wait":
            await asyncio.sleep(what)
        elif kind == "order":
            await chaos.order(what)
        else:
            chaos.fault(what)
    await chaos.end()
    return chaos.store.events


DRIFT = (
    ("wait", 12), ("fault", "weight by somebody else"), ("wait", 5), ("order", cmd.Restore(reason="ours")), ("wait", 5),
    ("fault", "weight by somebody else"), ("wait", 5), ("order", cmd.Adopt(reason="fine")), ("wait", 5),
    ("order", cmd.Resume()), ("wait", 60),
)  # fmt: skip
FENCED = (("wait", 12), ("fault", "fenced"), ("wait", 20))
DEGRADED = (
    ("wait", 12), ("fault", "disk full"), ("wait", 60), ("fault", "disk well"), ("wait", 60),
)  # fmt: skip

RUNS: dict[str, Callable[[Path], Coroutine[Any, Any, list[Event]]]] = {
    "completed": lambda directory: _played(directory, ""),
    "rolled-back": lambda directory: _played(directory, "warm-up"),
    "drift": lambda directory: _script(directory, DRIFT),
    "fenced": lambda directory: _script(directory, FENCED),
    "degraded": lambda directory: _script(directory, DEGRADED),
}


def main() -> None:
    """Record every run."""
    target = PLACE / VERSION
    target.mkdir(parents=True, exist_ok=True)
    for name, run in RUNS.items():
        loop = looptime.new_event_loop()
        with tempfile.TemporaryDirectory() as directory:
            events = loop.run_until_complete(run(Path(directory)))
        loop.close()
        tip, lines = GENESIS, []
        for event in events:
            body = event.model_dump_json()
            tip = link(tip, body.encode())
            lines.append(json.dumps({"hash": tip.hex(), "body": body}))
        (target / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        (target / f"{name}.state.json").write_text(json.dumps(canonical(replay(events)), indent=1) + "\n")
        print(f"{name}: {len(events)} rows")


if __name__ == "__main__":
    main()
