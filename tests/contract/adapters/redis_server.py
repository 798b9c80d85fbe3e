"""A real Redis on loopback, for as long as a test lasts."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cockpit.simulator.kube.redis_cli import RedisCli

from .stage import until


@dataclass(frozen=True)
class RedisServer:
    """Where it listens, and its password if it has one."""

    port: int
    password: str = ""

    def cli(self) -> RedisCli:
        """The redis-cli of a pod that knows the password."""
        return RedisCli("127.0.0.1", self.port, {"REDISCLI_AUTH": self.password} if self.password else {})

    async def ask(self, *words: str) -> str:
        """What redis-cli prints for a command."""
        return (await self.cli().run(words)).out.strip()

    async def fill(self, **keys: int) -> None:
        """Put keys into databases named `db0` and so on, half of them without expiry."""
        for name, count in keys.items():
            number = name.removeprefix("db")
            script = "for i = 1, tonumber(ARGV[1]) do redis.call('set', 'k' .. i, 'v', 'ex', 100 + i % 2 * 1000) end"
            assert await self.ask("-n", number, "EVAL", script, "0", str(count)) == ""
            await self.ask("-n", number, "PERSIST", "k1")


@asynccontextmanager
async def redis_server(directory: Path, password: str = "", replica_of: int = 0) -> AsyncIterator[RedisServer]:
    """Start redis-server; skips the test where there is none, but fails in CI."""
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        reason = "redis-server and redis-cli are not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    server = RedisServer(_free_port(), password)
    options = ["--port", str(server.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)]
    options += ["--requirepass", password] if password else []
    options += ["--replicaof", "127.0.0.1", str(replica_of)] if replica_of else []
    process = await asyncio.create_subprocess_exec("redis-server", *options, stdout=asyncio.subprocess.DEVNULL)
    try:
        await until(lambda: server.ask("PING"), lambda said: said == "PONG")
        yield server
    finally:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
