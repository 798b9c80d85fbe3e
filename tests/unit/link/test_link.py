# ruff: noqa: ASYNC110, ASYNC240, PT012
from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from cockpit.errors import EngineUnreachable, JournalError, NotCommander
from cockpit.journal.filesystem import private_directory
from cockpit.link import client, listener, publisher
from cockpit.link.client import SocketConnection
from cockpit.link.feed import Changed, Connected, Disconnected, Heard, Recorded, Silent, Update
from cockpit.link.greeting import PROTOCOL, answers
from cockpit.link.line import Line
from cockpit.link.messages import Attach, Beat, State
from cockpit.link.once import fetch_snapshot, give_order
from cockpit.link.peer import user_name
from cockpit.link.server import serve
from cockpit.model.cluster import Pod
from cockpit.model.commands import Advance, Hold, RollBack
from cockpit.model.events import Noted
from cockpit.model.snapshot import PodsView, TrafficView

from .feeds import HandFeed, a_snapshot

ME = user_name(os.geteuid())
U = TypeVar("U", bound=Update)


class Watcher:
    """Collects a connection's updates; `until` waits for a condition over them."""

    def __init__(self, connection: SocketConnection) -> None:
        self.connection = connection
        self.seen: list[Update] = []
        self._more = asyncio.Condition()
        self.task = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        async with aclosing(self.connection.updates()) as updates:
            async for update in updates:
                async with self._more:
                    self.seen.append(update)
                    self._more.notify_all()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10), self._more:
            await self._more.wait_for(condition)

    def of(self, kind: type[U]) -> list[U]:
        return [update for update in self.seen if isinstance(update, kind)]

    @property
    def texts(self) -> list[str]:
        return [row.text for update in self.of(Recorded) for row in update.rows if isinstance(row, Noted)]

    async def close(self) -> None:
        await self.connection.close()
        await self.task


