"""YAML as plain values with the line of every node; nothing in the document can construct an object."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cockpit.runbook.findings import Path, Problem

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value"))
_INT = re.compile(r"[-+]?[0-9]{1,18}\Z|0o[0-7]{1,18}\Z|0x[0-9a-fA-F]{1,15}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MAX_NODES = 100_000


class YamlUnreadable(Exception):
    """The text is not one YAML document; `line` counts from 1."""

    def __init__(self, line: int, problem: str, hint: str = "Correct the YAML syntax.") -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem
        self.hint = hint


@dataclass
class Tree:
    """The values of a document, where each of them stands, and what is wrong with its YAML."""

    text: str
    root: Value = None
    spans: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path, near: str = "") -> int:
        """The first line that holds `near` in a node, or in the nearest node above it that exists."""
        while path and path not in self.spans:
            path = path[:-1]
        first, last = self.spans.get(path, (1, 1))
        lines = enumerate(self.text.splitlines()[first - 1 : last], first) if near else ()
        return next((number for number, line in lines if near in line), first)


def parse(text: str) -> Tree:
    """Reads one YAML 1.2 document whose root is a mapping; raises YamlUnreadable."""
    node = _compose(text)
    if not isinstance(node, MappingNode):
        raise YamlUnreadable(1, "the document is not a mapping", "Start with `apiVersion: cockpit/v1`.")
    tree = Tree(text)
    tree.root = _value(tree, node, (), ())
    return tree


def _compose(text: str) -> Node | None:
    try:
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlUnreadable(mark.line + 1 if mark else 1, error.problem or "not YAML") from error
    except YAMLError as error:
        raise YamlUnreadable(1, "the file holds characters that YAML does not allow") from error
    except RecursionError as error:
        raise YamlUnreadable(1, "the document is nested too deeply") from error
    return node


def _value(tree: Tree, node: Node, path: Path, above: tuple[int, ...]) -> Value:
    """`above` are the nodes on the way here, so that an alias of one of them ends."""
    tree.spans.setdefault(path, _span(node, node))
    if id(node) in above or len(tree.spans) > _MAX_NODES:
        raise YamlUnreadable(_span(node, node)[0], "an alias repeats too much", "Write the part out.")
    if isinstance(node, MappingNode):
        return dict(_entries(tree, node, path, (*above, id(node))))
    if isinstance(node, SequenceNode):
        return [_value(tree, item, (*path, i), (*above, id(node))) for i, item in enumerate(node.value)]
    return _scalar(tree, node, path)


def _entries(tree: Tree, node: MappingNode, path: Path, above: tuple[int, ...]) -> Iterator[tuple[str, Value]]:
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
        where = (*path, key)
        span = _span(key_node, value_node)
        if key in first:
            problem = f"the key is written twice, first in line {first[key]}"
            tree.problems.append(Problem(where, problem, "Remove one of the two.", line=span[0]))
            continue
        first[key] = span[0]
        tree.spans[where] = span
        yield key, _value(tree, value_node, where, above)


def _span(start: Node, end: Node) -> tuple[int, int]:
    return start.start_mark.line + 1, end.end_mark.line + 1


def _scalar(tree: Tree, node: Node, path: Path) -> Value:
    text, tag = str(node.value), str(node.tag)
    if tag not in _SCALAR_TAGS:
        hint = "Write a plain value; the document constructs nothing."
        tree.problems.append(Problem(path, f"the tag `{tag.removeprefix(_TAG)}` is not allowed", hint))
        return text
    if getattr(node, "style", None) is not None or tag == _TAG + "str":
        return text
    return _plain(text)


def _plain(text: str) -> Value:
    """The YAML 1.2 core schema, whatever version the document claims: 08:00 and yes are strings."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    return float(text) if _FLOAT.match(text) else text
