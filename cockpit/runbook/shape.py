"""Pydantic's errors in words for the person who writes the runbook; they never repeat a value."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.schema import Runbook
from cockpit.runbook.yaml_tree import Value

Words = tuple[str, str]

_NAME_HINT = "Use letters, digits and . _ - and start with a letter or digit; at most 63 characters."
_TYPES: dict[str, Words] = {
    "string_type": ("must be text", "Put the value in quotes."),
    "string_pattern_mismatch": ("is not a name", _NAME_HINT),
    "int_type": ("must be a whole number", ""),
    "int_parsing": ("must be a whole number", ""),
    "int_from_float": ("must be a whole number", ""),
    "float_type": ("must be a number", ""),
    "float_parsing": ("must be a number", ""),
    "finite_number": ("must be a finite number", ""),
    "bool_type": ("must be true or false", ""),
    "bool_parsing": ("must be true or false", ""),
    "tuple_type": ("must be a list", "Start each entry with `- `."),
    "dict_type": ("must be a mapping", "Write `key: value` lines below it."),
    "model_type": ("must be a mapping", "Write `key: value` lines below it."),
    "model_attributes_type": ("must be a mapping", "Write `key: value` lines below it."),
}
_LIMITS = {
    "greater_than_equal": ("must be at least {ge}", ""),
    "less_than_equal": ("must be at most {le}", ""),
    "greater_than": ("must be greater than {gt}", ""),
    "less_than": ("must be less than {lt}", ""),
    "too_short": ("needs {min_length} or more entries", ""),
    "too_long": ("may have at most {max_length} entries", ""),
    "string_too_long": ("may have at most {max_length} characters", ""),
    "string_too_short": ("needs {min_length} or more characters", ""),
    "literal_error": ("must be {expected}", ""),
    "enum": ("must be {expected}", ""),
    "union_tag_invalid": ("is of no known kind", "Known kinds: {expected_tags}."),
    "union_tag_not_found": ("has no kind", "Add `kind:`."),
}


def shape_problems(error: ValidationError, root: Value) -> list[Problem]:
    """One problem for each error, with the path that the value has in the document `root`."""
    return [_problem(details, root) for details in error.errors(include_url=False, include_input=False)]


def without_unknown_keys(error: ValidationError, root: Value) -> Value | None:
    """The document less its unknown keys, or None if anything else is wrong with its shape."""
    details = error.errors(include_url=False, include_input=False)
    if any(item["type"] != "extra_forbidden" for item in details):
        return None
    return _without(root, (), {_document_path(item["loc"], root) for item in details})


def _without(value: Value, path: Path, unknown: set[Path]) -> Value:
    if isinstance(value, dict):
        kept = ((key, item) for key, item in value.items() if (*path, key) not in unknown)
        return {key: _without(item, (*path, key), unknown) for key, item in kept}
    if isinstance(value, list):
        return [_without(item, (*path, index), unknown) for index, item in enumerate(value)]
    return value


def _problem(details: ErrorDetails, root: Value) -> Problem:
    path = _document_path(details["loc"], root)
    special = _SPECIAL.get(details["type"])
    words = special(details, path, root) if special else _words(details)
    return Problem(path, *words)


def _words(details: ErrorDetails) -> Words:
    kind = details["type"]
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _LIMITS:
        problem, hint = _LIMITS[kind]
        context = details.get("ctx", {})
        return problem.format(**context), hint.format(**context)
    return details["msg"][:1].lower() + details["msg"][1:], ""


def _missing(_: ErrorDetails, path: Path, __: Value) -> Words:
    return "is missing", f"Add `{path[-1]}:`."


def _unknown_key(_: ErrorDetails, path: Path, root: Value) -> Words:
    known = _known_keys(path[:-1], root)
    near = get_close_matches(str(path[-1]), known, n=1)
    return "is not a known key", f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(known)}."


def _own_message(details: ErrorDetails, _: Path, __: Value) -> Words:
    message = str(details.get("ctx", {}).get("error", details["msg"]))
    return "cannot be understood", message[:1].upper() + message[1:] + "."


_SPECIAL: dict[str, Callable[[ErrorDetails, Path, Value], Words]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "value_error": _own_message,
}


def _document_path(loc: Path, root: Value) -> Path:
    """Pydantic's location less what it adds: the kind of an action and the mark of a mapping's key."""
    path: list[str | int] = []
    value = root
    for index, part in enumerate(loc):
        after_action = index >= 2 and loc[index - 2] == "actions" and isinstance(loc[index - 1], int)
        if part == "[key]" or (after_action and isinstance(value, dict) and value.get("kind") == part):
            continue
        path.append(part)
        value = _child(value, part)
    return tuple(path)


def _child(value: Value, part: str | int) -> Value:
    if isinstance(value, dict):
        return value.get(str(part))
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _known_keys(path: Path, root: Value) -> list[str]:
    """The keys of the mapping at a path of the document."""
    annotation: Any = Runbook
    value = root
    for part in path:
        annotation = _inner(annotation, part, value)
        value = _child(value, part)
    model = _model(annotation, value)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _inner(annotation: Any, part: str | int, value: Value) -> Any:
    model = _model(annotation, value)
    if model is not None:
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        return fields.get(str(part))
    arguments = [item for option in _options(annotation) for item in get_args(option)]
    position = 1 if isinstance(part, str) else 0
    return arguments[position] if len(arguments) > position else None


def _model(annotation: Any, value: Value) -> type[BaseModel] | None:
    """The model that an annotation stands for; among the kinds of a union, the one that the value names."""
    models = [item for item in _options(annotation) if isinstance(item, type) and issubclass(item, BaseModel)]
    kind = value.get("kind") if isinstance(value, dict) else None
    named = (model for model in models if _kind(model) == kind) if len(models) > 1 else iter(models)
    return next(named, None)


def _kind(model: type[BaseModel]) -> object:
    field = model.model_fields.get("kind")
    return get_args(field.annotation)[0] if field and get_origin(field.annotation) is Literal else None


def _options(annotation: Any) -> Iterator[Any]:
    """The members of optional, annotated and united types."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for item in get_args(annotation):
            yield from _options(item)
    elif origin is None or origin in (tuple, dict):
        yield annotation
