"""The Lease by one's own clock: every way to hold, miss and lose it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from cockpit.engine import lease
from cockpit.engine.lease import LeaseKeeper
from cockpit.errors import BadAnswer, Conflict, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.lease import Command, LeaseState
from tests.fake_time import FAKE_TIME

US, THEM = "run-1 ada@here", "run-2 eve@there"


@dataclass
class Server:
    """One Lease at an API server, whose answers may fail; `clock` is this machine's."""

    lease: LeaseState | None = None
    fault: OutsideError | None = None
    write_fault: OutsideError | None = None
    hangs: bool = False
    loses: int = 0
    """So many writes take effect 4 s after they were sent, and nobody hears of it."""
    deaf: int = 0
    """So many reads after a lost write are lost too."""
    raced_by: LeaseState | None = None
    clock: float = 1000.0
    writes: list[LeaseState] = field(default_factory=list)

    async def read(self) -> LeaseState | None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        if self.deaf and not self.loses:
            self.deaf -= 1
            raise Unreachable("connection reset", "")
        return self.lease

    async def write(self, seen: LeaseState | None, wanted: LeaseState) -> LeaseState:
        if self.raced_by is not None:
            self.lease, self.raced_by = self.raced_by, None
        if self.write_fault is not None:
            raise self.write_fault
        if seen != self.lease:
            raise Conflict("changed", "")
        self.writes.append(wanted)
        self.lease = replace(wanted, version=str(len(self.writes)))
        if self.loses:
            self.loses -= 1
            self.clock += 4.0
            raise DeadlineExceeded("no answer in time", "")
        return self.lease

    def keeper(self, **options: bool) -> LeaseKeeper:
        return LeaseKeeper(self, US, lambda: self.clock, **options)


def theirs(epoch: int = 4, version: str = "a") -> LeaseState:
    return LeaseState(THEM, epoch, version, version)


@pytest.mark.parametrize(
    ("found", "command", "epoch"),
    [
        (None, Command.HELD, 1),
        (LeaseState("", 7), Command.HELD, 8),
        (LeaseState(US, 7), Command.HELD, 8),
        (theirs(7), Command.OTHER, 7),
    ],
    ids=["none", "free", "ours-after-a-restart", "foreign"],
)
async def test_the_first_look(found: LeaseState | None, command: Command, epoch: int) -> None:
    standing = await Server(found).keeper().tick()
    assert (standing.command, standing.epoch) == (command, epoch)


async def test_a_renewal_keeps_the_epoch() -> None:
    server = Server()
    keeper = server.keeper()
    assert [(await keeper.tick()).epoch for _ in range(3)] == [1, 1, 1]
    assert [wanted.epoch for wanted in server.writes] == [1, 1, 1]


@pytest.mark.parametrize(("silent", "command"), [(14.9, Command.OTHER), (15.0, Command.HELD)])
async def test_a_silent_holder_is_replaced_by_who_may(silent: float, command: Command) -> None:
    server = Server(theirs())
    keeper = server.keeper(take_silent=True)
    await keeper.tick()
    server.clock += silent
    standing = await keeper.tick()
    assert standing.command is command
    assert standing.epoch == (5 if command is Command.HELD else 4)


async def test_a_silent_holder_is_not_replaced_by_who_may_not() -> None:
    server = Server(theirs())
    keeper = server.keeper()
    await keeper.tick()
    server.clock += 3600
    standing = await keeper.tick()
    assert (standing.command, standing.other, standing.silent_s) == (Command.OTHER, THEM, 3600)


async def test_a_holder_that_renews_is_never_silent() -> None:
    server = Server(theirs())
    keeper = server.keeper(take_silent=True)
    for number in range(10):
        server.lease = theirs(version=f"v{number}")
        assert (await keeper.tick()).command is Command.OTHER
        server.clock += 14.0


async def test_at_once_takes_a_living_one() -> None:
    standing = await Server(theirs()).keeper(take_now=True).tick()
    assert (standing.command, standing.epoch) == (Command.HELD, 5)