@pytest.fixture
def control(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def watch(tmp_path: Path) -> Path:
    return tmp_path / "watch.sock"


@pytest.fixture
def feed() -> HandFeed:
    return HandFeed()


@asynccontextmanager
async def watching(path: Path, **options: Any) -> AsyncIterator[Watcher]:
    watcher = Watcher(SocketConnection(path, **options))
    try:
        yield watcher
    finally:
        await watcher.close()


async def test_a_front_end_sees_the_snapshot_and_what_changes(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch), watching(control) as watcher:
        await watcher.until(lambda: watcher.of(Changed))
        assert watcher.seen[0] == Connected(run="demo-1", role="commander", you=ME)
        assert watcher.of(Changed)[0].snapshot == a_snapshot()
        traffic = TrafficView(backend="nginx", commanded=50, active="green")
        await feed.show(traffic=traffic)
        await watcher.until(lambda: len(watcher.of(Changed)) == 2)
        assert watcher.of(Changed)[1].slices == {"traffic"}
        assert watcher.of(Changed)[1].snapshot.traffic == traffic


async def test_an_engine_with_nothing_to_say_says_so(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "BEAT", 0.01)
    async with serve(feed, control, watch), asyncio.timeout(10):
        line = await Line.open(watch, Attach())
        assert isinstance(await line.receive(), State)
        assert [await line.receive() for _ in range(3)] == [Beat()] * 3
        await line.close()


async def test_a_silent_engine_is_told_once_and_its_next_word_too(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "BEAT", 3600.0)
    monkeypatch.setattr(client, "SILENCE", 0.05)
    async with serve(feed, control, watch), watching(control) as watcher:
        await watcher.until(lambda: watcher.of(Silent))
        await feed.record("it goes on")
        await watcher.until(lambda: watcher.texts == ["it goes on"])
        kinds = [type(update) for update in watcher.seen if isinstance(update, Silent | Heard | Recorded)]
        assert kinds[:3] == [Silent, Heard, Recorded]
        assert not watcher.of(Disconnected)


async def test_beats_stay_far_within_the_budget_of_a_quiet_line() -> None:
    assert len(publisher.encode(Beat())) / publisher.BEAT < 20


async def test_only_differing_slices_travel(feed: HandFeed) -> None:
    now = feed.snapshot().model_copy(update={"pods": PodsView(loaded=True), "guard": a_snapshot().guard})
    names = publisher.changed_slices(feed.snapshot(), now)
    assert names == {"pods"}
    line = json.loads(publisher.encode_slices(now, names))
    assert list(line["slices"]) == ["pods"]
    assert line["t"] == "slices"


async def test_rows_arrive_once_and_in_order(feed: HandFeed, control: Path, watch: Path) -> None:
    await feed.record("one", "two", "three")
    async with serve(feed, control, watch), watching(watch, since=1, observer=True) as watcher:
        await watcher.until(lambda: watcher.texts == ["two", "three"])
        await feed.record("four")
        await feed.record("five")
        await watcher.until(lambda: watcher.texts == ["two", "three", "four", "five"])
        assert not any(update.earlier for update in watcher.of(Recorded))


async def test_earlier_rows_are_announced(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "ROWS_AT_ONCE", 2)
    await feed.record("one", "two", "three")
    async with serve(feed, control, watch), watching(watch) as watcher:
        await watcher.until(lambda: watcher.texts == ["two", "three"])
        assert watcher.of(Recorded)[0].earlier


async def test_a_front_end_comes_back_and_asks_for_what_it_missed(feed: HandFeed, control: Path, watch: Path) -> None:
    async with AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(watching(control))
        await watcher.until(lambda: watcher.of(Disconnected))
        assert not watcher.of(Disconnected)[0].final
        with pytest.raises(asyncio.CancelledError):
            async with serve(feed, control, watch):
                await feed.record("one")
                await watcher.until(lambda: watcher.texts == ["one"])
                raise asyncio.CancelledError
        await watcher.until(lambda: len(watcher.of(Disconnected)) == 2)
        await feed.record("two")
        async with serve(feed, control, watch):
            await watcher.until(lambda: watcher.texts == ["one", "two"])
            assert len(watcher.of(Connected)) == 2


async def test_an_orderly_end_is_final(feed: HandFeed, control: Path, watch: Path) -> None:
    async with watching(control) as watcher:
        async with serve(feed, control, watch):
            await watcher.until(lambda: watcher.of(Changed))
            await feed.record("last")
        await watcher.task
        assert watcher.texts == ["last"]
        assert watcher.seen[-1] == Disconnected(
            reason="The engine ended the connection: the run is closed.", final=True
        )
        with pytest.raises(EngineUnreachable, match="closed"):
            await watcher.connection.order(Advance())
    assert not control.exists()
    assert not watch.exists()


async def test_orders_carry_the_persons_name_and_do_not_queue(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch), watching(control) as watcher:
        feed.blocked.clear()
        held = asyncio.create_task(watcher.connection.order(Hold(reason="wait")))
        back = await watcher.connection.order(RollBack(reason="now"))
        assert (back.message, held.done()) == ("rollback", False)
        feed.blocked.set()
        assert (await held).message == "hold"
        assert feed.orders == [(ME, RollBack(reason="now")), (ME, Hold(reason="wait"))]


async def test_an_observer_cannot_order(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch), watching(watch, observer=True) as watcher:
        with pytest.raises(NotCommander, match="observer gives no orders"):
            await watcher.connection.order(Advance())


async def test_the_watch_socket_lets_go_of_who_sends_orders(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch):
        with pytest.raises(EngineUnreachable):
            await give_order(watch, Advance())
        assert feed.orders == []
        assert await asyncio.to_thread(answers, watch)


async def test_two_observers_share_one_reading_of_the_rows(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch), watching(watch) as first, watching(watch) as second:
        await first.until(lambda: first.of(Changed))
        await second.until(lambda: second.of(Changed))
        before = feed.row_requests
        await feed.record("one")
        await first.until(lambda: first.texts == ["one"])
        await second.until(lambda: second.texts == ["one"])
        assert feed.row_requests == before + 1


async def test_who_does_not_read_is_dropped_and_holds_nobody_up(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publisher, "UNREAD_LIMIT", 64 * 1024)
    monkeypatch.setattr(publisher, "INTERVAL", 0.0)
    async with serve(feed, control, watch), watching(control) as watcher:
        reader, writer = await asyncio.open_unix_connection(watch)
        writer.write(Attach().model_dump_json().encode() + b"\n")
        await reader.readline()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for number in range(60):
            pods = tuple(Pod(name=f"{number}-{n}", track="blue", ready=1, containers=1, status="Running", restarts=0)
                         for n in range(300))  # fmt: skip
            await feed.show(pods=PodsView(pods=pods))
            await watcher.until(
                lambda pods=pods: watcher.of(Changed)[-1:] and watcher.of(Changed)[-1].snapshot.pods.pods == pods
            )
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert await _read_to_the_end(reader) < 60 * 300 * 80
        assert "does not read" in caplog.text
        writer.close()


async def test_a_front_end_that_never_attaches_gets_no_state(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch):
        reader, writer = await asyncio.open_unix_connection(control)
        writer.write(b'{"t":"attach","protocol":99}\n')
        lines = [json.loads(line) async for line in reader]
        assert [line["t"] for line in lines] == ["hello", "bye"]
        assert f"protocol {PROTOCOL}" in lines[1]["reason"]
        writer.close()


async def test_an_order_without_sense_ends_the_line(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch):
        reader, writer = await asyncio.open_unix_connection(control)
        writer.write(Attach(snapshots=False).model_dump_json().encode() + b"\n" + b"x" * 100_000 + b"\n")
        assert [json.loads(line)["t"] for line in await _lines(reader)] == ["hello", "bye"]
        writer.close()


async def _read_to_the_end(reader: asyncio.StreamReader) -> int:
    total = 0
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 20):
            total += len(piece)
    return total


