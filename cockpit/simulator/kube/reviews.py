"""Who am I, and may I: self subject reviews, and what the simulated roles allow."""

from __future__ import annotations

from dataclasses import dataclass, field

from cockpit.simulator.kube.request import Target
from cockpit.simulator.kube.status import ApiError, forbidden
from cockpit.simulator.world.kinds import ACCESS_REVIEW
from cockpit.simulator.world.values import Obj, dig

COMMANDER_TOKEN = "simulator-commander"
OBSERVER_TOKEN = "simulator-observer"
_USERS = {COMMANDER_TOKEN: "commander@simulator", OBSERVER_TOKEN: "observer@simulator"}
ANONYMOUS = "system:anonymous"
_READING = ("get", "list", "watch")
_THROUGH = ("pods/exec", "pods/portforward", "pods/proxy", "services/proxy")
_SERVED_TO_NOBODY = ("secrets", "serviceaccounts", "roles", "clusterroles", "*")


@dataclass(slots=True)
class Access:
    """The rules: the observer reads, the commander also writes, but sees no secrets.

    `denied` takes more away from everybody: pairs of verb and `plural[/subresource]`, either may be `*`.
    """

    denied: set[tuple[str, str]] = field(default_factory=set)

    def user(self, authorization: str | None) -> str:
        """The user of a bearer token; raises ApiError 401 for a wrong one.

        Without a token it is the anonymous user, who may do what the commander may: kubectl keeps its
        credentials to itself where there is no TLS.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or token not in _USERS:
            raise ApiError(401, "Unauthorized")
        return _USERS[token]

    def allows(self, user: str, verb: str, resource: str) -> bool:
        """Whether a user may do `verb` on `plural` or `plural/subresource`."""
        if resource.partition("/")[0] in _SERVED_TO_NOBODY or verb == "*":
            return False
        pairs = ((verb, resource), ("*", resource), (verb, "*"), ("*", "*"))
        if any(pair in self.denied for pair in pairs):
            return False
        if user == _USERS[OBSERVER_TOKEN] and not resource.startswith("selfsubject"):
            return verb in _READING and resource not in _THROUGH
        return True

    def check(self, user: str, verb: str, target: Target) -> None:
        """Raise ApiError 403 unless the user may do this."""
        resource = target.kind.plural + (f"/{target.subresource}" if target.subresource else "")
        if not self.allows(user, verb, resource):
            raise forbidden(target.kind, target.name, user, verb, target.namespace)


def verb_of(method: str, target: Target, watching: bool) -> str:
    """The Kubernetes verb of an HTTP request."""
    if method in ("GET", "HEAD"):
        if target.subresource in ("exec", "portforward"):
            return "create"
        return "get" if target.name and not watching else "watch" if watching else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, "delete")


def answer(access: Access, target: Target, body: Obj, user: str) -> Obj:
    """The answer to a review."""
    if target.kind is not ACCESS_REVIEW:
        info = {"username": user, "groups": ["system:authenticated", "simulator"]}
        return {**_named(target), "status": {"userInfo": info}}
    wanted = dig(body, "spec", "resourceAttributes")
    if not isinstance(wanted, dict):
        allowed = dig(body, "spec", "nonResourceAttributes") is not None
    else:
        resource = str(wanted.get("resource", "*"))
        if wanted.get("subresource"):
            resource += f"/{wanted['subresource']}"
        allowed = access.allows(user, str(wanted.get("verb", "*")), resource)
    status: Obj = {"allowed": allowed}
    if not allowed:
        status["reason"] = "the simulated roles do not allow it"
    return {**_named(target), "spec": body.get("spec", {}), "status": status}


def _named(target: Target) -> Obj:
    return {"kind": target.kind.name, "apiVersion": target.kind.api_version, "metadata": {}}
