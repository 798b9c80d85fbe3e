"""Whether what a runbook names is declared, once, and can be reached."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from difflib import get_close_matches
from urllib.parse import urlsplit

from cockpit.runbook.actions import HttpChecks, Manual, Notify, PurgeCdn, Script
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.gate import Access
from cockpit.runbook.people import Channel
from cockpit.runbook.schema import Runbook
from cockpit.runbook.walk import actions_of, placed, steps, tasks

_NEEDS = {
    "slack": ("webhook",),
    "email": ("server", "sender"),
    "statuspage": ("api", "page", "token"),
    "phone": (),
}


def secrets(runbook: Runbook) -> Iterator[Problem]:
    """Secrets that are named exist, and can be found somewhere. The names are not repeated: one may be a value."""
    for path, name, also in _used_secrets(runbook):
        if name not in runbook.secrets and name not in also:
            hint = "Write the name of an entry of `secrets:`, never the value itself."
            yield Problem(path, "is not a declared secret", hint)
    for name, secret in runbook.secrets.items():
        if not secret.env and not secret.file:
            yield Problem(("secrets", name), "has no place to come from", "Add `env: [NAME]` or `file: PATH`.")


def announcements(runbook: Runbook) -> Iterator[Problem]:
    """Announcements are updates or mails that exist."""
    known = [update.id for update in runbook.communications.updates]
    known += [mail.id for mail in runbook.communications.mails]
    yield from _unknown(_announced(runbook), known, "update or mail")


def channels(runbook: Runbook) -> Iterator[Problem]:
    """Messages go to channels that exist, and channels have what their kind needs."""
    known = [channel.id for channel in runbook.communications.channels]
    for part in ("mails", "updates"):
        for path, message in placed(getattr(runbook.communications, part), "communications", part):
            yield from _unknown(placed(message.channels, *path, "channels"), known, "channel")
    for path, channel in placed(runbook.communications.channels, "communications", "channels"):
        yield from _complete(path, channel)


def people_and_pages(runbook: Runbook) -> Iterator[Problem]:
    """Contacts, dashboards and metrics that are named exist."""
    contacts = [contact.id for contact in runbook.contacts]
    levels = placed(runbook.escalation.levels, "escalation", "levels")
    called = (((*path, "contact"), level.contact) for path, level in levels if level.contact)
    yield from _unknown(called, contacts, "contact")
    dashboards = [dashboard.id for dashboard in runbook.dashboards]
    manual = ((path, action.dashboard) for path, action in actions_of(runbook, Manual))
    shown = (((*path, "dashboard"), name) for path, name in manual if name)
    yield from _unknown(shown, dashboards, "dashboard")
    linked = placed(runbook.monitoring.metrics, "monitoring", "metrics")
    boards = [((*path, "dashboard"), metric.dashboard) for path, metric in linked if metric.dashboard]
    yield from _unknown(boards, dashboards, "dashboard")
    metrics = [metric.id for metric in runbook.monitoring.metrics]
    for path, guide in placed(runbook.troubleshooting, "troubleshooting"):
        yield from _unknown(placed(guide.metrics, *path, "metrics"), metrics, "metric")


def addresses(runbook: Runbook) -> Iterator[Problem]:
    """URLs are absolute, paths of checks begin with a slash, mail servers have a port."""
    for path, url in _urls(runbook):
        if not _is_url(url):
            yield Problem(path, "is no web address", "Write http:// or https:// with a host.")
    for path, action in actions_of(runbook, HttpChecks):
        for at, check in placed(action.checks, *path, "checks"):
            if not check.path.startswith("/"):
                yield Problem((*at, "path"), "does not begin with a slash", "Write a path such as /health.")
    for path, channel in placed(runbook.communications.channels, "communications", "channels"):
        if channel.server is not None and not _is_server(channel.server):
            yield Problem((*path, "server"), "is no server address", "Write HOST:PORT, such as localhost:25.")


def ways(runbook: Runbook) -> Iterator[Problem]:
    """HTTP checks have what their way to the track needs, and nothing that it does not use."""
    for path, action in actions_of(runbook, HttpChecks):
        if action.way == "url" and not action.url:
            yield Problem((*path, "url"), "is missing for `via: url`", "Add `url:`, or leave `via:` out.")
        if action.way != "url" and action.url:
            hint = "Leave out `url:`, or write `via: url`."
            yield Problem((*path, "url"), f"is not used with `via: {action.way}`", hint)
        if action.way != "port_forward" and action.port is not None:
            hint = "Write `via: port_forward`, or leave out `port:`."
            yield Problem((*path, "port"), f"is not used with `via: {action.way}`", hint)


def _complete(path: Path, channel: Channel) -> Iterator[Problem]:
    for field in _NEEDS[channel.kind]:
        if not getattr(channel, field):
            yield Problem((*path, field), f"is missing for a channel of kind {channel.kind}", f"Add `{field}:`.")


def _used_secrets(runbook: Runbook) -> Iterator[tuple[Path, str, Container[str]]]:
    """Each use with the names that are allowed besides the secrets."""
    for path, action in actions_of(runbook, PurgeCdn):
        yield (*path, "token"), action.token, ()
        yield (*path, "zone"), action.zone, runbook.variables
    for path, script in actions_of(runbook, Script):
        yield from ((at, name, ()) for at, name in placed(script.secrets, *path, "secrets"))
    yield from _access(("monitoring",), runbook.monitoring)
    if runbook.monitoring.alertmanager is not None:
        yield from _access(("monitoring", "alertmanager"), runbook.monitoring.alertmanager)
    for path, channel in placed(runbook.communications.channels, "communications", "channels"):
        for field in ("webhook", "token"):
            if getattr(channel, field):
                yield (*path, field), getattr(channel, field), ()


def _access(path: Path, access: Access) -> Iterator[tuple[Path, str, Container[str]]]:
    """The secrets by which a monitoring server is reached."""
    if access.token is not None:
        yield (*path, "token"), access.token, ()
    if access.basic_auth is not None:
        yield (*path, "basic_auth", "password"), access.basic_auth.password, ()
    for header, secret in access.secret_headers.items():
        yield (*path, "secret_headers", header), secret, ()


def _unknown(uses: Iterable[tuple[Path, str]], known: list[str], what: str) -> Iterator[Problem]:
    for path, name in uses:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Declared: {', '.join(known) or 'none'}."
            yield Problem(path, f"the {what} `{name}` does not exist", hint)


def _announced(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    for path, step in steps(runbook):
        yield from placed(step.announcements, *path, "announcements")
        yield from placed(step.announce_at_start, *path, "announce_at_start")
    for path, action in actions_of(runbook, Notify):
        yield from placed(action.announcements, *path, "announcements")
    for path, item in tasks(runbook):
        if item.announcement is not None:
            yield (*path, "announcement"), item.announcement
    for path, after in placed(runbook.rollback.after, "rollback", "after"):
        if after.announcement is not None:
            yield (*path, "announcement"), after.announcement


def _urls(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    yield ("monitoring", "prometheus"), runbook.monitoring.prometheus
    yield from placed(runbook.monitoring.prometheus_fallbacks, "monitoring", "prometheus_fallbacks")
    if runbook.monitoring.alertmanager is not None:
        yield ("monitoring", "alertmanager", "url"), runbook.monitoring.alertmanager.url
    for path, dashboard in placed(runbook.dashboards, "dashboards"):
        yield (*path, "url"), dashboard.url
    for path, purge in actions_of(runbook, PurgeCdn):
        yield (*path, "url"), purge.url
    for path, checks in actions_of(runbook, HttpChecks):
        if checks.url is not None:
            yield (*path, "url"), checks.url
    for path, channel in placed(runbook.communications.channels, "communications", "channels"):
        if channel.api is not None:
            yield (*path, "api"), channel.api


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in text
    except ValueError:
        return False


def _is_server(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and " " not in text and port.isascii() and port.isdigit() and 0 < int(port) < 65536