async def _lines(reader: asyncio.StreamReader) -> list[bytes]:
    return [line async for line in reader]


async def test_somebody_elses_control_socket_refuses(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.link.peer.os.geteuid", lambda: 4242)
    monkeypatch.setattr("cockpit.link.server.peer_of", lambda _: _peer(4243))
    async with serve(feed, control, watch):
        with pytest.raises(NotCommander, match="uid 4243 is not the owner"):
            await give_order(control, Advance())
        async with watching(control) as watcher:
            with pytest.raises(NotCommander):
                await watcher.connection.order(Advance())
        assert (await fetch_snapshot(watch)).header.run == "demo-1"


def _peer(uid: int) -> Any:
    from cockpit.link.peer import Peer

    return Peer(1, uid, user_name(uid))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_a_group_member_may_watch_and_not_command(feed: HandFeed, tmp_path: Path) -> None:
    # pytest's own directories are closed to other users.
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(home, 0, 60_001)
    home.chmod(0o2750)
    run = private_directory(home / "runs" / "demo-1")
    try:
        async with serve(feed, run / "control.sock", run / "watch.sock"):
            with _as_observer(uid=60_000, gid=60_001):
                watching_line = await Line.open(run / "watch.sock", Attach())
                with pytest.raises(NotCommander):
                    await Line.open(run / "control.sock", Attach())
            assert watching_line.hello.you == "uid 60000"
            assert isinstance(await watching_line.receive(), State)
            await watching_line.close()
    finally:
        shutil.rmtree(home)


@contextmanager
def _as_observer(uid: int, gid: int) -> Iterator[None]:
    before = os.getgroups()
    os.setgroups([gid])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


async def test_sockets_have_their_modes(feed: HandFeed, control: Path, watch: Path) -> None:
    async with serve(feed, control, watch):
        assert control.stat().st_mode & 0o777 == 0o600
        assert watch.stat().st_mode & 0o777 == 0o660


async def test_a_dead_engines_socket_is_replaced(feed: HandFeed, control: Path, watch: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(control))
    stale.close()
    async with serve(feed, control, watch):
        assert await asyncio.to_thread(answers, control)


async def test_a_file_in_the_sockets_place_is_kept(feed: HandFeed, control: Path, watch: Path) -> None:
    control.write_text("mine")
    with pytest.raises(JournalError, match="not a socket"):
        async with serve(feed, control, watch):
            raise AssertionError("must not serve")
    assert control.read_text() == "mine"


async def test_a_removed_socket_comes_back(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_LOOK_EVERY", 0.01)
    async with serve(feed, control, watch):
        watch.unlink()
        async with watching(watch, observer=True) as watcher:
            await watcher.until(lambda: watcher.of(Changed))


async def test_a_socket_that_is_closed_stays_away(
    feed: HandFeed, control: Path, watch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_LOOK_EVERY", 0)
    async with serve(feed, control, watch):
        # It holds the end of the engine up, as it reads nothing any more.
        _, writer = await asyncio.open_unix_connection(watch)
        writer.transport.pause_reading()
    assert not watch.exists()
    assert not control.exists()
    writer.close()


async def test_a_path_too_long_is_refused_with_its_cause(feed: HandFeed, tmp_path: Path, watch: Path) -> None:
    with pytest.raises(JournalError, match="too long"):
        async with serve(feed, tmp_path / ("x" * 100), watch):
            raise AssertionError("must not serve")


async def test_a_plain_command_without_an_engine_says_so(control: Path) -> None:
    assert not answers(control)
    with pytest.raises(EngineUnreachable, match="Nothing listens"):
        await fetch_snapshot(control)
    with pytest.raises(EngineUnreachable, match="Nothing listens"):
        await give_order(control, Advance())


async def test_an_order_waits_for_the_engine_only_so_long(control: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.link.client.ANSWER_WITHIN", 0.1)
    async with watching(control) as watcher:
        with pytest.raises(EngineUnreachable, match="no answer within"):
            await watcher.connection.order(Advance())


async def test_an_engine_that_dies_in_mid_order_leaves_it_unknown(feed: HandFeed, control: Path, watch: Path) -> None:
    async with AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(watching(control))
        feed.blocked.clear()
        with pytest.raises(asyncio.CancelledError):
            async with serve(feed, control, watch):
                await watcher.until(lambda: watcher.of(Changed))
                order = asyncio.create_task(watcher.connection.order(Hold()))
                await _next_turn(lambda: watcher.connection._answers)
                raise asyncio.CancelledError
        with pytest.raises(EngineUnreachable, match="lost while it worked"):
            await order


async def _next_turn(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_a_publishing_error_ends_the_engine(feed: HandFeed, control: Path, watch: Path) -> None:
    def broken() -> Awaitable[None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with serve(feed, control, watch):
            feed.snapshot = broken  # type: ignore[assignment, method-assign]
            await feed.record("one")
            await asyncio.Event().wait()
