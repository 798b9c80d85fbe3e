"""Whether an engine answers, asked without the models of its messages: every screen begins with this question."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

PROTOCOL = 4
"""The version of the socket protocol, of which an engine speaks in its first line."""
_WITHIN = 5.0
_LONGEST = 4096
_ATTACH = json.dumps({"t": "attach", "protocol": PROTOCOL, "snapshots": False}).encode() + b"\n"


def answers(path: Path) -> bool:
    """Whether an engine that speaks our protocol says hello at the socket `path`; blocks for at most five seconds."""
    return protocol_at(path) == PROTOCOL


def protocol_at(path: Path) -> int | None:
    """The protocol of the engine that says hello at the socket `path`, None without one; blocks for five seconds."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            hello = json.loads(_first_line(line, path))
        except (OSError, ValueError):
            return None
    known = isinstance(hello, dict) and hello.get("t") == "hello" and isinstance(hello.get("protocol"), int)
    return int(hello["protocol"]) if known else None


def _first_line(line: socket.socket, path: Path) -> bytes:
    deadline, said = time.monotonic() + _WITHIN, b""
    line.settimeout(_WITHIN)
    line.connect(str(path))
    line.sendall(_ATTACH)
    while not said.endswith(b"\n") and len(said) < _LONGEST:
        line.settimeout(max(deadline - time.monotonic(), 0.001))
        chunk = line.recv(_LONGEST)
        if not chunk:
            break
        said += chunk
    return said.partition(b"\n")[0]
