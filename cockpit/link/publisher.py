"""Sends what changed to every front end, encoded once for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress

from cockpit.errors import JournalError
from cockpit.link.feed import Feed
from cockpit.link.messages import Beat, Bye, Rows, State
from cockpit.link.pods import pod_changes
from cockpit.model.base import Value
from cockpit.model.events import Event
from cockpit.model.snapshot import Snapshot

INTERVAL = 0.1
"""Real seconds between two publications, at least."""
SETTLE = 0.02
"""Real seconds from a change to its publication: what follows from an order does not wait for it."""
UNREAD_LIMIT = 4 * 1024 * 1024
"""A front end that leaves more bytes than this unread is dropped."""
ROWS_AT_ONCE = 1_000
BEAT = 1.0
"""Real seconds after which front ends hear that the engine lives, when there is nothing else to say."""
LARGEST_RATE = 16 * 1024 * 1024
"""Bytes a second to all front ends together; more front ends get larger snapshots less often."""
LONGEST_INTERVAL = 1.0

_BEAT = Beat().model_dump_json().encode() + b"\n"
_log = logging.getLogger(__name__)


class Subscriber:
    """The writing end of one front end. Writing never waits."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def send(self, line: bytes) -> bool:
        """Queue a line; False when the front end is gone, or was dropped because it does not read."""
        if self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > UNREAD_LIMIT:
            _log.warning("dropped a front end that does not read")
            self._transport.abort()
            return False
        self._transport.write(line)
        return True


class Publisher:
    """Compares snapshots slice by slice and sends the differences and the new rows."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._subscribers: set[Subscriber] = set()
        self._published = feed.snapshot()
        self._state: bytes | None = None
        self._seq = self._published.seq
        self._turn = asyncio.Lock()

    @property
    def watched(self) -> bool:
        """Whether any front end is there."""
        return bool(self._subscribers)

    async def run(self) -> None:
        """Publish every change, for ever."""
        clock = asyncio.get_running_loop().time
        seen, spoke = self._feed.version, clock()
        while True:
            sent = await self.publish()
            if not sent and clock() - spoke >= BEAT:
                sent = self._broadcast([_BEAT])
            if sent:
                spoke = clock()
            await asyncio.sleep(min(max(INTERVAL, sent / LARGEST_RATE), LONGEST_INTERVAL))
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    seen = await self._feed.changed(seen)
            await asyncio.sleep(SETTLE)

    async def publish(self) -> int:
        """Send what changed since the last call; returns the number of bytes to all front ends."""
        async with self._turn:
            before, now = self._published, self._feed.snapshot()
            names = changed_slices(before, now)
            if names:
                self._published, self._state = now, None
            lines = list(_differences(before, now, names)) if self._subscribers else []
            rows = await self._new_rows(now.seq)
            if rows and self._subscribers:
                lines.append(encode(Rows(rows=rows)))
            return self._broadcast(lines)

    async def subscribe(self, subscriber: Subscriber, since: int, *, snapshots: bool) -> None:
        """Send the whole snapshot and the rows after `since`, and from then on what changes."""
        if not snapshots:
            return
        await self.publish()
        async with self._turn:
            rows = await self._feed.rows(since, ROWS_AT_ONCE)
            # The published snapshot, not the present one: the next differences are against it.
            if self._state is None:
                self._state = encode(State(snapshot=self._published))
            subscriber.send(self._state)
            if rows:
                subscriber.send(encode(Rows(rows=rows, earlier=rows[0].seq > since + 1)))
            self._subscribers.add(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Send nothing more to this front end."""
        self._subscribers.discard(subscriber)

    async def say_goodbye(self, reason: str) -> None:
        """Send the last changes and the end."""
        await self.publish()
        self._broadcast([encode(Bye(reason=reason))])

    async def _new_rows(self, newest: int) -> tuple[Event, ...]:
        if newest <= self._seq:
            return ()
        if not self._subscribers:
            self._seq = newest
            return ()
        try:
            rows = await self._feed.rows(self._seq, ROWS_AT_ONCE)
        except JournalError as error:
            _log.error("the journal cannot be read: %s", error)
            return ()
        self._seq = rows[-1].seq if rows else newest
        return rows

    def _broadcast(self, lines: Iterable[bytes]) -> int:
        sent = 0
        for line in lines:
            gone = {subscriber for subscriber in self._subscribers if not subscriber.send(line)}
            self._subscribers -= gone
            sent += len(line) * len(self._subscribers)
        return sent


def _differences(before: Snapshot, now: Snapshot, names: set[str]) -> Iterator[bytes]:
    changes = pod_changes(before.pods, now.pods) if "pods" in names else None
    if changes is not None:
        yield encode(changes)
        names = names - {"pods"}
    if names:
        yield encode_slices(now, names)


def changed_slices(before: Snapshot, now: Snapshot) -> set[str]:
    """The names of the parts that differ."""
    return {
        name
        for name in Snapshot.model_fields
        if (new := getattr(now, name)) is not (old := getattr(before, name)) and new != old
    }


def encode_slices(snapshot: Snapshot, names: set[str]) -> bytes:
    """A `slices` line with these parts of the snapshot."""
    return b'{"t":"slices","slices":' + snapshot.model_dump_json(include=names).encode() + b"}\n"


def encode(message: Value) -> bytes:
    """A message as one line."""
    return message.model_dump_json().encode() + b"\n"
