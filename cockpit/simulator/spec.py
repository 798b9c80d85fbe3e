"""Specs of worlds: by hand, the source runbook's, or from a runbook."""

from __future__ import annotations

from cockpit.simulator.blueprint import Backend, MetricQuery, TrackSpec, WorldSpec
from cockpit.simulator.derive import from_runbook

__all__ = ["DEFAULT_METRICS", "Backend", "MetricQuery", "TrackSpec", "WorldSpec", "default_spec", "from_runbook"]

_REQUESTS = 'nginx_ingress_controller_requests{namespace="production"'

DEFAULT_METRICS = (
    MetricQuery(
        f'100 * sum(rate({_REQUESTS},status=~"[45].."}}[${{window}}])) / sum(rate({_REQUESTS}}}[${{window}}]))',
        "error_rate",
    ),
    MetricQuery(
        "1000 * histogram_quantile(0.95, sum by (le) (rate(nginx_ingress_controller_request_duration_seconds_bucket"
        '{namespace="production"}[${window}])))',
        "latency_p95",
    ),
    MetricQuery(
        '100 * avg(rate(container_cpu_usage_seconds_total{namespace="production",container="web"}[${window}])'
        ' / on(pod) kube_pod_container_resource_limits{resource="cpu"})',
        "cpu",
    ),
    MetricQuery(
        '100 * avg(container_memory_working_set_bytes{namespace="production",container="web"}'
        ' / on(pod) kube_pod_container_resource_limits{resource="memory"})',
        "memory",
    ),
    MetricQuery(
        'sum(increase(kube_pod_container_status_restarts_total{namespace="production"}[${window}]))', "restarts"
    ),
    MetricQuery(
        f'100 * sum(rate({_REQUESTS},status=~"5.."}}[${{window}}])) / sum(rate({_REQUESTS}}}[${{window}}]))',
        "server_errors",
    ),
    MetricQuery(f"sum(increase({_REQUESTS}}}[${{window}}]))", "requests"),
    MetricQuery('count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)', "alerts_critical"),
    MetricQuery(
        f'100 * sum(rate({_REQUESTS},service="moshimoshi-blue"}}[${{window}}]))'
        f" / sum(rate({_REQUESTS}}}[${{window}}]))",
        "candidate_share",
    ),
    MetricQuery(f'sum(increase({_REQUESTS},canary!=""}}[${{window}}]))', "canary_requests"),
)


def default_spec(backend: Backend = "nginx", load: float = 120.0, seed: int = 7) -> WorldSpec:
    """The world of the source runbook: moshimoshi, green active at 0.9.4, blue to become 1.0.0."""
    repository = "gcr.io/moshimoshi-prod/moshimoshi"
    old = f"{repository}:0.9.4"
    tracks = {
        colour: TrackSpec(
            name=colour,
            deployment=f"moshimoshi-{colour}",
            service=f"moshimoshi-{colour}",
            image=old,
            labels={"app": "moshimoshi", "version": colour},
        )
        for colour in ("blue", "green")
    }
    return WorldSpec(
        namespace="production",
        app="moshimoshi",
        tracks=tracks,
        stable="green",
        candidate="blue",
        active_service="moshimoshi-active",
        main_ingress="moshimoshi-ingress",
        canary_ingress="moshimoshi-ingress-canary",
        route="moshimoshi-route",
        host="moshimoshi.app",
        candidate_image=f"{repository}:1.0.0",
        metrics=DEFAULT_METRICS,
        images=(old, f"{repository}:1.0.0"),
        backend=backend,
        load=load,
        seed=seed,
    )
