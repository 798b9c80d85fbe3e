from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHATTY = """
import logging, os, sys
from pathlib import Path
from cockpit.cli import logfile
path = Path(sys.argv[1])
logging.basicConfig(handlers=[logfile.ProcessLog(path, 2000)], level=logging.INFO, force=True)
for number in range(100):
    logging.getLogger("chatty").info("line %d", number)
print("printed by a library", flush=True)
try:
    raise ValueError("canary-value")
except ValueError:
    logging.getLogger("chatty").exception("it failed \\x1b]0;evil\\x07")
"""


def test_the_log_is_bounded_and_has_what_is_printed(short_path: Path) -> None:
    path = short_path / "engine.log"
    path.touch(mode=0o600)
    with path.open("a") as file:
        subprocess.run([sys.executable, "-c", CHATTY, str(path)], stdout=file, stderr=file, check=True)
    new, old = path.read_text(), path.with_name("engine.log.1").read_text()
    assert sorted(each.name for each in short_path.iterdir()) == ["engine.log", "engine.log.1"]
    assert len(old) < 2100
    assert "printed by a library" in new
    assert "line 99" in old + new
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ValueError" in new
    assert "canary-value" not in new
    assert "\x1b" not in new
    assert "\ufffd]0;evil\ufffd" in new
