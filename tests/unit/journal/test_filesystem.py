from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.errors import JournalError
from cockpit.journal import filesystem
from cockpit.journal.filesystem import check_private, mount_type, network_kind, private_directory, refuse_network


@pytest.mark.parametrize(
    ("magic", "mounted", "kind"),
    [
        (0x6969, "nfs4", "NFS"),
        (0xFF534D42, "cifs", "CIFS"),
        (0xFE534D42, "smb3", "SMB2"),
        (0x5346414F, "afs", "AFS"),
        (0x00C36400, "ceph", "Ceph"),
        (0x65735546, "fuse.sshfs", "fuse.sshfs"),
        (0x65735546, "fuse.glusterfs", "fuse.glusterfs"),
        (0x65735546, "", "FUSE"),
        (0x65735546, "fuse.fuse-overlayfs", ""),
        (0xEF53, "ext4", ""),
        (0x01021994, "tmpfs", ""),
        (0x794C7630, "overlay", ""),
        (0x01021997, "9p", ""),
        (0x58465342, "xfs", ""),
    ],
)
def test_network_file_systems_are_known_by_name(magic: int, mounted: str, kind: str) -> None:
    assert network_kind(magic, mounted) == kind


def test_a_network_file_system_is_refused_with_a_local_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_network(tmp_path)
    monkeypatch.setattr(filesystem, "file_system_magic", lambda _: 0x6969)
    with pytest.raises(JournalError, match=r"network file system \(NFS\)") as caught:
        refuse_network(tmp_path)
    assert "COCKPIT_HOME" in caught.value.hint


def test_the_mount_is_the_longest_that_holds_the_path(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "40 22 0:40 / /home/me rw shared:2 - fuse.sshfs server:/home rw\n"
        "41 22 0:41 / /home/me\\040too rw - nfs4 server:/too rw\n"
    )
    assert mount_type(Path("/home/me/state"), mounts) == "fuse.sshfs"
    assert mount_type(Path("/home/me too/state"), mounts) == "nfs4"
    assert mount_type(Path("/home/mine"), mounts) == "ext4"
    assert mount_type(Path("/"), tmp_path / "none") == ""


def test_directories_are_made_private_all_the_way(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o700, 0o700]
    assert check_private(private_directory(made)) == made


def test_a_shared_but_unwritable_group_is_allowed(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a")
    made.chmod(0o2750)
    assert check_private(made) == made
    made.chmod(0o770)
    with pytest.raises(JournalError, match="open to other users"):
        check_private(made)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="not a directory"):
        check_private(private_directory(tmp_path / "file"))


def test_a_group_of_observers_reaches_what_is_below_its_directory(tmp_path: Path) -> None:
    home = private_directory(tmp_path / "home")
    home.chmod(0o2750)
    run = private_directory(home / "runs" / "demo-1")
    assert [path.stat().st_mode & 0o7777 for path in (run.parent, run)] == [0o2750, 0o2750]
    assert check_private(run) == run
    tmp_path.chmod(0o2755)
    assert private_directory(tmp_path / "other").stat().st_mode & 0o777 == 0o700
