"""Mail by SMTP.

Source: RFC 5322 (Message-ID), RFC 3207 (STARTTLS, used whenever the server offers it).
"""

from __future__ import annotations

import asyncio
import re
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from cockpit.adapters.web import DEADLINE
from cockpit.errors import BadAnswer, DeadlineExceeded, Denied, OutsideError, Unreachable
from cockpit.model.outside import Message
from cockpit.model.text import clean, clean_lines

_UNUSABLE = re.compile(r"[^A-Za-z0-9._-]+")


class MailMessenger:
    """Mails one address through one server."""

    def __init__(self, server: str, sender: str, recipient: str) -> None:
        """`server` is `host:port` (25 without a port)."""
        self._host, _, port = server.partition(":")
        self._port = int(port) if port.isdecimal() else 25
        self._sender = sender
        self._recipient = recipient

    async def send(self, message: Message) -> str:
        """Deliver to the server and return the Message-ID, which is the same for every try of a message."""
        mail = self._mail(message)
        try:
            async with asyncio.timeout(DEADLINE):
                await aiosmtplib.send(mail, hostname=self._host, port=self._port, timeout=DEADLINE)
        except (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError) as error:
            raise _failure(error, f"The mail server {clean(self._host, 100)}") from error
        return str(mail["Message-ID"])

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._sender, self._recipient
        mail["Subject"] = clean(message.subject, 200)
        mail["Date"] = formatdate(localtime=False)
        domain = self._sender.rpartition("@")[2].strip("> ") or "localhost"
        mail["Message-ID"] = f"<{_UNUSABLE.sub('-', message.key)}@{domain}>"
        mail.set_content(clean_lines(message.body))
        return mail


def _failure(error: Exception, what: str) -> OutsideError:
    words = f"{what}: {clean(str(error), 200)}"
    if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPConnectTimeoutError):
        return Unreachable(words, "Check the server's name and port.")
    if isinstance(error, TimeoutError | aiosmtplib.SMTPTimeoutError | aiosmtplib.SMTPServerDisconnected):
        return DeadlineExceeded(f"{what} did not say that it took the mail.", "It may have taken it.")
    if isinstance(error, aiosmtplib.SMTPResponseException) and 400 <= error.code < 500:
        return Unreachable(words, "The server asks to try again later.")
    if isinstance(error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPSenderRefused):
        return Denied(words, "Check the sender's address and what the server allows.")
    return BadAnswer(words)
