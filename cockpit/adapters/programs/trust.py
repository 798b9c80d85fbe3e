"""Which file a program is, that nobody else can change it, and whether it is still the one that was inspected."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cockpit.errors import Denied, NotFound
from cockpit.model.text import clean

_MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Inspected:
    """A program by the name it is called by, the file behind it, and the hash of what that file held.

    The name is kept, because programs look at it (`dirname "$0"`, Debian's psql).
    """

    called: Path
    real: Path
    identity: tuple[int, ...]
    sha256: str

    def unchanged(self) -> bool:
        """Whether the name still leads to the file that was hashed, with nothing written to it since."""
        try:
            return _identity(os.stat(self.called)) == self.identity
        except OSError:
            return False


def find(name: str, directory: Path) -> Path:
    """The program's path, not resolved: absolute, below `directory`, or from PATH; raises NotFound."""
    found = name if os.path.isabs(name) else shutil.which(name) if "/" not in name else directory / name
    if not found or not Path(found).is_file():
        raise NotFound(f"The program {clean(name)} does not exist", f"Looked in {clean(str(directory))}.")
    return Path(os.path.abspath(found))


def inspect(called: Path) -> Inspected:
    """Hash a program; raises Denied when somebody other than its owner and root could have changed it."""
    for place, facts in _places(called):
        _refuse(place, facts)
    if not os.access(called, os.X_OK):
        raise Denied(f"{clean(str(called))} is not executable", f"chmod u+x {clean(str(called))}")
    real = Path(os.path.realpath(called))
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return Inspected(
                called, real, _identity(os.fstat(descriptor)), hashlib.file_digest(file, "sha256").hexdigest()
            )
    except OSError as error:
        raise Denied(
            f"{clean(str(called))} cannot be read: {error.strerror}", "Its hash goes into the journal."
        ) from None


def _identity(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _places(called: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything on the way to the file by which it could be replaced: folders, symbolic links, the file itself."""
    at = called
    for _ in range(_MOST_LINKS):
        try:
            for folder in dict.fromkeys((*at.parents, *Path(os.path.realpath(at.parent)).parents, at.parent)):
                yield folder, folder.stat()
            facts = at.lstat()
        except OSError as error:
            raise NotFound(f"{clean(str(at))} cannot be looked at: {error.strerror}") from None
        yield at, facts
        if not stat.S_ISLNK(facts.st_mode):
            return
        at = Path(os.path.abspath(at.parent / os.readlink(at)))
    raise NotFound(f"{clean(str(called))} is a symbolic link that leads to none")


def _refuse(place: Path, facts: os.stat_result) -> None:
    name = clean(str(place))
    if facts.st_uid not in (0, os.geteuid()):
        hint = "A program, and every folder above it, must belong to root or to whoever runs the engine."
        raise Denied(f"{name} belongs to {_user(facts.st_uid)}", hint)
    sticky_folder = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
    if stat.S_ISLNK(facts.st_mode) or sticky_folder:
        return
    if facts.st_mode & stat.S_IWOTH:
        raise Denied(f"{name} can be written by everybody", f"chmod o-w {name}")
    if facts.st_mode & stat.S_IWGRP and not _only_ours(facts.st_gid):
        raise Denied(f"{name} can be written by the group {_group(facts.st_gid)}", f"chmod g-w {name}")


def _only_ours(gid: int) -> bool:
    """Whether a group holds nobody but the user (a user private group) or root."""
    try:
        group, user = grp.getgrgid(gid), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    private = gid == 0 or (gid == user.pw_gid and group.gr_name == user.pw_name)
    return private and set(group.gr_mem) <= {"root", user.pw_name}


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
