"""What we may do: everything the runbook needs, and not much more."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cockpit.cli.preflight.finding import Check, Note, fail, ok, warning
from cockpit.cli.preflight.ground import Ground
from cockpit.runbook.permissions import Permission, Role, needed
from cockpit.runbook.rbac import flow

if TYPE_CHECKING:
    from cockpit.adapters.kubernetes.access import Review, Rule

GROUP = "rights"
_TOO_MUCH = (
    (("get", "", "secrets"), "may read every Secret of the namespace"),
    (("delete", "", "namespaces"), "may delete the namespace"),
    (("escalate", "rbac.authorization.k8s.io", "roles"), "may give itself any right (escalate)"),
    (("bind", "rbac.authorization.k8s.io", "roles"), "may give itself any right (bind)"),
    (("impersonate", "", "users"), "may act as anybody (impersonate)"),
)


def checks(ground: Ground) -> list[Check]:
    """The checks of this group."""
    return [
        Check(GROUP, "permissions", partial(permissions, ground)),
        Check(GROUP, "too much power", partial(power, ground)),
    ]


async def permissions(ground: Ground) -> Sequence[Note]:
    """Ask for each verb on each name whether we have it."""
    access = ground.outside.access
    served = {group: await access.served(group) for group in {one.group for one in _all(ground)}}
    asked = [one for one in _all(ground) if served[one.group]]
    reviews = await asyncio.gather(*map(access.may, asked))
    return judge(asked, reviews, ground.command("rbac"))


def _all(ground: Ground) -> tuple[Permission, ...]:
    return needed(ground.book, Role.COMMANDER)


def judge(asked: Sequence[Permission], reviews: Sequence[Review], command: str) -> list[Note]:
    """One note for each permission that is missing, and one for those that are there. Pure."""
    missing = [(one, review) for one, review in zip(asked, reviews, strict=True) if not review.allowed]
    notes = [_missing(one, review, command) for one, review in missing]
    granted = f"{len(asked) - len(missing)} of {len(asked)} verbs on resources and names are granted"
    return [*notes, ok(granted)] if len(missing) < len(asked) else notes


def _missing(one: Permission, review: Review, command: str) -> Note:
    rule: dict[str, list[str]] = {"apiGroups": [one.group], "resources": [one.plural]}
    rule |= {"resourceNames": [one.name]} if one.name else {}
    fix = f"Add the rule {flow({**rule, 'verbs': [one.verb]})}, or apply all: {command} --role commander"
    said = f" ({review.reason})" if review.reason else ""
    text = f"not allowed in {one.namespace}{said}; needed for {one.why}"
    return fail(text, fix, name=str(one)) if one.required else warning(text, fix, name=str(one))


async def power(ground: Ground) -> Sequence[Note]:
    """Ask for rights that nobody needs to run a deployment: what one may not do cannot go wrong."""
    access = ground.outside.access
    admin = await access.may(Permission("*", "*", "*", "", "cluster-admin"))
    fix = f"Use a login with the Role alone: {ground.command('rbac')} --role commander --user {_user(ground)}"
    if admin.allowed:
        return [warning("may do everything in the whole cluster (cluster-admin)", fix)]
    wanted = [Permission(*what, ground.namespace, why) for what, why in _TOO_MUCH]
    reviews = await asyncio.gather(*map(access.may, wanted))
    found = [one.why for one, review in zip(wanted, reviews, strict=True) if review.allowed]
    found += _wildcards(await access.rules(ground.namespace))
    return [warning("; ".join(found), fix)] if found else [ok("no secrets, no wildcards, no way to more rights")]


def _wildcards(rules: Sequence[Rule]) -> Iterator[str]:
    for rule in rules:
        if rule.sweeping:
            yield f"has the wildcard rule {rule}"


def _user(ground: Ground) -> str:
    known = ground.kubeconfig.user if ground.kubeconfig else ""
    return shlex.quote(known) if known else "NAME"
