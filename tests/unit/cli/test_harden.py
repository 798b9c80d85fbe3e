from __future__ import annotations

import subprocess
import sys

STATE = """
import ctypes, os, resource
from cockpit.cli.harden import harden
harden()
print(oct(os.umask(0)), resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


def test_no_dump_and_no_open_file() -> None:
    done = subprocess.run([sys.executable, "-c", STATE], capture_output=True, text=True, check=True)
    # prctl 3 is PR_GET_DUMPABLE.
    assert done.stdout.strip() == "0o77 (0, 0) 0"
