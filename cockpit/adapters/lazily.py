"""Libraries that are imported when they are first needed, from whatever thread needs them."""

from __future__ import annotations

import importlib
import threading
from typing import Any

_ONE_AT_A_TIME = threading.Lock()


def library(name: str) -> Any:
    """The module of that name.

    Two threads that import packages with circular imports, or packages that import each other's, at the same time can
    see half of one: Python breaks what would be a deadlock of its import locks that way.
    """
    with _ONE_AT_A_TIME:
        return importlib.import_module(name)
