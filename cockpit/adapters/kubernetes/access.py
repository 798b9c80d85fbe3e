"""Who we are to the API server, what we may do there, and which server it is. Nothing here changes anything.

Source: Kubernetes, "Authorization": SelfSubjectAccessReview and SelfSubjectRulesReview are open to everybody who is
logged in (ClusterRole system:basic-user); SelfSubjectReview came with 1.26 (alpha), 1.27 (beta) and 1.28.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from cockpit.adapters.kubernetes.classify import Request, parse
from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.resource import Json, Resource, dig, items, mapping, text
from cockpit.errors import BadAnswer, Denied, NotFound
from cockpit.model.text import clean
from cockpit.runbook.permissions import Permission

_AUTHENTICATION = "authentication.k8s.io"
_AUTHORIZATION = "authorization.k8s.io"
_REFUSED_USER = re.compile(r'User "([^"]+)" cannot ')


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the API server takes us for; `source` is what says so, and `user` is empty when nothing does."""

    user: str
    groups: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """The answer to "may I"; `reason` is the authoriser's own words."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one may do, in the words of a Role; empty `names` stand for every object."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def sweeping(self) -> bool:
        """Whether it holds a wildcard for verbs or resources."""
        return "*" in self.verbs or any(resource.startswith("*") for resource in self.resources)

    def __str__(self) -> str:
        what = ", ".join(f"{resource}.{group}" if group else resource for group in self.groups for resource in
                         self.resources)  # fmt: skip
        return f"{'/'.join(self.verbs)} {what}"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`skew` is how many seconds this machine's clock is ahead of the server's, None when the server tells no time."""

    address: str
    version: str
    skew: float | None


class KubeAccess:
    """Reviews at one API server. Every method raises OutsideError alone."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def server(self) -> ServerFacts:
        """The server's address, version and clock."""
        request = Request("get", Resource("", "", "version"))
        before = time.time()
        reply = await self._client.read(request)
        middle = (before + time.time()) / 2
        version = clean(text(parse(reply.body, request), "gitVersion"), 60)
        return ServerFacts(self._client.server, version, _skew(reply.date, middle))

    async def cluster_uid(self) -> str:
        """The UID of the namespace kube-system, which no two clusters share; raises Denied when it is not readable."""
        namespace = await self._client.get(Resource("", "v1", "namespaces", "", "kube-system"))
        return clean(text(namespace, "metadata", "uid"), 60)

    async def served(self, group: str) -> bool:
        """Whether the server has this API group."""
        return not group or bool(await self._client.versions(group))

    async def whoami(self) -> Identity:
        """Who we are, by a SelfSubjectReview or by the words of a refusal; an empty user when neither says."""
        for version in ("v1", "v1beta1", "v1alpha1"):
            if version in await self._client.versions(_AUTHENTICATION):
                resource = Resource(_AUTHENTICATION, version, "selfsubjectreviews")
                try:
                    answer = await self._client.create(resource, _body(_AUTHENTICATION, version, "SelfSubjectReview"))
                except (NotFound, BadAnswer, Denied):
                    continue
                info = mapping(answer, "status", "userInfo")
                groups = tuple(clean(str(group), 200) for group in items(info, "groups"))
                return Identity(clean(text(info, "username"), 200), groups, f"SelfSubjectReview {version}")
        return await self._refused_as()

    async def _refused_as(self) -> Identity:
        try:
            await self.cluster_uid()
        except Denied as refusal:
            if named := _REFUSED_USER.search(str(refusal)):
                return Identity(clean(named[1], 200), (), "the API server's refusal to read a namespace")
        except NotFound:
            pass
        return Identity("")

    async def may(self, asked: Permission) -> Review:
        """Whether we may do this; an empty namespace stands for all of them."""
        attributes = {
            "verb": asked.verb,
            "group": asked.group,
            "resource": asked.resource,
            "subresource": asked.subresource,
            "name": asked.name,
            "namespace": asked.namespace,
        }
        spec = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
        resource = Resource(_AUTHORIZATION, "v1", "selfsubjectaccessreviews")
        body = _body(_AUTHORIZATION, "v1", "SelfSubjectAccessReview") | {"spec": spec}
        status = mapping(await self._client.create(resource, body), "status")
        said = text(status, "reason") or text(status, "evaluationError")
        return Review(dig(status, "allowed") is True, clean(said, 200))

    async def rules(self, namespace: str) -> tuple[Rule, ...]:
        """Everything we may do in a namespace, as far as the authorisers can tell."""
        resource = Resource(_AUTHORIZATION, "v1", "selfsubjectrulesreviews")
        body = _body(_AUTHORIZATION, "v1", "SelfSubjectRulesReview") | {"spec": {"namespace": namespace}}
        status = mapping(await self._client.create(resource, body), "status")
        return tuple(_rules(status))


def _body(group: str, version: str, kind: str) -> Json:
    return {"apiVersion": f"{group}/{version}", "kind": kind}


def _rules(status: Json) -> Iterator[Rule]:
    for entry in items(status, "resourceRules"):
        parts = (items(entry, key) for key in ("verbs", "apiGroups", "resources", "resourceNames"))
        yield Rule(*(tuple(clean(str(word), 100) for word in part) for part in parts))


def _skew(date: str, here: float) -> float | None:
    """The Date header has whole seconds: half of one is the best guess."""
    try:
        there = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    stamp = there if there.tzinfo else there.replace(tzinfo=UTC)
    return here - stamp.timestamp() - 0.5
