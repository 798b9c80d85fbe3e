"""A journal in the mirror: packed, cut to size, unpacked, and every damage found."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.errors import JournalDamaged, JournalError
from cockpit.journal.copying import Packing, unpack
from cockpit.journal.store import Journal
from cockpit.model.events import Event, MetricsSampled, Noted
from cockpit.model.verdict import Measurement, Verdict

AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def rows(count: int, every: int = 2) -> list[Event]:
    """Notes, with a sample after each but every so many."""
    found: list[Event] = []
    for seq in range(1, count + 1):
        at = AT + timedelta(seconds=seq)
        if seq % every:
            value = (seq * 7919 % 100_003) / 977
            measured = Measurement(metric="error_rate", value=value, verdict=Verdict.NORMAL, at=at, reason="")
            found.append(MetricsSampled(seq=seq, at=at, actor="engine", epoch=1, measurements=(measured,)))
        else:
            found.append(Noted(seq=seq, at=at, actor="ada", epoch=1, text=f"row {seq} – ok"))
    return found


def packed(events: list[Event], largest: int = 10**6) -> tuple[bytes, Packing]:
    packing = Packing.empty()
    packing.add(events)
    result = packing.pack(largest)
    assert result is not None
    return result, packing


async def test_a_journal_taken_over_is_the_same_journal(tmp_path: Path) -> None:
    original = await Journal.open(tmp_path / "a" / "journal.db")
    stored = await original.append([event.model_copy(update={"seq": 0}) for event in rows(50)])
    await original.close()
    copy, packing = packed(list(stored))
    assert packing.dropped == 0
    adopted = unpack(copy)
    assert tuple(event for event, _ in adopted) == stored
    other = await Journal.open(tmp_path / "b" / "journal.db")
    await other.adopt(adopted)
    with pytest.raises(JournalError, match="rows already"):
        await other.adopt(adopted)
    await other.append([Noted(at=AT, actor="eve", text="goes on")])
    await other.close()
    again = await Journal.open(tmp_path / "b" / "journal.db")
    assert [event.seq for event in await again.replay()] == list(range(1, 52))
    await again.close()


async def test_samples_are_left_out_first_the_oldest_before_the_others(tmp_path: Path) -> None:
    events = rows(2000, every=10)
    whole, _ = packed(events)
    small, packing = packed(events, len(whole) // 2)
    assert len(small) <= len(whole) // 2
    assert packing.dropped > 0
    found = [event for event, _ in unpack(small)]
    assert [event.seq for event in found] == list(range(1, 2001))
    assert [event for event in found if event.type == "note"] == [event for event in events if event.type == "note"]
    kept = [event.seq for event in found if event.type == "metrics.sampled"]
    assert sum(event.type == "row.dropped" for event in found) == packing.dropped
    assert not kept or min(kept) > max(event.seq for event in found if event.type == "row.dropped")
    journal = await Journal.open(tmp_path / "j" / "journal.db")
    await journal.adopt(unpack(small))
    await journal.close()
    again = await Journal.open(tmp_path / "j" / "journal.db")
    assert len(await again.replay()) == 2000
    await again.close()


def test_what_follows_is_packed_after_what_was_left_out() -> None:
    events = rows(400, every=10)
    packing = Packing.empty()
    packing.add(events[:390])
    whole = packing.pack(10**6)
    assert whole is not None
    assert packing.pack(len(whole) // 2) is not None
    packing.add(events[390:])
    again = packing.pack(10**6)
    assert again is not None
    assert [event.seq for event, _ in unpack(again)] == list(range(1, 401))


def test_decisions_are_never_left_out() -> None:
    packing = Packing.empty()
    packing.add(rows(2000, every=1))
    assert packing.pack(100) is None
    assert packing.dropped == 0


DAMAGES: list[Callable[[list[bytes]], list[bytes]]] = [
    lambda lines: [*lines[:3], *lines[4:]],
    lambda lines: [lines[1], lines[0], *lines[2:]],
    lambda lines: [*lines[:3], lines[3].replace(b"ada", b"eve"), *lines[4:]],
    lambda lines: lines[:-1],
    lambda lines: [*lines[:-2], lines[-1]],
    lambda lines: [*lines[:3], b"{}", *lines[3:]],
    lambda lines: [],
]


@pytest.mark.parametrize("damage", DAMAGES, ids=["lost", "swapped", "changed", "no-tip", "no-last", "odd", "empty"])
def test_every_damage_is_found(damage: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = gzip.decompress(packed(rows(10))[0]).split(b"\n")
    with pytest.raises(JournalDamaged, match="The mirrored journal is damaged"):
        unpack(gzip.compress(b"\n".join(damage(lines))))


def test_what_is_no_archive_is_damaged() -> None:
    for junk in (b"", b"junk", packed(rows(10))[0][:-9]):
        with pytest.raises(JournalDamaged):
            unpack(junk)
