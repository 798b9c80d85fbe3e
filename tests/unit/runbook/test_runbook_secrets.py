from __future__ import annotations

import os
from pathlib import Path

import pytest

from cockpit.errors import Denied, SecretMissing
from cockpit.runbook.load import check
from cockpit.runbook.schema import Secret
from cockpit.runbook.secrets import SecretStore

from .conftest import Edited

VALUE = "s3cr3t-value"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{VALUE}\n\n")
    path.chmod(0o600)
    return path


def store(environ: dict[str, str] | None = None, **secrets: Secret) -> SecretStore:
    return SecretStore(secrets, environ or {})


def test_the_first_alias_with_a_value_wins() -> None:
    secret = Secret(env=("ONE", "TWO", "THREE"))
    found = store({"ONE": "", "TWO": VALUE, "THREE": "x"}, key=secret).get("key")
    assert found.get_secret_value() == VALUE
    assert VALUE not in repr(found)


def test_a_missing_value_names_the_aliases() -> None:
    with pytest.raises(SecretMissing, match="key has no value: ONE or TWO is not set") as raised:
        store(key=Secret(env=("ONE", "TWO"))).get("key")
    assert isinstance(raised.value, Denied)
    assert raised.value.hint == "Set ONE or TWO and try again."


def test_a_secret_that_is_not_declared() -> None:
    with pytest.raises(SecretMissing, match="declares no secret other"):
        store().get("other")


def test_a_file_loses_one_newline(secret_file: Path) -> None:
    assert store(key=Secret(file=str(secret_file))).get("key").get_secret_value() == f"{VALUE}\n"


def test_the_environment_comes_before_the_file(secret_file: Path) -> None:
    secret = Secret(env=("ONE",), file=str(secret_file))
    assert store({"ONE": "env"}, key=secret).get("key").get_secret_value() == "env"


def test_a_file_below_the_home_folder(secret_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(secret_file.parent))
    assert store(key=Secret(file="~/key")).get("key").get_secret_value().strip() == VALUE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o644])
def test_a_file_that_others_can_use_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(SecretMissing, match="others than its owner") as raised:
        store(key=Secret(file=str(secret_file))).get("key")
    assert VALUE not in str(raised.value) + raised.value.hint


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SecretMissing, match="is not a file"):
        store(key=Secret(file=str(tmp_path / "pipe"))).get("key")
    with pytest.raises(SecretMissing, match="No such file"):
        store(key=Secret(file=str(tmp_path / "none"))).get("key")


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_text_has_no_value(secret_file: Path, content: bytes) -> None:
    secret_file.write_bytes(content)
    with pytest.raises(SecretMissing, match="has no value in") as raised:
        store(key=Secret(file=str(secret_file))).get("key")
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_missing_lists_what_cannot_be_had(secret_file: Path) -> None:
    secrets = {"a": Secret(env=("A",)), "b": Secret(env=("B",)), "c": Secret(file=str(secret_file))}
    assert store({"A": "x"}, **secrets).missing() == ("b",)
    secret_file.chmod(0o644)
    assert store({"A": "x"}, **secrets).missing() == ("b", "c")


LITERALS = [
    "https://hooks.slack.com/services/T000/B000/abcdef",
    "Authorization: Bearer abcdef123456",
    "ghp_abcdefghij0123456789",
    "github_pat_abcdefghij0123456789",
    "glpat-abcdefghij0123",
    "xoxb-123456-abcdef",
    "AKIAABCDEFGHIJKLMNOP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc",
    "-----BEGIN RSA PRIVATE KEY-----",
    "postgres://shop:hunter22@db/shop",
    "redis://:hunter22@redis",
    "migrate --password=hunter22",
    "migrate --api-key hunter22",
]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_literal_secret_is_found_and_not_repeated(edited: Edited, literal: str) -> None:
    path = edited(("title: Shop", f"title: '{literal}'"))
    (finding,) = check(path, environ={})
    assert (finding.line, finding.path) == (5, "metadata.title")
    assert finding.problem.startswith("the value looks like")
    assert literal not in str(finding)
    assert "hunter22" not in str(finding)


@pytest.mark.parametrize("literal", LITERALS)
def test_a_secret_that_comes_in_by_a_variable_is_found(edited: Edited, literal: str) -> None:
    findings = check(edited(), environ={"ZONE": literal})
    assert [finding.path for finding in findings] == ["variables.ZONE"]
    assert literal not in str(findings[0])


@pytest.mark.parametrize(
    "harmless",
    [
        "https://hooks.slack.com/...",
        "Bearer tokens are checked",
        "https://shop.example:8443/a@b",
        "a token, a password and a secret",
        "export SLACK_WEBHOOK_URL",
    ],
)
def test_words_about_secrets_are_no_secrets(edited: Edited, harmless: str) -> None:
    assert check(edited(("title: Shop", f"title: '{harmless}'")), environ={}) == ()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("  token: CDN\n", "  token: hunter22\n", "monitoring.token"),
        ("  token: CDN\n", "  password: hunter22\n", "monitoring.password"),
        ("  ZONE: {", "  API_TOKEN: {default: hunter22}\n  ZONE: {", "variables.API_TOKEN.default"),
        (
            "path: /health}",
            "path: /health, fields: {api_key: hunter22}}",
            "phases[0].steps[1].actions[0].checks[0].fields.api_key",
        ),
        (
            "argv: [./migrate]",
            "argv: [./migrate], env: {DB_PASSWORD: hunter22}",
            "phases[0].steps[1].actions[1].env.DB_PASSWORD",
        ),
    ],
)
def test_a_literal_under_the_name_of_a_secret_is_found(edited: Edited, old: str, new: str, path: str) -> None:
    findings = [item for item in check(edited((old, new)), environ={}) if item.problem.startswith("a secret is")]
    assert [item.path for item in findings] == [path]


def test_no_finding_repeats_what_stands_where_a_secret_belongs(edited: Edited) -> None:
    path = edited(
        ("  token: CDN\n", "  token: hunter22\n"),
        ("webhook: HOOK", "webhook: hunter22"),
        ("zone: ZONE", "zone: hunter22"),
        ("{env: [HOOK_URL]}", "hunter22"),
    )
    text = "\n".join(map(str, check(path, environ={})))
    assert "secrets.HOOK" in text
    assert "hunter22" not in text


def test_a_variable_can_name_a_secret(edited: Edited) -> None:
    assert check(edited(("token: PAGE", 'token: "${ZONE}"')), {"ZONE": "PAGE"}, {}) == ()
