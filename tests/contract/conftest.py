"""A real Kubernetes API server for the contract tests: one named by the environment, or a throwaway one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from . import control_plane


@pytest.fixture(scope="session")
def real_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster with the contexts `admin` and `observer`; the latter may do nothing."""
    if named := os.environ.get("COCKPIT_TEST_KUBECONFIG"):
        yield Path(named)
        return
    script = control_plane.script()
    if script is None:
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
                control_plane.up(script, shared / "kube")
        yield shared / "kube" / "kubeconfig"
    finally:
        with _users(shared) as users:
            if users == [str(os.getpid())]:
                control_plane.down(script, shared / "kube")
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
