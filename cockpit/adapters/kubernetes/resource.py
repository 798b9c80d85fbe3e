"""Names of things behind the API server, as paths and as people and RBAC write them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A collection, an object (`name`) or a subresource (`sub`, which may go on with a path).

    Without a version, `plural` is a path of the server itself, such as `apis`.
    """

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    sub: str = ""

    @property
    def path(self) -> str:
        """The path at the API server, quoted."""
        if not self.version:
            return f"/{self.plural}"
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = ["namespaces", self.namespace] if self.namespace else []
        parts += [self.plural, self.name] if self.name else [self.plural]
        path = "/".join([root, *(quote(part, safe=":") for part in parts)])
        return f"{path}/{self.sub}" if self.sub else path

    @property
    def right(self) -> str:
        """What an RBAC rule calls it: `deployments.apps`, `pods/exec`."""
        plural = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{plural}/{self.sub.split('/')[0]}" if self.sub else plural

    def named(self, name: str, sub: str = "") -> Resource:
        """One object of this collection."""
        return replace(self, name=name, sub=sub)

    def __str__(self) -> str:
        text = f"{self.right} {self.name}".rstrip()
        return f"{text} in {self.namespace}" if self.namespace else text


def dig(value: Any, *keys: str | int) -> Any:
    """The nested value, or None where a key is missing or a container is of another type than expected."""
    for key in keys:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and 0 <= key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def mapping(value: Any, *keys: str | int) -> Json:
    """The nested object, or an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, dict) else {}


def items(value: Any, *keys: str | int) -> list[Any]:
    """The nested list, or an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, list) else []


def text(value: Any, *keys: str | int) -> str:
    """The nested string as it is in the object, or an empty one."""
    found = dig(value, *keys)
    return found if isinstance(found, str) else ""


def number(value: Any, *keys: str | int) -> int:
    """The nested integer, or 0."""
    found = dig(value, *keys)
    return found if isinstance(found, int) else 0
