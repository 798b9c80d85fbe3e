"""The flush of a real Redis, through the simulator's exec endpoint and our own exec client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cockpit.adapters.kubernetes.client import open_client
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, Refusal, World
from cockpit.engine.actions.exec import ExecHandler
from cockpit.errors import DeadlineExceeded
from cockpit.model.clock import RunClock
from cockpit.runbook.actions import Exec
from cockpit.simulator.faults import Fault
from cockpit.simulator.server import Simulator
from cockpit.simulator.spec import default_spec

from .redis_server import RedisServer, redis_server
from .stage import until

HANDLER = ExecHandler()


def flush(*words: str, **fields: Any) -> Exec:
    argv = words or ("redis-cli", "FLUSHALL", "ASYNC")
    facts = {
        "id": "flush",
        "kind": "exec",
        "workload": "deployment/redis",
        "argv": argv,
        "consent": "FLUSHALL",
        **fields,
    }
    return Exec.model_validate(facts)


class Stand:
    """A simulated cluster whose Redis pod talks to a real server."""

    def __init__(self, simulator: Simulator, world: World) -> None:
        self.simulator = simulator
        self.world = world

    def strike(self, mode: str) -> None:
        self.simulator.world.faults.set(Fault("exec", mode=mode), self.simulator.world.cluster.now)  # type: ignore[arg-type]

    async def carry_out(self, action: Exec, between: Callable[[], Awaitable[Any]] | None = None) -> Done:
        planned = await HANDLER.plan(self.world, action)
        if between is not None:
            await between()
        return await HANDLER.execute(self.world, action, planned)


@asynccontextmanager
async def stand_on(server: RedisServer, directory: Path) -> AsyncIterator[Stand]:
    clock = RunClock.starting(datetime.now(UTC), speed=20.0)
    async with Simulator(default_spec(), clock, redis_cli=server.cli()) as simulator:
        kubeconfig = simulator.write_kubeconfig(directory / "kubeconfig")
        async with open_client(str(kubeconfig), "simulator") as client:
            workloads = KubeWorkloads(client, "production")
            await until(lambda: workloads.deployment("redis"), lambda seen: seen.available == 1)

            async def quiet(_: Any) -> None:
                return None

            world = World(
                run="r1",
                book=cast(Any, SimpleNamespace(secrets={})),
                state=cast(Any, None),
                outside=cast(Any, SimpleNamespace(workloads=workloads)),
                clock=cast(Any, None),
                lookup=cast(Any, None),
                pods=lambda: (),
                say=quiet,
                emit=quiet,
                deadline=2.0,
                context="simulator",
                real_seconds=lambda seconds: seconds / 20,
            )
            yield Stand(simulator, world)


@pytest.fixture(params=["", "s3cret"], ids=["no-auth", "auth"])
async def redis(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_server(tmp_path, request.param) as server:
        yield server


@pytest.fixture
async def stand(redis: RedisServer, tmp_path: Path) -> AsyncIterator[Stand]:
    async with stand_on(redis, tmp_path) as stand:
        yield stand


async def test_the_commander_sees_what_a_flush_deletes(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=12431, db1=310, db3=2)
    looked = await HANDLER.look(stand.world, flush())
    assert looked.message.partition(": ")[2] == (
        "role master · 12 431 keys in db0 (1 without expiry), 310 in db1 (1 without expiry), "
        "2 in db3 (1 without expiry): FLUSHALL deletes ALL of them · a saved RDB file is emptied too"
    )
    assert {looked.facts[name] for name in ("db0", "db1", "db3")} == {"12431", "310", "2"}
    assert (looked.facts["role"], looked.facts["counted"]) == ("master", "0")


async def test_flushdb_deletes_one_database_and_says_so(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=10, db2=20)
    action = flush("redis-cli", "-n", "2", "FLUSHDB")
    looked = await HANDLER.look(stand.world, action)
    assert "20 keys in db2 (1 without expiry): FLUSHDB deletes them; other databases stay" in looked.message
    assert "without ASYNC nothing else is served meanwhile" in looked.message
    await stand.carry_out(action)
    assert await redis.ask("DBSIZE") == "10"
    assert await redis.ask("-n", "2", "DBSIZE") == "0"


async def test_a_flush_is_carried_out_and_counted(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=100, db1=5)
    done = await stand.carry_out(flush())
    assert "OK · Redis has counted it: 0 keys now, 105 before" in done.message
    assert await redis.ask("-n", "1", "DBSIZE") == "0"


async def test_a_cache_that_fills_again_at_once_is_flushed_all_the_same(stand: Stand, redis: RedisServer) -> None:
    """What proves a flush is Redis's own count of its commands, not an empty database."""
    await redis.fill(db0=10)
    planned = await HANDLER.plan(stand.world, flush())
    await redis.ask("FLUSHALL")
    await redis.fill(db0=50)
    recovered = await HANDLER.recover(stand.world, flush(), planned)
    assert isinstance(recovered, Done)
    assert recovered.message == "Redis has counted it: 50 keys now, 10 before"


async def test_a_lost_answer_is_settled_by_reading(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=10)

    async def lose() -> None:
        stand.strike("lose")

    # The reading back is lost as well: nothing is known.
    with pytest.raises(DeadlineExceeded, match="reading it back failed"):
        await stand.carry_out(flush(), lose)
    stand.simulator.world.faults.clear()
    planned = Planned("", {**(await HANDLER.look(stand.world, flush())).facts, "counted": "0", "keys": "10"})
    recovered = await HANDLER.recover(stand.world, flush(), planned)
    assert isinstance(recovered, Done)
    assert "Redis has counted it: 0 keys now, 10 before" in recovered.message


