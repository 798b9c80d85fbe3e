"""Whether secrets resolve, and whether the systems that the run tells or asks are there. Nothing is sent to people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import SecretStr

from cockpit.cli.preflight.finding import Check, Note, fail, ok, warning
from cockpit.cli.preflight.ground import Ground
from cockpit.errors import DeadlineExceeded, SecretMissing, Unreachable
from cockpit.runbook.actions import PurgeCdn
from cockpit.runbook.people import Channel
from cockpit.runbook.walk import actions_of

GROUP = "secrets and messages"


def checks(ground: Ground) -> list[Check]:
    """The checks of this group."""
    found = [Check(GROUP, f"secret {name}", partial(secret, ground, name)) for name in ground.book.secrets]
    found += [
        Check(GROUP, f"channel {one.id}", partial(channel, ground, index, one))
        for index, one in enumerate(ground.book.communications.channels)
        if one.kind != "phone"
    ]
    purges = {(action.zone, action.token, action.url): action for _, action in actions_of(ground.book, PurgeCdn)}
    return found + [Check(GROUP, "Cloudflare", partial(cdn, ground, action)) for action in purges.values()]


async def secret(ground: Ground, name: str) -> Sequence[Note]:
    """A secret has a value, which is not shown."""
    ground.secrets.get(name)
    return [ok("has a value")]


async def channel(ground: Ground, index: int, one: Channel) -> Sequence[Note]:
    """A channel's system answers. The outbox waits for one that does not, so that is a warning."""
    try:
        reached = await _reach(ground, one)
    except SecretMissing:
        return [warning("not tried: its secret has no value", "See the secret above.")]
    except (Unreachable, DeadlineExceeded) as error:
        return [warning(f"{error} Messages will wait.", error.hint)]
    if reached is None:
        where = ground.line("communications", "channels", index)
        return [warning(f"nothing is sent to {one.address}: its settings are incomplete", f"Complete it at {where}.")]
    return [ok(reached)]


async def _reach(ground: Ground, one: Channel) -> str | None:
    from cockpit.adapters import reach

    if one.kind == "slack" and one.webhook:
        return await reach.slack(ground.secrets.get(one.webhook))
    if one.kind == "email" and one.server and one.sender:
        return await reach.smtp(one.server)
    if one.kind == "statuspage" and one.api and one.page and one.token:
        return await reach.statuspage(ground.outside.web, one.api, one.page, ground.secrets.get(one.token))
    return None


async def cdn(ground: Ground, action: PurgeCdn) -> Sequence[Note]:
    """Cloudflare accepts the token."""
    from cockpit.adapters import reach

    try:
        zone, token = _value(ground, action.zone), _value(ground, action.token)
        return [ok(await reach.cloudflare(ground.outside.web, action.url, zone.get_secret_value(), token))]
    except SecretMissing as error:
        return [fail(f"not tried: {error}", error.hint)]
    except (Unreachable, DeadlineExceeded) as error:
        return [warning(str(error), error.hint)]


def _value(ground: Ground, name: str) -> SecretStr:
    value = ground.loaded.variables.get(name)
    return SecretStr(value) if value is not None else ground.secrets.get(name)
