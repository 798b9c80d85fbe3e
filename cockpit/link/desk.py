"""Takes a commander's orders from the control socket."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError

from cockpit.errors import CockpitError
from cockpit.link.feed import Feed
from cockpit.link.messages import Answer, Bye, Order
from cockpit.link.publisher import Subscriber, encode
from cockpit.model.commanding import Front
from cockpit.model.commands import Reply


async def take_orders(
    feed: Feed, actor: str, reader: asyncio.StreamReader, subscriber: Subscriber, front: Front | None = None
) -> None:
    """Carry out each order as it comes, a later one (a rollback) never behind an earlier one, until the end."""
    async with asyncio.TaskGroup() as orders:
        while line := await _line(reader):
            try:
                order = Order.model_validate_json(line)
            except ValidationError as error:
                subscriber.send(encode(Bye(reason=f"an order cannot be understood: {error.errors()[0]['msg']}")))
                return
            orders.create_task(_carry_out(feed, actor, order, subscriber, front))


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:
        return b"{}"


async def _carry_out(feed: Feed, actor: str, order: Order, subscriber: Subscriber, front: Front | None) -> None:
    try:
        reply = await feed.order(actor, order.command, front)
    except CockpitError as error:
        reply = Reply(ok=False, message=str(error), hint=error.hint)
    subscriber.send(encode(Answer(id=order.id, reply=reply)))