async def test_a_race_is_lost_to_who_was_quicker() -> None:
    server = Server(raced_by=theirs())
    keeper = server.keeper()
    assert (await keeper.tick()).command is Command.UNKNOWN
    assert (await keeper.tick()).command is Command.OTHER
    assert server.writes == []


FAULTS: list[Callable[[Server], None]] = [
    lambda server: setattr(server, "fault", BadAnswer("HTTP 500", "")),
    lambda server: setattr(server, "fault", BadAnswer("an HTML page of a load balancer", "")),
    lambda server: setattr(server, "fault", Unreachable("connection reset", "")),
    lambda server: setattr(server, "fault", Denied("the Role was taken away", "")),
    lambda server: setattr(server, "write_fault", Unreachable("connection reset", "")),
    lambda server: setattr(server, "hangs", True),
]


@pytest.mark.parametrize("break_it", FAULTS, ids=["500", "html", "reset", "403", "write", "hang"])
async def test_without_renewals_it_lapses_at_ten_seconds(
    break_it: Callable[[Server], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "REQUEST_S", 0.01)
    server = Server()
    keeper = server.keeper()
    await keeper.tick()
    break_it(server)
    for after, command in ((5.0, Command.HELD), (4.9, Command.HELD), (0.1, Command.LAPSED)):
        server.clock += after
        assert keeper.lapsed() is (command is Command.LAPSED)
        assert (await keeper.tick()).command is command
    server.fault = server.write_fault = None
    server.hangs = False
    again = await keeper.tick()
    assert (again.command, again.epoch, keeper.lapsed()) == (Command.HELD, 1, False)


async def renewed_then_lost(server: Server, **faults: int) -> LeaseKeeper:
    """Held since 1000; the renewal sent at 1005 takes effect, and its answer is lost."""
    keeper = server.keeper()
    await keeper.tick()
    server.clock += 5.0
    server.loses = 1
    for name, count in faults.items():
        setattr(server, name, count)
    return keeper


async def test_a_renewal_whose_answer_is_lost_counts_from_before_it_was_sent() -> None:
    server = Server()
    keeper = await renewed_then_lost(server)
    standing = await keeper.tick()
    assert (standing.command, standing.epoch, standing.problem) == (Command.HELD, 1, "")
    server.clock = 1014.9
    assert not keeper.lapsed()
    server.clock = 1015.0
    assert keeper.lapsed()


async def test_a_lost_answer_that_cannot_be_read_back_at_once_counts_when_it_is_read() -> None:
    server = Server()
    keeper = await renewed_then_lost(server, deaf=1)
    standing = await keeper.tick()
    assert (standing.command, standing.problem) == (Command.HELD, "connection reset")
    server.clock = 1010.0
    assert keeper.lapsed()
    server.write_fault = Unreachable("connection refused", "")
    assert (await keeper.tick()).command is Command.HELD
    assert not keeper.lapsed()
    server.clock = 1015.0
    assert keeper.lapsed()


async def test_a_lost_write_that_never_came_is_no_renewal() -> None:
    server = Server()
    keeper = await renewed_then_lost(server)
    server.write_fault = DeadlineExceeded("no answer in time", "")
    assert (await keeper.tick()).problem == "no answer in time"
    server.clock = 1010.0
    assert keeper.lapsed()


async def test_somebody_elses_touch_of_the_lease_is_no_renewal() -> None:
    """A label put on by hand: holder and epoch are ours, and the version is another."""
    server = Server()
    keeper = await renewed_then_lost(server)
    server.write_fault = DeadlineExceeded("no answer in time", "")
    assert server.lease is not None
    server.lease = replace(server.lease, version="labelled")
    await keeper.tick()
    server.clock = 1010.0
    assert keeper.lapsed()


async def test_a_lease_taken_without_an_answer_is_ours_in_the_epoch_that_was_written() -> None:
    server = Server(loses=1)
    standing = await server.keeper().tick()
    assert (standing.command, standing.epoch, len(server.writes)) == (Command.HELD, 1, 1)


@FAKE_TIME
async def test_a_renewal_that_failed_is_tried_again_before_the_fence() -> None:
    loop = asyncio.get_running_loop()
    server = Server()
    keeper = LeaseKeeper(server, US, loop.time)
    lapses: list[Command] = []

    async def changed(before: lease.Standing, now: lease.Standing) -> None:
        lapses.append(now.command)

    keeping = asyncio.create_task(keeper.keep(changed))
    await asyncio.sleep(4.5)
    server.fault = Unreachable("connection reset", "")
    await asyncio.sleep(4.0)
    server.fault = None
    await asyncio.sleep(30.0)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert lapses == [Command.HELD]
    assert not keeper.lapsed()


async def test_what_sleeps_has_lapsed_before_it_ticks() -> None:
    """A suspended machine: CLOCK_BOOTTIME has gone on, and the first write after it is asked `lapsed` first."""
    server = Server()
    keeper = server.keeper()
    await keeper.tick()
    server.clock += 3600
    assert keeper.lapsed()


async def test_taken_while_lapsed() -> None:
    server = Server()
    keeper = server.keeper(take_silent=True)
    await keeper.tick()
    server.clock += 20
    server.lease = theirs()
    assert (await keeper.tick()).command is Command.OTHER
    server.clock += 20
    standing = await keeper.tick()
    assert standing.command is Command.OTHER, "who lost it once does not take it back by itself"
    server.lease = LeaseState("", 9)
    assert (await keeper.tick()).command is Command.LOST


@pytest.mark.parametrize(
    "by_hand", [None, LeaseState("", 1), LeaseState(US, 9)], ids=["deleted", "holder-emptied", "epoch-edited"]
)
async def test_edited_by_hand_it_is_lost_until_a_person_takes_it_again(by_hand: LeaseState | None) -> None:
    server = Server()
    keeper = server.keeper()
    await keeper.tick()
    server.lease = by_hand
    for _ in range(2):
        standing = await keeper.tick()
        assert (standing.command, standing.epoch) == (Command.LOST, 1)
        assert standing.problem.startswith("somebody changed it by hand: ")
    assert len(server.writes) == 1
    keeper.reclaim()
    again = await keeper.tick()
    assert again.command is Command.HELD
    assert again.epoch > 1


@pytest.mark.parametrize("hours", [1, -1])
async def test_the_wall_clock_has_no_say(hours: int) -> None:
    """The other machine's clock is an hour off: only that its Lease changes or not is looked at."""
    renewed = f"2026-11-26T{12 + hours:02}:00:00.000000Z"
    server = Server(LeaseState(THEM, 4, renewed, "a"))
    keeper = server.keeper(take_silent=True)
    await keeper.tick()
    server.clock += 14.9
    assert (await keeper.tick()).command is Command.OTHER
    server.clock += 0.1
    assert (await keeper.tick()).command is Command.HELD


async def test_without_the_right_the_lock_on_this_machine_is_all() -> None:
    server = Server(fault=Denied("leases.coordination.k8s.io is forbidden", ""))
    standing = await server.keeper().tick()
    assert (standing.command, standing.problem) == (Command.LOCAL, "leases.coordination.k8s.io is forbidden")
    unmade = Server(write_fault=Denied("cannot create leases", ""))
    assert (await unmade.keeper().tick()).command is Command.LOCAL


async def test_it_is_released_for_the_next_one_and_only_if_ours() -> None:
    server = Server()
    keeper = server.keeper()
    await keeper.tick()
    await keeper.release()
    assert server.lease is not None
    assert (server.lease.holder, server.lease.epoch) == ("", 1)
    server.lease = theirs()
    foreign = server.keeper()
    await foreign.tick()
    await foreign.release()
    assert server.lease == theirs()
