"""Whether what acts outside the traffic path says exactly one thing, and one that can be done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from cockpit.runbook import job_template
from cockpit.runbook.actions import Exec, Job, PurgeCdn, Script
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.redis import flush_of, has_password, hidden_flush
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import actions_of, placed

_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+\Z", re.I)
_TAG = re.compile(r"[!-+\--~]{1,1024}\Z")
_PURGE_LISTS = ("hosts", "tags", "urls", "prefixes")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,50}[a-z0-9])?\Z")


def purges(runbook: Runbook) -> Iterator[Problem]:
    """A purge has one list at most, and its entries are what Cloudflare takes."""
    for path, action in actions_of(runbook, PurgeCdn):
        given = [name for name in _PURGE_LISTS if getattr(action, name)]
        for name in given[1:]:
            yield Problem((*path, name), f"stands beside `{given[0]}`", "Write one list, and another action for more.")
        for name in given:
            for at, value in placed(getattr(action, name), *path, name):
                if problem := _PURGED[name](value):
                    yield Problem(at, *problem)


def commands(runbook: Runbook) -> Iterator[Problem]:
    """Commands in pods can be judged by what they print, and a Redis flush is guarded."""
    for path, action in actions_of(runbook, Exec):
        yield from _pattern((*path, "expect"), action.expect)
        yield from _pattern((*path, "verify", "expect"), action.verify.expect if action.verify else None)
        if flush_of(action.argv) and not action.consent:
            hint = "Add `consent: FLUSHALL`: what is gone cannot be brought back."
            yield Problem((*path, "argv"), "empties a Redis without the commander's word", hint)
        if hidden_flush(action.argv) and not action.consent:
            hint = "Write `argv: [redis-cli, FLUSHALL, ASYNC]`, or at least add a `consent:`."
            yield Problem((*path, "argv"), "empties a Redis unseen", hint)
        if has_password(action.argv):
            hint = "Give the pod the variable REDISCLI_AUTH from a Secret, which redis-cli reads by itself."
            yield Problem((*path, "argv"), "holds a password, which every user of the node can read", hint)


def jobs(runbook: Runbook) -> Iterator[Problem]:
    """A Job is told in one way, which Kubernetes accepts."""
    for path, action in actions_of(runbook, Job):
        yield from _one_source(path, action)
        if action.from_cronjob is not None and not _NAME.match(action.from_cronjob):
            yield Problem(
                (*path, "from_cronjob"), "is no name of a CronJob", "Use small letters, digits, . and - only."
            )
        if action.template is not None:
            for problem in job_template.problems(action.template, runbook.cluster.namespace):
                yield problem._replace(path=(*path, "template", *problem.path))


def scripts(runbook: Runbook) -> Iterator[Problem]:
    """A program is named, and its variables can exist and are not the cockpit's own."""
    for path, action in actions_of(runbook, Script):
        if not action.argv[0].strip():
            yield Problem((*path, "argv", 0), "names no program", "Write a path such as ./scripts/rollback.sh.")
        for name in action.env:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                yield Problem((*path, "env", name), "is no name of a variable", "Use letters, digits and _ only.")
            elif name.startswith("COCKPIT_"):
                yield Problem((*path, "env", name), "is set by the cockpit itself", "Choose another name.")


def _one_source(path: Path, action: Job) -> Iterator[Problem]:
    simple = action.image is not None or bool(action.argv)
    given = [name for name, on in (("image", simple), ("template", action.template is not None),
                                   ("from_cronjob", action.from_cronjob is not None)) if on]  # fmt: skip
    if not given:
        yield Problem(path, "says nothing to run", "Add `image:` and `argv:`, a `template:`, or `from_cronjob:`.")
    for name in given[1:]:
        yield Problem((*path, name), f"stands beside `{given[0]}`", "Tell the Job in one way.")
    if simple and not action.image:
        yield Problem((*path, "image"), "is missing", "Add `image:`.")
    if simple and not action.argv:
        yield Problem((*path, "argv"), "is missing", "Add `argv:` with the command.")
    if action.service_account is not None and not simple and given:
        hint = "Write `serviceAccountName:` in the pod's spec."
        yield Problem((*path, "service_account"), f"does not go with `{given[0]}`", hint)


def _pattern(path: Path, pattern: str | None) -> Iterator[Problem]:
    try:
        re.compile(pattern or "")
    except re.error as error:
        yield Problem(
            path, f"is no regular expression: {error}", "Put a backslash before signs that stand for themselves."
        )


def _bad_host(value: str) -> tuple[str, str] | None:
    return None if _HOST.match(value) else ("is no host", "Write a host alone, such as www.example.com.")


def _bad_tag(value: str) -> tuple[str, str] | None:
    return None if _TAG.match(value) else ("is no cache tag", "Use printable ASCII without spaces and commas.")


def _bad_url(value: str) -> tuple[str, str] | None:
    hint = "Write one whole URL, such as https://www.example.com/app.js; for more, use `prefixes` or `hosts`."
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(_HOST.match(parts.hostname or "")) and parts.port != 0
    except ValueError:
        good = False
    return None if good and not re.search(r"[\s#*]", value) else ("is no URL that can be purged", hint)


def _bad_prefix(value: str) -> tuple[str, str] | None:
    host, _, rest = value.partition("/")
    good = _HOST.match(host) and not re.search(r"[\s?#*]", rest) and rest.count("/") < 31
    return None if good else ("is no prefix", "Write host and path without https://, such as www.example.com/img.")


_PURGED = {"hosts": _bad_host, "tags": _bad_tag, "urls": _bad_url, "prefixes": _bad_prefix}
