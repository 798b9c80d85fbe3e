"""Core events in the form of events.k8s.io."""

from __future__ import annotations

from cockpit.simulator.world.kinds import EVENT_V1
from cockpit.simulator.world.values import Obj


def as_events_v1(event: Obj) -> Obj:
    """The same event, as the newer group writes it."""
    return {
        "apiVersion": EVENT_V1.api_version,
        "kind": EVENT_V1.name,
        "metadata": event["metadata"],
        "eventTime": event["eventTime"],
        "regarding": event["involvedObject"],
        "reason": event["reason"],
        "note": event["message"],
        "type": event["type"],
        "reportingController": event["reportingComponent"],
        "deprecatedCount": event["count"],
        "deprecatedFirstTimestamp": event["firstTimestamp"],
        "deprecatedLastTimestamp": event["lastTimestamp"],
        "deprecatedSource": event["source"],
    }
