"""Shows one hand-made moment full screen: python -m tests.tui.preview STATE [--observer] [--theme NAME] [--lost]."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path

from cockpit.link.feed import Recorded
from cockpit.model import events
from cockpit.tui.app import CockpitApp
from tests.tui.lenses import FakeLens, chatter
from tests.tui.worlds import ALARM, NOW, WORLDS, FakeConnection, alarm, snapshot, traffic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", choices=[*sorted(WORLDS), "nothing"])
    parser.add_argument("--observer", action="store_true")
    parser.add_argument("--lost", action="store_true")
    parser.add_argument("--closed", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("--lens", type=Path, metavar="DIRECTORY", help="look closer at made-up pods; save there")
    parser.add_argument("--flood", type=int, default=0, metavar="LINES", help="log lines a second")
    parser.add_argument("--busy", action="store_true", help="new values all the time")
    parser.add_argument("--alarm", type=Path, metavar="FILE", help="a trigger trips when this file appears")
    options = parser.parse_args()
    role = "observer" if options.observer else "commander"
    line = (
        FakeConnection(role=role)
        if options.state == "nothing"
        else FakeConnection.showing(WORLDS[options.state](), role)
    )
    if options.lost or options.closed:
        line.lose("connection refused", final=options.closed)
    lens = FakeLens()
    look = lens.settings(options.lens) if options.lens else None
    app = CockpitApp(line, observer=options.observer, theme=options.theme, look=look, crash_directory=options.lens)
    line.play = partial(play, options, line, lens)
    app.run()
    sys.exit(app.return_code)


async def play(options: argparse.Namespace, line: FakeConnection, lens: FakeLens) -> None:
    """Put lines into the log, values onto the line, and the alarm when it is due."""
    state, alarmed, number = WORLDS.get(options.state, snapshot)(), False, 0
    flood = chatter(options.flood // 20)
    lens.say(*chatter(60))
    while True:
        await asyncio.sleep(0.05)
        number += 1
        if options.flood and lens.queue.qsize() < 4:
            lens.say(*flood)
        if options.busy:
            line.show(state.model_copy(update={"traffic": traffic(observed=number % 100)}), "traffic")
        if options.alarm and not alarmed and options.alarm.exists():
            alarmed, state = True, alarm()
            line.show(state)
            tripped = events.TriggerTripped(
                seq=900, at=NOW, actor="engine", trigger="error_rate", title=ALARM.title, reason=ALARM.state
            )
            line.put(Recorded(rows=(tripped,)))


if __name__ == "__main__":
    main()
