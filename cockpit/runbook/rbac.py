"""The Role and RoleBinding that give exactly what a runbook needs.

Source: Kubernetes API reference, `rbac.authorization.k8s.io/v1`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cockpit.model.lease import lease_name
from cockpit.runbook.permissions import COORDINATION, Grant, Role, grants
from cockpit.runbook.schema import Runbook

API_GROUP = "rbac.authorization.k8s.io"
MANAGED_BY = {"app.kubernetes.io/managed-by": "deployment-cockpit"}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*\Z")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who gets the Role; `namespace` is that of a ServiceAccount."""

    kind: str
    name: str
    namespace: str = ""

    def manifest(self) -> Manifest:
        """The entry of a RoleBinding's `subjects`."""
        if self.kind == "ServiceAccount":
            return {"kind": self.kind, "name": self.name, "namespace": self.namespace}
        return {"kind": self.kind, "name": self.name, "apiGroup": API_GROUP}


def default_subject(role: Role) -> Subject:
    """The group that gets the Role when nobody is named: it gives nobody anything until somebody is put into it."""
    return Subject("Group", f"cockpit-{role.value}s")


def role_name(book: Runbook, role: Role) -> str:
    """The name of the Role and its binding."""
    return f"cockpit-{book.metadata.name.lower()}-{role.value}"


def rule(grant: Grant) -> Manifest:
    """A grant as a rule."""
    resource = f"{grant.resource}/{grant.subresource}" if grant.subresource else grant.resource
    made: Manifest = {"apiGroups": [grant.group], "resources": [resource]}
    if grant.names:
        made["resourceNames"] = list(grant.names)
    return {**made, "verbs": list(grant.verbs)}


def rule_line(grant: Grant) -> str:
    """A rule in one line of YAML."""
    return f"- {flow(rule(grant))}"


def manifests(book: Runbook, role: Role, subjects: Sequence[Subject]) -> tuple[Manifest, Manifest]:
    """The Role and its binding."""
    name, namespace = role_name(book, role), book.cluster.namespace
    head = {"apiVersion": f"{API_GROUP}/v1"}
    metadata = {"name": name, "namespace": namespace, "labels": MANAGED_BY}
    rules = [rule(grant) for grant in grants(book, role)]
    return (
        {**head, "kind": "Role", "metadata": metadata, "rules": rules},
        {
            **head,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": API_GROUP, "kind": "Role", "name": name},
            "subjects": [subject.manifest() for subject in subjects],
        },
    )


def prepared(book: Runbook, role: Role) -> tuple[Manifest, ...]:
    """The empty Lease and ConfigMap that the rules name: the right to create cannot be bound to a name."""
    if role is not Role.COMMANDER:
        return ()
    metadata = {
        "name": lease_name(book.metadata.name),
        "namespace": book.cluster.namespace,
        "labels": MANAGED_BY,
    }
    return (
        {"apiVersion": f"{COORDINATION}/v1", "kind": "Lease", "metadata": metadata},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata},
    )


def as_yaml(book: Runbook, role: Role, subjects: Sequence[Subject] = ()) -> str:
    """All manifests, every rule with a comment that says why; equal runbooks give equal texts."""
    chosen = tuple(subjects) or (default_subject(role),)
    made, binding = manifests(book, role, chosen)
    lines = [*_preface(book, role), *_head(made), "rules:"]
    for grant in grants(book, role):
        lines += [f"  # {_comment(grant)}", f"  {rule_line(grant)}"]
    lines += ["---", *_head(binding), f"roleRef: {flow(binding['roleRef'])}", "subjects:"]
    if not subjects:
        lines.append("  # Nobody was named: put people into this group, or name them with --user or --group.")
    lines += [f"  - {flow(subject)}" for subject in binding["subjects"]]
    for empty in prepared(book, role):
        lines += ["---", "# Empty, because a Role cannot allow to create one object by its name.", *_head(empty)]
    return "\n".join(lines) + "\n"


def as_json(book: Runbook, role: Role, subjects: Sequence[Subject] = ()) -> str:
    """All manifests as a `v1` List."""
    made = manifests(book, role, tuple(subjects) or (default_subject(role),))
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [*made, *prepared(book, role)]}, indent=2) + "\n"


def flow(value: Any) -> str:
    """A value in YAML's flow style; strings that need no quotes have none."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    text = str(value)
    return text if _PLAIN.match(text) and text.lower() not in _WORDS else json.dumps(text)


def _preface(book: Runbook, role: Role) -> list[str]:
    does = "may watch" if role is Role.OBSERVER else "does"
    lines = [
        f"# What the {role.value} of the runbook {book.metadata.name} {does} in the namespace",
        f"# {book.cluster.namespace}, and nothing else: no secrets, no wildcards. Apply it with `kubectl apply -f -`.",
        "# The reviews of one's own rights that a preflight asks for are open to everybody who is logged in.",
    ]
    if role is Role.OBSERVER:
        lines.append("# `cockpit observe` needs none of this: it is for people who look with kubectl as well.")
    return lines


def _head(manifest: Manifest) -> list[str]:
    metadata = manifest["metadata"]
    return [
        f"apiVersion: {manifest['apiVersion']}",
        f"kind: {manifest['kind']}",
        "metadata:",
        *(f"  {key}: {flow(value)}" for key, value in metadata.items()),
    ]


def _comment(grant: Grant) -> str:
    return grant.why if grant.required else f"{grant.why} (a run goes without)"
