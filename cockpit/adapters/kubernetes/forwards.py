"""The port-forwards of one screen."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import count

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.goals import Goals
from cockpit.adapters.kubernetes.portforward import PortForward
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.model.lens import ForwardState
from cockpit.model.text import clean


class Forwards:
    """Opens, keeps and closes port-forwards."""

    def __init__(self, client: KubeClient, pods: Resource, goals: Goals) -> None:
        self._client = client
        self._pods = pods
        self._goals = goals
        self._numbers = count(1)
        self._open: dict[str, tuple[PortForward, ForwardState]] = {}

    async def open(self, target: str, remote_port: int, local_port: int) -> ForwardState:
        """Open one; see `PortForward.open`."""
        forward = PortForward(self._client, self._pods, partial(self._goals.find, target, remote_port))
        await forward.open(local_port)
        state = ForwardState(
            id=str(next(self._numbers)),
            target=clean(target),
            pod=forward.pod,
            local_port=forward.local_port,
            remote_port=remote_port,
            started_at=datetime.now(UTC),
        )
        self._open[state.id] = forward, state
        return state

    def states(self) -> tuple[ForwardState, ...]:
        """All that are open, oldest first, as they are now."""
        return tuple(_now(forward, state) for forward, state in self._open.values())

    async def close(self, forward: str) -> None:
        """Close one by its id; one that is gone is left alone."""
        if found := self._open.pop(forward, None):
            await found[0].close()

    async def close_all(self) -> None:
        """Close all."""
        for forward in tuple(self._open):
            await self.close(forward)


def _now(forward: PortForward, state: ForwardState) -> ForwardState:
    return state.model_copy(
        update={
            "pod": forward.pod or state.pod,
            "connections": forward.connections,
            "problem": forward.problem,
            "state": "listening" if forward.listening else "ended",
        }
    )
