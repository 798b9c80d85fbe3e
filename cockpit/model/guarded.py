"""The objects that a run guards: those it writes and those it relies on, seen as a few facts.

A fact is text, so that the journal can keep it and a person can read it. Facts that a run's own actions write have the
same names and the same texts as in the actions' `before` and `after`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

IMAGE, SELECTOR, WEIGHT, ENABLED, EPOCH, EXISTS = "image", "selector", "weight", "enabled", "epoch", "exists"

_SHOWN = {
    IMAGE: "image {}",
    SELECTOR: "selector {}",
    WEIGHT: "weight {} %",
    EPOCH: "epoch {}",
}
_FLAGS = {ENABLED: {"true": "on", "false": "off"}, EXISTS: {"false": "deleted"}}


@dataclass(frozen=True, slots=True)
class GuardedObject:
    """One object as the cluster has it.

    `key` is `deployment/NAME`, `service/NAME`, `ingress/NAME` or `httproute/NAME`; `managers` names, for each fact, the
    last field manager other than the cockpit that wrote it; `epoch` is the stamp of whoever commands it and `holder`
    says who that is.
    """

    key: str
    facts: Mapping[str, str]
    managers: Mapping[str, str] = field(default_factory=dict)
    epoch: int | None = None
    holder: str = ""
    stamped: bool = True


@dataclass(frozen=True, slots=True)
class GuardedChanged:
    """A guarded object after a change; `stale_since` is set while the watch of it is broken."""

    seen: GuardedObject | None
    key: str
    stale_since: datetime | None = None
    problem: str = ""


def selector_fact(selector: Mapping[str, str]) -> str:
    """A selector as a fact."""
    return json.dumps(dict(selector), sort_keys=True)


def weight_facts(weight: int, enabled: bool) -> dict[str, str]:
    """A canary route as facts."""
    return {WEIGHT: str(weight), ENABLED: str(enabled).lower()}


def said(facts: Mapping[str, str]) -> str:
    """Facts in words, for a person."""
    return ", ".join(_word(name, value) for name, value in facts.items()) or "nothing"


def _word(name: str, value: str) -> str:
    if name in _FLAGS:
        return _FLAGS[name].get(value, value)
    if name == SELECTOR:
        return _SHOWN[name].format(",".join(f"{key}={each}" for key, each in json.loads(value).items()) or "empty")
    return _SHOWN.get(name, name + " {}").format(value or "missing")
