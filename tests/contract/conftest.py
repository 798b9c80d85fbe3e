"""A real Kubernetes API server for the contract tests: one named by the environment, or a throwaway one."""

from __future__ import annotations

import os
import random
import socket
import subprocess
from collections.abc import Iterator
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
    directory = tmp_path_factory.mktemp("kube")
    try:
        subprocess.run([script, "up", directory, "--port", str(_free_port())], check=True, stdout=subprocess.DEVNULL)
        yield directory / "kubeconfig"
    finally:
        subprocess.run([script, "down", directory], check=True)


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
