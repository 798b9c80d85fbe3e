"""Small edits of a valid runbook, each with the place and the words of the finding that it leads to."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    old: str
    new: str
    at: str
    """Text that occurs in the finding's line alone."""
    path: str
    words: str


SMOKE = "phases[0].steps[1].actions[0]"
DEPLOY = "{id: deploy, kind: deploy, track: blue"
SHAPE = [
    Case("kind: http_checks", "kind: http_checks\n            via: pigeon", "pigeon", SMOKE + ".via", "port_forward"),
    Case("weight: 10}", "weight: 101}", "101", "phases[1].steps[0].actions[0].weight", "must be at most 100"),
    Case("weight: 10}", "weight: -1}", "-1", "phases[1].steps[0].actions[0].weight", "must be at least 0"),
    Case("weight: 10}", "weight: ten}", "ten}", "phases[1].steps[0].actions[0].weight", "must be a whole number"),
    Case("weight: 10}", "weight: 1.5}", "1.5}", "phases[1].steps[0].actions[0].weight", "must be a whole number"),
    Case("weight: 10}", "wieght: 10}", "wieght", "phases[1].steps[0].actions[0].wieght", "Did you mean `weight`?"),
    Case("track: blue, image", "trak: blue, image", "trak", "phases[0].steps[0].actions[0].trak", "`track`?"),
    Case("selector_value: blue", "selector: blue", "selector:", "cluster.tracks.blue.selector", "selector_value"),
    Case("commander: Ada", "commander: Ada\n  xyz: 1", "xyz", "metadata.xyz", "Known keys: name, title"),
    Case("below: 0.5", "belov: 0.5", "belov", "phases[1].steps[0].gate.conditions[0].belov", "`below`?"),
    Case("kind: switch, to: blue", "kind: swich, to: blue", "swich", "phases[1].steps[1].actions[0]", "'switch'"),
    Case("id: look, kind: manual", "id: look", "id: look", "phases[1].steps[1].actions[4]", "has no kind"),
    Case("  commander: Ada\n", "", "metadata:", "metadata.commander", "is missing. Add `commander:`"),
    Case("hold: 10m", "hold: soon", "soon", "phases[1].steps[0].gate.hold", "Write a duration such as"),
    Case("start: 08:00\n", "start: 8:00\n", "start: 8:00", "window.start", "Write a time of day such as 08:30"),
    Case("start: 08:00\n", "start: 24:00\n", "start: 24:00", "window.start", "Write a time of day such as 08:30"),
    Case("title: Shop", "title: 12", "title: 12", "metadata.title", "must be text. Put the value in quotes"),
    Case("title: Shop", "title: [a]", "[a]", "metadata.title", "must be text"),
    Case("name: shop\n", "name: the shop\n", "the shop", "metadata.name", "is not a name"),
    Case("if_needed: true", "if_needed: perhaps", "perhaps", "rollback.steps[1].if_needed", "must be true or false"),
    Case(
        "critical_above: 2}", "critical_above: high}", "high}", "monitoring.metrics[0].bands.critical_above", "number"
    ),
    Case("critical_above: 2}", 'critical_above: "inf"}', "inf", "monitoring.metrics[0].bands.critical_above", "finite"),
    Case(
        "all_metrics: WARNING",
        "all_metrics: RED",
        "RED",
        "phases[1].steps[0].gate.conditions[2].all_metrics",
        "must be",
    ),
    Case("backend: nginx", "backend: istio", "istio", "cluster.traffic.backend", "'nginx' or 'gateway'"),
    Case("checks: [Look]", "checks: []", "[]", "troubleshooting[0].checks", "needs 1 or more entries"),
    Case("checks: [Look]", "checks: Look", "Look", "troubleshooting[0].checks", "must be a list"),
    Case(
        "active_service: {name: shop-active}",
        "active_service: 5",
        "active_service",
        "cluster.active_service",
        "mapping",
    ),
    Case("at_least: 10", "at_least: 0", "at_least: 0", "monitoring.metrics[0].samples.at_least", "greater than 0"),
    Case("cockpit/v1", "cockpit/v9", "v9", "apiVersion", "must be 'cockpit/v1'"),
    Case("  HOOK:", "  MY HOOK:", "MY HOOK", "secrets.MY HOOK", "is not a name"),
]
SYNTAX = [
    Case("title: Shop", "title: Shop\n  title: Store", "Store", "metadata.title", "twice, first in line 5"),
    Case("title: Shop", "title: !!python/name:os.system", "python", "metadata.title", "tag `python/name:os.system`"),
    Case("title: Shop", "title: !own x", "!own", "metadata.title", "is not allowed"),
]
VARIABLES = [
    Case("title: Shop", "title: Shop ${VERSOIN}", "VERSOIN", "metadata.title", "Did you mean VERSION?"),
    Case("title: Shop", "title: |\n    one\n    two ${OTHER}", "OTHER", "metadata.title", "${OTHER} is not declared"),
    Case("title: Shop", "title: ${}", "${}", "metadata.title", "a reference has no name"),
    Case("title: Shop", "title: ${window}", "title: ${window}", "metadata.title", "is not declared"),
    Case("{default: 1.2.3}", "{}", "VERSION: {}", "variables.VERSION", "has no value"),
    Case("  ZONE: {", "  window: {default: a}\n  ZONE: {", "window: {", "variables.window", "reserved"),
    Case("shop:${VERSION}", "shop:${LATER}", "LATER", "variables.IMAGE.default", "${LATER} is not declared"),
]
CLUSTER = [
    Case("candidate: blue", "candidate: red", "red", "cluster.candidate", "is not one of the tracks"),
    Case("stable: green", "stable: blue", "stable: blue", "cluster.stable", "same track as the candidate"),
    Case("service: shop-green", "service: shop-blue", "  green: {", "cluster.tracks.green.service", "same in both"),
    Case(DEPLOY, DEPLOY.replace("blue", "red"), "red", "phases[0].steps[0].actions[0].track", "`red` does not exist"),
    Case("kind: switch, to: blue", "kind: switch, to: red", "red", "phases[1].steps[1].actions[0].to", "`red`"),
    Case("active: blue}", "active: red}", "red", "phases[1].steps[1].actions[3].active", "green"),
    Case(", canary_ingress: shop-canary", "", "nginx", "cluster.traffic.canary_ingress", "backend nginx"),
    Case("backend: nginx", "backend: gateway", "gateway", "cluster.traffic.http_route", "backend gateway"),
    Case("weight: 50", "weight: 10 ", "id: more", "phases[1].steps[0].actions[1].weight", "10 % does not rise"),
    Case("to: green", "to: blue ", "id: back-switch", "rollback.steps[0].actions[0].to", "switches to the candidate"),
    Case("weight: 0}", "weight: 5}", "weight: 5}", "rollback.steps[0].actions[1].weight", "traffic on the candidate"),
    Case("name: shop-active", "name: Shop", "name: Shop", "cluster.active_service.name", "no name of a Kubernetes"),
    Case("[shop-active]", "[a/b]", "a/b", "cluster.expected_services[0]", "no name of a Kubernetes object"),
    Case("namespace: shop", "namespace: a.b", "a.b", "cluster.namespace", "no name of a namespace"),
    Case(
        "workload: deployment/redis",
        "workload: redis",
        "workload",
        "phases[1].steps[1].actions[2].workload",
        "KIND/NAME",
    ),
    Case("  redis: deployment/redis", "  redis: x/redis", "x/redis", "cluster.redis", "is no workload"),
    Case("(web, api)", "web, api", "tier in", "cluster.app_label", "is no label selector"),
    Case("app=shop,", "app=-shop,", "app=-shop", "cluster.app_label", "is no label selector"),
    Case(
        "selector_value: blue", "selector_value: b/ue", "b/ue", "cluster.tracks.blue.selector_value", "no label value"
    ),
    Case(
        "{name: shop-active}", "{name: a, selector_key: a b}", "a b", "cluster.active_service.selector_key", "label key"
    ),
]
COMPARE = """compare:
        kind: counts
        candidate: {errors: "a[${window}]", requests: "b[${window}]"}
        stable: {errors: "c[${window}]", requests: "d[${window}]"}
      """
