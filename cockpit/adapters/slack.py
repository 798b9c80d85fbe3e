"""Slack: messages by an incoming webhook.

Source: Slack API, "Sending messages using incoming webhooks" and "Formatting text": `&`, `<` and `>` are control
characters.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
from pydantic import SecretStr

from cockpit.adapters.web import refuse, send
from cockpit.errors import BadAnswer
from cockpit.model.outside import Message
from cockpit.model.text import clean, clean_lines


class SlackMessenger:
    """One channel, whose webhook's URL is the secret that lets anybody write to it."""

    def __init__(self, client: httpx.AsyncClient, webhook: Callable[[], SecretStr]) -> None:
        self._client = client
        self._webhook = webhook

    async def send(self, message: Message) -> str:
        """Post the message. Slack does not drop doubles: its answer proves that it has this one."""
        text = f"*{escape(clean(message.subject))}*\n{escape(clean_lines(message.body, 3000))}"
        url = self._webhook().get_secret_value()
        answer = await send(self._client, "POST", url, what="Slack", body={"text": text}, secret_url=True)
        if answer.status >= 300:
            raise refuse(answer, "Slack")
        if answer.text != "ok":
            raise BadAnswer(f"Slack answered {answer.text!r} where it says ok.", "Check the webhook's URL.")
        return "ok"


def escape(text: str) -> str:
    """Text in which Slack finds no link, mention or `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
