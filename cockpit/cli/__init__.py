"""The `cockpit` program: commands, and the composition of everything below them."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the program with the arguments of this process and exit with its code."""
    from cockpit.cli.edge import run
    from cockpit.cli.harden import harden

    harden()
    sys.exit(run(sys.argv[1:]))
