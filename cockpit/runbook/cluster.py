"""The cluster's objects that the run works on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cockpit.runbook.base import Document, Identifier, Text


class Track(Document):
    """One of the two versions that stand side by side."""

    deployment: Text
    container: Text | None = Field(None, description="The container whose image is set; the first if absent.")
    service: Text = Field(description="The Service that reaches this track alone.")
    port: int = Field(80, ge=1, le=65535, description="The Service's port for checks.")
    selector_value: Text = Field(description="The value of the selector key for this track.")
    replicas: int = Field(ge=1, description="Pods that must be ready.")


class ActiveService(Document):
    """The Service that carries the live traffic."""

    name: Text
    selector_key: Text = "version"


class TrafficBackend(Document):
    """How the candidate gets a share of the traffic."""

    backend: Literal["nginx", "gateway"]
    canary_ingress: Text | None = Field(
        None,
        description="nginx: the canary Ingress. It must be younger than the primary Ingress of the same host and path, "
        "which leads to the active Service.",
    )
    http_route: Text | None = Field(
        None,
        description="gateway: the HTTPRoute. Its rules name the candidate's Service and the active Service, so that "
        "weight 0 after the final switch leaves everything with the candidate. With the stable track's own Service in "
        "place of the active one the way back is the same, but a forward canary_off is refused: the route then stays "
        "at weight 100.",
    )


class Cluster(Document):
    """Where the application runs."""

    context: Text | None = Field(None, description="The kubeconfig context; --context overrides it.")
    namespace: Text
    app_label: Text = Field(description="Label selector of the application's pods, such as app=moshimoshi.")
    tracks: dict[Identifier, Track] = Field(min_length=2, max_length=2)
    candidate: Identifier
    stable: Identifier
    active_service: ActiveService
    traffic: TrafficBackend
    redis: Text | None = Field(None, description="The Redis workload, such as deployment/redis.")
    expected_services: tuple[Text, ...] = ()
    expected_routes: tuple[Text, ...] = ()
