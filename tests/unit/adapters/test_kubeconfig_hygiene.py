"""What a kubeconfig says of itself, and what makes it unfit for production."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cockpit.adapters.kubernetes.certificate import subject_of
from cockpit.adapters.kubernetes.hygiene import inspect
from cockpit.cli.pin import refuse_other_cluster
from cockpit.cli.settings import ClusterPin, RunSettings
from cockpit.errors import UsageError


def written(path: Path, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Path:
    tree = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.test:6443/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {"token": "opaque"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(tree))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("cluster", "user", "expected"),
    [
        ({}, {}, []),
        ({"insecure-skip-tls-verify": True}, {}, ["insecure-skip-tls-verify"]),
        ({"server": "http://api.test:8080"}, {}, ["without TLS"]),
        ({"server": "http://127.0.0.1:8080"}, {}, []),
        ({}, {"exec": {"command": "bin/token"}}, ["bin/token is named relative"]),
        ({}, {"exec": {"command": "aws"}}, []),
        ({}, {"exec": {"command": "/usr/bin/aws"}}, []),
    ],
)
def test_dangers(cluster: dict[str, Any], user: dict[str, Any], expected: list[str], tmp_path: Path) -> None:
    found = inspect(str(written(tmp_path / "config", cluster, user)), None)
    assert found is not None
    assert len(found.dangers) == len(expected)
    for danger, words in zip(found.dangers, expected, strict=True):
        assert words in danger.problem
        assert danger.fix


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_use(mode: int, tmp_path: Path) -> None:
    path = written(tmp_path / "config")
    path.chmod(mode)
    found = inspect(str(path), None)
    assert found is not None
    assert [danger.fix for danger in found.dangers] == [f"chmod 600 {path}"]


def test_a_certificate_names_its_holder_and_its_end(tmp_path: Path) -> None:
    key, pem = tmp_path / "key", tmp_path / "pem"
    subject = ("-subj", "/O=sre/O=oncall/CN=ops@example.test", "-days", "2")
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(pem), *subject)
    subprocess.run(made, check=True, capture_output=True)
    found = inspect(str(written(tmp_path / "config", user={"client-certificate": str(pem), "client-key": "k"})), "prod")
    assert found is not None
    assert (found.user, set(found.groups)) == ("ops@example.test", {"sre", "oncall"})
    assert found.expires is not None
    assert timedelta(days=1) < found.expires - datetime.now(UTC) < timedelta(days=3)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(bytes(range(256))) + b"\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_names_nobody(pem: bytes) -> None:
    assert subject_of(pem) is None


def test_a_token_names_its_holder_and_its_end(tmp_path: Path) -> None:
    claims = base64.urlsafe_b64encode(
        json.dumps({"sub": "system:serviceaccount:ci:bot", "exp": 1_900_000_000}).encode()
    )
    token = f"e30.{claims.decode().rstrip('=')}.x"
    found = inspect(str(written(tmp_path / "config", user={"token": token})), None)
    assert found is not None
    assert (found.user, found.expires) == (
        "system:serviceaccount:ci:bot",
        datetime.fromtimestamp(1_900_000_000, UTC),
    )


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c"])
def test_other_tokens_name_nobody(token: str, tmp_path: Path) -> None:
    found = inspect(str(written(tmp_path / "config", user={"token": token})), None)
    assert found is not None
    assert (found.user, found.expires) == ("", None)


def _settings(path: Path) -> RunSettings:
    found = inspect(str(path), None)
    assert found is not None
    pin = ClusterPin(server=found.server, ca_sha256=found.ca_sha256, context=found.context)
    return RunSettings(
        run="r-1", runbook="r", original="/r.yaml", kubeconfig=str(path), context="prod", commander="ops", cluster=pin
    )


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"server": "https://staging.test:6443"}, "its server is now https://staging.test:6443"),
        ({"certificate-authority-data": base64.b64encode(b"another").decode()}, "another certificate authority"),
    ],
)
def test_a_run_stays_on_its_cluster(now: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    settings = _settings(written(path, {"certificate-authority-data": base64.b64encode(b"one").decode()}))
    refuse_other_cluster(settings)
    written(path, {"certificate-authority-data": base64.b64encode(b"one").decode(), **now})
    with pytest.raises(UsageError, match=words):
        refuse_other_cluster(settings)
