"""The CDN's cache."""

from __future__ import annotations

from cockpit.engine.actions.base import Done, Found, Planned, World
from cockpit.model.outside import Purge
from cockpit.runbook.actions import PurgeCdn

_MOST_SHOWN = 3


class PurgeCdnHandler:
    """`purge_cdn`: proved by the API's result ids; a second purge does no harm."""

    async def plan(self, world: World, action: PurgeCdn) -> Planned:
        """Find the zone and the token."""
        world.lookup(action.zone)
        world.lookup(action.token)
        return Planned(request=f"purge {_words(purge_of(action))} from the CDN's zone")

    async def execute(self, world: World, action: PurgeCdn, planned: Planned) -> Done:
        """Purge."""
        zone, token = world.lookup(action.zone).get_secret_value(), world.lookup(action.token)
        ids = await world.outside.cdn.purge(action.url, zone, token, purge_of(action), world.deadline, world.say)
        more = f" in {len(ids)} batches" if len(ids) > 1 else ""
        return Done(f"purged{more}, result id {', '.join(ids)}"[:400], {"id": ",".join(ids)})

    async def recover(self, world: World, action: PurgeCdn, planned: Planned) -> Found:
        """A purge leaves nothing to read."""
        return Found.UNKNOWN


def purge_of(action: PurgeCdn) -> Purge:
    """What the action takes out of the cache."""
    if action.hosts:
        return Purge("hosts", action.hosts)
    if action.tags:
        return Purge("tags", action.tags)
    if action.urls:
        return Purge("urls", action.urls)
    return Purge("prefixes", action.prefixes) if action.prefixes else Purge()


def _words(purge: Purge) -> str:
    if purge.by == "everything":
        return "everything"
    shown = ", ".join(purge.values[:_MOST_SHOWN]) + (", …" if len(purge.values) > _MOST_SHOWN else "")
    return f"{len(purge.values)} {purge.by} ({shown})"
