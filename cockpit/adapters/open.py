"""Opens everything that a run reaches, as its runbook describes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from cockpit.adapters.alertmanager import AlertmanagerAlerts
from cockpit.adapters.cloudflare import Cloudflare
from cockpit.adapters.http import HttpChecks
from cockpit.adapters.kubernetes.access import KubeAccess
from cockpit.adapters.kubernetes.client import KubeClient, open_client
from cockpit.adapters.kubernetes.gateway import GatewayTraffic
from cockpit.adapters.kubernetes.guarded_objects import guarded_objects
from cockpit.adapters.kubernetes.guardian import KubeGuardian
from cockpit.adapters.kubernetes.leases import KubeLease
from cockpit.adapters.kubernetes.mirror import KubeMirror
from cockpit.adapters.kubernetes.nginx import NginxTraffic
from cockpit.adapters.kubernetes.survey import Survey
from cockpit.adapters.kubernetes.workloads import KubeWorkloads
from cockpit.adapters.mail import MailMessenger
from cockpit.adapters.monitoring_access import Credentials
from cockpit.adapters.programs import Programs
from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.adapters.registry import ImageRegistry
from cockpit.adapters.slack import SlackMessenger
from cockpit.adapters.statuspage import StatuspageMessenger
from cockpit.adapters.web import web_client
from cockpit.errors import UsageError
from cockpit.model.lease import lease_name
from cockpit.runbook.cluster import Cluster
from cockpit.runbook.gate import Access
from cockpit.runbook.people import Channel
from cockpit.runbook.schema import Runbook
from cockpit.runbook.secrets import SecretStore

Traffic = NginxTraffic | GatewayTraffic
Messenger = SlackMessenger | MailMessenger | StatuspageMessenger


@dataclass(frozen=True, slots=True)
class Adapters:
    """The same fields as `cockpit.engine.ports.Outside`, which adapters do not know, and what a preflight looks by."""

    workloads: KubeWorkloads
    traffic: Traffic
    guardian: KubeGuardian
    leases: KubeLease
    mirror: KubeMirror
    metrics: PrometheusMetrics
    alerts: AlertmanagerAlerts | None
    http: HttpChecks
    cdn: Cloudflare
    registry: ImageRegistry
    programs: Programs
    messengers: Mapping[str, Messenger]
    access: KubeAccess
    survey: Survey
    web: httpx.AsyncClient


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where to find systems in place of what the runbook says, as in a rehearsal; None leaves the runbook's word.

    `prometheus`, `registry` and `statuspage` are base URLs, `smtp` is host:port.
    """

    prometheus: str | None = None
    registry: str | None = None
    statuspage: str | None = None
    smtp: str | None = None


@asynccontextmanager
async def open_outside(
    runbook: Runbook,
    secrets: SecretStore,
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    endpoints: Endpoints | None = None,
    trust_env: bool = False,
    directory: Path | None = None,
) -> AsyncIterator[Adapters]:
    """All clients of a run; leaving ends them.

    `context` overrides the runbook's; `trust_env` lets proxy variables and ~/.netrc take part; `directory` is where the
    user's own programs are looked for, the working directory by default. Nothing is sent to any system yet, and a
    secret is read when it is used. Raises UsageError when the kubeconfig or context does not exist,
    and Denied when its credentials do not load.
    """
    where = endpoints or Endpoints()
    cluster = runbook.cluster
    async with AsyncExitStack() as stack:
        metrics = _metrics(runbook, secrets, where, trust_env)
        stack.push_async_callback(metrics.close)
        alerts = _alerts(runbook, secrets, trust_env)
        if alerts is not None:
            stack.push_async_callback(alerts.close)
        importing = asyncio.create_task(metrics.open(), name="prometheus-open")
        stack.push_async_callback(asyncio.wait, (importing,))
        client = await stack.enter_async_context(open_client(kubeconfig, context or cluster.context, trust_env))
        web = await stack.enter_async_context(web_client(trust_env))
        found = {channel.id: _messenger(channel, secrets, web, where) for channel in runbook.communications.channels}
        tracks = [track.selector_value for track in cluster.tracks.values()]
        traffic = _traffic(cluster, client)
        yield Adapters(
            workloads=KubeWorkloads(client, cluster.namespace, tracks),
            traffic=traffic,
            guardian=KubeGuardian(client, guarded_objects(cluster, traffic)),
            leases=KubeLease(client, cluster.namespace, lease_name(runbook.metadata.name)),
            mirror=KubeMirror(client, cluster.namespace, lease_name(runbook.metadata.name)),
            metrics=metrics,
            alerts=alerts,
            http=HttpChecks(web),
            cdn=Cloudflare(web),
            registry=ImageRegistry(web, where.registry),
            programs=Programs(directory or Path.cwd()),
            messengers={name: messenger for name, messenger in found.items() if messenger is not None},
            access=KubeAccess(client),
            survey=Survey(client, cluster.namespace),
            web=web,
        )


def _metrics(runbook: Runbook, secrets: SecretStore, where: Endpoints, trust_env: bool) -> PrometheusMetrics:
    monitoring = runbook.monitoring
    return PrometheusMetrics(
        where.prometheus or (monitoring.prometheus, *monitoring.prometheus_fallbacks),
        timeout=monitoring.timeout.total_seconds(),
        trust_env=trust_env,
        credentials=_credentials(monitoring, secrets),
    )


def _alerts(runbook: Runbook, secrets: SecretStore, trust_env: bool) -> AlertmanagerAlerts | None:
    manager, timeout = runbook.monitoring.alertmanager, runbook.monitoring.timeout.total_seconds()
    if manager is None:
        return None
    who = _credentials(manager, secrets)
    return AlertmanagerAlerts(
        manager.url, manager.filters, who, timeout=timeout, trust_env=trust_env, watchdog=manager.watchdog
    )


def _credentials(access: Access, secrets: SecretStore) -> Credentials:
    basic = access.basic_auth
    return Credentials(
        token=partial(secrets.get, access.token) if access.token else None,
        basic=(basic.username, partial(secrets.get, basic.password)) if basic else None,
        headers=access.headers,
        secret_headers={header: partial(secrets.get, name) for header, name in access.secret_headers.items()},
        ca_file=access.ca_file,
    )


def _traffic(cluster: Cluster, client: KubeClient) -> Traffic:
    backend, namespace = cluster.traffic, cluster.namespace
    if backend.backend == "nginx" and backend.canary_ingress:
        return NginxTraffic(client, namespace, backend.canary_ingress)
    if backend.backend == "gateway" and backend.http_route:
        candidate, stable = (cluster.tracks[name].service for name in (cluster.candidate, cluster.stable))
        return GatewayTraffic(client, namespace, backend.http_route, candidate, (cluster.active_service.name, stable))
    raise UsageError(f"The runbook names no route for the traffic backend {backend.backend}.", "Add it.")


def _messenger(channel: Channel, secrets: SecretStore, web: httpx.AsyncClient, where: Endpoints) -> Messenger | None:
    """The channel's messenger; None for channels that a person uses, or that lack an address."""
    if channel.kind == "slack" and channel.webhook:
        return SlackMessenger(web, partial(secrets.get, channel.webhook))
    if channel.kind == "email":
        return _mail(channel, where.smtp or channel.server)
    api = where.statuspage or channel.api
    if channel.kind == "statuspage" and api and channel.page and channel.token:
        return StatuspageMessenger(web, api, channel.page, partial(secrets.get, channel.token))
    return None


def _mail(channel: Channel, server: str | None) -> MailMessenger | None:
    return MailMessenger(server, channel.sender, channel.address) if server and channel.sender else None
