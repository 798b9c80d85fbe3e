"""A mail server that keeps what it gets."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

from aiosmtpd.smtp import SMTP

from cockpit.simulator.world.world import World


class MailServer:
    """Accepts every mail, unless a fault says otherwise, and records it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take one mail (called by the SMTP session)."""
        now = self._world.advance()
        if self._world.faults.strike("smtp", now):
            return "451 4.3.0 Temporary failure, try again later"
        content: bytes = envelope.original_content or b""
        message = message_from_bytes(content)
        body = message.get_payload(decode=True)
        self._world.record.add(
            "mail",
            ",".join(envelope.rcpt_tos),
            actor=str(envelope.mail_from),
            subject=str(make_header(decode_header(message.get("Subject", "")))),
            body=body.decode("utf-8", "replace") if isinstance(body, bytes) else "",
        )
        return "250 2.0.0 OK"

    def _session(self) -> asyncio.Protocol:
        session: asyncio.Protocol = SMTP(self, hostname="simulator", enable_SMTPUTF8=True)
        return session
