"""The alerts that fire, as an Alertmanager knows them: without those that somebody has silenced.

Source: Alertmanager API v2 (openapi.yaml), `GET /alerts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cockpit.adapters.monitoring_access import Credentials, Requests
from cockpit.errors import BadAnswer, Denied, Unreachable
from cockpit.model.outside import QueryAnswer, Sample
from cockpit.model.text import clean


class AlertmanagerAlerts:
    """See `cockpit.engine.ports.Alerts`. Use `close` at the end."""

    def __init__(
        self,
        url: str,
        filters: Sequence[str],
        credentials: Credentials | None = None,
        *,
        timeout: float = 5.0,
        trust_env: bool = False,
        watchdog: str | None = None,
    ) -> None:
        """`filters` are matchers that all have to match; `timeout` is the total time of a request in seconds.

        `watchdog` matches an alert that always fires: without it no alert arrives here, and none is no number.
        """
        self.url = url.rstrip("/")
        self._parameters = {"active": "true", "silenced": "false", "inhibited": "false", "filter": list(filters)}
        self.question = (
            f"{self.url}/api/v2/alerts?active=true&silenced=false&inhibited=false {' '.join(filters)}".strip()
        )
        self._watchdog = watchdog
        self._requests = Requests("Alertmanager", credentials or Credentials(), timeout=timeout, trust_env=trust_env)

    async def close(self) -> None:
        """End the session."""
        await self._requests.close()

    async def firing(self) -> QueryAnswer:
        """The number of alerts that fire, as one sample with their names as its labels."""
        found = await self._alerts(self._parameters)
        if not found and self._watchdog is not None and not await self._alerts({"filter": [self._watchdog]}):
            hint = "Look at the alerting of Prometheus, and at its way to the Alertmanager."
            raise BadAnswer(f"Alerts do not arrive: {clean(self._watchdog, 200)}, which always fires, does not.", hint)
        names = sorted({clean(str(alert["labels"].get("alertname", "")), 200) for alert in found})
        return QueryAnswer((Sample(float(len(found)), datetime.now(UTC), {"alertname": ", ".join(names)}),))

    async def _alerts(self, parameters: Mapping[str, Any]) -> list[Any]:
        status, body = await self._requests.get(f"{self.url}/api/v2/alerts", parameters)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if status in (401, 403):
            raise Denied(f"Alertmanager does not accept the credentials (HTTP {status}).", "Check the token.")
        if status == 400 and isinstance(found, str):
            raise BadAnswer(f"Alertmanager refused the question: {clean(found, 400)}", "Correct the filters.")
        if status >= 500:
            raise Unreachable(f"Alertmanager answered HTTP {status}.")
        if status != 200 or not isinstance(found, list) or not all(map(_is_alert, found)):
            hint = "A proxy or login page may answer in its place."
            raise BadAnswer(f"HTTP {status} is not an answer of the Alertmanager API.", hint)
        return found


def _is_alert(alert: Any) -> bool:
    return isinstance(alert, dict) and isinstance(alert.get("labels"), dict)
