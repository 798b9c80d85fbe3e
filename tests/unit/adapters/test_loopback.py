"""Who is at the other end of a connection on loopback."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cockpit.adapters.kubernetes import loopback

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def entry(address: str, uid: int) -> str:
    return f"{HEAD}   0: {address}:9C40 {address}:0BB8 01 00000000:00000000 00:00000000 00000000 {uid:5d} 0 77\n"


def table(directory: Path, name: str, uid: int) -> Path:
    for kind, address in loopback._PLACES.items():
        (directory / kind).write_text(entry(address, uid) if kind == name else HEAD)
    return directory


@pytest.mark.parametrize("name", ["tcp", "tcp6"])
def test_only_this_user_and_root_may_connect(tmp_path: Path, name: str) -> None:
    for uid, ours in ((os.getuid(), True), (0, True), (os.getuid() + 1, False)):
        assert loopback.is_ours(0x9C40, 0x0BB8, table(tmp_path, name, uid)) is ours


def test_what_cannot_be_told_is_let_in(tmp_path: Path) -> None:
    assert loopback.is_ours(1, 2, tmp_path / "nowhere")
    assert loopback.is_ours(0x9C40, 1, table(tmp_path, "tcp", os.getuid() + 1))


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")])
def test_a_real_connection_is_found(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as client:
        try:
            client.connect((host, server.getsockname()[1]))
        except OSError:
            pytest.skip("no IPv6 here")
        taken, peer = server.accept()
        with taken:
            ends = peer[1], server.getsockname()[1]
            assert list(loopback._owners(*ends, Path("/proc/net"))) == [os.getuid()]
