"""Rights at a real API server: manifests applied, taken away, and a kubeconfig that checks the server's certificate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from cockpit.adapters.kubernetes.resource import Resource

from .adapters.stage import Stage

RBAC = "rbac.authorization.k8s.io"


def trusted(kubeconfig: Path, copy: Path) -> Path:
    """A private copy of the kubeconfig in which the throwaway control plane's own certificate is trusted."""
    tree: dict[str, Any] = YAML(typ="safe", pure=True).load(kubeconfig.read_text())
    certificate = kubeconfig.parent / "pki" / "apiserver.crt"
    for entry in tree["clusters"]:
        if entry["cluster"].pop("insecure-skip-tls-verify", False):
            entry["cluster"]["certificate-authority"] = str(certificate)
    with open(os.open(copy, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        YAML(typ="safe", pure=True).dump(tree, file)
    return copy


async def apply(stage: Stage, manifests: str) -> None:
    """Create what `cockpit rbac` printed."""
    for made in YAML(typ="safe", pure=True).load_all(manifests):
        plural = made["kind"].lower() + "s"
        group = {"Lease": "coordination.k8s.io", "ConfigMap": ""}.get(made["kind"], RBAC)
        await stage.client.create(stage.at(group, plural), made)


async def versions(stage: Stage) -> dict[str, str]:
    """The resource version of everything in the namespace that a run may touch."""
    found: dict[str, str] = {}
    collections = (("apps", "deployments"), ("", "services"), ("networking.k8s.io", "ingresses"), ("batch", "jobs"),
                   ("", "pods"), ("", "configmaps"), (RBAC, "roles"), (RBAC, "rolebindings"))  # fmt: skip
    for group, plural in collections:
        for obj in await stage.client.all_of(Resource(group, "v1", plural, stage.namespace)):
            found[f"{plural}/{obj['metadata']['name']}"] = obj["metadata"]["resourceVersion"]
    return found
