"""Who am I, and may I: self subject reviews, and what the simulated roles allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cockpit.simulator.kube.request import Target
from cockpit.simulator.kube.status import ApiError, forbidden
from cockpit.simulator.world.kinds import ACCESS_REVIEW, KINDS, RULES_REVIEW
from cockpit.simulator.world.values import Obj, dig

COMMANDER_TOKEN = "simulator-commander"
OBSERVER_TOKEN = "simulator-observer"
_USERS = {COMMANDER_TOKEN: "commander@simulator", OBSERVER_TOKEN: "observer@simulator"}
ANONYMOUS = "system:anonymous"
_READING = ("get", "list", "watch")
_SERVED_TO_NOBODY = ("secrets", "serviceaccounts", "roles", "clusterroles", "*")
_GIVEN_TO_NOBODY = ("*", "escalate", "bind", "impersonate")
_REACHING_IN = ("pods/exec", "pods/portforward", "pods/proxy", "services/proxy")


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that somebody wants to do, in the words of RBAC; an empty name stands for all objects."""

    verb: str
    resource: str
    group: str = ""
    name: str = ""
    namespace: str = ""


@dataclass(slots=True)
class Access:
    """The rules: the observer reads, the commander also writes, but sees no secrets.

    `denied` takes more away from everybody: pairs of verb and `plural[/subresource]`, either may be `*`. A user with
    `roles` has what those manifests say and nothing else.
    """

    denied: set[tuple[str, str]] = field(default_factory=set)
    roles: dict[str, tuple[Obj, ...]] = field(default_factory=dict)

    def bind(self, token: str, *roles: Obj) -> None:
        """Let the holder of a token do what these Roles (`rbac.authorization.k8s.io/v1`) say."""
        self.roles[_USERS[token]] = roles

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

    def allows(self, user: str, asked: Asked) -> bool:
        """Whether a user may do this."""
        verb, resource = asked.verb, asked.resource
        if resource.startswith("selfsubject"):
            return verb == "create"
        if any(pair in self.denied for pair in ((verb, resource), ("*", resource), (verb, "*"), ("*", "*"))):
            return False
        if user in self.roles:
            return any(_covers(rule, role, asked) for role in self.roles[user] for rule in role.get("rules", ()))
        if resource.partition("/")[0] in _SERVED_TO_NOBODY or verb in _GIVEN_TO_NOBODY:
            return False
        if user == _USERS[OBSERVER_TOKEN]:
            return verb in _READING and resource not in _REACHING_IN
        return True

    def check(self, user: str, verb: str, target: Target) -> None:
        """Raise ApiError 403 unless the user may do this."""
        resource = target.kind.plural + (f"/{target.subresource}" if target.subresource else "")
        if not self.allows(user, Asked(verb, resource, target.kind.group, target.name, target.namespace)):
            raise forbidden(target.kind, target.name, user, verb, target.namespace)

    def rules(self, user: str, namespace: str) -> Iterable[Obj]:
        """What a user may do in a namespace, as the rules of a Role."""
        if user in self.roles:
            for role in self.roles[user]:
                if dig(role, "metadata", "namespace") in (None, namespace):
                    yield from role.get("rules", ())
            return
        for kind in KINDS:
            verbs = [verb for verb in kind.verbs if self.allows(user, Asked(verb, kind.plural, kind.group))]
            if verbs:
                yield {"verbs": verbs, "apiGroups": [kind.group], "resources": [kind.plural]}


def _covers(rule: Obj, role: Obj, asked: Asked) -> bool:
    """RBAC's own rule: every part must match, and a rule with names covers no request without one."""
    names = rule.get("resourceNames")
    return (
        dig(role, "metadata", "namespace") in (None, asked.namespace)
        and _holds(rule.get("verbs"), asked.verb)
        and _holds(rule.get("apiGroups"), asked.group)
        and _holds(rule.get("resources"), asked.resource)
        and (not names or asked.name in names)
    )


def _holds(listed: list[str] | None, word: str) -> bool:
    return word in (listed or ()) or "*" in (listed or ())


def verbs_of(method: str, target: Target, watching: bool) -> tuple[str, ...]:
    """The Kubernetes verbs of an HTTP request.

    A WebSocket to exec or portforward is both a get and, since Kubernetes 1.35, a create.
    """
    if method in ("GET", "HEAD"):
        if target.subresource in ("exec", "portforward"):
            return ("get", "create")
        return ("get" if target.name and not watching else "watch" if watching else "list",)
    return ({"POST": "create", "PUT": "update", "PATCH": "patch"}.get(method, "delete"),)


def answer(access: Access, target: Target, body: Obj, user: str) -> Obj:
    """The answer to a review."""
    if target.kind is RULES_REVIEW:
        return _rules_review(access, target, body, user)
    if target.kind is not ACCESS_REVIEW:
        info = {"username": user, "groups": ["system:authenticated", "simulator"]}
        return {**_named(target), "status": {"userInfo": info}}
    wanted = dig(body, "spec", "resourceAttributes")
    if not isinstance(wanted, dict):
        allowed = dig(body, "spec", "nonResourceAttributes") is not None
    else:
        allowed = access.allows(user, _asked(wanted))
    status: Obj = {"allowed": allowed}
    if not allowed:
        status["reason"] = "the simulated roles do not allow it"
    return {**_named(target), "spec": body.get("spec", {}), "status": status}


def _asked(wanted: Obj) -> Asked:
    resource = str(wanted.get("resource", "*"))
    if wanted.get("subresource"):
        resource += f"/{wanted['subresource']}"
    keys = ("group", "name", "namespace")
    return Asked(str(wanted.get("verb", "*")), resource, **{key: str(wanted.get(key, "")) for key in keys})


def _rules_review(access: Access, target: Target, body: Obj, user: str) -> Obj:
    namespace = dig(body, "spec", "namespace")
    if not namespace:
        raise ApiError(400, "no namespace on request")
    rules = [dict(rule) for rule in access.rules(user, str(namespace))]
    status = {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}
    return {**_named(target), "spec": {}, "status": status}


def _named(target: Target) -> Obj:
    return {"kind": target.kind.name, "apiVersion": target.kind.api_version, "metadata": {}}
