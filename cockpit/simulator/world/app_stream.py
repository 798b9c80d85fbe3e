"""The application of one pod, as a TCP connection to its port sees it: HTTP/1.1."""

from __future__ import annotations

import json
from http import HTTPStatus

from cockpit.simulator.world.application import answer_from
from cockpit.simulator.world.values import Obj
from cockpit.simulator.world.world import World

_LONGEST_HEAD = 65_536


class AppStream:
    """Answers the requests in a stream of bytes, one after the other."""

    def __init__(self, world: World, pod: Obj) -> None:
        self._world = world
        self._pod = pod
        self._buffer = b""
        self._skip = 0
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        """The answers to the requests that `data` completes; sets `ended` after the last one."""
        self._buffer += data
        answers = b""
        while not self.ended:
            skipped = min(self._skip, len(self._buffer))
            self._skip, self._buffer = self._skip - skipped, self._buffer[skipped:]
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if self._skip or not end:
                self.ended = len(self._buffer) > _LONGEST_HEAD
                break
            self._buffer = rest
            answers += self._answer(head.decode("latin-1").split("\r\n"))
        return answers

    def _answer(self, lines: list[str]) -> bytes:
        words = lines[0].split()
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            self.ended = True
            return _response(400, {"error": "bad request"}, head=False, close=True)
        length = headers.get("content-length", "")
        self._skip = int(length) if length.isdecimal() else 0
        self.ended = words[2] == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
        status, body = answer_from(self._world, [self._pod], words[1])
        return _response(status, body, head=words[0] == "HEAD", close=self.ended)


def _response(status: int, body: Obj, head: bool, close: bool) -> bytes:
    content = json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(content)}",
        f"Connection: {'close' if close else 'keep-alive'}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head else content)