CONDITIONS = """hold: 10m
          conditions:
            - {metric: errors, below: 0.5}
            - {alerts_critical: 0}
            - {all_metrics: WARNING}
            - {confirm: No complaints, confirm_id: complaints}"""
COMPARED = "query: sum(rate(errors[${window}]))"
AT_COMPARE = "monitoring.metrics[0].compare"
AT_CONDITION = "phases[1].steps[0].gate.conditions[1].compare"
LOOKS = [
    Case("monitoring:", "monitoring:\n  window: 29s", "window: 29s", "monitoring.window", "holds no two samples"),
    Case(
        "monitoring:", "monitoring:\n  stale_after: 5s", "stale_after", "monitoring.stale_after", "fresh samples stale"
    ),
    Case("errors[${window}]", "errors[20s]", "20s", "monitoring.metrics[0].query", "[20s] holds no two samples"),
    Case("errors[${window}]", "errors[1m:20s] + x[10s]", "10s", "monitoring.metrics[0].query", "[10s] holds no two"),
    Case(
        "critical_above: 2}",
        'critical_above: 200}\n      unit: "%"',
        "critical_above: 200",
        "monitoring.metrics[0].bands.critical_above",
        "can never be above 200 %",
    ),
    Case(
        "query: sum(latency)",
        "unit: ms\n      measures: latency_p95\n      query: x_seconds_bucket",
        "x_seconds",
        "monitoring.metrics[1].query",
        "gives seconds for a metric in ms",
    ),
    Case(
        "query: sum(latency)",
        "unit: s\n      measures: latency_p95\n      query: 1000 * x_seconds_bucket",
        "x_seconds",
        "monitoring.metrics[1].query",
        "gives milliseconds for a metric in s",
    ),
    Case(
        "hold: 10m",
        "hold: 10m\n          give_up_after: 10m",
        "give_up_after",
        "phases[1].steps[0].gate.give_up_after",
        "comes before",
    ),
    Case(
        "hold: 10m",
        "hold: 10m\n          failures_allowed: 3\n          of: 3",
        "failures_allowed",
        "phases[1].steps[0].gate.failures_allowed",
        "3 failed looks of 3 are all",
    ),
    Case(
        "hold: 10m",
        "hold: 10m\n          interval: 11m",
        "interval: 11m",
        "phases[1].steps[0].gate.interval",
        "longer than the hold: the gate would look once",
    ),
    Case(
        "hold: 10m",
        "hold: 10m\n          interval: 5s",
        "interval: 5s",
        "phases[1].steps[0].gate.interval",
        "would look at the same sample again and again",
    ),
    Case(
        "hold: 10m", "hold: 10m\n          interval: 0s", "interval: 0s", "phases[1].steps[0].gate.interval", "no time"
    ),
    Case(
        "hold: 10m",
        "hold: 4m\n          interval: 1m\n          failures_allowed: 4",
        "failures_allowed",
        "phases[1].steps[0].gate.failures_allowed",
        "bears 4 of the 4 looks",
    ),
    Case(
        "hold: 10m",
        "hold: 1m\n          errors_allowed: 4",
        "errors_allowed",
        "phases[1].steps[0].gate.errors_allowed",
        "bears 4 of the 4 looks",
    ),
    Case(
        CONDITIONS,
        "hold: 10m\n          conditions:\n            - {alerts_critical: 0, advisory: true}",
        "conditions:",
        "phases[1].steps[0].gate.conditions",
        "are all advisory",
    ),
    Case(
        COMPARED,
        COMPARE.replace(', requests: "b[${window}]"', "") + COMPARED,
        "candidate: {errors",
        AT_COMPARE + ".candidate",
        "`requests` is missing",
    ),
    Case(
        COMPARED,
        COMPARE.replace("b[${window}]", "sum(b)") + COMPARED,
        "candidate: {errors",
        AT_COMPARE + ".candidate.requests",
        "does not count over",
    ),
    Case(
        COMPARED,
        COMPARE.replace("c[", "a[").replace("d[", "b[") + COMPARED,
        "stable: {errors",
        AT_COMPARE + ".stable",
        "asks the same as",
    ),
    Case(
        COMPARED,
        COMPARE.replace("counts\n", "counts\n        at_least: 4\n") + COMPARED,
        "at_least: 4",
        AT_COMPARE + ".at_least",
        "fewer than 5 requests can never show",
    ),
    Case(COMPARED, COMPARE.replace("counts", "latency") + COMPARED, "compare:", AT_COMPARE, "is in no unit of time"),
    Case(
        "query: sum(latency)",
        COMPARE.replace("counts", "latency")
        .replace('errors: "a[${window}]", requests: "b[${window}]"', "buckets: x_seconds_count")
        .replace('errors: "c[${window}]", requests: "d[${window}]"', "buckets: y_seconds_bucket")
        + "unit: ms\n      query: sum(latency)",
        "candidate: {buckets",
        "monitoring.metrics[1].compare.candidate.buckets",
        "selects no buckets of a histogram",
    ),
    Case(
        "{alerts_critical: 0}",
        "{compare: latency}",
        "compare: latency",
        AT_CONDITION,
        "is not compared. Compared are: none",
    ),
]
BANDS = "warning_from: 1, critical_above: 2}"
LOW = "warning_from: 99.5, critical_below: 99}"
GATES = [
    Case(
        "  token: CDN\n  metrics:",
        "  token: CDN\n  basic_auth: {username: ada, password: CDN}\n  metrics:",
        "basic_auth: {username",
        "monitoring.basic_auth",
        "cannot be sent beside `token`",
    ),
    Case(
        "warning_from: 1,",
        "warning_from: 3,",
        "from: 3,",
        "monitoring.metrics[0].bands",
        "the warning begins above the critical threshold. Let warning_from be at most critical_above; where lower is "
        "worse, write critical_below.",
    ),
    Case(
        BANDS,
        "warning_from: 1, critical_below: 2}",
        "critical_below",
        "monitoring.metrics[0].bands",
        "the warning begins below the critical threshold. Let warning_from be at least critical_below; where higher is "
        "worse, write critical_above.",
    ),
    Case(BANDS, "warning_from: 1}", "bands: {", "monitoring.metrics[0].bands", "says not what is critical"),
    Case(BANDS, f"{BANDS[:-1]}, critical_below: 0}}", "bands: {", "monitoring.metrics[0].bands", "has both"),
    Case(BANDS, LOW, "above: 5", "rollback.triggers[0].above", "wrong direction. Write `below:`, as lower is worse"),
    Case("above: 5}", "below: 5}", "below: 5", "rollback.triggers[0].below", "wrong direction. Write `above:`"),
    Case("above: 5}", "above: 5, below: 1}", "below: 1", "rollback.triggers[0].below", "is the wrong direction"),
    Case(
        BANDS,
        LOW,
        "below: 0.5",
        "phases[1].steps[0].gate.conditions[0].below",
        "critical values pass. Write `above:`: lower is worse. Let above be at least 99",
    ),
    Case(
        BANDS,
        'warning_from: 100, critical_below: 99}\n      unit: "%"',
        "bands: {",
        "monitoring.metrics[0].bands.warning_from",
        "Errors can never be normal",
    ),
    Case(
        BANDS,
        'warning_from: 1, critical_below: 0}\n      unit: "%"',
        "bands: {",
        "monitoring.metrics[0].bands.critical_below",
        "can never be below 0 %",
    ),
    Case(
        BANDS,
        'warning_from: 0, critical_above: 2}\n      unit: "%"',
        "bands: {",
        "monitoring.metrics[0].bands.warning_from",
        "Errors can never be normal",
    ),
    Case("query: sum(latency)", 'query: " "', 'query: " "', "monitoring.metrics[1].query", "is empty"),
    Case(
        "metric: errors, below", "metric: eror, below", "eror", "phases[1].steps[0].gate.conditions[0].metric", "exist"
    ),
    Case(
        "metric: errors, above", "metric: eror, above", "eror", "rollback.triggers[0].metric", "`eror` does not exist"
    ),
    Case(", above: 5", "", "many-errors", "rollback.triggers[0]", "`above` is missing"),
    Case("metric: errors, above: 5", "above: 5", "above: 5", "rollback.triggers[0]", "`metric` is missing"),
    Case("above: 5}", "above: 0.5}", "above: 0.5", "rollback.triggers[0].above", "would roll back at a normal value"),
    Case(
        "above: 5}",
        "above: 5, breaches: 4}",
        "breaches",
        "rollback.triggers[0].breaches",
        "4 breaches cannot happen in 3",
    ),
    Case("below: 0.5", "below: 3", "below: 3", "phases[1].steps[0].gate.conditions[0].below", "critical values pass"),
    Case("below: 0.5", "below: 0", "below: 0", "phases[1].steps[0].gate.conditions[0].below", "can never hold"),
    Case(", below: 0.5", "", "metric: errors}", "phases[1].steps[0].gate.conditions[0]", "`below` is missing"),
    Case(
        "below: 0.5}",
        "below: 0.5, above: 0.5}",
        "above: 0.5",
        "phases[1].steps[0].gate.conditions[0].below",
        "can never hold together with `above: 0.5`",
    ),
    Case(
        "{alerts_critical: 0}",
        "{metric: errors, above: 0.7}",
        "below: 0.5",
        "phases[1].steps[0].gate.conditions[0].below",
        "can never hold together with `above: 0.7`",
    ),
    Case("{alerts_critical: 0}", "{}", "- {}", "phases[1].steps[0].gate.conditions[1]", "says nothing"),
    Case(
        "{alerts_critical: 0}",
        "{alerts_critical: 0, all_metrics: NORMAL}",
        "NORMAL",
        "phases[1].steps[0].gate.conditions[1]",
        "has alerts_critical and all_metrics",
    ),
    Case(
        ", confirm_id: complaints",
        "",
        "complaints}",
        "phases[1].steps[0].gate.conditions[3]",
        "`confirm_id` is missing",
    ),
    Case(
        "  alerts_critical: {query: count(ALERTS)}\n",
        "",
        "alerts_critical: 0",
        "phases[1].steps[0].gate.conditions[1].alerts_critical",
        "are not measured",
    ),
    Case("budget: 1m", "budget: 59s", "59s", "rollback.budget", "the steps take 1m, more than 59s"),
    Case("[corrupt]", "[corupt]", "corupt]", "rollback.steps[1].needed_for[0]", "`corupt` does not exist"),
    Case("      if_needed: true\n", "", "needed_for", "rollback.steps[1].needed_for", "has no effect"),
    Case("[back]", "[data]", "depends_on", "rollback.steps[1].depends_on[0]", "no earlier rollback step"),
]
TIMES = [
    Case("Europe/Berlin", "Europe/Berln", "Berln", "window.timezone", "is no time zone"),
    Case("Europe/Berlin", "../Berlin", "../", "window.timezone", "is no time zone"),
    Case(
        "{start: 08:00, end: 08:30}",
        "{start: 08:00, end: 08:00}",
        "end: 08:00}",
        "phases[0].steps[0].planned.end",
        "not after",
    ),
    Case(
        "{start: 08:30, end: 09:00}",
        "{start: 08:20, end: 09:00}",
        "08:20",
        "phases[0].steps[1].planned.start",
        "before the end",
    ),
    Case(
        "{start: 08:30, end: 09:00}",
        "{start: 08:30, end: 09:10}",
        "09:10",
        "phases[0].steps[1].planned",
        "outside its phase",
    ),
    Case(
        "{start: 09:00, end: 12:00}", "{start: 09:00, end: 12:01}", "12:01", "phases[1].planned", "outside the window"
    ),
    Case(
        "{start: 09:00, end: 12:00}", "{start: 08:50, end: 12:00}", "08:50", "phases[1].planned.start", "before the end"
    ),
    Case("at: 07:00", "at: 05:00", "05:00", "checklists[0].items[1].at", "is earlier than the one before it"),
    Case("at: 12:00", "at: 07:59", "07:59", "communications.updates[1].at", "is earlier than the one before it"),
    Case(
        "{level: 2, after: 5m", "{level: 2, after: 6m", "after: 6m", "escalation.levels[1].after", "Write `after: 5m`"
    ),
    Case("{level: 2,", "{level: 3,", "level: 3", "escalation.levels[1].level", "is 3 in place 2"),
    Case(", until: 5m", "", "level: 2", "escalation.levels[1]", "follows a level without an end"),
    Case(
        "after: 5m, call", "after: 5m, until: 5m, call", "until: 5m, call: B", "escalation.levels[1].until", "not later"
    ),
    Case("  token: CDN\n", "  token: CDN\n  interval: 0s\n", "0s", "monitoring.interval", "is no time at all"),
]
REFERENCES = [
    Case("  token: CDN\n", "  token: NOPE\n", "NOPE", "monitoring.token", "is not a declared secret"),
    Case("webhook: HOOK", "webhook: NOPE", "NOPE", "communications.channels[0].webhook", "is not a declared secret"),
    Case("zone: ZONE", "zone: NOPE", "NOPE", "phases[1].steps[1].actions[1].zone", "is not a declared secret"),
    Case(
        "secrets: [CDN]", "secrets: [NOPE]", "NOPE", "phases[0].steps[1].actions[1].secrets[0]", "not a declared secret"
    ),
    Case("{env: [HOOK_URL]}", "{}", "HOOK: {}", "secrets.HOOK", "has no place to come from"),
    Case(
        "announce_at_start: [begun]",
        "announce_at_start: [bgun]",
        "bgun",
        "phases[0].steps[0].announce_at_start[0]",
        "`begun`?",
    ),
    Case(
        "        announcements: [finished]\n",
        "        announcements: [x]\n",
        "[x]",
        "phases[1].steps[1].announcements[0]",
        "update or mail `x`",
    ),
    Case(
        "notify, announcements: [finished]",
        "notify, announcements: [x]",
        "[x]",
        "phases[1].steps[1].actions[5].announcements[0]",
        "`x`",
    ),
    Case(
        "announcement: undone",
        "announcement: redone",
        "redone",
        "rollback.after[0].announcement",
        "Did you mean `undone`?",
    ),
    Case("{id: go,", "{id: go, announcement: son,", "son", "checklists[0].items[1].announcement", "mean `soon`?"),
    Case("{id: tidy,", "{id: tidy, announcement: x,", "x,", "post_deployment[0].items[0].announcement", "`x` does not"),
    Case("[chat, page]", "[chat, pager]", "pager", "communications.updates[1].channels[1]", "Did you mean `page`?"),
    Case("channels: [post]", "channels: [letter]", "letter", "communications.mails[0].channels[0]", "channel `letter`"),
    Case(
        ", webhook: HOOK", "", "id: chat", "communications.channels[0].webhook", "missing for a channel of kind slack"
    ),
    Case(', server: "localhost:25"', "", "id: post", "communications.channels[1].server", "of kind email"),
    Case(", page: p1", "", "id: page", "communications.channels[2].page", "of kind statuspage"),
    Case("contact: ada", "contact: adam", "adam", "escalation.levels[0].contact", "Did you mean `ada`?"),
    Case(
        "dashboard: board",
        "dashboard: bord",
        "bord}",
        "phases[1].steps[1].actions[4].dashboard",
        "Did you mean `board`?",
    ),
    Case(
        "metrics: [latency]",
        "metrics: [latenzy]",
        "latenzy",
        "troubleshooting[0].metrics[0]",
        "Did you mean `latency`?",
    ),
    Case("http://prometheus:9090", "prometheus:9090", "prometheus:9090", "monitoring.prometheus", "is no web address"),
    Case("http://prometheus:9090", "http://prometheus:x", ":x", "monitoring.prometheus", "is no web address"),
    Case("localhost:25", "localhost", "localhost", "communications.channels[1].server", "HOST:PORT"),
    Case("path: /health", "path: health", "path: health", "phases[0].steps[1].actions[0].checks[0].path", "slash"),
    Case("kind: http_checks", "kind: http_checks\n            via: url", "- id: test", SMOKE + ".url", "Add `url:`"),
    Case(
        "kind: http_checks", "kind: http_checks\n            port: 3000", "port: 3000", SMOKE + ".port", "port_forward"
    ),
    Case(
        "kind: http_checks",
        "kind: http_checks\n            via: port_forward\n            url: https://blue.test",
        "https://blue.test",
        SMOKE + ".url",
        "is not used with `via: port_forward`",
    ),
]
IDS = [
    Case('id: "1.2"', 'id: "1.1" ', 'id: "1.1" ', "phases[0].steps[1].id", "first used at phases[0].steps[0]"),
    Case('id: "2"\n', 'id: "1"  \n', 'id: "1"  ', "phases[1].id", "`1` is used twice"),
    Case("id: data", 'id: "2.1" ', 'id: "2.1" ', "rollback.steps[1].id", "phases[1].steps[0]"),
    Case("id: back-weight", "id: switch", "id: switch, kind: traffic", "rollback.steps[0].actions[1].id", "`switch`"),
    Case("id: go,", "id: backup, ", "Go or no go", "checklists[0].items[1].id", "`backup` is used twice"),
    Case(
        "confirm_id: complaints",
        "confirm_id: go",
        "confirm_id",
        "phases[1].steps[0].gate.conditions[3].confirm_id",
        "`go`",
    ),
    Case("id: look", "id: go", "kind: manual", "phases[1].steps[1].actions[4].id", "checklists[0].items[1]"),
    Case("id: tidy", "id: backup", "Tidy", "post_deployment[0].items[0].id", "`backup`"),
    Case("id: tell-all", "id: backup", "Tell everybody", "rollback.after[0].id", "`backup`"),
    Case("id: corrupt,", "id: many-errors,", "corrupt}", "rollback.triggers[1].id", "`many-errors`"),
    Case("id: soon", "id: begun", "id: begun, at", "communications.updates[0].id", "communications.mails[0]"),
    Case("id: call,", "id: chat,", "Call", "communications.channels[3].id", "`chat`"),
    Case("id: later", "id: morning", "id: morning", "post_deployment[0].id", "`morning`"),
]
PURGE = "kind: purge_cdn, zone: ZONE, token: CDN"
FLUSH = "argv: [redis-cli, FLUSHALL], consent: FLUSHALL"
JOB = 'kind: job, image: "${IMAGE}", argv: [./restore]'
_PURGED, _FLUSHED, _RESTORED = (
    "phases[1].steps[1].actions[1]",
    "phases[1].steps[1].actions[2]",
    "rollback.steps[1].actions[0]",
)


