"""Changes by hand that a death interrupts are settled by their target, and never repeated."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cockpit.model import commands as cmd
from cockpit.model.reduce import replay
from cockpit.model.status import ActionStatus
from tests.crash.fragile import Crash
from tests.crash.test_chaos import Chaos
from tests.fake_time import FAKE_TIME

pytestmark = [FAKE_TIME, pytest.mark.usefixtures("one_thread")]


async def in_the_gate(directory: Path) -> Chaos:
    chaos = Chaos(directory, automatic=True)
    await chaos.live()
    chaos.world.values["error_rate"] = None  # the gate stays open
    await asyncio.sleep(30)
    assert chaos.state.traffic is not None
    assert chaos.state.traffic.weight == 50
    return chaos


async def killed_at(chaos: Chaos, command: cmd.Command, point: str) -> None:
    """Give an order and kill the engine at the next point of that name."""
    assert chaos.stage is not None
    doom = chaos.world.doom
    plain = doom.point

    def dying(name: str) -> None:
        plain(name)
        if name.startswith(point):
            doom.dead = True
            raise Crash(name)

    doom.point = dying  # type: ignore[method-assign]
    assert (await chaos.stage.order(command)).ok
    await asyncio.sleep(3)
    assert doom.dead
    await chaos.die()
    await asyncio.sleep(3)
    assert chaos.broken == []


def by_hand(chaos: Chaos, prefix: str) -> tuple[ActionStatus, str]:
    (found,) = [known for name, known in chaos.state.actions.items() if name.startswith(prefix)]
    return found.status, found.message


async def test_a_slider_that_was_moved_is_known_as_moved(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    await killed_at(chaos, cmd.SetWeight(weight=20), "after effect weight 20")
    assert by_hand(chaos, "slider-")[0] is ActionStatus.DONE
    assert chaos.state.traffic is not None
    assert (chaos.state.traffic.weight, chaos.world.weight) == (20, 20)
    assert chaos.state.drift == {}
    assert chaos.world.effects.count("weight 20") == 1
    await chaos.end()


async def test_a_slider_that_was_not_moved_is_not_moved_later(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    await killed_at(chaos, cmd.SetWeight(weight=20), "after action.intended")
    status, message = by_hand(chaos, "slider-")
    assert status is ActionStatus.FAILED
    assert "interrupted before" in message
    assert chaos.state.traffic is not None
    assert (chaos.state.traffic.weight, chaos.world.weight) == (50, 50)
    assert (await chaos.stage.order(cmd.SetWeight(weight=20))).ok if chaos.stage else False
    await asyncio.sleep(3)
    assert chaos.world.weight == 20
    await chaos.end()


async def test_a_drift_that_was_written_back_is_ended(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    chaos.fault("weight by somebody else")
    await asyncio.sleep(5)
    assert chaos.state.drift
    await killed_at(chaos, cmd.Restore(reason="ours"), "after effect weight 50")
    assert by_hand(chaos, "restore-")[0] is ActionStatus.DONE
    assert chaos.state.drift == {}
    assert chaos.world.weight == 50
    await chaos.end()


async def test_a_new_engine_claims_before_it_intends_to_write_back(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    chaos.fault("weight by somebody else")
    await asyncio.sleep(5)
    await chaos.die()
    assert chaos.stage is not None
    assert (await chaos.stage.order(cmd.Restore(reason="ours"))).ok
    await asyncio.sleep(3)
    (intended,) = [event for event in chaos.store.events if event.type == "action.intended" and event.kind == "restore"]
    assert intended.epoch == chaos.state.epoch
    assert chaos.broken == []
    assert chaos.world.weight == 50
    await chaos.end()


async def test_a_drift_that_was_not_written_back_stays(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    chaos.fault("weight by somebody else")
    await asyncio.sleep(5)
    await killed_at(chaos, cmd.Restore(reason="ours"), "after action.intended")
    assert by_hand(chaos, "restore-")[0] is ActionStatus.FAILED
    assert chaos.state.drift
    assert chaos.world.weight == 33
    await chaos.end()


async def test_a_slider_whose_target_is_neither_asks(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    live = chaos.die

    async def meanwhile() -> None:
        chaos.world.weight = 33
        await live()

    chaos.die = meanwhile  # type: ignore[method-assign]
    await killed_at(chaos, cmd.SetWeight(weight=20), "after action.intended")
    status, message = by_hand(chaos, "slider-")
    assert status is ActionStatus.AMBIGUOUS
    assert "weight 33 %" in message
    await chaos.end()


async def test_an_interrupted_claim_is_no_drift(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    await chaos.die()
    await killed_at(chaos, cmd.SetWeight(weight=20), "after stamp service")
    await asyncio.sleep(30)
    assert "drift.found" not in {event.type for event in chaos.store.events}
    assert (await chaos.stage.order(cmd.SetWeight(weight=20))).ok if chaos.stage else False
    await asyncio.sleep(3)
    assert chaos.world.weight == 20
    await chaos.end()


async def test_a_caller_that_is_cancelled_leaves_no_row_that_the_state_does_not_know(short_path: Path) -> None:
    chaos = await in_the_gate(short_path)
    assert chaos.stage is not None
    assert chaos.stage.session is not None
    before = len(chaos.store.events)
    order = asyncio.create_task(chaos.stage.order(cmd.Hold(reason="wait")))
    await asyncio.sleep(0)
    order.cancel()
    (outcome,) = await asyncio.gather(order, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)
    await asyncio.sleep(1)
    assert [event.type for event in chaos.store.events[before:]] == ["run.held"]
    assert chaos.stage.session.state.held
    assert chaos.stage.session.state == replay(chaos.store.events)
    await chaos.end()
