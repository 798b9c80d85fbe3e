"""The break-glass sheet: how to go back by hand when the cockpit cannot. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime

from cockpit.runbook.schema import Runbook


def sheet(
    book: Runbook,
    context: str,
    selector: Mapping[str, str] | None,
    route_off: Sequence[str],
    written_at: datetime,
) -> str:
    """The commands that put the traffic back on stable, in the order of the rollback.

    `selector` is the active Service's whole selector for stable, None when the Service has never been read: then only
    the key that says the track is set. `route_off` takes the canary out of service, in the same context.
    """
    cluster = book.cluster
    kubectl = f"kubectl{f' --context {shlex.quote(context)}' if context else ''} -n {cluster.namespace}"
    stable = cluster.tracks[cluster.stable]
    if selector is None:
        only = {cluster.active_service.selector_key: stable.selector_value}
        patch = f"-p '{json.dumps({'spec': {'selector': only}})}'"
    else:
        whole = [{"op": "replace", "path": "/spec/selector", "value": dict(selector)}]
        patch = f"--type=json -p '{json.dumps(whole)}'"
    lines = [
        f"# Break glass: {book.metadata.name} back to {cluster.stable}",
        f"# written {written_at:%Y-%m-%d %H:%M:%S} UTC; use it when the cockpit cannot reach the cluster",
        "",
        "# 1. Traffic to stable",
        f"{kubectl} patch service {cluster.active_service.name} {patch}",
        *route_off,
        "",
        "# 2. Check stable",
        f"{kubectl} rollout status deployment/{stable.deployment} --timeout=30s",
        f"{kubectl} get pods -l {cluster.app_label}",
        f"{kubectl} get service {cluster.active_service.name} -o jsonpath='{{.spec.selector}}'",
    ]
    return "\n".join(lines) + "\n"
