"""A throwaway control plane on loopback, booted by a script that has `up DIR --port PORT` and `down DIR`."""

from __future__ import annotations

import os
import random
import socket
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_OFFSETS = (0, 1, 2, 3, 4, 11, 101)


def script() -> Path | None:
    """The script that boots one, or None where there is none; $COCKPIT_TEST_KUBE names it."""
    found = Path(os.environ.get("COCKPIT_TEST_KUBE", _ROOT.parent / "shared" / "kube" / "kube"))
    return found if found.is_file() else None


def up(tool: Path, directory: Path) -> Path:
    """Boot one; returns the kubeconfig, whose contexts are `admin` and `observer`."""
    _call(tool, "up", directory, "--port", str(_free_port()))
    return directory / "kubeconfig"


def down(tool: Path, directory: Path) -> None:
    """End it."""
    _call(tool, "down", directory)


def _call(tool: Path, *arguments: str | Path) -> None:
    subprocess.run([tool, *arguments], check=True, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    """A port with free ones at all distances that the script uses."""
    while True:
        base = random.randrange(20_000, 30_000)
        if all(_is_free(base + offset) for offset in _OFFSETS):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
