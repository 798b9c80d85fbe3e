"""Which cluster it is, who we are there, and whether the kubeconfig is fit for production."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from cockpit.cli.preflight.finding import Note, fail, ok, warning
from cockpit.errors import OutsideError
from cockpit.runbook.schema import Runbook

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.access import Identity, ServerFacts
    from cockpit.adapters.kubernetes.hygiene import Kubeconfig
    from cockpit.cli.preflight.ground import Ground

GROUP = "cluster"
MOST_SKEW_S = 5.0
LONGEST_RUN = timedelta(hours=8)
_PRODUCTION = re.compile(r"(?:^|[^a-z])(?:prod|production|prd|live)(?:[^a-z]|$)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the cluster; an error stands for what could not be found out."""

    server: ServerFacts | OutsideError
    identity: Identity | OutsideError
    uid: str | OutsideError
    kubeconfig: Kubeconfig | None
    context: str

    @property
    def address(self) -> str:
        """The API server's address."""
        if not isinstance(self.server, OutsideError):
            return self.server.address
        return self.kubeconfig.server if self.kubeconfig else "the cluster of this pod"

    @property
    def who(self) -> tuple[str, str]:
        """The user by whom the cluster knows us, and what says so."""
        if not isinstance(self.identity, OutsideError) and self.identity.user:
            return self.identity.user, self.identity.source
        if self.kubeconfig and self.kubeconfig.user:
            return self.kubeconfig.user, "the kubeconfig's certificate or token"
        return "unknown", "this API server has no SelfSubjectReview"


async def gather(ground: Ground, context: str) -> Facts:
    """Ask the server what it is and who we are; never raises OutsideError."""
    access = ground.outside.access
    server, identity, uid = await asyncio.gather(
        _or_error(access.server()), _or_error(access.whoami()), _or_error(access.cluster_uid())
    )
    return Facts(server, identity, uid, ground.kubeconfig, context)


def judge(facts: Facts, book: Runbook, now: datetime) -> Iterator[Note]:
    """What the facts mean for a run. Pure."""
    yield _server(facts)
    if facts.kubeconfig is not None:
        yield from _kubeconfig(facts.kubeconfig)
        yield from _expiry(facts.kubeconfig, now)
    yield _context(facts, book)
    user, source = facts.who
    groups = () if isinstance(facts.identity, OutsideError) else facts.identity.groups
    among = f", groups {', '.join(groups)}" if groups else ""
    yield ok(f"{user}{among} ({source})", name="identity")
    yield from _clock(facts)


def is_production(facts: Facts, book: Runbook) -> bool:
    """Whether a name of the context, the namespace, the server or the environment says so."""
    names = (facts.context, book.cluster.namespace, book.metadata.environment, facts.address)
    return any(_PRODUCTION.search(name.lower()) for name in names)


def _server(facts: Facts) -> Note:
    if isinstance(facts.server, OutsideError):
        return fail(f"{facts.address}: {facts.server}", facts.server.hint, name="server")
    return ok(f"{facts.server.address}, {facts.server.version}", name="server")


def _kubeconfig(config: Kubeconfig) -> Iterator[Note]:
    for danger in config.dangers:
        yield fail(danger.problem, danger.fix, name="kubeconfig")
    if not config.dangers:
        yield ok(", ".join(map(str, config.files)), name="kubeconfig")


def _expiry(config: Kubeconfig, now: datetime) -> Iterator[Note]:
    if config.expires is None:
        return
    left = config.expires - now
    text = f"the credentials end at {config.expires:%Y-%m-%d %H:%M} UTC"
    if left < timedelta(0):
        yield fail(text.replace("end", "ended"), "Log in again.", name="credentials")
    elif left < LONGEST_RUN:
        yield warning(f"{text}, in {left.total_seconds() / 3600:.1f} h", "Log in again before.", name="credentials")
    else:
        yield ok(text, name="credentials")


def _context(facts: Facts, book: Runbook) -> Note:
    production = "PRODUCTION: " if is_production(facts, book) else ""
    text = f"{production}{facts.context or 'this pod'}, namespace {book.cluster.namespace}"
    planned = book.cluster.context
    if planned and planned != facts.context:
        return warning(f"{text}; the runbook is written for {planned}", "Leave --context out.", name="context")
    return ok(text, name="context")


def _clock(facts: Facts) -> Iterator[Note]:
    if isinstance(facts.server, OutsideError) or facts.server.skew is None:
        return
    skew = facts.server.skew
    if abs(skew) <= MOST_SKEW_S:
        yield ok("this machine and the API server agree to a second or two", name="clock")
        return
    side = "ahead of" if skew > 0 else "behind"
    fix = "Start time synchronisation (chronyc makestep): windows, ages and staleness are wrong by as much."
    yield warning(f"this machine is {abs(skew):.0f} s {side} the API server", fix, name="clock")


async def _or_error(asked: Coroutine[Any, Any, T]) -> T | OutsideError:
    try:
        return await asked
    except OutsideError as error:
        return error


def utc_now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)
