"""The kinds of action: what changes the world."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from cockpit.runbook.base import Document, Duration, Identifier, Percent, Text
from cockpit.runbook.redis import flush_of


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
    """Takes the canary route out of service.

    On the way forward only when nobody falls back by it: the Service that then carries everything must select the
    candidate and have ready endpoints, and the candidate's observed share must be the commanded one. In a rollback it
    is unconditional.
    """

    kind: Literal["canary_off"]
    tolerance: Percent = Field(
        5, description="Forward: largest accepted difference of the observed to the commanded share, in points."
    )


class PurgeCdn(ActionBase):
    """Purges the Cloudflare cache of a zone: everything, or only what one of the lists names."""

    kind: Literal["purge_cdn"]
    zone: Identifier = Field(description="The secret or variable that holds the zone id.")
    token: Identifier = Field(description="The secret that holds the API token.")
    url: Text = "https://api.cloudflare.com/client/v4"
    hosts: tuple[Text, ...] = Field((), description="Only what these hosts serve, such as www.example.com.")
    tags: tuple[Text, ...] = Field((), description="Only what carries one of these cache tags.")
    urls: tuple[Text, ...] = Field((), description="Only these URLs, with scheme and host.")
    prefixes: tuple[Text, ...] = Field((), description="Only what begins with these, such as www.example.com/img.")
    on_ambiguous: OnAmbiguous = OnAmbiguous.RETRY


Argv = Annotated[tuple[str, ...], Field(min_length=1)]


class Verify(Document):
    """Proves a command by what another one prints in the same workload."""

    argv: Argv
    expect: Text = Field(description="A regular expression for the whole of what it prints, less space at the ends.")


class Exec(ActionBase):
    """Runs an argv in a pod of a workload.

    A Redis flush (`redis-cli … FLUSHALL` or `FLUSHDB`) is known as such: before the consent the role and the keys of
    every database are read and shown, a replica is refused, the reply must be OK, and Redis's own count of its
    commands proves it.
    """

    kind: Literal["exec"]
    workload: Text = Field(description="Such as deployment/redis.")
    container: Text | None = None
    argv: Argv
    look: tuple[Argv, ...] = Field((), description="Commands that only read; their output is shown for the consent.")
    expect: Text | None = Field(
        None, description="A regular expression for the whole of what it must print, less space at the ends."
    )
    verify: Verify | None = Field(None, description="Asked again until it holds; it also settles an unknown outcome.")
    on_ambiguous: OnAmbiguous = OnAmbiguous.ASK

    @property
    def looks(self) -> bool:
        """Whether there is something to read before it."""
        return bool(self.look) or flush_of(self.argv) is not None


class Workloads(ActionBase):
    """Compares the cluster's objects with what the runbook expects."""

    kind: Literal["workloads"]
    pods: bool = True
    services: bool = True
    routes: bool = True
    active: Identifier | None = Field(None, description="The track that must be active.")


class Job(ActionBase):
    """Runs a Kubernetes Job and follows it to its condition; one Job at most for a run and action.

    What it runs is told by `image` and `argv`, by a `template`, or by a CronJob of the cluster.
    """

    kind: Literal["job"]
    image: Text | None = None
    argv: tuple[str, ...] = ()
    service_account: Text | None = None
    template: dict[str, Any] | None = Field(
        None, description="A Job, the `spec` of one, or a pod template, as Kubernetes writes them."
    )
    from_cronjob: Text | None = Field(None, description="The CronJob whose template is taken.")
    on_ambiguous: OnAmbiguous = OnAmbiguous.ASK


class Script(ActionBase):
    """Runs the user's own program, without a shell; killed with all its children at the deadline."""

    kind: Literal["script"]
    argv: Argv
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
