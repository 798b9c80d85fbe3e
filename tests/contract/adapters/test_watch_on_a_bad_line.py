"""The watch of the pods over a line that breaks, the same in both worlds: what is shown is true, or marked as old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cockpit.adapters.kubernetes.reader import WatchTimes
from cockpit.model.cluster import PodsChanged

from ..fault_proxy import Fault, Match
from ..faults import (
    PAGE,
    a,
    cut_after,
    ends_at_once,
    error_event,
    half_open,
    lost_before,
    only_bookmarks,
    oversize,
    says,
    says_nothing,
    status,
)
from .front import Front

WATCH, LIST = a("watch", "pods"), a("list", "pods")
QUICK = WatchTimes(quiet=0.3, conflate=0.0, pause=0.02, longest_pause=0.1, settled=0.1)
PATIENT = WatchTimes(conflate=0.0, pause=0.2, longest_pause=10.0, settled=1.0)


@dataclass
class Story:
    """Everything that a watch has shown; `until` looks at what it did not look at before."""

    changes: list[PodsChanged] = field(default_factory=list)
    read: int = 0

    async def until(self, holds: Callable[[PodsChanged], bool]) -> PodsChanged:
        found: list[PodsChanged] = []

        def look() -> bool:
            while not found and self.read < len(self.changes):
                self.read += 1
                found.extend(change for change in [self.changes[self.read - 1]] if holds(change))
            return bool(found)

        await settled(look, lambda: self.changes[-1:])
        return found[0]


@asynccontextmanager
async def watching(front: Front, times: WatchTimes) -> AsyncIterator[Story]:
    story = Story()

    async def listen() -> None:
        async with aclosing(front.watch(times)) as changes:
            async for change in changes:
                story.changes.append(change)

    listener = asyncio.create_task(listen())
    try:
        yield story
    finally:
        listener.cancel()
        await asyncio.wait((listener,))


async def settled(holds: Callable[[], bool], told: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(20):
            while not holds():  # noqa: ASYNC110 - what others have recorded is no event
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"still {told()}") from None


def names(change: PodsChanged) -> set[str]:
    return {pod.name for pod in change.pods}


async def came(front: Front, match: Match, times: int) -> None:
    await settled(lambda: len(front.proxy.asked(match)) >= times, lambda: front.proxy.seen)


async def test_version_that_is_gone_in_mid_watch_is_listed_again(front: Front) -> None:
    await front.add_pod("one")
    front.proxy.on(WATCH, error_event(410, "Expired"))
    async with watching(front, QUICK) as story:
        await story.until(lambda change: names(change) == {"one"})
        await came(front, WATCH, 2)
        await front.add_pod("two")
        change = await story.until(lambda change: names(change) == {"one", "two"})

    assert change.problem == ""
    assert len(front.proxy.asked(LIST)) >= 2


async def test_version_that_is_refused_with_410_is_listed_again(front: Front) -> None:
    front.proxy.on(WATCH, says(410, status(410, "Expired")))
    async with watching(front, QUICK) as story:
        await story.until(lambda _: True)
        await came(front, WATCH, 2)
        await front.add_pod("one")
        await story.until(lambda change: names(change) == {"one"} and not change.problem)


async def test_watch_that_is_closed_at_once_is_asked_less_and_less_often(front: Front) -> None:
    front.proxy.on(WATCH, ends_at_once, times=99)
    async with watching(front, PATIENT) as story:
        change = await story.until(lambda change: "at once" in change.problem)
        await came(front, WATCH, 4)

    assert change.stale_since is not None
    times = [seen.at for seen in front.proxy.asked(WATCH)]
    assert all(gap >= 0.2 * 2**number for number, gap in enumerate(after - before for before, after in pairwise(times)))
    # While watches fail, lists must do, but not one for every try.
    assert len(front.proxy.asked(LIST)) < len(times)


async def test_watch_that_is_closed_at_once_asks_less_than_once_a_second_by_default(front: Front) -> None:
    front.proxy.on(WATCH, ends_at_once, times=99)
    async with watching(front, WatchTimes()) as story:
        await story.until(lambda change: "at once" in change.problem)
        await came(front, WATCH, 2)

    first, second = front.proxy.asked(WATCH)
    assert second.at - first.at >= 1.0


async def test_line_that_breaks_in_a_quiet_moment_loses_nothing_and_is_not_told(front: Front) -> None:
    await front.add_pod("one")
    front.proxy.on(WATCH, cut_after(1, whole=True))
    async with watching(front, WatchTimes(conflate=0.0, settled=0.0)) as story:
        await story.until(lambda change: names(change) == {"one"})
        await came(front, WATCH, 1)
        await front.add_pod("two")
        await came(front, WATCH, 2)
        await front.add_pod("three")
        await story.until(lambda change: names(change) == {"one", "two", "three"})

    assert {change.problem for change in story.changes} == {""}
    assert len(front.proxy.asked(LIST)) == 1


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (cut_after(0, whole=False), "middle of a line"),
        (oversize, "line of more than"),
        (says(200, PAGE), "middle of a line"),
        (error_event(500, "InternalError"), "InternalError"),
        (says(403, status(403, "Forbidden")), "watch pods in"),
        (says(500, status(500, "InternalError")), "HTTP 500"),
        (says(503, PAGE), "HTTP 503"),
        (says(502, PAGE), "HTTP 502"),
        (lost_before, "broke"),
    ],
)
async def test_broken_watch_marks_the_pods_as_old_until_they_are_proved(
    front: Front, fault: Fault, problem: str
) -> None:
    await front.add_pod("one")
    began = datetime.now(UTC)
    # Twice, because a request whose kept connection was just closed is sent again by the HTTP library itself.
    front.proxy.on(WATCH, fault, times=2)
    async with watching(front, QUICK) as story:
        await story.until(lambda change: names(change) == {"one"})
        await came(front, WATCH, 1)
        await front.add_pod("two")
        change = await story.until(lambda change: bool(change.problem))
        assert problem in change.problem
        assert change.stale_since is not None
        assert began <= change.stale_since <= datetime.now(UTC)
        await story.until(lambda change: names(change) == {"one", "two"} and change.stale_since is None)


@pytest.mark.parametrize("fault", [says_nothing, only_bookmarks])
async def test_watch_that_is_dead_is_found_by_a_list(front: Front, fault: Fault) -> None:
    front.proxy.on(WATCH, fault)
    async with watching(front, QUICK) as story:
        await story.until(lambda change: change.pods == () and not change.problem)
        await came(front, WATCH, 1)
        await front.add_pod("one")
        change = await story.until(lambda change: names(change) == {"one"} and not change.problem)

    assert change.stale_since is None


async def test_pods_are_as_old_as_the_last_word_and_not_as_its_loss(front: Front) -> None:
    """A line that dies unnoticed makes the pods old from the moment they were last proved."""
    front.proxy.on(WATCH, says_nothing, times=99)
    async with watching(front, QUICK) as story:
        await story.until(lambda _: True)
        await came(front, WATCH, 1)
        front.proxy.on(LIST, says(503, PAGE), times=999)
        proved = time.monotonic()
        change = await story.until(lambda change: "503" in change.problem)
        noticed = time.monotonic()

    assert change.stale_since is not None
    age = (datetime.now(UTC) - change.stale_since).total_seconds()
    # The client tries a list four times, with pauses, before it gives up.
    assert age >= noticed - proved - QUICK.quiet


async def test_api_server_that_comes_back_is_believed_only_when_it_answers(front: Front) -> None:
    await front.add_pod("one")
    async with watching(front, QUICK) as story:
        await story.until(lambda change: names(change) == {"one"})
        front.proxy.on(lambda _: True, half_open, times=1)
        front.proxy.on(lambda _: True, lost_before, times=999)
        change = await story.until(lambda change: bool(change.problem))
        assert names(change) == {"one"}
        await front.add_pod("two")
        front.proxy.heal()
        await story.until(lambda change: names(change) == {"one", "two"} and change.stale_since is None)
