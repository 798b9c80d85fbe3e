"""Private files and directories on a local file system."""

from __future__ import annotations

import ctypes
import os
import stat
from pathlib import Path

from cockpit.errors import JournalError

# The magic numbers of statfs(2) whose file systems keep their files on another machine.
_NETWORK = {
    0x6969: "NFS",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB2",
    0x517B: "SMB",
    0x5346414F: "AFS",
    0x6B414653: "AFS",
    0x73757245: "Coda",
    0x00C36400: "Ceph",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x01161970: "GFS2",
    0x7461636F: "OCFS2",
    0x19830326: "BeeGFS",
    0x013661: "OrangeFS",
}
_FUSE = 0x65735546
_LOCAL_FUSE = frozenset({"fuseblk", "virtiofs", "fuse.fuse-overlayfs", "fuse.lxcfs"})
_STATFS_BYTES = 256


def private_directory(path: Path) -> Path:
    """Create `path` with mode 0700 if it is missing and return it; parents are created the same way.

    Below a directory of mode 2750 it gets that mode too, so that a group of observers reaches what is in it.
    Raises JournalError when it cannot be made.
    """
    try:
        path.mkdir(mode=0o700)
        parent = path.parent.stat().st_mode
        if parent & stat.S_ISGID and not parent & stat.S_IRWXO:
            path.chmod(stat.S_IMODE(path.stat().st_mode) | parent & (stat.S_IRGRP | stat.S_IXGRP))
    except FileNotFoundError:
        private_directory(path.parent)
        return private_directory(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise _unusable(path, error) from error
    return path


def check_private(path: Path) -> Path:
    """Return the directory `path`; raises JournalError unless it is ours alone to write and closed to others."""
    try:
        found = path.lstat()
    except OSError as error:
        raise _unusable(path, error) from error
    if not stat.S_ISDIR(found.st_mode):
        raise JournalError(f"{path} is not a directory", "Remove it, or set COCKPIT_HOME to another place.")
    if found.st_uid != os.geteuid():
        raise JournalError(f"{path} belongs to another user", "Set COCKPIT_HOME to a directory of your own.")
    if found.st_mode & 0o027:
        raise JournalError(f"{path} is open to other users", f"Close it: chmod 0700 {path}")
    return path


def private_file(path: Path, flags: int = os.O_RDWR) -> int:
    """Open (and create with mode 0600) a regular file of this user and return its descriptor.

    A symbolic link, a second hard link, or somebody else's file raises JournalError.
    """
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
        os.close(descriptor)
        raise JournalError(f"{path} is not a plain file of yours", "Move it away and try again.")
    os.fchmod(descriptor, 0o600)
    return descriptor


def refuse_network(path: Path) -> None:
    """Raise JournalError when `path` lies on a network file system, where SQLite's WAL loses data."""
    kind = network_kind(file_system_magic(path), mount_type(path))
    if kind:
        raise JournalError(
            f"{path} is on a network file system ({kind}), where a journal is not safe",
            f"Set COCKPIT_HOME to a local directory, such as /var/lib/cockpit or /var/tmp/cockpit-{os.geteuid()}.",
        )


def network_kind(magic: int, mounted: str) -> str:
    """The name of the network file system with this statfs magic and mount type, or an empty string."""
    if magic == _FUSE:
        return "" if mounted in _LOCAL_FUSE else (mounted or "FUSE")
    return _NETWORK.get(magic, "")


def file_system_magic(path: Path) -> int:
    """`f_type` of statfs(2) for an existing path; raises JournalError when it cannot be asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = ctypes.create_string_buffer(_STATFS_BYTES)
    if libc.statfs(os.fsencode(path), answer) != 0:
        raise _unusable(path, OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF


def mount_type(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the mount that holds `path`, such as `ext4` or `fuse.sshfs`; empty when unknown."""
    real = os.path.realpath(path)
    best, kind = "", ""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind


def _unusable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"{path} cannot be used: {error.strerror}", "Check the path, its owner and the free space.")
