"""Every kind of action that has an effect of its own, by its name in the runbook."""

from __future__ import annotations

from typing import Any

from cockpit.engine.actions.base import Handler, Looker
from cockpit.engine.actions.caches import PurgeCdnHandler
from cockpit.engine.actions.canary_off import CanaryOffHandler
from cockpit.engine.actions.deploy import DeployHandler
from cockpit.engine.actions.exec import ExecHandler
from cockpit.engine.actions.http_checks import HttpChecksHandler
from cockpit.engine.actions.job import JobHandler
from cockpit.engine.actions.script import ScriptHandler
from cockpit.engine.actions.switch import SwitchHandler
from cockpit.engine.actions.traffic import TrafficHandler
from cockpit.engine.actions.workloads import WorkloadsHandler

_EXEC = ExecHandler()
HANDLERS: dict[str, Handler[Any]] = {
    "deploy": DeployHandler(),
    "http_checks": HttpChecksHandler(),
    "traffic": TrafficHandler(),
    "switch": SwitchHandler(),
    "canary_off": CanaryOffHandler(),
    "purge_cdn": PurgeCdnHandler(),
    "exec": _EXEC,
    "workloads": WorkloadsHandler(),
    "job": JobHandler(),
    "script": ScriptHandler(),
}
LOOKERS: dict[str, Looker[Any]] = {"exec": _EXEC}

SETTLE_S = {"script": 6.0, "exec": 10.0, "purge_cdn": 2.0, "job": 15.0}
"""Seconds that a kind which keeps its own deadline may take beyond it: to kill, to read back, to read a log."""
