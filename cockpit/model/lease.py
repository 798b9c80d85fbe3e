"""The Lease by which bastions agree on who commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

DURATION_S = 15
"""A Lease that has not changed for so many seconds, seen by one's own clock, may be taken."""

RENEW_S = 5.0
FENCE_S = 10.0
"""Seconds without a renewal after which its holder must not write any more."""


def lease_name(runbook: str) -> str:
    """The name of a runbook's Lease, and of the ConfigMap that mirrors its run: a DNS label."""
    return f"cockpit-{re.sub(r'[^a-z0-9]+', '-', runbook.lower()).strip('-')}"[:63].rstrip("-")


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A Lease as the cluster has it. `epoch` grows with every change of the holder; an empty `holder` means free.

    `renewed` is the holder's wall clock as text, which nobody judges by; `version` is the API server's.
    """

    holder: str
    epoch: int
    renewed: str = ""
    version: str = ""


class Command(StrEnum):
    """How far this engine may say that it alone commands."""

    UNKNOWN = "unknown"
    """The Lease has not been read yet."""
    HELD = "held"
    OTHER = "other"
    """Somebody else holds the Lease, and renews it or was seen only a moment ago."""
    LAPSED = "lapsed"
    """It was held and could not be renewed in time."""
    LOST = "lost"
    """It was held and then deleted or edited by hand: a person has to take it again."""
    LOCAL = "local"
    """There is no right to a Lease: the lock on this machine is all there is."""
