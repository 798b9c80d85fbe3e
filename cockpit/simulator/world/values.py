"""Small helpers for JSON objects, times, names and hashes."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

Obj = dict[str, Any]
"""A JSON object as Kubernetes writes it."""

_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def clone(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


def dig(value: Any, *path: str | int, default: Any = None) -> Any:
    """The value at `path` inside nested dicts and lists, or `default` where the path ends early."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return default
    return value


def name_of(obj: Obj) -> str:
    """The object's `metadata.name`."""
    return str(obj["metadata"]["name"])


def namespace_of(obj: Obj) -> str:
    """The object's `metadata.namespace`, empty for cluster-wide kinds."""
    return str(obj["metadata"].get("namespace", ""))


def rfc3339(timestamp: float) -> str:
    """Seconds since the epoch as Kubernetes writes times, to the second."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(timestamp: float) -> str:
    """Seconds since the epoch as Kubernetes writes a MicroTime."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time; raises ValueError when it is not one."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def suffix(seed: str, length: int) -> str:
    """A short name suffix in Kubernetes' vowel-free alphabet, the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:12], "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_SAFE))
        letters.append(_SAFE[digit])
    return "".join(letters)


def stable_uid(seed: str) -> str:
    """A UUID that is the same for the same seed."""
    return str(uuid.UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=4))


def image_tag(image: str) -> str:
    """The tag of an image reference, `latest` when it has none."""
    last = image.rsplit("/", 1)[-1].split("@", 1)[0]
    return last.split(":", 1)[1] if ":" in last else "latest"


def image_repository(image: str) -> str:
    """The image reference without its registry host, tag and digest: what a registry's URL names."""
    path = image.split("@", 1)[0]
    head, _, rest = path.partition("/")
    if rest and ("." in head or ":" in head or head == "localhost"):
        path = rest
    folder, slash, last = path.rpartition("/")
    return folder + slash + last.split(":", 1)[0]


def human_age(seconds: float) -> str:
    """A duration as kubectl prints ages: `45s`, `3m20s`, `2d3h`, `41d`."""
    total = max(0, int(seconds))
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return f"{minutes}m{total % 60}s" if total % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"
