"""Whether logind ends our engine together with the login session.

Source: logind.conf(5), KillUserProcesses=, KillOnlyUsers=, KillExcludeUsers=; drop-ins are read after the main file and
in the order of their names, one of /etc hides one of the same name in /run or /usr/lib.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cockpit.cli.preflight.finding import Note, ok, warning

ROOTS = (Path("/etc/systemd"), Path("/run/systemd"), Path("/usr/lib/systemd"))
WAY_AROUND = (
    "Start it in a scope of its own: systemd-run --user --scope cockpit run …, and let that outlive the session:"
    " loginctl enable-linger"
)
_YES = frozenset({"yes", "true", "on", "1", "y", "t"})
_LINE = re.compile(r"\s*(KillUserProcesses|KillOnlyUsers|KillExcludeUsers)\s*=\s*(.*?)\s*\Z")
_ANSWER_WITHIN = 2.0


def kill_user_processes(roots: Sequence[Path] = ROOTS, user: str | None = None) -> bool:
    """Whether the processes of this user are killed when its last session ends."""
    settings = _settings(roots)
    if "KillUserProcesses" not in settings:
        settings["KillUserProcesses"] = _asked() if tuple(roots) == ROOTS else ""
    name = user if user is not None else _user()
    only, spared = settings.get("KillOnlyUsers", "").split(), settings.get("KillExcludeUsers", "root").split()
    return settings["KillUserProcesses"].lower() in _YES and (not only or name in only) and name not in spared


def linger(uid: int) -> bool:
    """Whether logind keeps this user's manager without a session."""
    try:
        return (Path("/var/lib/systemd/linger") / _user(uid)).exists()
    except OSError:
        return False


def in_own_scope(cgroup: str) -> bool:
    """Whether a process with this /proc/self/cgroup is under the user's manager, and not under a session."""
    return "/user@" in cgroup and "/session-" not in cgroup


def kill_note(kills: bool, environ: Mapping[str, str], lingers: bool) -> Note:
    """What the end of the session means for an engine."""
    if not kills:
        return ok("logind lets an engine live when the session ends", "KillUserProcesses")
    if _safe(lingers):
        return ok("yes, but this process is in a scope that outlives the session", "KillUserProcesses")
    return warning(
        "yes: logind kills the engine when your last session ends, in tmux and screen too", WAY_AROUND,
        "KillUserProcesses",
    )  # fmt: skip


def warn_of_logout() -> str:
    """A line for somebody who starts a run whose engine would end with the session; empty when it would not."""
    if not kill_user_processes() or _safe(linger(os.geteuid())):
        return ""
    return f"▲ warning  logind (KillUserProcesses=yes) kills the engine when your last session ends.\n→ {WAY_AROUND}"


def _safe(lingers: bool) -> bool:
    try:
        cgroup = Path("/proc/self/cgroup").read_text()
    except OSError:
        return False
    return lingers and in_own_scope(cgroup)


def _settings(roots: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in _files(roots):
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        found |= {match[1]: match[2] for match in map(_LINE.match, lines) if match}
    return found


def _files(roots: Sequence[Path]) -> Iterator[Path]:
    yield from [path for root in roots if (path := root / "logind.conf").is_file()][:1]
    drops: dict[str, Path] = {}
    for root in reversed(roots):
        drops |= {path.name: path for path in (root / "logind.conf.d").glob("*.conf")}
    yield from (drops[name] for name in sorted(drops))


def _asked() -> str:
    """What a running logind says, for a default that was changed when it was built."""
    if not (busctl := shutil.which("busctl")):
        return ""
    try:
        answer = subprocess.run(
            [busctl, "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
             "org.freedesktop.login1.Manager", "KillUserProcesses"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_WITHIN, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().removeprefix("b ")


def _user(uid: int | None = None) -> str:
    from cockpit.link.peer import user_name

    return user_name(os.geteuid() if uid is None else uid)
