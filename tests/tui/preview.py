"""Shows one hand-made moment full screen: python -m tests.tui.preview STATE [--observer] [--theme NAME] [--lost]."""

from __future__ import annotations

import argparse
import sys

from cockpit.tui.app import CockpitApp
from tests.tui.worlds import WORLDS, FakeConnection


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", choices=[*sorted(WORLDS), "nothing"])
    parser.add_argument("--observer", action="store_true")
    parser.add_argument("--lost", action="store_true")
    parser.add_argument("--closed", action="store_true")
    parser.add_argument("--theme")
    options = parser.parse_args()
    role = "observer" if options.observer else "commander"
    line = (
        FakeConnection(role=role)
        if options.state == "nothing"
        else FakeConnection.showing(WORLDS[options.state](), role)
    )
    if options.lost or options.closed:
        line.lose("connection refused", final=options.closed)
    app = CockpitApp(line, observer=options.observer, theme=options.theme)
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main()
