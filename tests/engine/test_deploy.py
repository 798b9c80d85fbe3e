"""The deploy action: what it writes, what it waits for, and the reason when it gives up."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cockpit.engine.actions.base import ActionFailure, Found
from cockpit.engine.actions.deploy import DeployHandler
from cockpit.errors import Conflict, DeadlineExceeded, NotFound, OutsideError
from cockpit.model.cluster import DeploymentState, RolloutProblem
from tests.fake_time import FAKE_TIME

from .actors import Actor, actor
from .world import FakeOthers, Stage

pytestmark = FAKE_TIME
IMAGE = "gcr.io/moshimoshi-prod/moshimoshi:1.0.0"


def problem(reason: str, text: str, patience: float | None = None, pods: int = 1) -> RolloutProblem:
    return RolloutProblem(reason, text, f"hint of {reason}", patience, pods)


async def test_image_is_written_once_and_each_step_is_told_once() -> None:
    act = actor()

    done = await act.perform("deploy-blue")

    assert act.world.effects == [f"image {IMAGE}"]
    assert (done.message, done.facts) == (f"3/3 ready with {IMAGE}", {"image": IMAGE})
    assert act.told == ["1 of 3 updated, 3 available"]
    assert act.workloads.looks > 10


async def test_image_that_is_there_is_not_written_but_its_rollout_is_proved() -> None:
    act = actor()
    act.world.images["blue"] = IMAGE
    act.world.rollout_until = act.world.clock.timestamp() + 30

    began = asyncio.get_running_loop().time()
    done = await act.perform("deploy-blue")

    assert act.world.effects == []
    assert done.message == f"3/3 ready with {IMAGE}"
    assert asyncio.get_running_loop().time() - began >= 30


async def test_missing_image_is_told_before_anything_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def digest(_: FakeOthers, image: str) -> str:
        raise NotFound(f"The image {image} does not exist.", "Was it built and pushed?")

    monkeypatch.setattr(FakeOthers, "digest", digest)
    act = actor()

    with pytest.raises(NotFound, match="does not exist"):
        await act.perform("deploy-blue")
    assert act.world.effects == []


async def test_paused_deployment_is_named_and_left_alone() -> None:
    act = actor()
    act.workloads.as_deployment = lambda seen: replace(seen, paused=True)

    with pytest.raises(ActionFailure, match=r"deployment/moshimoshi-blue is paused \(spec\.paused\)") as failed:
        await act.perform("deploy-blue")

    assert "rollout resume deployment/moshimoshi-blue" in failed.value.hint
    assert act.world.effects == []
    act.world.images["blue"] = IMAGE
    assert (await act.perform("deploy-blue")).message == f"3/3 ready with {IMAGE}"


async def test_deployment_that_asks_for_fewer_pods_than_the_runbook() -> None:
    act = actor()
    act.workloads.as_deployment = lambda seen: replace(seen, wanted=2, replicas=2, updated=2, available=2, ready=2)

    with pytest.raises(ActionFailure, match="asks for 2 pods and the runbook for 3") as failed:
        await act.perform("deploy-blue")
    assert "--replicas=3" in failed.value.hint


@pytest.mark.parametrize("missing", ["available", "ready"])
async def test_available_and_ready_are_both_needed(missing: str) -> None:
    act = actor()

    def lacking(seen: DeploymentState) -> DeploymentState:
        return replace(seen, **{missing: 2, "updated": 3})

    act.workloads.as_deployment = lacking
    with pytest.raises(ActionFailure, match=r"not done within 0:10:00: "):
        await act.perform("deploy-blue", seconds=60)


async def test_status_of_the_spec_before_proves_nothing() -> None:
    act = actor()
    act.workloads.as_deployment = lambda seen: replace(seen, observed_generation=1)

    with pytest.raises(ActionFailure, match="waiting for the Deployment controller"):
        await act.perform("deploy-blue", seconds=60)


@pytest.mark.parametrize(("patience", "at_least"), [(0.0, 0.0), (30.0, 30.0)])
async def test_a_hopeless_problem_ends_the_action_when_it_has_lasted(patience: float, at_least: float) -> None:
    act = actor()
    act.world.rollout_s = 10_000
    act.world.problems = (
        problem("ProgressDeadlineExceeded", "timed out progressing", patience, pods=0),
        problem("CrashLoopBackOff", "pod x: container app ends again and again: exit code 1"),
    )

    began = asyncio.get_running_loop().time()
    with pytest.raises(ActionFailure, match=r"moshimoshi-blue: timed out progressing; pod x: .* exit code 1") as failed:
        await act.perform("deploy-blue")

    assert at_least <= asyncio.get_running_loop().time() - began < at_least + 5
    assert failed.value.hint == "hint of CrashLoopBackOff"


async def test_a_problem_that_heals_in_time_is_only_told() -> None:
    act = actor()
    act.world.rollout_s = 100
    act.world.problems = (problem("FailedCreate", "exceeded quota: q", 30.0, pods=0),)
    task = asyncio.create_task(act.perform("deploy-blue"))
    for problems in ((), act.world.problems, ()):
        await asyncio.sleep(25)
        act.world.problems = problems

    assert (await task).facts == {"image": IMAGE}
    assert [text.endswith("; exceeded quota: q") for text in act.told] == [True, False, True, False]


async def test_the_deadline_gives_the_reason() -> None:
    act = actor()
    act.world.rollout_s = 10_000
    act.world.problems = (problem("Unschedulable", "pod x: cannot be scheduled: 0/3 nodes are available"),)

    with pytest.raises(ActionFailure, match=r"within 0:10:00: 1 of 3 updated.*0/3 nodes are available") as failed:
        await act.perform("deploy-blue", seconds=120)

    assert failed.value.hint == "hint of Unschedulable"
    assert len(act.told) == 1


async def test_a_session_records_the_reason_of_a_deploy_that_takes_too_long(stage: Stage) -> None:
    stage.automatic = True
    stage.world.rollout_s = 10_000
    stage.world.problems = (problem("Unschedulable", "pod x: cannot be scheduled: 0/3 nodes are available"),)
    await stage.start()

    failed = await stage.until("action.failed", action="deploy-blue")

    assert "0/3 nodes are available" in failed.message
    assert failed.hint == "hint of Unschedulable"


async def test_a_hanging_api_server_still_leaves_the_last_words(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.sleep(100_000)

    stage.automatic = True
    stage.world.rollout_s = 10_000
    await stage.start()
    await stage.until("action.progressed", action="deploy-blue")
    monkeypatch.setattr(DeployHandler, "_problems", hang)

    failed = await stage.until("action.failed", action="deploy-blue")

    assert failed.message.startswith("took longer than 0:10:00; last: 1 of 3 updated")


async def test_the_rollout_is_followed_through_a_silence_of_the_api_server() -> None:
    act = actor()
    act.world.rollout_s = 60
    task = asyncio.create_task(act.perform("deploy-blue"))
    await asyncio.sleep(10)
    act.world.api_down = True
    await asyncio.sleep(30)
    act.world.api_down = False

    assert (await task).facts == {"image": IMAGE}
    assert any("cannot be seen" in text for text in act.told)


async def test_another_writer_is_a_conflict_before_and_during_the_rollout() -> None:
    act = actor()
    planned = await act.plan("deploy-blue")
    act.world.images["blue"] = "app:other"
    with pytest.raises(Conflict, match="has image app:other, expected app:old"):
        await act.execute("deploy-blue", planned)
    assert act.world.effects == []

    act = actor()
    task = asyncio.create_task(act.perform("deploy-blue"))
    await asyncio.sleep(5)
    act.world.images["blue"] = "app:other"
    with pytest.raises(Conflict, match="was set to app:other by somebody else"):
        await task


async def test_a_lost_answer_is_read_back() -> None:
    act = actor()
    act.world.lose_answers = 1

    await act.perform("deploy-blue")

    assert act.world.effects == [f"image {IMAGE}"]
    assert act.told[0] == "no answer to the write; reading back"


async def test_a_write_that_never_arrives_is_tried_again_and_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    act, tries = actor(), []

    async def lost(seen: DeploymentState, image: str, dry_run: bool = False) -> None:
        tries.append(image)
        raise DeadlineExceeded("no answer", "")

    monkeypatch.setattr(act.workloads, "set_image", lost)
    with pytest.raises(DeadlineExceeded, match="could not be written"):
        await act.perform("deploy-blue")
    assert tries == [IMAGE] * 3


async def test_problems_that_cannot_be_read_do_not_end_the_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    act = actor()

    async def denied(name: str) -> tuple[RolloutProblem, ...]:
        raise OutsideError("not allowed to list pods")

    monkeypatch.setattr(act.workloads, "rollout_problems", denied)
    assert (await act.perform("deploy-blue")).facts == {"image": IMAGE}


@pytest.mark.parametrize(("image", "found"), [("app:old", Found.SAFE), (IMAGE, Found.SAFE), ("app:x", Found.UNKNOWN)])
async def test_what_an_interrupted_deploy_finds(image: str, found: Found) -> None:
    act: Actor = actor()
    planned = await act.plan("deploy-blue")
    act.world.images["blue"] = image

    assert await act.recover("deploy-blue", planned) is found
