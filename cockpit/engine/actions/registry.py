"""Every kind of action that has an effect of its own, by its name in the runbook."""

from __future__ import annotations

from typing import Any

from cockpit.engine.actions.base import Handler
from cockpit.engine.actions.caches import ExecHandler, PurgeCdnHandler
from cockpit.engine.actions.canary_off import CanaryOffHandler
from cockpit.engine.actions.deploy import DeployHandler
from cockpit.engine.actions.http_checks import HttpChecksHandler
from cockpit.engine.actions.job import JobHandler
from cockpit.engine.actions.script import ScriptHandler
from cockpit.engine.actions.switch import SwitchHandler
from cockpit.engine.actions.traffic import TrafficHandler
from cockpit.engine.actions.workloads import WorkloadsHandler

HANDLERS: dict[str, Handler[Any]] = {
    "deploy": DeployHandler(),
    "http_checks": HttpChecksHandler(),
    "traffic": TrafficHandler(),
    "switch": SwitchHandler(),
    "canary_off": CanaryOffHandler(),
    "purge_cdn": PurgeCdnHandler(),
    "exec": ExecHandler(),
    "workloads": WorkloadsHandler(),
    "job": JobHandler(),
    "script": ScriptHandler(),
}
