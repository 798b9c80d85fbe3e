"""Named metrics and signals that are shipped as data; a runbook takes them over and replaces what it likes.

    metrics:
      - preset: ingress-nginx/error_rate
        bands: {warning_from: 0.2, critical_above: 2}
    candidate_share: {preset: ingress-nginx/candidate_share}

The fields beside `preset` take the place of the preset's, whole. A preset's queries use variables of the runbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

from cockpit.errors import UsageError
from cockpit.runbook.findings import Path, Problem
from cockpit.runbook.shipped import config_path
from cockpit.runbook.yaml_tree import Value, parse

METRICS, SIGNALS = "metrics", "signals"
_QUERY: dict[str, Value] = {"query": "vector(0)"}
_STAND_IN: dict[str, dict[str, Value]] = {
    METRICS: {**_QUERY, "id": "unknown", "title": "", "bands": {"warning_from": 0, "critical_above": 0}},
    SIGNALS: _QUERY,
}
"""In place of a preset that does not exist, so that its name is the only finding."""
_SIGNAL_FIELDS = ("alerts_critical", "candidate_share", "residual")


@cache
def presets(section: str) -> Mapping[str, dict[str, Value]]:
    """The shipped presets of a section, METRICS or SIGNALS, by their names `family/name`."""
    found: dict[str, dict[str, Value]] = {}
    try:
        files = sorted(config_path("metrics").glob("*.yaml"))
    except UsageError:
        return found
    for file in files:
        root = parse(file.read_text(encoding="utf-8")).root
        entries = root.get(section) if isinstance(root, dict) else None
        for name, entry in (entries if isinstance(entries, dict) else {}).items():
            if isinstance(entry, dict):
                found[f"{file.stem}/{name}"] = entry
    return found


def expand(root: Value) -> tuple[Value, list[Problem]]:
    """The tree with every preset under `monitoring` filled in, and those that do not exist.

    What the runbook does not write has no line of its own: a finding about it stands where the preset is named.
    """
    monitoring = root.get("monitoring") if isinstance(root, dict) else None
    if not isinstance(root, dict) or not isinstance(monitoring, dict):
        return root, []
    problems: list[Problem] = []
    filled = dict(monitoring)
    metrics = monitoring.get(METRICS)
    if isinstance(metrics, list):
        filled[METRICS] = [
            _filled(entry, METRICS, ("monitoring", METRICS, index), problems) for index, entry in enumerate(metrics)
        ]
    for field in _SIGNAL_FIELDS:
        if field in monitoring:
            filled[field] = _filled(monitoring[field], SIGNALS, ("monitoring", field), problems)
    return {**root, "monitoring": filled}, problems


def _filled(entry: Value, section: str, path: Path, problems: list[Problem]) -> Value:
    name = entry.get("preset") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(name, str):
        return entry
    known = presets(section)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"Shipped: {', '.join(known) or 'none'}."
        problems.append(Problem((*path, "preset"), f"the preset `{name}` does not exist", hint))
        return {**(known[near[0]] if near else _STAND_IN[section]), **entry}
    return {**known[name], **entry}
