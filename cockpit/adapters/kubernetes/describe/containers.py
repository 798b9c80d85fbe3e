"""Containers of pods and of pod templates."""

from __future__ import annotations

from datetime import datetime

from cockpit.adapters.kubernetes.containers import ending
from cockpit.adapters.kubernetes.describe.parts import age, ago, pairs, section
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.model.lens import DescribedSection

_PROBES = (
    ("startupProbe", "Startup probe"),
    ("readinessProbe", "Readiness probe"),
    ("livenessProbe", "Liveness probe"),
)


def container_section(container: Json, status: Json | None, now: datetime, kind: str = "Container") -> DescribedSection:
    """One container; without a status it is one of a template."""
    rows: list[tuple[str, object]] = [("Image", text(container, "image"))]
    if status is not None:
        rows += _status_rows(status, now)
    rows.append(("Ports", ", ".join(map(_port, items(container, "ports")))))
    for key, label in (("requests", "Requests"), ("limits", "Limits")):
        rows.append((label, pairs(mapping(container, "resources", key)) or "none"))
    rows += [(label, probe(mapping(container, key))) for key, label in _PROBES if mapping(container, key)]
    return section(f"{kind} {text(container, 'name')}", rows)


def state_words(state: Json, now: datetime) -> str:
    """A container's state in words."""
    if waiting := mapping(state, "waiting"):
        reason, message = text(waiting, "reason") or "no reason given", text(waiting, "message")
        return f"waiting: {reason}" + (f": {message}" if message else "")
    if ended := mapping(state, "terminated"):
        when, message = ago(text(ended, "finishedAt"), now), text(ended, "message")
        return f"ended: {ending(ended)}" + (f", {when}" if when else "") + (f": {message}" if message else "")
    if dig(state, "running") is not None:
        since = age(text(state, "running", "startedAt"), now)
        return f"running for {since}" if since else "running"
    return ""


def probe(found: Json) -> str:
    """What a probe asks, how often, and when it has failed."""
    seconds, fails = number(found, "periodSeconds") or 10, number(found, "failureThreshold") or 3
    timeout, delay = number(found, "timeoutSeconds") or 1, number(found, "initialDelaySeconds")
    words = f"{_question(found)}, every {seconds} s, timeout {timeout} s, fails after {fails}"
    return f"{words}, first after {delay} s" if delay else words


def _question(found: Json) -> str:
    if http := mapping(found, "httpGet"):
        scheme = text(http, "scheme").lower() or "http"
        return f"GET {scheme}://{text(http, 'host')}:{dig(http, 'port')}{text(http, 'path')}"
    if tcp := mapping(found, "tcpSocket"):
        return f"TCP :{dig(tcp, 'port')}"
    if grpc := mapping(found, "grpc"):
        return f"gRPC :{dig(grpc, 'port')} {text(grpc, 'service')}".rstrip()
    return "exec " + " ".join(map(str, items(found, "exec", "command")))


def _status_rows(status: Json, now: datetime) -> list[tuple[str, object]]:
    return [
        ("State", state_words(mapping(status, "state"), now) or "unknown"),
        ("Last state", state_words(mapping(status, "lastState"), now)),
        ("Ready", "yes" if dig(status, "ready") is True else "no"),
        ("Restarts", number(status, "restartCount")),
    ]


def _port(port: Json) -> str:
    name, protocol = text(port, "name"), text(port, "protocol") or "TCP"
    words = f"{number(port, 'containerPort')}/{protocol}"
    return f"{words} ({name})" if name else words
