"""Caches: the CDN's purge, and a command in a pod (Redis)."""

from __future__ import annotations

from cockpit.engine.actions.base import ActionFailure, Done, Found, Planned, World
from cockpit.errors import OutsideError
from cockpit.runbook.actions import Exec, PurgeCdn

REDIS_LOOKS = (("role", ("ROLE",)), ("dbsize", ("DBSIZE",)), ("keyspace", ("INFO", "keyspace")))


class PurgeCdnHandler:
    """`purge_cdn`: proved by the API's result id; a second purge does no harm."""

    async def plan(self, world: World, action: PurgeCdn) -> Planned:
        """Find the zone and the token."""
        world.lookup(action.zone)
        world.lookup(action.token)
        return Planned(request="purge everything from the CDN's zone")

    async def execute(self, world: World, action: PurgeCdn, planned: Planned) -> Done:
        """Purge."""
        zone = world.lookup(action.zone).get_secret_value()
        result = await world.outside.cdn.purge_everything(action.url, zone, world.lookup(action.token))
        return Done(f"purged, result id {result}", {"id": result})

    async def recover(self, world: World, action: PurgeCdn, planned: Planned) -> Found:
        """A purge leaves nothing to read."""
        return Found.UNKNOWN


class ExecHandler:
    """`exec`: proved by the exit code. What a Redis flush will destroy is read and kept before."""

    async def plan(self, world: World, action: Exec) -> Planned:
        """Name the command, and look at what it is about to destroy."""
        before = await self._look_at_redis(world, action) if _flushes(action) else {}
        seen = f" ({before['dbsize']} keys, role {before['role']})" if before else ""
        return Planned(request=f"run {' '.join(action.argv)} in {action.workload}{seen}", before=before)

    async def _look_at_redis(self, world: World, action: Exec) -> dict[str, str]:
        facts: dict[str, str] = {}
        for name, words in REDIS_LOOKS:
            result = await world.outside.workloads.run_in_pod(
                action.workload, (action.argv[0], *words), action.deadline.total_seconds(), action.container
            )
            if result.exit_code != 0:
                raise ActionFailure(f"{action.argv[0]} {' '.join(words)}: {result.stderr or result.stdout}")
            lines = result.stdout.split("\n")
            facts[name] = "; ".join(line.strip() for line in lines[: 1 if name == "role" else 20] if line.strip())
        return facts

    async def execute(self, world: World, action: Exec, planned: Planned) -> Done:
        """Run it; raises ActionFailure for an exit code other than 0."""
        result = await world.outside.workloads.run_in_pod(
            action.workload, action.argv, action.deadline.total_seconds(), action.container
        )
        if result.exit_code != 0:
            said = result.stderr.strip() or result.stdout.strip()
            raise ActionFailure(f"exit code {result.exit_code} in {result.pod}: {said[:300]}")
        said = result.stdout.strip().split("\n")[0][:200]
        return Done(f"exit code 0 in {result.pod}: {said}", {"pod": result.pod, "exit_code": "0"})

    async def recover(self, world: World, action: Exec, planned: Planned) -> Found:
        """An emptied Redis proves a flush; other commands leave nothing to read."""
        if not _flushes(action):
            return Found.UNKNOWN
        try:
            facts = await self._look_at_redis(world, action)
        except (OutsideError, ActionFailure):
            return Found.UNKNOWN
        return Found.SAFE if facts["dbsize"] == planned.before.get("dbsize") else Found.UNKNOWN


def _flushes(action: Exec) -> bool:
    words = {word.upper() for word in action.argv[1:]}
    return action.argv[0].endswith("redis-cli") and bool(words & {"FLUSHALL", "FLUSHDB"})
