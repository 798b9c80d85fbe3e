"""The kinds of object the simulated API server knows."""

from __future__ import annotations

from dataclasses import dataclass

_ALL_VERBS = ("create", "delete", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource: where it is served and how it is named."""

    group: str
    version: str
    name: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    counts_generations: bool = False
    has_status: bool = False
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = _ALL_VERBS
    all_category: bool = False

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The plural with its group, as error messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


NAMESPACE = Kind("", "v1", "Namespace", "namespaces", ("ns",), namespaced=False, has_status=True)
POD = Kind(
    "", "v1", "Pod", "pods", ("po",), has_status=True,
    subresources=("exec", "log", "portforward", "proxy", "status"), all_category=True,
)  # fmt: skip
SERVICE = Kind("", "v1", "Service", "services", ("svc",), has_status=True,
               subresources=("proxy", "status"), all_category=True)  # fmt: skip
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", ("ep",))
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", ("cm",))
EVENT = Kind("", "v1", "Event", "events", ("ev",))
EVENT_V1 = Kind("events.k8s.io", "v1", "Event", "events", ("ev",), verbs=("get", "list", "watch"))
DEPLOYMENT = Kind(
    "apps", "v1", "Deployment", "deployments", ("deploy",), counts_generations=True, has_status=True,
    subresources=("scale", "status"), all_category=True,
)  # fmt: skip
REPLICA_SET = Kind(
    "apps", "v1", "ReplicaSet", "replicasets", ("rs",), counts_generations=True, has_status=True,
    subresources=("scale", "status"), all_category=True,
)  # fmt: skip
JOB = Kind("batch", "v1", "Job", "jobs", counts_generations=True, has_status=True,
           subresources=("status",), all_category=True)  # fmt: skip
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs", ("cj",), counts_generations=True, has_status=True,
                subresources=("status",), all_category=True)  # fmt: skip
INGRESS = Kind("networking.k8s.io", "v1", "Ingress", "ingresses", ("ing",), counts_generations=True,
               has_status=True, subresources=("status",))  # fmt: skip
HTTP_ROUTE = Kind("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes", counts_generations=True,
                  has_status=True, subresources=("status",))  # fmt: skip
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
ACCESS_REVIEW = Kind("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
                     namespaced=False, verbs=("create",))  # fmt: skip
RULES_REVIEW = Kind("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews",
                    namespaced=False, verbs=("create",))  # fmt: skip
SELF_REVIEW = Kind("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews",
                   namespaced=False, verbs=("create",))  # fmt: skip

KINDS = (
    NAMESPACE, POD, SERVICE, ENDPOINTS, CONFIG_MAP, EVENT, EVENT_V1, DEPLOYMENT, REPLICA_SET, JOB, CRON_JOB,
    INGRESS,
    HTTP_ROUTE, LEASE, ENDPOINT_SLICE, ACCESS_REVIEW, RULES_REVIEW, SELF_REVIEW,
)  # fmt: skip


def find_kind(group: str, version: str, plural: str) -> Kind | None:
    """The kind served at `group/version/plural`, or None."""
    wanted = (group, version, plural)
    return next((kind for kind in KINDS if (kind.group, kind.version, kind.plural) == wanted), None)
