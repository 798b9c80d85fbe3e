"""How monitoring is reached, as a runbook writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.runbook.load import check, load
from cockpit.runbook.shipped import config_path

SHIPPED = config_path("runbooks/moshimoshi.yaml")


@pytest.mark.parametrize(
    ("more", "path", "words"),
    [
        ("  prometheus_fallbacks: [prometheus-b]\n", "monitoring.prometheus_fallbacks[0]", "http"),
        ("  token: NO_SUCH\n", "monitoring.token", "not a declared secret"),
        ("  headers: {Authorization: Bearer x}\n", "monitoring.headers.Authorization", "would write a secret"),
        ("  secret_headers: {X-Api-Key: NO_SUCH}\n", "monitoring.secret_headers.X-Api-Key", "not a declared secret"),
        ("  alertmanager: {url: \"http://am:9093\"}\n", "monitoring.alerts_critical", "no effect beside"),
        (
            "  token: CLOUDFLARE_API_TOKEN\n  basic_auth: {username: a, password: CLOUDFLARE_API_TOKEN}\n",
            "monitoring.basic_auth",
            "beside `token`",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_found_where_it_stands(tmp_path: Path, more: str, path: str, words: str) -> None:
    file = tmp_path / "runbook.yaml"
    file.write_text(SHIPPED.read_text().replace("  interval: 15s\n", f"{more}  interval: 15s\n", 1))

    (finding,) = check(file, {}, {})

    assert finding.path == path
    assert words in f"{finding.problem} {finding.hint}"


def test_a_link_opens_the_query_and_names_no_user() -> None:
    book = load(SHIPPED, {"PROMETHEUS_URL": "https://ada@metrics.test/prom/"}, {}).runbook

    link = book.monitoring.link('up{job="a b"}')

    assert link == "https://metrics.test/prom/graph?g0.expr=up%7Bjob%3D%22a+b%22%7D&g0.tab=0&g0.range_input=1h"
