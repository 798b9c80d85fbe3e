"""Secrets that stand in a runbook as literals; what is found is never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.yaml_tree import Value

_HINT = "Name an environment variable or a file for it under `secrets:`, and revoke the value if it is real."
_LOOKS = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("a Slack webhook", r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9]"),
        ("a bearer token", r"(?i:bearer)\s+(?!(?i:tokens?)\b)[A-Za-z0-9._~+/=-]{6,}"),
        ("a GitHub token", r"\b(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{10,}"),
        ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{10,}"),
        ("a Slack token", r"\bxox[a-z]-[A-Za-z0-9-]{6,}"),
        ("an AWS key", r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"),
        ("a signed token", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"),
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("a URL with a password", r"://[^/\s:@]*:[^/\s@]+@"),
        ("a secret option", r"--?(?i:password|passwd|token|secret|api[-_]?key)[= ]\S"),
    )
)
_SECRET_KEY = re.compile(r"(?i)(?:token|password|passwd|secret|api[._-]?key)$")
_REFERENCE = re.compile(r"[A-Z][A-Z0-9_]*\Z")


def literal_secrets(root: Value, values: Mapping[str, str]) -> list[Problem]:
    """Strings of the document, and values of its variables, that look like a secret or are named like one."""
    secrets = root.get("secrets") if isinstance(root, dict) else None
    declared = frozenset(secrets) if isinstance(secrets, dict) else frozenset()
    strings = dict(_strings(root, ()))
    for name, value in values.items():
        if strings.get(("variables", name, "default")) != value:
            strings[("variables", name)] = value
    found = (_problem(path, value, declared) for path, value in strings.items())
    return [problem for problem in found if problem is not None]


def _strings(value: Value, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))
    elif isinstance(value, str):
        yield path, value


def _problem(path: Path, value: str, declared: frozenset[str]) -> Problem | None:
    for what, look in _LOOKS:
        if look.search(value):
            return Problem(path, f"the value looks like {what}", _HINT)
    if value and _SECRET_KEY.search(_key(path)) and not _is_reference(path, value, declared):
        return Problem(path, "a secret is written as a literal", _HINT)
    return None


def _key(path: Path) -> str:
    """The word that says what a value is: its key, or for the value of a variable the variable's name."""
    if path[:1] == ("variables",) and path[2:] in ((), ("default",)):
        return str(path[1])
    return str(path[-1]) if path else ""


def _is_reference(path: Path, value: str, declared: frozenset[str]) -> bool:
    """Whether the value can be the name of a secret; names that are not declared are found elsewhere."""
    return path[0] != "variables" and (value in declared or _REFERENCE.match(value) is not None)
