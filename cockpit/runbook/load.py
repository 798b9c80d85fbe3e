"""From a file to a runbook that holds together, or to everything that is wrong with it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from types import MappingProxyType

from pydantic import ValidationError

from cockpit.errors import RunbookInvalid
from cockpit.runbook import variables
from cockpit.runbook.findings import Finding, Problem, in_order, path_text
from cockpit.runbook.literals import literal_secrets
from cockpit.runbook.presets import expand
from cockpit.runbook.schema import Runbook
from cockpit.runbook.shape import shape_problems, without_unknown_keys
from cockpit.runbook.validate import validate
from cockpit.runbook.yaml_tree import Tree, Value, YamlUnreadable, parse

_NOTHING: Mapping[str, str] = MappingProxyType({})
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class LoadedRunbook:
    """A runbook without findings: `sha256` is that of the file's bytes, `variables` are the resolved values."""

    runbook: Runbook
    path: File
    sha256: str
    text: str
    variables: Mapping[str, str]


def load(
    path: str | os.PathLike[str],
    overrides: Mapping[str, str] = _NOTHING,
    environ: Mapping[str, str] = os.environ,
) -> LoadedRunbook:
    """Reads, completes and checks a runbook; raises RunbookInvalid with all findings."""
    loaded, findings = _read(File(path), overrides, environ)
    if loaded is None or findings:
        raise RunbookInvalid(findings)
    return loaded


def check(
    path: str | os.PathLike[str],
    overrides: Mapping[str, str] = _NOTHING,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Finding, ...]:
    """Everything that is wrong with a runbook, from the top of the file to its end."""
    return _read(File(path), overrides, environ)[1]


def _read(
    path: File, overrides: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[LoadedRunbook | None, tuple[Finding, ...]]:
    try:
        content = _content(path)
        tree = parse(content.decode())
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return None, (Finding(str(path), line, "", "the text is not UTF-8", "Save the file as UTF-8."),)
    except YamlUnreadable as error:
        return None, (Finding(str(path), error.line, "", error.problem, error.hint),)
    declared = tree.root.get("variables") if isinstance(tree.root, dict) else None
    values, problems = variables.resolve(declared, overrides, environ)
    whole, missing = expand(tree.root)
    root, unknown = variables.substitute(whole, values, declared)
    runbook, shape = _runbook(root)
    secrets = literal_secrets(root, values)
    findings = _findings(path, tree, (*tree.problems, *problems, *missing, *unknown, *shape, *secrets))
    if runbook is None:
        return None, findings
    digest = hashlib.sha256(content).hexdigest()
    return LoadedRunbook(runbook, path, digest, tree.text, MappingProxyType(values)), findings


def _content(path: File) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "the system refused"
        raise YamlUnreadable(1, f"the file cannot be read: {reason}", "Name a readable runbook file.") from error
    if len(content) > _MAX_BYTES:
        raise YamlUnreadable(1, "the file is larger than 1 MB", "Name a runbook file.")
    return content


def _runbook(root: Value) -> tuple[Runbook | None, list[Problem]]:
    """The runbook, even with unknown keys, so that they do not hide what else is wrong."""
    try:
        runbook = Runbook.model_validate(root)
    except ValidationError as error:
        problems = shape_problems(error, root)
        known = without_unknown_keys(error, root)
        runbook_and_more = _runbook(known) if known is not None else (None, [])
        return runbook_and_more[0], [*problems, *runbook_and_more[1]]
    return runbook, list(validate(runbook))


def _findings(path: File, tree: Tree, problems: Iterable[Problem]) -> tuple[Finding, ...]:
    return in_order(
        Finding(str(path), item.line or tree.line(item.path, item.near), path_text(item.path), item.problem, item.hint)
        for item in problems
    )
