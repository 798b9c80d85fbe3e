"""A lens on no cluster: says what the test puts in, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cockpit.errors import CockpitError, Conflict
from cockpit.model.lens import Described, DescribedKind, DescribedSection, ForwardState, LogQuery, WorkloadRow
from cockpit.tui.looking import LookSettings

STARTED = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def stamped(number: int, text: str) -> str:
    """A line as the API server gives it, with its time."""
    at = STARTED + timedelta(milliseconds=number)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond * 1000:09}Z {text}"


def chatter(count: int, start: int = 0) -> tuple[str, ...]:
    """Lines of a web server that writes JSON, now and then a warning and an error."""
    lines = []
    for number in range(start, start + count):
        level = "error" if number % 40 == 17 else "warn" if number % 15 == 7 else "info"
        fields = {
            "time": "09:00",
            "level": level,
            "msg": {"error": "upstream timed out", "warn": "slow query", "info": "request served"}[level],
            "path": f"/api/items/{number}",
            "status": 504 if level == "error" else 200,
            "ms": number % 97,
        }
        lines.append(stamped(number, json.dumps(fields)))
    return tuple(lines)


WORKLOADS = (
    WorkloadRow(kind="deployment", name="moshimoshi-blue", state="3 of 3 ready"),
    WorkloadRow(kind="deployment", name="moshimoshi-green", state="3 of 3 ready"),
    WorkloadRow(kind="deployment", name="redis", state="0 of 1 ready", healthy=False),
    WorkloadRow(kind="service", name="moshimoshi-active", state="version=green, 3 endpoints"),
    WorkloadRow(kind="ingress", name="moshimoshi-ingress-canary", state="canary, weight 50"),
    WorkloadRow(kind="job", name="migrate", state="done"),
)


class FakeLens:
    """Implements `Lens`."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[tuple[str, ...] | CockpitError | None] = asyncio.Queue()
        self.queries: list[LogQuery] = []
        self.names: tuple[str, ...] = ("app",)
        self.described: list[tuple[str, str]] = []
        self.description: tuple[DescribedSection, ...] = (
            DescribedSection(
                title="Status", rows=(("Image", "gcr.io/moshimoshi-prod/moshimoshi:1.0.0"), ("Ready", "3 of 3"))
            ),
            DescribedSection(title="Conditions", rows=(("Available", "True, since 08:29:11"), ("Progressing", "True"))),
            DescribedSection(
                title="Events",
                lines=(
                    "2m  Normal   ScalingReplicaSet  Scaled up replica set moshimoshi-blue-7c9d5b6f4 to 3",
                    "1m  Warning  Unhealthy          Readiness probe failed: HTTP probe failed with statuscode: 503",
                ),
            ),
        )
        self.error: CockpitError | None = None
        self.open_forwards: list[ForwardState] = []
        self.taken: set[int] = set()
        self.shell_argv: tuple[str, ...] = ("/bin/sh",)
        self.pulled = 0
        self.open_logs = 0
        self.opened = 0
        self.closed = 0

    def settings(self, saves: Path, *, rehearsal: bool = False) -> LookSettings:
        """What an app needs to look through this lens."""

        @asynccontextmanager
        async def opening() -> AsyncIterator[FakeLens]:
            self.opened += 1
            try:
                yield self
            finally:
                self.closed += 1

        return LookSettings(open=opening, saves=saves, directory=saves, rehearsal=rehearsal)

    def say(self, *lines: str) -> None:
        """The log has new lines."""
        self.queue.put_nowait(lines)

    async def containers(self, pod: str) -> tuple[str, ...]:
        self._fail()
        return self.names

    async def logs(self, query: LogQuery) -> AsyncIterator[tuple[str, ...]]:
        self.queries.append(query)
        self.open_logs += 1
        try:
            while (batch := await self.queue.get()) is not None:
                if isinstance(batch, CockpitError):
                    raise batch
                self.pulled += 1
                yield batch
        finally:
            self.open_logs -= 1

    async def describe(self, kind: DescribedKind, name: str) -> Described:
        self.described.append((kind, name))
        self._fail()
        return Described(kind=kind, name=name, at=datetime.now(UTC), sections=self.description)

    async def workloads(self) -> tuple[WorkloadRow, ...]:
        self._fail()
        return WORKLOADS

    async def forward(self, target: str, remote_port: int, local_port: int = 0) -> ForwardState:
        if local_port in self.taken:
            raise Conflict(f"Port {local_port} of this machine is taken.", "Choose another one.")
        number = len(self.open_forwards) + 1
        state = ForwardState(
            id=f"f{number}",
            target=target,
            pod=f"{target.removeprefix('deployment/')}-7c9d5b6f4-8xkzp" if "/" in target else target,
            local_port=local_port or 40000 + number,
            remote_port=remote_port,
            started_at=STARTED,
        )
        self.open_forwards.append(state)
        return state

    def forwards(self) -> tuple[ForwardState, ...]:
        return tuple(self.open_forwards)

    async def stop_forward(self, forward: str) -> None:
        self.open_forwards = [
            state.model_copy(update={"state": "ended", "problem": "stopped"}) if state.id == forward else state
            for state in self.open_forwards
        ]

    def shell(self, pod: str, container: str | None = None, argv: Sequence[str] = ("/bin/sh",)) -> tuple[str, ...]:
        return self.shell_argv

    def environment(self) -> Mapping[str, str]:
        return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"KUBECONFIG": "/none"}

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error
