"""What loads what, proved in processes of their own: no Textual below the screen, no models before its first frame."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import cockpit

PACKAGES = ("engine", "journal", "adapters", "runbook", "model", "link", "simulator", "headless")


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_below_the_screen_loads_textual(package: str) -> None:
    code = f"""
import importlib, pkgutil, sys
root = importlib.import_module("cockpit.{package}")
for found in pkgutil.walk_packages(getattr(root, "__path__", []), "cockpit.{package}."):
    importlib.import_module(found.name)
loaded = sorted(name for name in sys.modules if name.split(".")[0] in ("textual", "widgets"))
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_screen_begins_without_the_models() -> None:
    code = """
import sys
import cockpit.cli.edge, cockpit.cli.attach, cockpit.cli.resolve, cockpit.cli.front, cockpit.cli.spawn, cockpit.tui.app
heavy = {"pydantic", "kubernetes", "aiohttp", "httpx", "ruamel", "sqlite3", "cockpit.engine", "cockpit.runbook"}
loaded = sorted(heavy & set(sys.modules))
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_packages_are_covered() -> None:
    found = {module.name for module in pkgutil.iter_modules(cockpit.__path__)}
    assert set(PACKAGES) <= found
