"""Where the shipped data is: inside an installed wheel, or beside the package in a source checkout."""

from __future__ import annotations

from pathlib import Path

from cockpit.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent.parent
_ROOTS = (_PACKAGE / "_config", _PACKAGE.parent / "config")


def config_path(name: str) -> Path:
    """The file or folder `name`, such as `runbooks/moshimoshi.yaml`; raises UsageError if it is not shipped."""
    candidates = (root / name for root in _ROOTS)
    found = next((path for path in candidates if path.exists()), None)
    if found is None:
        raise UsageError(f"No {name} is shipped with this installation.", "Install the cockpit again.")
    return found
