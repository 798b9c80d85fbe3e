"""What we may do: everything the runbook needs, and not much more."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cockpit.cli.preflight.finding import Check, Note, State, ok, warning
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
    access, wanted = ground.outside.access, needed(ground.book, Role.COMMANDER)
    served = {group: await access.served(group) for group in {one.group for one in wanted}}
    asked = [one for one in wanted if served[one.group]]
    reviews = await asyncio.gather(*map(access.may, asked))
    if all(review.allowed for review in reviews):
        return judge(asked, reviews, "")
    return judge(asked, reviews, await _command(ground))


def judge(asked: Sequence[Permission], reviews: Sequence[Review], command: str) -> list[Note]:
    """One note for each rule that is missing verbs, and one that counts; `command` grants everything. Pure."""
    missing = [(one, review) for one, review in zip(asked, reviews, strict=True) if not review.allowed]
    rules: dict[tuple[str, str, str, str], list[tuple[Permission, Review]]] = {}
    for one, review in missing:
        rules.setdefault((one.group, one.plural, one.name, one.why), []).append((one, review))
    counted = f"{len(asked) - len(missing)} of {len(asked)} verbs on resources and names are granted"
    if not missing:
        return [ok(counted)]
    state = State.FAIL if any(one.required for one, _ in missing) else State.WARNING
    return [*map(_missing, rules.values()), Note(state, counted, f"Somebody who may grant rights runs: {command}")]


def _missing(rule: Sequence[tuple[Permission, Review]]) -> Note:
    (one, review), verbs = rule[0], [each.verb for each, _ in rule]
    line: dict[str, list[str]] = {"apiGroups": [one.group], "resources": [one.plural]}
    line |= {"resourceNames": [one.name]} if one.name else {}
    said = f" ({review.reason})" if review.reason else ""
    return Note(
        State.FAIL if one.required else State.WARNING,
        f"not allowed in {one.namespace}{said}; needed for {one.why}",
        f"Add to the Role: {flow({**line, 'verbs': verbs})}",
        ",".join(verbs) + str(one).removeprefix(one.verb),
    )


async def _command(ground: Ground) -> str:
    """What gives the user everything the runbook needs."""
    known = (await ground.outside.access.whoami()).user or (ground.kubeconfig.user if ground.kubeconfig else "")
    user = shlex.quote(known) if known else "NAME"
    return f"{ground.command('rbac')} --role commander --user {user} | kubectl apply -f -"


async def power(ground: Ground) -> Sequence[Note]:
    """Ask for rights that nobody needs to run a deployment: what one may not do cannot go wrong."""
    access = ground.outside.access
    admin = await access.may(Permission("*", "*", "*", "", "cluster-admin"))
    fix = f"Use a login that has the Role alone: {ground.command('rbac')} --role commander"
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
