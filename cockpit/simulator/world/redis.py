"""A small Redis: as much as a cache flush needs."""

from __future__ import annotations

from dataclasses import dataclass

KEYS_AT_START = 4218


@dataclass(slots=True)
class Redis:
    """A key count that grows back after a flush. Times are run seconds since the epoch."""

    filled_at: float
    keys: int = KEYS_AT_START
    flushes: int = 0

    def size(self, now: float) -> int:
        """The number of keys: after a flush none for ten minutes, then five more a second."""
        if not self.flushes:
            return self.keys
        return min(KEYS_AT_START, max(0, int((now - self.filled_at - 600.0) * 5)))

    def flush(self, now: float) -> None:
        """Drop every key."""
        self.flushes += 1
        self.filled_at = now

    def command(self, words: list[str], now: float) -> str:
        """What redis-cli prints for a command when its output is no terminal, without the last newline."""
        name = words[0].upper() if words else "PING"
        if name in ("FLUSHALL", "FLUSHDB"):
            self.flush(now)
            return "OK"
        if name == "DBSIZE":
            return str(self.size(now))
        if name == "PING":
            return "PONG"
        if name == "ROLE":
            return "master\n91842"
        if name == "INFO":
            return self._info(words[1].lower() if len(words) > 1 else "default", now)
        return f"ERR unknown command '{name}', with args beginning with: "

    def _info(self, section: str, now: float) -> str:
        if section == "keyspace":
            size = self.size(now)
            return "# Keyspace" + (f"\r\ndb0:keys={size},expires={size // 3},avg_ttl=84000" if size else "")
        return (
            "# Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n"
            "master_repl_offset:91842"
        )
