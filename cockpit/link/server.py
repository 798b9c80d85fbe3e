"""The engine's side of the link: one socket that takes orders and one that cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from cockpit.link.desk import take_orders
from cockpit.link.feed import Feed
from cockpit.link.greeting import PROTOCOL
from cockpit.link.line import NOT_THE_OWNER
from cockpit.link.listener import Listener
from cockpit.link.messages import Attach, Bye, Hello, Marks, MetricSeries, Seat
from cockpit.link.peer import Peer, peer_of
from cockpit.link.publisher import Publisher, Subscriber, encode
from cockpit.model.commanding import Front, Place

CONTROL_MODE = 0o600
WATCH_MODE = 0o660
CLOSED = "the run is closed"
_ATTACH_WITHIN = 10.0
_HISTORY_WITHIN = 10.0
_NUMBERS = count(1)


@asynccontextmanager
async def serve(feed: Feed, control: Path, watch: Path) -> AsyncIterator[Publisher]:
    """Serve the feed on both sockets while the context lasts; front ends are told of an orderly end.

    Raises JournalError when a socket cannot be made. A failure of the publishing ends the context.
    """
    publisher = Publisher(feed)
    commanders = Listener(control, CONTROL_MODE, _Commanders(feed, publisher).serve)
    observers = Listener(watch, WATCH_MODE, _Observers(feed, publisher).serve)
    async with _background(publisher.run()):
        try:
            await commanders.open()
            await observers.open()
            # Nothing may put a socket back that is being closed.
            async with _background(commanders.stay(), observers.stay()):
                yield publisher
                await publisher.say_goodbye(CLOSED)
        finally:
            await commanders.close()
            await observers.close()


@asynccontextmanager
async def _background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    owner = asyncio.current_task()
    assert owner is not None

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            owner.cancel()

    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Front:
    """What both sockets do: greet, read one attach line, send what changes."""

    role: Literal["commander", "observer"]

    def __init__(self, feed: Feed, publisher: Publisher) -> None:
        self._feed = feed
        self._publisher = publisher

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one front end until it leaves."""
        peer = peer_of(writer.get_extra_info("socket"))
        subscriber = Subscriber(writer.transport)
        subscriber.send(encode(Hello(run=self._feed.run, role=self.role, you=peer.name)))
        refusal = self._refusal(peer)
        attach = None if refusal else await _read_attach(reader)
        if attach is None:
            subscriber.send(encode(Bye(reason=refusal or f"this engine speaks protocol {PROTOCOL}")))
            return
        if attach.history:
            await _send_history(self._feed, subscriber, writer)
            return
        try:
            await self._publisher.subscribe(subscriber, attach.since, snapshots=attach.snapshots)
            await self._stay(reader, subscriber, peer, attach)
        finally:
            self._publisher.unsubscribe(subscriber)

    def _refusal(self, peer: Peer) -> str:
        return ""

    async def _stay(self, reader: asyncio.StreamReader, subscriber: Subscriber, peer: Peer, attach: Attach) -> None:
        """Wait until the front end leaves; a front end that sends anything is let go."""
        await reader.read(1)


class _Observers(_Front):
    role = "observer"


class _Commanders(_Front):
    role = "commander"

    def _refusal(self, peer: Peer) -> str:
        return "" if peer.may_command else f"{peer.name} {NOT_THE_OWNER}"

    async def _stay(self, reader: asyncio.StreamReader, subscriber: Subscriber, peer: Peer, attach: Attach) -> None:
        if attach.seat is None:
            await take_orders(self._feed, peer.name, reader, subscriber)
            return
        front = Front(number=next(_NUMBERS), person=peer.name, terminal=peer.terminal)
        if attach.seat == "command":
            await self._feed.join(front)
        telling = asyncio.create_task(self._tell_place(front, subscriber))
        try:
            await take_orders(self._feed, peer.name, reader, subscriber, front)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            await self._feed.leave(front)

    async def _tell_place(self, front: Front, subscriber: Subscriber) -> None:
        """Say where the front end stands, now and whenever that changes."""
        told: Place | None = None
        while True:
            version = self._feed.version
            place = self._feed.place(front)
            if told is None or (place.role, place.commander) != (told.role, told.commander):
                subscriber.send(encode(Seat(place=place)))
                told = place
            await self._feed.changed(version)


async def _send_history(feed: Feed, subscriber: Subscriber, writer: asyncio.StreamWriter) -> None:
    """A line for each metric, each made when the one before has left: a front end that does not read is let go."""
    series, marks = feed.history()
    try:
        async with asyncio.timeout(_HISTORY_WITHIN):
            for each in series:
                subscriber.send(encode(MetricSeries(series=each)))
                await writer.drain()
                # Many who ask at once must not keep the engine from its work.
                await asyncio.sleep(0)
            subscriber.send(encode(Marks(marks=marks)))
            await writer.drain()
    except (TimeoutError, OSError):
        writer.transport.abort()


async def _read_attach(reader: asyncio.StreamReader) -> Attach | None:
    try:
        async with asyncio.timeout(_ATTACH_WITHIN):
            attach = Attach.model_validate_json(await reader.readline())
    except (ValidationError, ValueError):
        return None
    return attach if attach.protocol == PROTOCOL else None