def _purge(extra: str, at: str, path: str, words: str) -> Case:
    return Case(PURGE, f"{PURGE}, {extra}", at, f"{_PURGED}.{path}", words)


def _flush(new: str, at: str, path: str, words: str) -> Case:
    return Case(FLUSH, new, at, f"{_FLUSHED}.{path}", words)


def _job(new: str, at: str, path: str, words: str) -> Case:
    return Case(JOB, f"kind: job, {new}", at, f"{_RESTORED}{path}", words)


EFFECTS = [
    _purge("hosts: [a.example], tags: [x]", "tags", "tags", "stands beside `hosts`"),
    _purge("hosts: [https://a.example]", "https", "hosts[0]", "is no host"),
    _purge("hosts: [a.example/img]", "img", "hosts[0]", "Write a host alone"),
    _purge("tags: [ok, 'a b']", "a b", "tags[1]", "is no cache tag"),
    _purge("urls: [www.example.com/app.js]", "app.js", "urls[0]", "is no URL that can be purged"),
    _purge("urls: ['https://www.example.com/*']", "/*", "urls[0]", "use `prefixes` or `hosts`"),
    _purge("prefixes: ['https://www.example.com/a']", "/a", "prefixes[0]", "without https://"),
    _purge("urls: [https://www.example.com/a, '']", "/a", "urls[1]", "is no URL"),
    _flush("argv: [redis-cli, FLUSHALL]", "FLUSHALL", "argv", "Add `consent: FLUSHALL`"),
    _flush("argv: [redis-cli, -n, '2', flushdb, ASYNC]", "flushdb", "argv", "without the commander's word"),
    _flush("argv: [sh, -c, redis-cli FLUSHALL]", "sh, -c", "argv", "empties a Redis unseen"),
    _flush(f"{FLUSH.replace('redis-cli,', 'redis-cli, -a, hunter2,')}", "hunter2", "argv", "REDISCLI_AUTH"),
    _flush(
        FLUSH.replace("redis-cli,", "redis-cli, -u, 'redis://x:y@h',"), "redis://", "argv[2]", "URL with a password"
    ),
    _flush(f"{FLUSH}, expect: '('", "expect", "expect", "is no regular expression"),
    _flush(f"{FLUSH}, verify: {{argv: [a], expect: '['}}", "verify", "verify.expect", "is no regular expression"),
    Case(
        "argv: [./migrate]", "argv: ['']", "kind: script", "phases[0].steps[1].actions[1].argv[0]", "names no program"
    ),
    Case("secrets: [CDN]}", "env: {A-B: x}}", "A-B", "phases[0].steps[1].actions[1].env.A-B", "no name of a variable"),
    Case(
        "secrets: [CDN]}",
        "env: {COCKPIT_RUN: x}}",
        "COCKPIT_RUN",
        "phases[0].steps[1].actions[1].env.COCKPIT_RUN",
        "itself",
    ),
    _job("argv: [./restore]", "restore", ".image", "is missing"),
    _job('image: "${IMAGE}"', "kind: job", ".argv", "Add `argv:`"),
    _job("service_account: x", "kind: job", "", "says nothing to run"),
    _job("from_cronjob: Restore", "Restore", ".from_cronjob", "is no name of a CronJob"),
    _job(
        "from_cronjob: restore, service_account: x",
        "service_account",
        ".service_account",
        "does not go with `from_cronjob`",
    ),
    _job(
        "template: {spec: {containers: [{name: a, image: b}]}}, from_cronjob: restore",
        "from_cronjob",
        ".from_cronjob",
        "stands beside `template`",
    ),
    _job("template: {kind: Deployment, apiVersion: batch/v1}", "Deployment", ".template.kind", "is no Job"),
    _job("template: {kind: Job, apiVersion: v1}", "apiVersion: v1", ".template.apiVersion", "apiVersion: batch/v1"),
    _job("template: {kind: Job, status: {}}", "status", ".template.status", "is not a field of a Job"),
    _job(
        "template: {kind: Job, metadata: {namespace: other}}", "other", ".template.metadata.namespace", "Leave it out"
    ),
    _job("template: {spec: {containers: []}}", "containers", ".template.spec.containers", "names no container"),
    _job("template: {backoffLimit: -1, template: {}}", "-1", ".template.backoffLimit", "at least 0"),
    _job(
        "template: {activeDeadlineSeconds: '9', template: {}}", "'9'", ".template.activeDeadlineSeconds", "whole number"
    ),
    _job("template: {suspend: true, template: {}}", "suspend", ".template.suspend", "from ever starting"),
    _job("template: {selector: {}, template: {}}", "selector: {}", ".template.selector", "made by Kubernetes"),
    _job(
        "template: {ttlSecondsAfterFinished: 0, template: {}}", "ttl", ".template.ttlSecondsAfterFinished", "60 or more"
    ),
    _job("template: {template: {}}", "template: {}", ".template.template", "has no pod `spec`"),
    _job(
        "template: {spec: {restartPolicy: Always, containers: [{name: a, image: b}]}}",
        "Always",
        ".template.spec.restartPolicy",
        "Write Never or OnFailure",
    ),
    _job("template: {spec: {containers: [{name: a}]}}", "name: a}", ".template.spec.containers[0].image", "is missing"),
    _job(
        "template: {spec: {containers: [{name: a, image: b}, {name: a, image: b}]}}",
        "name: a",
        ".template.spec.containers[1].name",
        "exists twice",
    ),
    _job(
        "template: {spec: {containers: [{name: a, image: b, command: [1]}]}}",
        "[1]",
        ".template.spec.containers[0].command",
        "list of texts",
    ),
    _job(
        "template: {spec: {containers: [{name: a, image: b, env: [{name: DB_PASSWORD, value: hunter2}]}]}}",
        "hunter2",
        ".template.spec.containers[0].env[0].value",
        "secretKeyRef",
    ),
    _job(
        "template: {spec: {containers: [{name: a, image: b, env: [{name: PORT, value: 5432}]}]}}",
        "5432",
        ".template.spec.containers[0].env[0].value",
        "Put the value in quotes",
    ),
]
CHECKED = [*CLUSTER, *EFFECTS, *GATES, *LOOKS, *TIMES, *REFERENCES, *IDS]
ALL = [*SHAPE, *SYNTAX, *VARIABLES, *CHECKED]
