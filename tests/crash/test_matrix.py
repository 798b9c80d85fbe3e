"""Kill it anywhere: no step is silently repeated, skipped or called done."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cockpit.model.status import ActionStatus, RunStatus
from cockpit.runbook.actions import Exec, Script
from tests.crash.cases import CHUNKS, EVERY_POINT, SOME_POINTS, Case, cases
from tests.crash.fragile import EFFECT_OF, Play, every_kind
from tests.fake_time import FAKE_TIME

pytestmark = [FAKE_TIME, pytest.mark.usefixtures("one_thread")]

ONCE = (
    "image app:1.0.0",
    "weight 50",
    "switch blue",
    "switch green",
    "canary off",
    *set(EFFECT_OF.values()) - {"flush"},
)
HARMLESS_TWICE = frozenset({"purge"})


async def undisturbed(directory: Path, place: str) -> Play:
    play = await Play(directory, place).run()
    assert play.broken == []
    assert play.state.status is (RunStatus.ROLLED_BACK if place else RunStatus.COMPLETED)
    return play


_references: dict[str, Play] = {}


async def references(directory: Path) -> dict[str, Play]:
    """An undisturbed run from each place to roll back from, played once in a process."""
    for place in (*EVERY_POINT, *SOME_POINTS):
        if place not in _references:
            _references[place] = await undisturbed(directory, place)
    return _references


async def test_an_undisturbed_run_has_every_effect_once(short_path: Path) -> None:
    play = await undisturbed(short_path, "")
    assert play.world.effects == [
        "image app:1.0.0", "weight 50", "switch blue", "canary off", "purge", "flush", "script warm-up", "job",
    ]  # fmt: skip


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_killed_run_ends_as_an_undisturbed_one(
    short_path: Path, chunk: int, record_property: pytest.RecordProperty
) -> None:
    plays = await references(short_path)
    everything = cases({place: len(play.lives[0].passed) for place, play in plays.items()})
    mine = everything[chunk::CHUNKS]
    for case in mine:
        await judge(short_path, case, plays[case[0]])
    record_property("crash cases", len(mine))


async def judge(directory: Path, case: Case, reference: Play) -> None:
    place, dooms = case
    play = await Play(directory, place, dooms).run()
    told = f"{place or 'to its end'}, killed {[life.passed[-1] for life in play.lives if life.dead]}"
    assert play.lives[0].dead, told
    assert play.broken == [], told
    _effects(play, reference, told)
    _end(play, reference, told)
    _outcomes(play, told)


def _effects(play: Play, reference: Play, told: str) -> None:
    """Each effect once; what cannot be read back at most once, unless the runbook calls twice harmless."""
    counted, expected = Counter(play.world.effects), Counter(reference.world.effects)
    for effect in ONCE:
        most = 1 if play.back_after else expected[effect]
        assert counted[effect] <= most, f"{told}: {effect} {counted[effect]} times"
    assert counted["flush"] <= 2, told
    assert len(play.world.jobs) == len(set(play.world.jobs)) == counted["job"], told
    if not play.back_after:
        for effect in expected:
            assert counted[effect] == expected[effect] or effect in HARMLESS_TWICE, f"{told}: {effect} {counted}"
        assert counted["purge"] >= 1, told


def _end(play: Play, reference: Play, told: str) -> None:
    """The world and the run are as they would have been."""
    mine, theirs = play.world, reference.world
    assert (mine.active, mine.canary) == (theirs.active, theirs.canary), told
    assert not mine.canary or mine.weight == theirs.weight, told
    failed = {step for step, known in (_rollback_steps(play)).items() if known == "failed"}
    if failed:
        assert play.state.status is RunStatus.ROLLBACK_FAILED, told
        assert failed == {_step_of(action) for action in _unknown(play)}, told
    else:
        assert play.state.status is reference.state.status, told
    assert {message.status for message in play.state.messages.values()} <= {"sent", "failed"}, told
    assert len(play.world.sent) <= len(play.state.messages), told
    assert set(play.state.messages) >= set(reference.state.messages) - _optional_messages(play), told


def _optional_messages(play: Play) -> set[str]:
    """What a run that goes back earlier has not said."""
    return {"deployed@slack"} if play.back_after else set()


def _outcomes(play: Play, told: str) -> None:
    """Nothing is left open, and only what cannot be read back was asked about."""
    book, state = play.book.runbook, play.state
    for action in (action for step in book.steps for action in step.actions):
        known = state.action(action.id)
        assert known.status is not ActionStatus.RUNNING, told
        if not play.back_after:
            assert known.status.settled, f"{told}: {action.id} is {known.status}"
            assert known.status is ActionStatus.DONE or action.id in play.asked, f"{told}: {action.id}"
    assert set(play.asked) <= {action.id for action in _cannot_be_read_back()}, told


def _cannot_be_read_back() -> list[Exec | Script]:
    book = every_kind().runbook
    found = (action for step in (*book.steps, *book.rollback.steps) for action in step.actions)
    return [action for action in found if isinstance(action, Exec | Script)]


def _unknown(play: Play) -> list[str]:
    return [
        action.id
        for action in _cannot_be_read_back()
        if play.state.action(action.id).status is ActionStatus.AMBIGUOUS and action.id.startswith("back-")
    ]


def _step_of(action_id: str) -> str:
    steps = every_kind().runbook.rollback.steps
    return next(step.id for step in steps if any(action.id == action_id for action in step.actions))


def _rollback_steps(play: Play) -> dict[str, str]:
    rollback = play.state.rollback
    return {} if rollback is None else {name: step.status for name, step in rollback.steps.items()}
