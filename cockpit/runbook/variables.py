"""`${NAME}` in the strings of a runbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.yaml_tree import Value

WINDOW = "window"
"""`${window}` in a query is the rate window, which is known when the query is asked."""

_QUERIES = frozenset({"query", "age", "errors", "requests", "buckets"})

_REFERENCE = re.compile(r"\$(\$?)\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


def resolve(
    declared: Value, overrides: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """The values of the declared variables: `overrides`, then `environ`, then the default.

    A default may refer to variables that are declared before it.
    """
    entries = declared if isinstance(declared, dict) else {}
    values: dict[str, str] = {}
    problems = list(_undeclared_overrides(entries, overrides))
    for name, entry in entries.items():
        path: Path = ("variables", name)
        if name == WINDOW:
            problems.append(Problem(path, "the name is reserved for queries", "Choose another name."))
            continue
        value = overrides.get(name, environ.get(name))
        if value is None:
            value = _default(entry, path, values, problems)
        if value is not None:
            values[name] = value
    return values, problems


def substitute(root: Value, values: Mapping[str, str], declared: Value) -> tuple[Value, list[Problem]]:
    """The tree with all references replaced outside `variables`, and the references that have no value.

    `$${` stands for `${` itself. A variable that is declared and has no value is reported where it is declared.
    """
    known = {*values, *(declared if isinstance(declared, dict) else ())}
    problems: list[Problem] = []

    def text(value: str, path: Path) -> str:
        problems.extend(_unknown(value, path, known))
        return _fill(value, values)

    return _walk(root, (), text), problems


def reference(name: str) -> str:
    """The text that refers to a variable."""
    return "${" + name + "}"


def _undeclared_overrides(entries: Mapping[str, Value], overrides: Mapping[str, str]) -> Iterator[Problem]:
    for name in overrides:
        if name not in entries:
            hint = _nearest(name, entries) or "Declare it under `variables:` or leave --var out."
            yield Problem(("variables",), f"--var {name} is not a declared variable", hint)


def _default(entry: Value, path: Path, values: Mapping[str, str], problems: list[Problem]) -> str | None:
    name = str(path[-1])
    default = entry.get("default") if isinstance(entry, dict) else None
    if isinstance(default, str):
        problems.extend(_unknown(default, (*path, "default"), values))
        return _fill(default, values)
    if default is None:
        hint = f"Set {name} in the environment, pass --var {name}=VALUE, or write a default."
        problems.append(Problem(path, "the variable has no value", hint))
    return None


def _walk(value: Value, path: Path, text: Callable[[str, Path], str]) -> Value:
    if path == ("variables",):
        return value
    if isinstance(value, dict):
        return {key: _walk(item, (*path, key), text) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, (*path, index), text) for index, item in enumerate(value)]
    return text(value, path) if isinstance(value, str) else value


def _fill(value: str, values: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        return match[0][1:] if match[1] else values.get(match[2], match[0])

    return _REFERENCE.sub(replace, value)


def _unknown(value: str, path: Path, known: Mapping[str, str] | set[str]) -> Iterator[Problem]:
    for match in _REFERENCE.finditer(value):
        name = match[2]
        if match[1] or name in known or (name == WINDOW and path[-1] in _QUERIES):
            continue
        if _NAME.match(name):
            hint = _nearest(name, known) or f"Declare {name} under `variables:`, before the defaults that use it."
            yield Problem(path, f"the variable {reference(name)} is not declared", hint, near=match[0])
        else:
            yield Problem(path, "a reference has no name", "Write ${NAME}, or $${ for ${ itself.", near=match[0])


def _nearest(name: str, known: Mapping[str, object] | set[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]}?" if near else ""
