"""Deployment Cockpit: a person takes a release to production by a written runbook."""

__version__ = "0.1.0"
