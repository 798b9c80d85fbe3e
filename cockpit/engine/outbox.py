"""Delivers messages; never in the way of the run."""

from __future__ import annotations

import asyncio

from cockpit.engine import messages
from cockpit.engine.core import Core
from cockpit.engine.ports import Message
from cockpit.errors import DeadlineExceeded, OutsideError
from cockpit.model.events import MessageFailed, MessageSent, MessageTried
from cockpit.model.run import MessageState
from cockpit.runbook.people import Mail

TRIES = 4
DELAYS_S = (0.0, 1.0, 4.0, 15.0)


class Outbox:
    """One task of the engine. A message that may have been sent is not sent again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver what is queued until the run is closed."""
        await self._give_up_interrupted()
        version = -1
        while not self._core.state.closed:
            version = await self._core.changed(version)
            # Whoever replaced this engine has its messages too.
            replaced = self._core.state.fenced is not None
            for key, message in self._core.state.messages.items():
                if message.status == "queued" and key not in self._tasks and not replaced:
                    self._tasks[key] = asyncio.create_task(self._deliver(message), name=f"message {key}")

    async def drain(self, seconds: float) -> None:
        """Give messages under way a last chance of so many real seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        for task in self._tasks.values():
            task.cancel()

    @property
    def idle(self) -> bool:
        """Whether everything queued was sent or given up."""
        return all(message.status in ("sent", "failed") for message in self._core.state.messages.values())

    async def _give_up_interrupted(self) -> None:
        for message in list(self._core.state.messages.values()):
            if message.status == "trying":
                await self._failed(message, "interrupted while it was sent; it may have arrived")

    async def _deliver(self, message: MessageState) -> None:
        messenger = self._core.setting.outside.messengers.get(message.channel)
        if messenger is None:
            await self._failed(message, "the channel is not configured")
            return
        reason = ""
        for attempt in range(1, TRIES + 1):
            await asyncio.sleep(DELAYS_S[attempt - 1])
            now = self._core.now()
            await self._core.record(
                MessageTried(at=now, actor="outbox", message=message.message, channel=message.channel, attempt=attempt)
            )
            try:
                proof = await messenger.send(self._compose(message))
            except DeadlineExceeded as error:
                await self._failed(message, f"{error}; it may have arrived")
                return
            except OutsideError as error:
                reason = str(error)
                continue
            await self._core.record(
                MessageSent(
                    at=self._core.now(), actor="outbox", message=message.message, channel=message.channel, proof=proof
                )
            )
            return
        await self._failed(message, reason)

    def _compose(self, message: MessageState) -> Message:
        entry = messages.announcement(self._core.setting.book, message.message)
        key = f"{self._core.setting.run}.{message.message}.{message.channel}"
        if isinstance(entry, Mail):
            return Message(key, entry.subject, entry.body)
        metadata = self._core.setting.book.metadata
        return Message(key, f"{metadata.title}: {message.text}", f"{metadata.name} {metadata.version}: {message.text}")

    async def _failed(self, message: MessageState, error: str) -> None:
        await self._core.record(
            MessageFailed(
                at=self._core.now(), actor="outbox", message=message.message, channel=message.channel, error=error
            )
        )
