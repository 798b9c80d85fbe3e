from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from cockpit.cli.rehearsal import CONTEXT, Rewritten, opening, rewrite
from cockpit.runbook.load import LoadedRunbook, load
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path

ADDRESSES = {
    "prometheus": "http://127.0.0.1:1/prometheus",
    "alertmanager": "http://127.0.0.1:1/alertmanager",
    "slack": "http://127.0.0.1:1/slack",
    "cloudflare": "http://127.0.0.1:1/cloudflare",
    "statuspage": "http://127.0.0.1:1/statuspage",
    "smtp": "127.0.0.1:2",
    "registry": "http://127.0.0.1:1",
}


SHIELDED = """  prometheus: ${PROMETHEUS_URL}
  prometheus_fallbacks: ["https://spare.example"]
  basic_auth: {username: ada, password: SLACK_WEBHOOK_URL}
  headers: {X-Scope-OrgID: shop}
"""


@pytest.fixture(scope="module")
def loaded() -> LoadedRunbook:
    return load(config_path("runbooks/moshimoshi.yaml"), {}, {})


@pytest.fixture(scope="module")
def rewritten(loaded: LoadedRunbook) -> Rewritten:
    return rewrite(loaded, ADDRESSES)


def test_no_address_of_the_runbook_is_left(rewritten: Rewritten) -> None:
    book = rewritten.loaded.runbook
    assert book.monitoring.prometheus == ADDRESSES["prometheus"]
    assert book.cluster.context == CONTEXT
    channels = {channel.id: channel for channel in book.communications.channels}
    assert channels["email"].server == ADDRESSES["smtp"]
    assert channels["status-page"].api == ADDRESSES["statuspage"]
    actions = [action for step in (*book.steps, *book.rollback.steps) for action in step.actions]
    assert {action.url for action in actions if action.kind == "purge_cdn"} == {ADDRESSES["cloudflare"]}
    assert "https://" not in book.model_dump_json(include={"phases", "rollback", "monitoring", "secrets"})


def test_secrets_are_worthless_and_the_webhook_is_the_simulators(
    rewritten: Rewritten, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.example/real")
    secrets = SecretStore(rewritten.loaded.runbook.secrets, rewritten.environ)
    assert secrets.missing() == ()
    assert secrets.get("SLACK_WEBHOOK_URL").get_secret_value() == ADDRESSES["slack"]
    assert secrets.get("CLOUDFLARE_API_TOKEN").get_secret_value() == "rehearsal"


def test_the_alertmanager_is_the_simulators_and_no_credential_goes_there(loaded: LoadedRunbook, tmp_path: Path) -> None:
    signal = "  alerts_critical:\n    measures: alerts_critical\n"
    query = signal + '    query: count(ALERTS{alertstate="firing",severity="critical"})'
    manager = """  alertmanager: {url: "https://am.example", token: SLACK_WEBHOOK_URL, filters: ['team="shop"']}\n"""
    assert query in loaded.text
    text = loaded.text.replace(f"{query} or vector(0)\n", manager)
    path = tmp_path / "book.yaml"
    path.write_text(text.replace("  prometheus: ${PROMETHEUS_URL}\n", SHIELDED))
    monitoring = rewrite(load(path, {}, {}), ADDRESSES).loaded.runbook.monitoring
    found = monitoring.alertmanager
    assert found is not None
    assert (found.url, found.token, found.filters) == (ADDRESSES["alertmanager"], None, ('team="shop"',))
    assert (monitoring.prometheus_fallbacks, monitoring.basic_auth, monitoring.headers) == ((), None, {})


def test_scripts_and_foreign_urls_are_not_touched(loaded: LoadedRunbook, tmp_path: Path) -> None:
    source = loaded.text.replace(
        "            kind: http_checks\n            title: Smoke tests on blue\n",
        "            kind: http_checks\n            title: Smoke tests on blue\n            url: https://blue.example\n",
    ).replace(
        "          - {id: user-feedback, kind: manual, title: Check user feedback channels, deadline: 1h}\n",
        "          - {id: user-feedback, kind: script, argv: [/usr/local/bin/deploy], env: {A: b}}\n",
    )
    path = tmp_path / "book.yaml"
    path.write_text(source)
    book = rewrite(load(path, {}, {}), ADDRESSES).loaded.runbook
    actions = {action.id: action for step in book.steps for action in step.actions}
    script, smoke = actions["user-feedback"], actions["smoke-blue"]
    assert script.kind == "script"
    assert (script.argv, script.env) == (("/bin/true",), {})
    assert "not started in a rehearsal" in script.title
    assert smoke.kind == "http_checks"
    assert smoke.url is None


def test_a_rehearsal_opens_five_minutes_before_the_window(loaded: LoadedRunbook) -> None:
    monday = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
    assert opening(loaded.runbook, monday) == datetime(2026, 1, 8, 7, 55, tzinfo=UTC)
    anyday = loaded.runbook.model_copy(update={"window": loaded.runbook.window.model_copy(update={"day": None})})
    assert opening(anyday, monday) == datetime(2026, 1, 5, 7, 55, tzinfo=UTC)
    midnight = anyday.window.model_copy(update={"start": time(0, 0)})
    assert opening(anyday.model_copy(update={"window": midnight}), monday) == datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
