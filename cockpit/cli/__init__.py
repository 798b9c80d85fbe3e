"""The `cockpit` program: commands, and the composition of everything below them."""

from __future__ import annotations

import gc
import sys

_COLLECT_EVERY, _COLLECT_LOADED_EVERY = 50_000, 5_000


def main() -> None:
    """Run the program with the arguments of this process and exit with its code."""
    from cockpit.cli.edge import run
    from cockpit.cli.harden import harden

    harden()
    collect_seldom()
    sys.exit(run(sys.argv[1:]))


def collect_seldom() -> None:
    """Look for garbage after 50,000 new objects, not after 700: what loading makes stays.

    It is a quarter of the processor's time until the first frame.
    """
    gc.set_threshold(_COLLECT_EVERY)


def collect_little() -> None:
    """From here on what was loaded is left alone, and each collection is so small that no write waits for it."""
    gc.freeze()
    gc.set_threshold(_COLLECT_LOADED_EVERY)
