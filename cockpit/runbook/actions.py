"""The kinds of action: what changes the world."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from cockpit.runbook.base import Document, Duration, Identifier, Percent, Text


class OnAmbiguous(StrEnum):
    """What to do about an effect that may or may not have happened and cannot be read back."""

    RETRY = "retry"
    SKIP = "skip"
    ASK = "ask"


class ActionBase(Document):
    """What every kind of action has."""

    id: Identifier = Field(description="Unique in the runbook.")
    title: Text = ""
    deadline: Duration = Field(timedelta(minutes=5), description="The action has failed when it takes longer.")
    optional: bool = Field(False, description="A failure is reported and does not stop the step.")
    consent: Text | None = Field(
        None, description="The word the commander must type before; never given inside an automatic rollback."
    )


class Deploy(ActionBase):
    """Sets the image on a track's Deployment and follows the rollout to its end."""

    kind: Literal["deploy"]
    track: Identifier
    image: Text
    verify_image: bool = Field(True, description="Look the image up in its registry before anything changes.")


def _json_text(value: Any) -> Any:
    """The JSON text of a truth value, a whole number or null; a fraction may have lost a zero, as in `1.10`."""
    return json.dumps(value) if value is None or isinstance(value, bool | int) else value


JsonText = Annotated[
    str, BeforeValidator(_json_text), WithJsonSchema({"type": ["string", "integer", "boolean", "null"]})
]
Way = Literal["url", "proxy", "port_forward"]


class HttpCheck(Document):
    """One HTTP request and what its answer must be."""

    name: Text
    path: Text
    status: int = 200
    fields: dict[str, JsonText] = Field(
        default_factory=dict, description="Dotted JSON field (a number selects from a list) to expected value."
    )
    timeout: Duration = timedelta(seconds=5)
    retries: Annotated[int, Field(ge=0, le=20)] = 3


class HttpChecks(ActionBase):
    """Smoke tests against one track."""

    kind: Literal["http_checks"]
    track: Identifier
    via: Way | None = Field(
        None,
        description="How the track is reached, never over the live route: at its own `url`, by the API server's proxy"
        " to its Service, or by a port-forward to one of its ready pods that is opened for the checks and closed after"
        " them. By default the URL if there is one, else the proxy.",
    )
    url: Text | None = Field(None, description="Where the track answers, for `via: url`.")
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="The pod's port for `via: port_forward`; by default the one that the track's Service leads to.",
    )
    checks: tuple[HttpCheck, ...] = Field(min_length=1)

    @property
    def way(self) -> Way:
        """How the track is reached."""
        return self.via or ("url" if self.url else "proxy")


class Traffic(ActionBase):
    """Sets the candidate's share of the traffic."""

    kind: Literal["traffic"]
    weight: Percent
    tolerance: Percent = Field(5, description="Largest accepted difference to the observed share, in points.")


class Switch(ActionBase):
    """Points the active Service at a track."""

    kind: Literal["switch"]
    to: Identifier


class CanaryOff(ActionBase):
    """Takes the canary route out of service."""

    kind: Literal["canary_off"]


class PurgeCdn(ActionBase):
    """Purges the Cloudflare cache of a zone."""

    kind: Literal["purge_cdn"]
    zone: Identifier = Field(description="The secret or variable that holds the zone id.")
    token: Identifier = Field(description="The secret that holds the API token.")
    url: Text = "https://api.cloudflare.com/client/v4"
    on_ambiguous: OnAmbiguous = OnAmbiguous.RETRY


class Exec(ActionBase):
    """Runs an argv in a pod of a workload."""

    kind: Literal["exec"]
    workload: Text = Field(description="Such as deployment/redis.")
    container: Text | None = None
    argv: tuple[str, ...] = Field(min_length=1)
    on_ambiguous: OnAmbiguous = OnAmbiguous.ASK


class Workloads(ActionBase):
    """Compares the cluster's objects with what the runbook expects."""

    kind: Literal["workloads"]
    pods: bool = True
    services: bool = True
    routes: bool = True
    active: Identifier | None = Field(None, description="The track that must be active.")


class Job(ActionBase):
    """Runs a Kubernetes Job and follows it to its condition."""

    kind: Literal["job"]
    image: Text
    argv: tuple[str, ...] = Field(min_length=1)
    service_account: Text | None = None
    on_ambiguous: OnAmbiguous = OnAmbiguous.ASK


class Script(ActionBase):
    """Runs the user's own program, without a shell; killed with all its children at the deadline."""

    kind: Literal["script"]
    argv: tuple[str, ...] = Field(min_length=1)
    env: dict[str, str] = Field(default_factory=dict, description="Added to the program's small environment.")
    secrets: tuple[Identifier, ...] = Field((), description="Secrets given to it as environment variables.")
    on_ambiguous: OnAmbiguous = OnAmbiguous.ASK


class Manual(ActionBase):
    """A person does it and says so."""

    kind: Literal["manual"]
    instructions: Text = ""
    dashboard: Identifier | None = Field(None, description="The dashboard to look at.")


class Notify(ActionBase):
    """Sends announcements through the outbox."""

    kind: Literal["notify"]
    announcements: tuple[Identifier, ...] = Field(min_length=1)


Action = Annotated[
    Deploy | HttpChecks | Traffic | Switch | CanaryOff | PurgeCdn | Exec | Workloads | Job | Script | Manual | Notify,
    Field(discriminator="kind"),
]
