"""One Lease of coordination.k8s.io, read and written with its resource version."""

from __future__ import annotations

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.patch import test
from cockpit.adapters.kubernetes.resource import Json, Resource, number, text
from cockpit.errors import NotFound
from cockpit.model.lease import DURATION_S, LeaseState
from cockpit.model.text import clean


class KubeLease:
    """See `cockpit.engine.ports.Leases`."""

    def __init__(self, client: KubeClient, namespace: str, name: str) -> None:
        self._client = client
        self._resource = Resource("coordination.k8s.io", "v1", "leases", namespace, name)

    async def read(self) -> LeaseState | None:
        """The Lease, None when there is none."""
        try:
            return _state(await self._client.get(self._resource))
        except NotFound:
            return None

    async def write(self, seen: LeaseState | None, wanted: LeaseState) -> LeaseState:
        """Make it as wanted if it is still as seen; raises Conflict."""
        if seen is None:
            body = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._resource.name, "namespace": self._resource.namespace},
                "spec": _spec(wanted),
            }
            return _state(await self._client.create(self._resource.named(""), body, own=True))
        operations: list[Json] = [
            test("/metadata/resourceVersion", seen.version),
            {"op": "add", "path": "/spec", "value": _spec(wanted)},
        ]
        return _state(await self._client.patch(self._resource, operations, own=True))


def _state(obj: Json) -> LeaseState:
    return LeaseState(
        holder=clean(text(obj, "spec", "holderIdentity"), 200),
        epoch=number(obj, "spec", "leaseTransitions"),
        renewed=clean(text(obj, "spec", "renewTime"), 40),
        version=text(obj, "metadata", "resourceVersion"),
    )


def _spec(wanted: LeaseState) -> Json:
    now = wanted.renewed
    holder: Json = {"holderIdentity": wanted.holder, "acquireTime": now} if wanted.holder else {}
    return {**holder, "leaseDurationSeconds": DURATION_S, "renewTime": now, "leaseTransitions": wanted.epoch}
