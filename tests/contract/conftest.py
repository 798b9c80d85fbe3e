"""A real Kubernetes API server for the contract tests: one named by the environment, or a throwaway one."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_OFFSETS = (0, 1, 2, 3, 4, 11, 101)


@pytest.fixture(scope="session")
def real_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster with the contexts `admin` and `observer`; the latter may do nothing."""
    if named := os.environ.get("COCKPIT_TEST_KUBECONFIG"):
        yield Path(named)
        return
    script = Path(os.environ.get("COCKPIT_TEST_KUBE", _ROOT.parent / "shared" / "kube" / "kube"))
    if not script.is_file():
        reason = "no COCKPIT_TEST_KUBECONFIG, and no script COCKPIT_TEST_KUBE that boots a control plane"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    base = tmp_path_factory.getbasetemp()
    # The workers of one pytest-xdist run share the parent of their base directories.
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "control-plane"
    shared.mkdir(exist_ok=True)
    try:
        with _users(shared) as users:
            users.append(str(os.getpid()))
            if len(users) == 1:
                _kube(script, "up", shared / "kube", "--port", str(_free_port()))
        yield shared / "kube" / "kubeconfig"
    finally:
        with _users(shared) as users:
            if users == [str(os.getpid())]:
                _kube(script, "down", shared / "kube")
            users[:] = [user for user in users if user != str(os.getpid())]


@contextmanager
def _users(shared: Path) -> Iterator[list[str]]:
    """The processes that use the control plane, to be read and changed by one of them at a time."""
    with (shared / "users").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        users = file.read().split()
        try:
            yield users
        finally:
            file.truncate(0)
            file.write(" ".join(users))


def _kube(script: Path, *arguments: str | Path) -> None:
    subprocess.run([script, *arguments], check=True, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    """A port with free ones at all distances that the script uses."""
    while True:
        base = random.randrange(20_000, 30_000)
        if all(_is_free(base + offset) for offset in _OFFSETS):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
