"""A small Redis: as much as a cache flush needs."""

from __future__ import annotations

from dataclasses import dataclass

KEYS_AT_START = 12_431
OTHER_KEYS = {1: 310, 3: 2}
"""Keys of the other databases, which an application elsewhere may count on."""


@dataclass(slots=True)
class Redis:
    """Key counts; that of database 0 grows back after a flush. Times are run seconds since the epoch."""

    filled_at: float
    keys: int = KEYS_AT_START
    flushes: int = 0
    role: str = "master"
    others: dict[int, int] | None = None

    def size(self, now: float) -> int:
        """The number of keys in database 0: after a flush none for ten minutes, then five more a second."""
        if not self.flushes:
            return self.keys
        return min(KEYS_AT_START, max(0, int((now - self.filled_at - 600.0) * 5)))

    def databases(self, now: float) -> dict[int, int]:
        """The keys of every database that has some."""
        found = {0: self.size(now), **(OTHER_KEYS if self.others is None else self.others)}
        return {number: keys for number, keys in found.items() if keys}

    def flush(self, now: float, everything: bool = True) -> None:
        """Drop every key, or those of database 0."""
        self.flushes += 1
        self.filled_at = now
        self.others = {} if everything else self.others

    def command(self, words: list[str], now: float) -> str:
        """What redis-cli prints for a command when its output is no terminal, without the last newline."""
        name = words[0].upper() if words else "PING"
        if name in ("FLUSHALL", "FLUSHDB"):
            if self.role != "master":
                return "READONLY You can't write against a read only replica."
            self.flush(now, name == "FLUSHALL")
            return "OK"
        if name == "DBSIZE":
            return str(self.size(now))
        if name == "PING":
            return "PONG"
        if name == "ROLE":
            return f"{self.role}\n91842"
        if name == "INFO":
            return self._info(words[1].lower() if len(words) > 1 else "default", now)
        return f"ERR unknown command '{name}', with args beginning with: "

    def _info(self, section: str, now: float) -> str:
        parts = {
            "server": "redis_version:7.4.0\r\nredis_mode:standalone\r\nrun_id:5f1d6c0b7a2e4c8d9e3f",
            "persistence": "loading:0\r\nrdb_changes_since_last_save:0\r\naof_enabled:0",
            "replication": f"role:{self.role}\r\nmaster_host:10.0.0.9\r\nmaster_port:6379\r\nconnected_slaves:0\r\n"
            "master_failover_state:no-failover\r\nmaster_repl_offset:91842",
            "commandstats": f"cmdstat_flushall:calls={self.flushes},usec=40,usec_per_call=40.00",
            "keyspace": "\r\n".join(
                f"db{number}:keys={keys},expires={keys // 3},avg_ttl=84000"
                for number, keys in self.databases(now).items()
            ),
        }
        shown = {
            name: text
            for name, text in parts.items()
            if section in (name, "all", "everything") or (section == "default" and name != "commandstats")
        }
        return "\r\n\r\n".join(f"# {name.capitalize()}\r\n{text}" for name, text in shown.items())
