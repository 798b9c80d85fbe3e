"""A Redis before and after a flush, from what `INFO all` prints. Pure.

Source: redis.io, INFO: `role`, `redis_mode`, `run_id`, `cmdstat_flushall:calls=…`, `db0:keys=…,expires=…`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.engine.actions.base import ActionFailure, Refusal
from cockpit.model.cluster import ExecResult
from cockpit.runbook.redis import Flush

INFO = ("INFO", "all")
_DATABASE = re.compile(r"db(\d+)\Z")
_NUMBER = re.compile(r"(\w+)=(\d+)")
_HINTS = {
    "NOAUTH": "Give the Redis pod the variable REDISCLI_AUTH from a Secret, which redis-cli reads by itself.",
    "WRONGPASS": "The password that the pod has is not the server's.",
    "NOPERM": "The Redis user may not do that: change its ACL.",
    "READONLY": "It is a replica: name the master as the workload.",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one database, and how many of them expire by themselves."""

    keys: int
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Redis:
    """One server. `counted` is how often it has carried out the flush's command, None when it does not say.

    An empty `role` means that it may not be read.
    """

    pod: str
    role: str = ""
    mode: str = "standalone"
    run_id: str = ""
    replicas: int = 0
    master: str = ""
    loading: bool = False
    aof: bool = False
    counted: int | None = None
    databases: Mapping[int, Keys] = field(default_factory=dict)

    def doomed(self, flush: Flush) -> Mapping[int, Keys]:
        """The databases that a flush empties."""
        return {number: keys for number, keys in self.databases.items() if flush.everything or number == flush.database}

    def size(self, flush: Flush) -> int:
        """How many keys a flush deletes."""
        return sum(keys.keys for keys in self.doomed(flush).values())


def reply_error(result: ExecResult) -> ActionFailure | None:
    """The failure that a reply tells of: redis-cli ends with exit code 0 when the server refuses a command."""
    said = (result.stdout.strip() or result.stderr.strip()).split("\n")[0][:300]
    kind = said.removeprefix("(error) ").split(" ")[0]
    if result.exit_code != 0:
        return ActionFailure(f"exit code {result.exit_code} in {result.pod}: {said}", _HINTS.get(kind, ""))
    if kind in _HINTS or kind in ("ERR", "LOADING", "MASTERDOWN", "MISCONF", "BUSY", "DENIED"):
        return ActionFailure(f"{result.pod} refused: {said}", _HINTS.get(kind, ""))
    return None


def read(result: ExecResult, flush: Flush) -> Redis:
    """The server that answered INFO; raises ActionFailure when it did not, other than for want of a right."""
    error = reply_error(result)
    if error is not None:
        if "NOPERM" in result.stdout:
            return Redis(result.pod)
        raise error
    pairs = (line.strip().partition(":") for line in result.stdout.split("\n"))
    facts = {name: value for name, colon, value in pairs if colon}
    if "role" not in facts and "redis_mode" not in facts:
        raise ActionFailure(f"{result.pod} does not answer INFO as a Redis does")
    statistics = any(name.startswith("cmdstat_") for name in facts)
    counted = _numbers(facts.get(f"cmdstat_{flush.command.lower()}", "")).get("calls", 0)
    return Redis(
        pod=result.pod,
        role=facts.get("role", ""),
        mode=facts.get("redis_mode", "standalone"),
        run_id=facts.get("run_id", ""),
        replicas=int(facts["connected_slaves"]) if facts.get("connected_slaves", "").isdecimal() else 0,
        master=f"{facts.get('master_host', '?')}:{facts.get('master_port', '?')}",
        loading=facts.get("loading") == "1",
        aof=facts.get("aof_enabled") == "1",
        counted=counted if statistics else None,
        databases=_databases(facts),
    )


def refuse(redis: Redis, flush: Flush) -> None:
    """Raises Refusal where a flush fails or is undone."""
    if redis.role == "slave":
        message = (
            f"{redis.pod} is a replica of {redis.master}: {flush.command} there is refused, or undone by its master"
        )
        raise Refusal(message, "Name the master as the workload, such as pod/redis-0.")
    if redis.mode == "sentinel":
        raise Refusal(f"{redis.pod} is a Sentinel, which holds no keys", "Name the Redis master as the workload.")
    if redis.loading:
        raise Refusal(f"{redis.pod} is still loading its data", "Wait until it has loaded, then try again.")


def words(redis: Redis, flush: Flush) -> str:
    """What a flush would do, for the commander who is asked for the word."""
    if not redis.role:
        return f"{redis.pod}: role and keys may not be read (NOPERM on INFO); {flush.command} deletes what there is"
    role = f"role {redis.role}" + (f", {redis.replicas} replicas follow it" if redis.replicas else "")
    parts = [f"{redis.pod}: {role}", _deletes(redis, flush)]
    if redis.mode == "cluster":
        parts.append("one master of a cluster: only the keys of its slots")
    if redis.size(flush):
        parts.append(
            "the append-only file is on and shrinks with it" if redis.aof else "a saved RDB file is emptied too"
        )
        if not flush.asynchronous:
            parts.append("without ASYNC nothing else is served meanwhile")
    return " · ".join(parts)


def _deletes(redis: Redis, flush: Flush) -> str:
    doomed = {number: keys for number, keys in sorted(redis.doomed(flush).items()) if keys.keys}
    if not doomed:
        return f"no keys: {flush.command} deletes nothing"
    shown = [f"{_grouped(keys.keys)}{' keys' if not index else ''} in db{number}{_lasting(keys)}"
             for index, (number, keys) in enumerate(doomed.items())]  # fmt: skip
    extent = "deletes ALL of them" if flush.everything else "deletes them; other databases stay"
    return f"{', '.join(shown)}: {flush.command} {extent}"


def _lasting(keys: Keys) -> str:
    lasting = keys.keys - keys.expires
    return f" ({_grouped(lasting)} without expiry)" if lasting > 0 else ""


def facts(redis: Redis, flush: Flush) -> dict[str, str]:
    """What is kept of the server before a flush, to compare with after it."""
    kept = {"pod": redis.pod, "role": redis.role or "unknown", "keys": str(redis.size(flush)), "run_id": redis.run_id}
    kept |= {f"db{number}": str(keys.keys) for number, keys in sorted(redis.databases.items())}
    return kept if redis.counted is None else {**kept, "counted": str(redis.counted)}


def settle(redis: Redis, flush: Flush, before: Mapping[str, str]) -> tuple[bool | None, str]:
    """Whether a flush was carried out since `before` was read (None: cannot be told), and why one thinks so."""
    left = f"{_grouped(redis.size(flush))} keys now, {_grouped(int(before.get('keys', 0)))} before"
    if redis.pod != before.get("pod") or not redis.run_id or redis.run_id != before.get("run_id"):
        return None, f"another server, or a restarted one, answers ({left})"
    if redis.counted is None or "counted" not in before:
        emptied = redis.size(flush) == 0 and int(before.get("keys", 0)) > 0
        return (True if emptied else None), left
    calls = redis.counted - int(before["counted"])
    if calls > 0:
        return True, f"Redis has counted it: {left}"
    return (False if calls == 0 else None), f"Redis has not counted a {flush.command} since: {left}"


def _databases(facts: Mapping[str, str]) -> dict[int, Keys]:
    found = {}
    for name, value in facts.items():
        if match := _DATABASE.match(name):
            numbers = _numbers(value)
            found[int(match[1])] = Keys(numbers.get("keys", 0), numbers.get("expires", 0))
    return found


def _numbers(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in _NUMBER.findall(text)}


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
