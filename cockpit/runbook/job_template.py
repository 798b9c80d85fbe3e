"""The Job that a runbook writes out: which of the accepted forms it is, and what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cockpit.runbook.findings import Path, Problem

Tree = Mapping[str, Any]

_POLICIES = ("Never", "OnFailure")
_SECRET_NAME = re.compile(r"(?i)(?:token|password|passwd|secret|api[._-]?key)$")
_FIELDS_OF_JOB = ("apiVersion", "kind", "metadata", "spec")


def spec_path(template: Tree) -> Path:
    """Where the `spec` of the Job stands in the template: in a whole Job, or at its root."""
    return ("spec",) if "kind" in template or "apiVersion" in template else ()


def pod_path(template: Tree) -> Path:
    """Where the pod template stands: in the spec of a Job, or at the root."""
    spec = spec_path(template)
    return (*spec, "template") if spec or "template" in template else ()


def job_spec(template: Tree) -> dict[str, Any]:
    """The Job's `spec`, whichever form the template has."""
    spec = _at(template, spec_path(template))
    return dict(spec) if "template" in spec else {"template": dict(spec)}


def problems(template: Tree, namespace: str) -> Iterator[Problem]:
    """What the API server would refuse, or what would keep the Job from being followed; paths begin in the template."""
    if spec_path(template):
        yield from _job(template, namespace)
    spec = _at(template, spec_path(template))
    yield from _spec(spec, spec_path(template))
    pod = _at(template, (*pod_path(template), "spec"))
    if not pod:
        yield Problem(pod_path(template), "has no pod `spec`", "Write a Job, the spec of one, or a pod template.")
        return
    yield from _pod(pod, (*pod_path(template), "spec"))


def _job(template: Tree, namespace: str) -> Iterator[Problem]:
    if template.get("kind") != "Job":
        yield Problem(("kind",), "is no Job", "Write `kind: Job`.")
    if template.get("apiVersion") != "batch/v1":
        yield Problem(("apiVersion",), "is not that of a Job", "Write `apiVersion: batch/v1`.")
    for key in template:
        if key not in _FIELDS_OF_JOB:
            yield Problem((key,), "is not a field of a Job", f"Its fields are {', '.join(_FIELDS_OF_JOB)}.")
    elsewhere = _at(template, ("metadata",)).get("namespace", namespace)
    if elsewhere != namespace:
        yield Problem(("metadata", "namespace"), "is not the runbook's namespace", "Leave it out.")


def _spec(spec: Tree, path: Path) -> Iterator[Problem]:
    for key in ("selector", "manualSelector"):
        if key in spec:
            yield Problem((*path, key), "is made by Kubernetes", "Leave it out.")
    if spec.get("suspend"):
        yield Problem((*path, "suspend"), "keeps the Job from ever starting", "Leave it out.")
    for key, least in (("backoffLimit", 0), ("activeDeadlineSeconds", 1), ("parallelism", 1), ("completions", 1)):
        value = spec.get(key, least)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            yield Problem((*path, key), f"must be a whole number of at least {least}", "")
    kept = spec.get("ttlSecondsAfterFinished", 3600)
    if not isinstance(kept, int) or kept < 60:
        hint = "Write 60 or more, or leave it out."
        yield Problem((*path, "ttlSecondsAfterFinished"), "takes the Job away before its end is read", hint)


def _pod(pod: Tree, path: Path) -> Iterator[Problem]:
    if pod.get("restartPolicy", "Never") not in _POLICIES:
        hint = f"Write {' or '.join(_POLICIES)}."
        yield Problem((*path, "restartPolicy"), "is not possible for a Job", hint)
    containers = pod.get("containers")
    if not isinstance(containers, list) or not containers:
        yield Problem((*path, "containers"), "names no container", "Write a list with `name` and `image`.")
    names: set[str] = set()
    for key in ("initContainers", "containers"):
        found = pod.get(key)
        for index, container in enumerate(found if isinstance(found, list) else ()):
            yield from _container(container, (*path, key, index), names)


def _container(container: Any, path: Path, names: set[str]) -> Iterator[Problem]:
    if not isinstance(container, dict):
        yield Problem(path, "is no container", "Write `name`, `image` and `command`.")
        return
    for key in ("name", "image"):
        if not isinstance(container.get(key), str) or not container[key]:
            yield Problem((*path, key), "is missing", f"Add `{key}:` with a text.")
    name = str(container.get("name"))
    if name in names:
        yield Problem((*path, "name"), f"the container `{name}` exists twice", "Give each its own name.")
    names.add(name)
    for key in ("command", "args"):
        words = container.get(key, [])
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            yield Problem((*path, key), "must be a list of texts", "Put numbers in quotes.")
    yield from _environment(container.get("env", []), (*path, "env"))


def _environment(env: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(env, list):
        yield Problem(path, "must be a list", "Start each entry with `- name:`.")
        return
    for index, entry in enumerate(env):
        value = entry.get("value") if isinstance(entry, dict) else None
        if value is not None and not isinstance(value, str):
            yield Problem((*path, index, "value"), "must be text", "Put the value in quotes.")
        elif value and _SECRET_NAME.search(str(entry.get("name"))):
            hint = "Write `valueFrom: {secretKeyRef: …}`, and revoke the value if it is real."
            yield Problem((*path, index, "value"), "a secret is written as a literal", hint)


def _at(tree: Any, path: Path) -> Tree:
    """The mapping at a path, or an empty one."""
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}
