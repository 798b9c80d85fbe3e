"""What a runbook needs to be allowed at the API server, derived from the document alone.

Source: Kubernetes, "Using RBAC Authorization": a list, a watch or a create cannot be bound to a name, everything else
can. `get` on pods/exec is what a WebSocket asks for; since Kubernetes 1.35 `create` is asked for as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cockpit.model.lease import lease_name
from cockpit.runbook.actions import Deploy, Exec, HttpChecks, Job, Switch
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import actions, actions_of

READ = ("get", "list", "watch")
APPS = "apps"
BATCH = "batch"
COORDINATION = "coordination.k8s.io"
DISCOVERY = "discovery.k8s.io"
GATEWAY = "gateway.networking.k8s.io"
NETWORKING = "networking.k8s.io"
READING_VERBS = frozenset(READ)
_STATEFUL = ("statefulset", "statefulsets", "sts")
_PODS = ("pod", "pods", "po")


class Role(StrEnum):
    """Who the permissions are for."""

    COMMANDER = "commander"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True)
class Permission:
    """One verb on one resource of a namespace, or on one object of it (`name`), and why it is needed.

    Without a permission that is not `required` a run does everything but what `why` says.
    """

    verb: str
    group: str
    resource: str
    namespace: str
    why: str
    subresource: str = ""
    name: str = ""
    required: bool = True

    @property
    def plural(self) -> str:
        """The resource as a rule names it: `pods/exec`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def changes(self) -> bool:
        """Whether it lets its holder change something, or run something in a pod."""
        return self.verb not in READING_VERBS or self.subresource in ("exec", "portforward", "proxy")

    def __str__(self) -> str:
        what = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{self.verb} {what} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions that belong together: the rule of a Role."""

    verbs: tuple[str, ...]
    group: str
    resource: str
    why: str
    subresource: str = ""
    names: tuple[str, ...] = ()
    required: bool = True

    def permissions(self, namespace: str) -> Iterator[Permission]:
        """Each verb on each name."""
        for name in self.names or ("",):
            for verb in self.verbs:
                yield Permission(
                    verb, self.group, self.resource, namespace, self.why, self.subresource, name, self.required
                )


def needed(book: Runbook, role: Role) -> tuple[Permission, ...]:
    """Everything that the engine asks of the API server for a role, each once."""
    namespace = book.cluster.namespace
    return tuple(permission for grant in grants(book, role) for permission in grant.permissions(namespace))


def grants(book: Runbook, role: Role) -> tuple[Grant, ...]:
    """The same as the rules of a Role, in the order in which a person reads them."""
    found = [*_reads(book)]
    if role is Role.COMMANDER:
        found += [*_looks(book), *_writes(book), *_effects(book)]
    return tuple(found)


def _reads(book: Runbook) -> Iterator[Grant]:
    """What both roles see: nothing here can run or change anything, and nothing holds a secret by intent."""
    services = (book.cluster.active_service.name, *(track.service for track in book.cluster.tracks.values()))
    yield Grant(READ, "", "pods", "the pods pane, rollouts, and the ready pod that a command runs in")
    yield Grant(READ, "", "services", "where the active Service points, drift, and the list of a workloads check")
    yield Grant(("list", "watch"), "", "events", "why a rollout or a pod does not come up")
    yield Grant(READ, DISCOVERY, "endpointslices", "whether a Service has ready endpoints before traffic goes there")
    yield Grant(
        ("get",),
        "",
        "endpoints",
        "the same on a server without EndpointSlices",
        names=tuple(dict.fromkeys(services)),
        required=False,
    )
    yield Grant(READ, APPS, "deployments", "images, rollouts, whether stable is warm, and drift")
    yield Grant(READ, APPS, "replicasets", "which pods a rollout is about", required=False)
    yield Grant(READ, BATCH, "jobs", "how a Job ends", required=bool([*actions_of(book, Job)]))
    yield Grant(READ, NETWORKING, "ingresses", "the canary's weight, drift, and the list of a workloads check")
    yield Grant(READ, GATEWAY, "httproutes", "the route's weights, drift, and the list of a workloads check")
    yield Grant(
        ("list",),
        "autoscaling",
        "horizontalpodautoscalers",
        "who else sets the replicas of a track (preflight)",
        required=False,
    )
    yield Grant(("list",), "policy", "poddisruptionbudgets", "what keeps pods of a track (preflight)", required=False)


def _looks(book: Runbook) -> Iterator[Grant]:
    """Closer looks of the commander; logs may hold secrets, and a forwarded port reaches whatever listens there."""
    yield Grant(("get",), "", "pods", "the logs screen, and the last lines of a Job that failed", "log", required=False)
    forwarding = any(_way(action) == "port_forward" for _, action in actions_of(book, HttpChecks))
    why = "port-forwards from the screen and checks through one"
    yield Grant(("get", "create"), "", "pods", why, "portforward", required=forwarding)
    proxied = tuple(
        f"{book.cluster.tracks[action.track].service}:{book.cluster.tracks[action.track].port}"
        for _, action in actions_of(book, HttpChecks)
        if _way(action) == "proxy"
    )
    if proxied:
        names = tuple(dict.fromkeys(proxied))
        yield Grant(("get",), "", "services", f"http_checks: {_ids(book, HttpChecks)}", "proxy", names)


def _writes(book: Runbook) -> Iterator[Grant]:
    """The guarded objects, each by name: what actions change, and the epoch that says who commands."""
    cluster, traffic = book.cluster, book.cluster.traffic
    tracks = dict.fromkeys([cluster.candidate, *(action.track for _, action in actions_of(book, Deploy))])
    deployments = tuple(cluster.tracks[name].deployment for name in tracks)
    yield Grant(
        ("patch",), APPS, "deployments", f"deploy: {_ids(book, Deploy)}; the commander's epoch", names=deployments
    )
    switches = f"switch: {_ids(book, Switch)}; the commander's epoch"
    yield Grant(("patch",), "", "services", switches, names=(cluster.active_service.name,))
    route = "traffic, canary_off and their way back; the commander's epoch"
    if traffic.backend == "nginx" and traffic.canary_ingress:
        yield Grant(("patch",), NETWORKING, "ingresses", route, names=(traffic.canary_ingress,))
    if traffic.backend == "gateway" and traffic.http_route:
        yield Grant(("patch",), GATEWAY, "httproutes", route, names=(traffic.http_route,))
    own, verbs = (lease_name(book.metadata.name),), ("get", "patch")
    lease = "the Lease by which bastions agree on who commands; without it only the lock on one machine says so"
    yield Grant(verbs, COORDINATION, "leases", lease, names=own, required=False)
    mirror = "the mirror from which another bastion takes over; without it none can"
    yield Grant(verbs, "", "configmaps", mirror, names=own, required=False)


def _effects(book: Runbook) -> Iterator[Grant]:
    """What actions run in the cluster."""
    workloads: dict[str, list[Exec]] = {}
    for _, action in actions_of(book, Exec):
        workloads.setdefault(action.workload, []).append(action)
    required = any(not action.optional for group in workloads.values() for action in group)
    stateful = [name for kind, _, name in map(_split, workloads) if kind in _STATEFUL]
    if stateful:
        yield Grant(("get",), APPS, "statefulsets", "which pods a command runs in", names=tuple(stateful))
    named = tuple(name for kind, _, name in map(_split, workloads) if kind in _PODS)
    if workloads:
        # The pods of a Deployment have no names that could be written down; those of `pod/NAME` have.
        bound = named if len(named) == len(workloads) else ()
        why = f"exec: {_ids(book, Exec)}" + ("" if bound else " (pods without fixed names)")
        yield Grant(("get", "create"), "", "pods", why, "exec", bound, required)
    if [*actions_of(book, Job)]:
        yield Grant(("create",), BATCH, "jobs", f"job: {_ids(book, Job)}")
    templates = tuple(name for _, action in actions_of(book, Job) if (name := getattr(action, "from_cronjob", None)))
    if templates:
        yield Grant(("get",), BATCH, "cronjobs", f"job: {_ids(book, Job)}", names=tuple(dict.fromkeys(templates)))


def _way(action: HttpChecks) -> str:
    """How the checks reach their track."""
    return action.way


def _split(workload: str) -> tuple[str, str, str]:
    return workload.partition("/")


def _ids(book: Runbook, kind: type) -> str:
    return ", ".join(item.action.id for item in actions(book) if isinstance(item.action, kind)) or "by hand"
