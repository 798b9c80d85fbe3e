"""HTTP GET to a Service through the API server's proxy subresource."""

from __future__ import annotations

from cockpit.adapters.kubernetes.classify import Request, classify_status, status_of
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.resource import Resource
from cockpit.model.outside import HttpAnswer
from cockpit.model.text import clean_lines

BODY = 65_536
"""Bytes of a body that are read."""


async def get_through_proxy(
    client: KubeClient, services: Resource, service: str, port: int, path: str, timeout: float
) -> HttpAnswer:
    """The application's answer, whatever its status.

    An error of the API server itself is told by its body, a `Status` object: it raises Unreachable when no endpoint
    answers, NotFound without such a Service, Denied without the right to `get services/proxy`.
    """
    resource = services.named(f"{service}:{port}", "proxy/" + path.lstrip("/"))
    request = Request("get", resource)
    reply = await client.once("GET", request, accept="*/*", deadline=timeout, limit=BODY)
    if reply.status >= 400 and status_of(reply.body) is not None:
        raise classify_status(reply.status, reply.body, request, reply.retry_after)
    return HttpAnswer(reply.status, clean_lines(reply.body.decode("utf-8", "replace"), BODY))
