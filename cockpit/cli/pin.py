"""A run stays on the cluster it was started on, whatever becomes of the kubeconfig."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from cockpit.cli.settings import ClusterPin, RunSettings
from cockpit.errors import OutsideError, UsageError

PATIENCE = 4.0
"""Seconds to read the cluster's UID; a server that is silent does not keep an engine from starting."""


def refuse_other_cluster(settings: RunSettings) -> None:
    """Raise UsageError when the kubeconfig now names another server or another CA than at the start of the run."""
    from cockpit.adapters.kubernetes import hygiene

    pin = settings.cluster
    if pin is None:
        return
    config = hygiene.inspect(settings.kubeconfig, settings.context or None)
    if config is None:
        if pin.context:
            raise _other(settings, pin, "it is gone")
    elif config.server != pin.server:
        raise _other(settings, pin, f"its server is now {config.server}")
    elif config.ca_sha256 != pin.ca_sha256:
        raise _other(settings, pin, "it now trusts another certificate authority")


def refuse_rebuilt_cluster(settings: RunSettings) -> None:
    """Raise UsageError when another cluster answers at the same address, as far as its UID can be read."""
    if settings.cluster is None or not settings.cluster.uid:
        return
    uid = asyncio.run(_uid(settings))
    if uid and uid != settings.cluster.uid:
        raise _other(settings, settings.cluster, "another cluster answers at its address (kube-system has another UID)")


async def _uid(settings: RunSettings) -> str:
    from cockpit.adapters.kubernetes.access import KubeAccess
    from cockpit.adapters.kubernetes.client import open_client

    with suppress(OutsideError, TimeoutError):
        async with asyncio.timeout(PATIENCE), open_client(settings.kubeconfig, settings.context or None) as client:
            return await KubeAccess(client).cluster_uid()
    return ""


def _other(settings: RunSettings, pin: ClusterPin, what: str) -> UsageError:
    where = f"the context {pin.context}" if pin.context else "this place"
    return UsageError(
        f"{settings.run} runs on {pin.server}, and {where} does not lead there any more: {what}.",
        f"Restore the context in {settings.kubeconfig or '~/.kube/config'}, then attach again.",
    )