async def test_an_answer_that_is_lost_once_is_read_back_and_done(
    stand: Stand, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await redis.fill(db0=10)
    workloads = stand.world.outside.workloads
    real = workloads.run_in_pod

    async def lossy(workload: str, argv: Any, deadline: float, container: str | None = None) -> Any:
        result = await real(workload, argv, deadline, container)
        if "FLUSHALL" in argv:
            raise DeadlineExceeded("Outcome unknown: the connection broke", "")
        return result

    monkeypatch.setattr(workloads, "run_in_pod", lossy)
    done = await stand.carry_out(flush())
    assert done.message == "Redis has counted it: 0 keys now, 10 before"


async def test_a_command_that_never_arrived_is_known_to_be_harmless(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=10)
    planned = await HANDLER.plan(stand.world, flush())
    assert await HANDLER.recover(stand.world, flush(), planned) is Found.SAFE
    assert await redis.ask("DBSIZE") == "10"


async def test_a_restarted_server_proves_nothing(stand: Stand, redis: RedisServer) -> None:
    planned = await HANDLER.plan(stand.world, flush())
    other = Planned("", {**planned.before, "run_id": "another"})
    assert await HANDLER.recover(stand.world, flush(), other) is Found.UNKNOWN


async def test_a_replica_is_refused(redis: RedisServer, tmp_path: Path) -> None:
    if redis.password:
        pytest.skip("once is enough")
    folder = tmp_path / "replica"
    folder.mkdir()
    async with redis_server(folder, replica_of=redis.port) as replica, stand_on(replica, tmp_path) as stand:
        with pytest.raises(
            Refusal, match=f"is a replica of 127.0.0.1:{redis.port}: FLUSHALL there is refused"
        ) as refusal:
            await HANDLER.look(stand.world, flush())
        assert "pod/redis-0" in refusal.value.hint
        # Even if it were master when it was looked at: redis-cli ends with 0 for what the server refuses.
        with pytest.raises(ActionFailure, match="READONLY"):
            await HANDLER.execute(stand.world, flush(), Planned(""))


async def test_a_missing_password_is_no_success(tmp_path: Path) -> None:
    async with redis_server(tmp_path, "s3cret") as server:
        await server.fill(db0=3)
        async with stand_on(RedisServer(server.port), tmp_path) as stand:
            with pytest.raises(ActionFailure, match="NOAUTH") as failure:
                await HANDLER.look(stand.world, flush())
            assert "REDISCLI_AUTH" in failure.value.hint
            with pytest.raises(ActionFailure, match="NOAUTH"):
                await HANDLER.execute(stand.world, flush(), Planned(""))
        assert await server.ask("DBSIZE") == "3"


async def test_a_user_without_rights_is_told(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=3)
    await redis.ask("ACL", "SETUSER", "default", "-info", "-flushall")
    looked = await HANDLER.look(stand.world, flush())
    assert "role and keys may not be read (NOPERM on INFO)" in looked.message
    with pytest.raises(ActionFailure, match="NOPERM") as failure:
        await stand.carry_out(flush())
    assert "ACL" in failure.value.hint
    assert await redis.ask("DBSIZE") == "3"


async def test_a_look_and_a_verify_of_the_runbook(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=7)
    fields = {"look": [["redis-cli", "GET", "k2"]], "verify": {"argv": ["redis-cli", "DBSIZE"], "expect": "0"}}
    action = flush(**fields)
    looked = await HANDLER.look(stand.world, action)
    assert looked.message.endswith("redis-cli GET k2: v")
    assert (await stand.carry_out(action)).message.endswith("redis-cli DBSIZE: 0")
    await redis.fill(db0=7)
    planned = await HANDLER.plan(stand.world, action)
    assert await HANDLER.recover(stand.world, action, planned) is Found.UNKNOWN


async def test_a_verify_that_does_not_come_to_hold_fails(stand: Stand, redis: RedisServer) -> None:
    await redis.fill(db0=7)
    action = flush("redis-cli", "PING", verify={"argv": ["redis-cli", "DBSIZE"], "expect": "0"})
    with pytest.raises(ActionFailure, match="exit code 0, but redis-cli DBSIZE prints: 7") as failure:
        await stand.carry_out(action)
    assert failure.value.hint == "Expected 0."


async def test_what_is_printed_can_be_expected(stand: Stand) -> None:
    assert await stand.carry_out(flush("redis-cli", "PING", expect="PONG"))
    with pytest.raises(ActionFailure, match="but it printed: PONG"):
        await stand.carry_out(flush("redis-cli", "PING", expect="DONE"))


@pytest.mark.parametrize("words", [("-h", "10.0.0.1", "PING"), ("--eval", "/etc/passwd"), ("-x", "SET", "a")])
async def test_the_simulator_lets_redis_cli_reach_nothing_else(stand: Stand, words: tuple[str, ...]) -> None:
    workloads = stand.world.outside.workloads
    result = await workloads.run_in_pod("deployment/redis", ("redis-cli", *words), 5.0)
    assert result.exit_code == 126
    assert "does not pass" in result.stderr
    result = await workloads.run_in_pod("deployment/redis", ("cat", "/etc/passwd"), 5.0)
    assert result.exit_code == 127
