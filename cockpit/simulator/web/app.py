"""The HTTP application of everything that is not the Kubernetes API."""

from __future__ import annotations

from aiohttp import web

from cockpit.simulator.kube.app import KubeApi
from cockpit.simulator.web.control import Control
from cockpit.simulator.web.exposition import Exposition
from cockpit.simulator.web.faulty import Handler, faulty
from cockpit.simulator.web.prometheus import Prometheus
from cockpit.simulator.web.registry import Registry
from cockpit.simulator.web.sinks import Sinks
from cockpit.simulator.web.tracks import Tracks
from cockpit.simulator.world.world import World


class SideServices:
    """Prometheus, sinks, registry, application and control of one world."""

    def __init__(self, world: World, kube: KubeApi) -> None:
        self._world = world
        self._prometheus = Prometheus(world)
        self._exposition = Exposition(world)
        self._sinks = Sinks(world)
        self._registry = Registry(world)
        self._tracks = Tracks(world)
        self._control = Control(world, kube)

    def application(self) -> web.Application:
        """The aiohttp application."""
        application = web.Application(client_max_size=4 * 1024 * 1024)
        for methods, path, surface, handler in self._routes():
            for method in methods.split():
                application.router.add_route(method, path, faulty(self._world, surface, handler))
        return application

    def _routes(self) -> list[tuple[str, str, str, Handler]]:
        return [*self._measuring(), *self._sinking(), *self._serving(), *self._controlling()]

    def _measuring(self) -> list[tuple[str, str, str, Handler]]:
        prometheus = self._prometheus
        return [
            ("GET POST", "/prometheus/api/v1/query", "prometheus", prometheus.query),
            ("GET POST", "/prometheus/api/v1/query_range", "prometheus", prometheus.query_range),
            ("GET", "/prometheus/api/v1/alerts", "prometheus", prometheus.alerts),
            ("GET", "/alertmanager/api/v2/alerts", "prometheus", prometheus.managed_alerts),
            ("GET", "/prometheus/-/ready", "prometheus", prometheus.ready),
            ("GET", "/prometheus/-/healthy", "prometheus", prometheus.ready),
            ("GET", "/prometheus/api/v1/status/buildinfo", "prometheus", prometheus.build),
            ("GET", "/metrics", "metrics", self._exposition.page),
        ]

    def _sinking(self) -> list[tuple[str, str, str, Handler]]:
        sinks, zone = self._sinks, "/cloudflare/client/v4/zones/{zone}/purge_cache"
        incidents = "/statuspage/v1/pages/{page}/incidents"
        releases = "/sentry/api/0/organizations/{organization}/releases/"
        return [
            ("POST", "/slack/services/{rest:.*}", "slack", sinks.slack),
            ("POST", zone, "cloudflare", sinks.purge),
            ("GET", "/cloudflare/client/v4/user/tokens/verify", "cloudflare", sinks.verify_token),
            ("GET", "/statuspage/v1/pages/{page}", "statuspage", sinks.page),
            ("GET", incidents, "statuspage", sinks.list_incidents),
            ("POST", incidents, "statuspage", sinks.open_incident),
            ("PATCH PUT", incidents + "/{incident}", "statuspage", sinks.update_incident),
            ("POST", "/grafana/api/annotations", "grafana", sinks.annotation),
            ("POST", "/datadog/api/v1/events", "datadog", sinks.datadog_event),
            ("POST", releases, "sentry", sinks.sentry_release),
            ("POST", releases + "{version}/deploys/", "sentry", sinks.sentry_release),
        ]

    def _serving(self) -> list[tuple[str, str, str, Handler]]:
        registry = self._registry
        return [
            ("GET", "/v2/", "registry", registry.base),
            ("GET HEAD", "/v2/{name:.+}/manifests/{reference}", "registry", registry.manifest),
            ("GET", "/v2/{name:.+}/tags/list", "registry", registry.tags),
            ("GET HEAD", "/app/{track}/{path:.*}", "app", self._tracks.serve),
        ]

    def _controlling(self) -> list[tuple[str, str, str, Handler]]:
        control = self._control
        return [
            ("GET", "/sim/record", "sim", control.record),
            ("GET", "/sim/state", "sim", control.state),
            ("POST", "/sim/scenario", "sim", control.scenario),
            ("POST", "/sim/fault", "sim", control.fault),
            ("DELETE", "/sim/fault", "sim", control.clear_faults),
            ("POST", "/sim/deny", "sim", control.deny),
            ("POST", "/sim/compact", "sim", control.compact),
        ]
