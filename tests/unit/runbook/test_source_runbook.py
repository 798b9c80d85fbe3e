"""The shipped runbook against the written one: every name, text, number, time and address, parsed from the Markdown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import time, timedelta

import pytest

from cockpit.runbook.actions import CanaryOff, Deploy, Exec, HttpChecks, Manual, PurgeCdn, Switch, Traffic, Workloads
from cockpit.runbook.base import parse_duration
from cockpit.runbook.gate import Condition, Measures, StableLevel
from cockpit.runbook.load import LoadedRunbook, load
from cockpit.runbook.schema import Phase, Planned, Runbook, Step
from cockpit.runbook.shipped import config_path

from .markdown import SOURCE, block, bullets, headings, named, planned, rows, under

ENDLESS = 10**6


@pytest.fixture(scope="module")
def loaded() -> LoadedRunbook:
    return load(config_path("runbooks/moshimoshi.yaml"), environ={})


@pytest.fixture(scope="module")
def runbook(loaded: LoadedRunbook) -> Runbook:
    return loaded.runbook


def source_steps() -> Iterator[tuple[str, str, str]]:
    """Id, the rest of the heading, and the text of each step."""
    for heading in headings(4, under("Deployment Procedure")):
        found = re.fullmatch(r"Step ([\d.]+): (.+)", heading)
        assert found
        yield found[1], found[2], under(heading)


def step(runbook: Runbook, name: str) -> tuple[Step, str]:
    return next(item for item in runbook.steps if item.id == name), next(x for x in source_steps() if x[0] == name)[2]


def test_head(runbook: Runbook) -> None:
    facts = {name: value.strip() for name, value in named(SOURCE)}
    assert runbook.metadata.title == headings(1, SOURCE)[0]
    assert f"Deployment Commander: {runbook.metadata.commander}" in headings(2, SOURCE)
    assert runbook.metadata.version == facts["Version"]
    assert runbook.metadata.planned_day == facts["Date"]
    assert f"{runbook.window.day}".title() in facts["Date"]
    window = f"{runbook.window.start:%H:%M} - {runbook.window.end:%H:%M} {runbook.window.timezone}"
    assert window == facts["Deployment Window"]
    revision = runbook.metadata.revision
    assert (revision.version, revision.updated, revision.next_review) == (
        facts["Document Version"],
        facts["Last Updated"],
        facts["Next Review"],
    )


def test_checklists(runbook: Runbook) -> None:
    source = under("Pre-Deployment Checklist")
    assert [f"{item.title} ({item.when})" for item in runbook.checklists] == headings(3, source)
    for checklist in runbook.checklists:
        times = [f"{item.text} ({item.at:%H:%M})" if item.at else item.text for item in checklist.items]
        assert times == bullets(under(checklist.title, source))


def test_phases_and_steps(runbook: Runbook) -> None:
    source = headings(3, under("Deployment Procedure"))
    assert [_phase_heading(phase) for phase in runbook.phases] == source
    for phase in runbook.phases:
        heading = f"Phase {phase.id}: "
        inside = headings(4, under(heading))
        assert [f"Step {item.id}: {item.title}{_times(item.planned)}" for item in phase.steps] == inside
    assert [phase.id for phase in runbook.phases if phase.validation] == [
        found[1] for found in (re.match(r"Phase (\d): Validation", text) for text in source) if found
    ]


def test_gates(runbook: Runbook) -> None:
    gated = 0
    for item, (_, heading, text) in zip(runbook.steps, source_steps(), strict=True):
        monitor = re.search(r"\*\*Monitor\*\*:\n((?:- .+\n)+)", text)
        if monitor is None:
            continue
        gated += 1
        assert item.gate is not None
        assert item.planned == planned(heading)
        assert item.gate.hold == _length(item.planned)
        assert [_condition_key(condition) for condition in item.gate.conditions] == [
            _source_condition_key(line) for line in bullets(monitor[1])
        ]
    assert gated == SOURCE.count("**Monitor**")


def test_decisions(runbook: Runbook) -> None:
    for item, (_, _, text) in zip(runbook.steps, source_steps(), strict=True):
        found = re.search(r"\*\*Decision Point\*\*: (.+)", text)
        assert (item.decision.question if item.decision else None) == (found[1] if found else None)


def test_traffic(runbook: Runbook) -> None:
    patches = {name: re.findall(r'canary-weight":"(\d+)"', text) for name, _, text in source_steps()}
    weights = {
        item.id: [str(action.weight) for action in item.actions if isinstance(action, Traffic)]
        for item in runbook.steps
    }
    assert weights == patches
    ingress, namespace = re.findall(r"patch ingress (\S+) -n (\S+)", SOURCE)[0]
    assert runbook.cluster.traffic.canary_ingress == ingress
    assert runbook.cluster.namespace == namespace


def test_deploy(runbook: Runbook, loaded: LoadedRunbook) -> None:
    item, text = step(runbook, "1.1")
    (action,) = item.actions
    assert isinstance(action, Deploy)
    assert action.verify_image
    assert f"deploy-production.sh {runbook.metadata.version}" in text
    assert action.image == f"{loaded.variables['REGISTRY']}/moshimoshi:{loaded.variables['VERSION']}"
    for line in bullets(text):
        assert line in item.instructions
    ready = re.search(r"\((\d)/\1 ready\)", text)
    assert ready
    assert runbook.cluster.tracks[action.track].replicas == int(ready[1])


def test_smoke_tests(runbook: Runbook) -> None:
    item, text = step(runbook, "1.2")
    (action,) = item.actions
    assert isinstance(action, HttpChecks)
    assert action.track in text
    wanted = dict(line.split(": ") for line in bullets(text))
    assert [check.name for check in action.checks] == list(wanted)
    for check in action.checks:
        proof = f"{check.status} OK" if not check.fields else next(iter(check.fields.values()))
        assert proof == wanted[check.name]


def test_final_switch(runbook: Runbook) -> None:
    item, text = step(runbook, "3.1")
    switch, off = item.actions
    assert isinstance(switch, Switch)
    assert isinstance(off, CanaryOff)
    patch = re.search(r'patch service (\S+) .*\n.*"selector":\{"(\w+)":"(\w+)"\}', text)
    assert patch
    active = runbook.cluster.active_service
    assert (active.name, active.selector_key, switch.to) == patch.groups()
    assert '"nginx.ingress.kubernetes.io/canary":"false"' in text


def test_caches(runbook: Runbook, loaded: LoadedRunbook) -> None:
    item, text = step(runbook, "3.2")
    purge, flush = item.actions
    assert isinstance(purge, PurgeCdn)
    assert isinstance(flush, Exec)
    assert f'"{purge.url}/zones/$ZONE_ID/purge_cache"' in text
    assert "ZONE_ID" in runbook.secrets[purge.zone].env
    assert "CF_TOKEN" in runbook.secrets[purge.token].env
    # ASYNC is the one word more than the source: a synchronous flush stops Redis for everybody.
    assert f"{flush.workload} -- {' '.join(flush.argv).removesuffix(' ASYNC')}\n" in text
    assert flush.optional == ("Redis cache (optional)" in text)
    assert flush.consent in flush.argv


def test_validation(runbook: Runbook) -> None:
    item, text = step(runbook, "4.1")
    workloads, tests = item.actions
    assert isinstance(workloads, Workloads)
    assert isinstance(tests, HttpChecks)
    assert workloads.active == tests.track == runbook.cluster.candidate
    smoke = next(action for action in step(runbook, "1.2")[0].actions if isinstance(action, HttpChecks))
    assert tests.checks == smoke.checks
    listed = re.findall(r"kubectl get (\w+)", text)
    assert listed == ["pods", "services", "ingress"]
    assert (workloads.pods, workloads.services, workloads.routes) == (True, True, True)


def test_user_acceptance(runbook: Runbook) -> None:
    item, text = step(runbook, "4.2")
    assert all(isinstance(action, Manual) for action in item.actions)
    assert [action.title for action in item.actions] == bullets(text)


def test_rollback_triggers(runbook: Runbook) -> None:
    lines = bullets(under("Immediate Rollback Triggers"))
    assert [trigger.title for trigger in runbook.rollback.triggers] == lines
    titles = {metric.id: metric.title.lower() for metric in runbook.monitoring.metrics}
    units = {metric.id: metric.unit for metric in runbook.monitoring.metrics}
    for trigger, line in zip(runbook.rollback.triggers, lines, strict=True):
        if trigger.metric is None:
            assert ">" not in line
        else:
            assert line.lower() == f"{titles[trigger.metric]} > {trigger.above:g}{units[trigger.metric]}"


def test_rollback_steps(runbook: Runbook) -> None:
    text = under("Rollback Steps")
    lines = re.findall(r"^# \d\. (.+) \((\w+)\)$", text, re.M)
    assert [(item.title, item.budget) for item in runbook.rollback.steps] == [
        (title, parse_duration(budget)) for title, budget in lines
    ]
    minutes = re.search(r"Rollback Steps \(< (\d) minutes\)", SOURCE)
    assert minutes
    assert runbook.rollback.budget == timedelta(minutes=int(minutes[1]))
    for item, (title, _) in zip(runbook.rollback.steps, lines, strict=True):
        assert item.if_needed == ("if needed" in title)


def test_the_way_back_goes_to_green_within_its_budgets(runbook: Runbook) -> None:
    first = runbook.rollback.steps[0]
    assert first.parallel
    assert [action.to for action in first.actions if isinstance(action, Switch)] == [first.title.split()[-1]]
    assert any(isinstance(action, CanaryOff) for action in first.actions)
    assert not any(isinstance(action, Traffic) for action in first.actions)
    for item in runbook.rollback.steps:
        deadlines = [action.deadline for action in item.actions]
        assert (max(deadlines) if item.parallel else sum(deadlines, timedelta())) <= item.budget


def test_the_way_back_does_what_its_titles_say(runbook: Runbook) -> None:
    kinds = [(item.title, {action.kind for action in item.actions}) for item in runbook.rollback.steps]
    assert kinds == [
        ("Switch traffic to green", {"switch", "canary_off"}),
        ("Verify green health", {"workloads", "http_checks"}),
        ("Rollback database if needed", {"job"}),
        ("Clear all caches", {"purge_cdn", "exec"}),
        ("Validate rollback", {"workloads", "http_checks"}),
    ]
    actions = [action for item in runbook.rollback.steps for action in item.actions]
    tracks = {action.track for action in actions if isinstance(action, HttpChecks)}
    active = {action.active for action in actions if isinstance(action, Workloads)}
    assert (tracks, active) == ({"green"}, {"green"})
    assert runbook.rollback.steps[2].needed_for == ("database-corruption",)
    flush = next(action for action in actions if isinstance(action, Exec))
    assert (flush.optional, flush.consent) == (True, "FLUSHALL")


def test_after_a_rollback(runbook: Runbook) -> None:
    assert [item.text for item in runbook.rollback.after] == bullets(under("Post-Rollback Actions"))


def test_metrics(runbook: Runbook) -> None:
    table = rows(under("Key Metrics to Watch"))
    assert [metric.title for metric in runbook.monitoring.metrics] == [row[0] for row in table]
    for metric, (_, normal, warning, critical) in zip(runbook.monitoring.metrics, table, strict=True):
        found = re.fullmatch(r"([\d.]+)-([\d.]+)(\D*)", warning)
        assert found
        low, high, unit = found.groups()
        assert (metric.bands.warning_from, metric.bands.critical_above) == (float(low), float(high))
        assert metric.unit == unit
        assert critical == f"> {high}{unit}"
        assert normal in (f"< {low}{unit}", "0")


def test_every_metric_can_be_rehearsed_and_shares_need_requests(runbook: Runbook) -> None:
    metrics = runbook.monitoring.metrics
    kinds = [metric.measures for metric in metrics]
    assert len(set(kinds)) == len(kinds)
    assert Measures.CUSTOM not in kinds
    sampled = {Measures.ERROR_RATE, Measures.LATENCY_P95, Measures.SERVER_ERRORS}
    assert {metric.measures for metric in metrics if metric.samples and metric.samples.at_least >= 100} == sampled
    signals = (runbook.monitoring.alerts_critical, runbook.monitoring.candidate_share)
    assert [signal.measures for signal in signals if signal] == ["alerts_critical", "candidate_share"]


def test_dashboards(runbook: Runbook) -> None:
    assert [(item.title, item.url) for item in runbook.dashboards] == named(under("Dashboard Links"))


def test_escalation(runbook: Runbook) -> None:
    lines = re.findall(r"\*\*Level (\d)\*\* \((\d+)(?:-(\d+)|\+) min\): (.+)", under("Alert Escalation"))
    levels = [
        (item.level, _minutes(item.after), _minutes(item.until) if item.until else ENDLESS, item.call)
        for item in runbook.escalation.levels
    ]
    assert levels == [(int(level), int(after), int(until or ENDLESS), call) for level, after, until, call in lines]


@pytest.mark.parametrize(
    ("when", "heading"), [("before", "Pre-Deployment (Wednesday)"), ("after", "Post-Deployment\n")]
)
def test_mails(runbook: Runbook, when: str, heading: str) -> None:
    text = block(under(heading.strip(), SOURCE[SOURCE.index("#### " + heading) :]))
    (mail,) = (item for item in runbook.communications.mails if item.when == when)
    assert mail.channels == ("email",)
    assert f"Subject: {mail.subject}\n{mail.body}" == text


def test_there_are_no_other_mails(runbook: Runbook) -> None:
    assert len(runbook.communications.mails) == SOURCE.count("Subject: ")


def test_updates(runbook: Runbook) -> None:
    timed = [(f"{item.at:%H:%M}", item.text) for item in runbook.communications.updates if item.at]
    assert timed == named(under("During Deployment"))


def test_updates_belong_to_the_step_of_their_time(runbook: Runbook) -> None:
    at = {item.id: item.at for item in runbook.communications.updates}
    started: dict[time | None, str] = {}
    for phase in runbook.phases:
        for item in phase.steps:
            times = item.planned or phase.planned
            assert times is not None
            for name in (*item.announce_at_start, *item.announcements):
                assert at[name] in (times.start, times.end)
                started[at[name]] = item.id
    assert list(started) == [update.at for update in runbook.communications.updates if update.at]


def test_channels(runbook: Runbook) -> None:
    channels = [(item.title, item.address) for item in runbook.communications.channels]
    assert channels == named(under("Communication Channels"))


def test_post_deployment_tasks(runbook: Runbook) -> None:
    source = under("Post-Deployment Tasks")
    assert [f"{item.title} ({item.horizon})" for item in runbook.post_deployment] == headings(3, source)
    for tasks in runbook.post_deployment:
        assert [item.text for item in tasks.items] == bullets(under(tasks.title, source))


def test_contacts(runbook: Runbook) -> None:
    contacts = [[item.role, item.name, item.phone, item.email] for item in runbook.contacts]
    assert contacts == rows(under("Emergency Contacts"))


def test_environment(runbook: Runbook, loaded: LoadedRunbook) -> None:
    exports = re.findall(r"export (\w+)=(.+)", under("A. Environment Variables"))
    for name, value in exports:
        if value.endswith("..."):
            assert name in runbook.secrets[name].env
        else:
            assert loaded.variables[name] == value


def test_useful_commands(runbook: Runbook) -> None:
    pairs = re.findall(r"^# (.+)\n(.+)$", block(under("B. Useful Commands")), re.M)
    written = {title: shlex.split(command) for title, command in pairs}
    # kubectl follows five logs at most unless it is told; the application has six pods.
    written["View logs"].append("--max-log-requests=10")
    assert [(item.title, list(item.argv)) for item in runbook.commands] == list(written.items())


def test_troubleshooting(runbook: Runbook) -> None:
    source = under("C. Troubleshooting Guide")
    assert [guide.title for guide in runbook.troubleshooting] == headings(4, source)
    for guide in runbook.troubleshooting:
        assert list(guide.checks) == bullets(under(guide.title, source))


def _times(plan: Planned | None) -> str:
    return f" ({plan.start:%H:%M} - {plan.end:%H:%M})" if plan else ""


def _phase_heading(phase: Phase) -> str:
    return f"Phase {phase.id}: {phase.title}{_times(phase.planned)}"


def _length(plan: Planned | None) -> timedelta:
    assert plan
    return timedelta(hours=plan.end.hour - plan.start.hour, minutes=plan.end.minute - plan.start.minute)


def _minutes(duration: timedelta) -> int:
    return int(duration.total_seconds() // 60)


def _condition_key(condition: Condition) -> tuple[str, float | str | StableLevel]:
    if condition.metric is not None and condition.below is not None:
        return condition.metric, condition.below
    if condition.alerts_critical is not None:
        return "alerts_critical", condition.alerts_critical
    if condition.confirm is not None:
        return "confirm", condition.confirm
    assert condition.all_metrics is not None
    return "all_metrics", condition.all_metrics


def _source_condition_key(line: str) -> tuple[str, float | str | StableLevel]:
    limit = re.fullmatch(r"(.+) < ([\d.]+)(?:%|ms)", line)
    if limit:
        metrics = {
            "Error rate": "error_rate",
            "P95 latency": "p95_latency",
            "CPU usage": "cpu",
            "Memory usage": "memory",
        }
        return metrics[limit[1]], float(limit[2])
    words: dict[str, tuple[str, float | str | StableLevel]] = {
        "No critical alerts": ("alerts_critical", 0),
        "No critical errors": ("alerts_critical", 0),
        "All metrics stable": ("all_metrics", StableLevel.WARNING),
    }
    return words.get(line, ("confirm", line))
