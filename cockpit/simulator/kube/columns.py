"""The cells that `kubectl get` shows for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cockpit.simulator.kube.pod_cells import (
    node_cell,
    pod_ip_cell,
    pod_status_cell,
    ready_cell,
    restarts_cell,
)
from cockpit.simulator.world.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    HTTP_ROUTE,
    INGRESS,
    JOB,
    LEASE,
    NAMESPACE,
    POD,
    REPLICA_SET,
    SERVICE,
    Kind,
)
from cockpit.simulator.world.values import Obj, dig, human_age, parse_time

Cell = Callable[[Obj, float], Any]
NONE = "<none>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `priority` 1 is shown by `-o wide` only; `cell` gets the object and the run time."""

    name: str
    cell: Cell
    type: str = "string"
    priority: int = 0
    format: str = ""

    def definition(self) -> Obj:
        """The column as a Table describes it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.name,
            "priority": self.priority,
        }


def age_of(time: Any, now: float) -> str:
    """How long ago an RFC 3339 time was, as kubectl prints it."""
    return human_age(now - parse_time(time)) if time else "<unknown>"


def _at(*path: str | int, default: Any = "") -> Cell:
    return lambda obj, now: dig(obj, *path, default=default)


def _age(obj: Obj, now: float) -> str:
    return age_of(dig(obj, "metadata", "creationTimestamp"), now)


def _deployment_ready(obj: Obj, now: float) -> str:
    return f"{dig(obj, 'status', 'readyReplicas', default=0)}/{dig(obj, 'spec', 'replicas', default=0)}"


def _containers(field: str, *path: str) -> Cell:
    def cell(obj: Obj, now: float) -> str:
        items: list[Obj] = dig(obj, *path, default=[])
        return ",".join(str(item.get(field, "")) for item in items) or NONE

    return cell


def _selector(*path: str) -> Cell:
    def cell(obj: Obj, now: float) -> str:
        pairs: Obj = dig(obj, *path, default={})
        return ",".join(f"{key}={value}" for key, value in sorted(pairs.items())) or NONE

    return cell


def _service_ports(obj: Obj, now: float) -> str:
    ports: list[Obj] = dig(obj, "spec", "ports", default=[])
    return ",".join(f"{port['port']}/{port.get('protocol', 'TCP')}" for port in ports) or NONE


def _ingress_hosts(obj: Obj, now: float) -> str:
    rules: list[Obj] = dig(obj, "spec", "rules", default=[])
    return ",".join(rule.get("host", "*") for rule in rules) or "*"


def _ingress_address(obj: Obj, now: float) -> str:
    items: list[Obj] = dig(obj, "status", "loadBalancer", "ingress", default=[])
    return ",".join(item.get("ip") or item.get("hostname", "") for item in items)


def _endpoint_addresses(obj: Obj, now: float) -> str:
    found: list[str] = []
    for subset in dig(obj, "subsets", default=[]):
        for address in subset.get("addresses", []):
            found.extend(f"{address['ip']}:{port['port']}" for port in subset.get("ports", []))
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return ",".join(found[:3]) + more or NONE


def _slice_addresses(obj: Obj, now: float) -> str:
    endpoints: list[Obj] = obj.get("endpoints") or []
    return ",".join(address for item in endpoints for address in item["addresses"]) or "<unset>"


def _slice_ports(obj: Obj, now: float) -> str:
    return ",".join(str(port.get("port")) for port in obj.get("ports") or []) or "<unset>"


def _job_status(obj: Obj, now: float) -> str:
    conditions: list[Obj] = dig(obj, "status", "conditions", default=[])
    return next((item["type"] for item in conditions if item["status"] == "True"), "Running")


def _job_completions(obj: Obj, now: float) -> str:
    return f"{dig(obj, 'status', 'succeeded', default=0)}/{dig(obj, 'spec', 'completions', default=1)}"


def _job_duration(obj: Obj, now: float) -> str:
    start, end = dig(obj, "status", "startTime"), dig(obj, "status", "completionTime")
    return age_of(start, parse_time(end) if end else now) if start else ""


def _event_object(obj: Obj, now: float) -> str:
    about = dig(obj, "involvedObject", default={})
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _hostnames(obj: Obj, now: float) -> str:
    names = dig(obj, "spec", "hostnames", default=[])
    return "[" + ",".join(f'"{name}"' for name in names) + "]"


NAME = Column("Name", _at("metadata", "name"), format="name")
AGE = Column("Age", _age)
_TEMPLATE = ("spec", "template", "spec", "containers")
_WORKLOAD = (
    Column("Containers", _containers("name", *_TEMPLATE), priority=1),
    Column("Images", _containers("image", *_TEMPLATE), priority=1),
    Column("Selector", _selector("spec", "selector", "matchLabels"), priority=1),
)

COLUMNS: dict[Kind, tuple[Column, ...]] = {
    POD: (
        NAME,
        Column("Ready", ready_cell),
        Column("Status", pod_status_cell),
        Column("Restarts", restarts_cell),
        AGE,
        Column("IP", pod_ip_cell, priority=1),
        Column("Node", node_cell, priority=1),
        Column("Nominated Node", _at("status", "nominatedNodeName", default=NONE), priority=1),
        Column("Readiness Gates", lambda obj, now: NONE, priority=1),
    ),
    DEPLOYMENT: (
        NAME,
        Column("Ready", _deployment_ready),
        Column("Up-to-date", _at("status", "updatedReplicas", default=0), "integer"),
        Column("Available", _at("status", "availableReplicas", default=0), "integer"),
        AGE,
        *_WORKLOAD,
    ),
    REPLICA_SET: (
        NAME,
        Column("Desired", _at("spec", "replicas", default=0), "integer"),
        Column("Current", _at("status", "replicas", default=0), "integer"),
        Column("Ready", _at("status", "readyReplicas", default=0), "integer"),
        AGE,
        *_WORKLOAD,
    ),
    SERVICE: (
        NAME,
        Column("Type", _at("spec", "type")),
        Column("Cluster-IP", _at("spec", "clusterIP", default=NONE)),
        Column("External-IP", lambda obj, now: NONE),
        Column("Port(s)", _service_ports),
        AGE,
        Column("Selector", _selector("spec", "selector"), priority=1),
    ),
    INGRESS: (
        NAME,
        Column("Class", _at("spec", "ingressClassName", default=NONE)),
        Column("Hosts", _ingress_hosts),
        Column("Address", _ingress_address),
        Column("Ports", lambda obj, now: "80, 443" if dig(obj, "spec", "tls") else "80"),
        AGE,
    ),
    ENDPOINTS: (NAME, Column("Endpoints", _endpoint_addresses), AGE),
    ENDPOINT_SLICE: (
        NAME,
        Column("AddressType", _at("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_addresses),
        AGE,
    ),
    JOB: (
        NAME,
        Column("Status", _job_status),
        Column("Completions", _job_completions),
        Column("Duration", _job_duration),
        AGE,
        *_WORKLOAD,
    ),
    EVENT: (
        Column("Last Seen", lambda obj, now: age_of(obj.get("lastTimestamp"), now)),
        Column("Type", _at("type")),
        Column("Reason", _at("reason")),
        Column("Object", _event_object),
        Column("Message", _at("message")),
        Column("Name", _at("metadata", "name"), format="name", priority=1),
    ),
    CONFIG_MAP: (NAME, Column("Data", lambda obj, now: len(obj.get("data") or {}), "integer"), AGE),
    LEASE: (NAME, Column("Holder", _at("spec", "holderIdentity")), AGE),
    NAMESPACE: (NAME, Column("Status", _at("status", "phase")), AGE),
    HTTP_ROUTE: (NAME, Column("Hostnames", _hostnames), AGE),
}


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """The columns of a kind: its name and its creation time where nothing better is known."""
    return COLUMNS.get(kind, (NAME, Column("Created At", _at("metadata", "creationTimestamp"))))
