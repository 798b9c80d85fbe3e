"""Addresses, credentials, silences and the checks before a run, on the real servers."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr
from ruamel.yaml import YAML

from cockpit.adapters.alertmanager import AlertmanagerAlerts
from cockpit.adapters.monitoring_access import Credentials
from cockpit.adapters.open import Adapters
from cockpit.adapters.prometheus import PrometheusMetrics
from cockpit.cli.preflight.finding import State
from cockpit.cli.preflight.ground import Ground
from cockpit.cli.preflight.metrics import checks
from cockpit.errors import BadAnswer, Denied, Unreachable
from cockpit.runbook.load import load
from cockpit.runbook.secrets import SecretStore
from cockpit.runbook.shipped import config_path
from tests.contract.adapters.faulty import FaultyServer, always, answer
from tests.contract.prometheus.servers import Server, alertmanager, binary, prometheus, until

PASSWORD = "correct horse"
# bcrypt of PASSWORD, cost 4.
BCRYPT = "$2b$04$1IRj.zWu2fibPz83cb2Iuu8IHVbKMlS/8.10N.vmseK.i1AJkvbjq"


@asynccontextmanager
async def metrics(*urls: str, timeout: float = 5.0, **credentials: Any) -> AsyncIterator[PrometheusMetrics]:
    found = PrometheusMetrics(urls, timeout=timeout, credentials=Credentials(**credentials))
    await found.open()
    try:
        yield found
    finally:
        await found.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of its own authority for 127.0.0.1; its key lies beside it."""
    file = tmp_path / "tls.crt"
    subprocess.run(
        [
            *(binary("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "tls.key", "-out", file),
        ],
        check=True,
        capture_output=True,
    )
    return file


async def test_password_and_certificate_of_a_guarded_server(tmp_path: Path, certificate: Path) -> None:
    web = {
        "tls_server_config": {"cert_file": str(certificate), "key_file": str(certificate.with_suffix(".key"))},
        "basic_auth_users": {"cockpit": BCRYPT},
    }
    YAML(typ="safe").dump(web, tmp_path / "web.yml")
    async with prometheus(tmp_path / "prometheus", {}, tmp_path / "web.yml") as server:
        url = server.url.replace("http:", "https:")
        basic = ("cockpit", lambda: SecretStr(PASSWORD))
        async with metrics(url, basic=basic, ca_file=str(certificate)) as allowed:

            async def answers() -> bool:
                try:
                    return len((await allowed.query("vector(1)")).samples) == 1
                except Unreachable:
                    return False

            await until(answers)
        async with metrics(url, basic=basic) as trusting_nobody:
            with pytest.raises(Unreachable, match="not trusted"):
                await trusting_nobody.query("vector(1)")
        async with metrics(url, ca_file=str(certificate)) as nameless:
            with pytest.raises(Denied, match="401"):
                await nameless.query("vector(1)")
        async with metrics(url, ca_file=str(tmp_path / "none.pem")) as lost:
            with pytest.raises(Unreachable, match="cannot be read"):
                await lost.query("vector(1)")


async def test_headers_by_value_and_by_secret(faulty: FaultyServer) -> None:
    body = {"status": "success", "data": {"resultType": "scalar", "result": [1767323045, "2"]}}
    faulty.script = always(200, body)

    async with metrics(
        faulty.url, headers={"X-Scope-OrgID": "shop"}, secret_headers={"X-Api-Key": lambda: SecretStr("k3y")}
    ) as found:
        await found.query("2")

    (request,) = faulty.requests
    assert (request.headers["X-Scope-OrgID"], request.headers["X-Api-Key"]) == ("shop", "k3y")


async def test_the_next_address_stands_in(server: Server, faulty: FaultyServer) -> None:
    faulty.script = always(502, "<html>bad gateway</html>")
    async with metrics(faulty.url, server.url) as found:
        assert (await found.query("vector(1)")).samples[0].value == 1
        answer = await found.query("vector(1)")
        assert (answer.samples[0].value, answer.source in found.urls) == (1, True), "who answered is said"
        # The first address was silent a moment ago: not every query waits for it.
        assert len(faulty.requests) == 1
        with pytest.raises(BadAnswer, match="parse error"):
            await found.query("sum(")
        server.stop()
        with pytest.raises(Unreachable, match=r"None of 2 servers answers: .*502"):
            await found.query("vector(1)")


async def test_a_hanging_address_costs_its_own_deadline_alone(server: Server, faulty: FaultyServer) -> None:
    async def hang(_: object) -> Any:
        await asyncio.Event().wait()
        return answer(200, "")

    faulty.script = hang
    async with metrics(faulty.url, server.url, timeout=0.5) as found:
        answered = await asyncio.gather(*(found.query("vector(1)") for _ in range(20)))

    assert [each.samples[0].value for each in answered] == [1.0] * 20


async def test_silenced_alerts_do_not_count(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(alertmanager(tmp_path))
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, base_url=server.url))
        alerts = AlertmanagerAlerts(server.url + "/", ('severity="critical"',))
        stack.push_async_callback(alerts.close)

        async def firing() -> tuple[float, str]:
            (sample,) = (await alerts.firing()).samples
            return sample.value, sample.labels["alertname"]

        watched = AlertmanagerAlerts(server.url, ('severity="critical"',), watchdog='alertname="Watchdog"')
        stack.push_async_callback(watched.close)

        assert await firing() == (0.0, "")
        with pytest.raises(BadAnswer, match='Alerts do not arrive: alertname="Watchdog", which always fires, does not'):
            await watched.firing()
        posted = [
            {"labels": {"alertname": name, "severity": severity}}
            for name, severity in (("HighLatency", "critical"), ("DiskFull", "critical"), ("Watchdog", "none"))
        ]
        (await client.post("/api/v2/alerts", json=posted)).raise_for_status()
        await until(lambda: _equals(firing, (2.0, "DiskFull, HighLatency")))

        amtool = [binary("amtool"), f"--alertmanager.url={server.url}", "silence", "add"]
        silence = [*amtool, "--comment=known", "--author=ada", "alertname=DiskFull"]
        await asyncio.to_thread(subprocess.run, silence, check=True, capture_output=True)

        await until(lambda: _equals(firing, (1.0, "HighLatency")))
        assert (await watched.firing()).samples[0].value == 1.0
        for name in ("HighLatency", "Watchdog"):
            silence[-1] = f"alertname={name}"
            await asyncio.to_thread(subprocess.run, silence, check=True, capture_output=True)
        await until(lambda: _equals(firing, (0.0, "")))
        # A watchdog is often silenced, as nobody wants to be told of it.
        assert (await watched.firing()).samples[0].value == 0.0
        wrong = AlertmanagerAlerts(server.url, ("severity=~(",))
        stack.push_async_callback(wrong.close)
        with pytest.raises(BadAnswer, match="refused"):
            await wrong.firing()
        server.stop()
        with pytest.raises(Unreachable):
            await alerts.firing()


async def test_a_wrong_query_is_found_with_the_servers_words_and_the_line(server: Server, tmp_path: Path) -> None:
    text = config_path("runbooks/moshimoshi.yaml").read_text()
    file = tmp_path / "runbook.yaml"
    file.write_text(
        text.replace("100 * max(sum by (pod)\n        (rate(", "100 * max(sum by (pod)\n        ((rate(", 1).replace(
            "  interval: 15s", "  interval: 5s", 1
        )
    )
    loaded = load(file, {"PROMETHEUS_URL": server.url}, {})
    async with metrics(server.url, "http://127.0.0.1:9") as found:
        outside = cast(Adapters, SimpleNamespace(metrics=found, alerts=None))
        ground = Ground(loaded, SecretStore({}, {}), outside, None)

        notes = {check.name: list(await check.look()) for check in checks(ground)}

    (cpu,) = notes["cpu"]
    line = file.read_text().splitlines().index("    - id: cpu") + 1
    assert cpu.state is State.FAIL
    assert "parse error" in cpu.message
    assert cpu.fix.startswith("Correct monitoring.metrics[2].query at ")
    assert int(cpu.fix.rpartition(":")[2]) in range(line, line + 9)
    good, spare, pace = notes["prometheus"]
    assert (good.state, spare.state, pace.state) == (State.OK, State.WARNING, State.WARNING)
    assert pace.message == "every 5s one looks at the same scrape again: a trigger's k of n may be one sample"
    assert "does not stand in" in spare.message
    assert [note.state for note in notes["alerts_critical"]] == [State.OK], "this server has a rule"
    assert {note.state for name in ("error_rate", "memory") for note in notes[name]} == {State.WARNING}


RULE = {"type": "alerting", "name": "HighErrorRate", "health": "ok"}


@pytest.mark.parametrize(
    ("status", "rules", "state", "words"),
    [
        (200, [RULE], State.OK, "0"),
        (200, [], State.WARNING, "no alerting rule is loaded"),
        (200, [RULE, {**RULE, "name": "Typo", "health": "err"}], State.WARNING, "cannot be evaluated: Typo"),
        (404, [], State.OK, "0"),
    ],
)
async def test_that_nothing_fires_shows_something_only_where_something_can(
    faulty: FaultyServer, status: int, rules: list[dict[str, str]], state: State, words: str
) -> None:
    async def script(request: web.Request) -> web.StreamResponse:
        if request.path == "/api/v1/rules":
            return answer(status, {"status": "success", "data": {"groups": [{"rules": rules}]}})
        sample = {"metric": {}, "value": [time.time(), "0"]}
        return answer(200, {"status": "success", "data": {"resultType": "vector", "result": [sample]}})

    faulty.script = script
    loaded = load(config_path("runbooks/moshimoshi.yaml"), {"PROMETHEUS_URL": faulty.url}, {})
    async with metrics(faulty.url) as found:
        ground = Ground(loaded, SecretStore({}, {}), cast(Adapters, SimpleNamespace(metrics=found, alerts=None)), None)
        (check,) = [each for each in checks(ground) if each.name == "alerts_critical"]
        (note,) = await check.look()

    assert (note.state, words in note.message) == (state, True)


async def _equals(ask: Any, wanted: object) -> bool:
    return bool(await ask() == wanted)
