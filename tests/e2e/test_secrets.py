"""No secret is ever written down, and no text from outside commands the terminal."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import re
import resource
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from cockpit.journal.spill import spill_place

from .conftest import Cockpit, eventually
from .terminal import Terminal

pytestmark = pytest.mark.e2e

FROM_ENVIRONMENT = {
    "SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/canary-slack-4711",
    "CLOUDFLARE_API_TOKEN": "canary-cloudflare-4712",
    "CLOUDFLARE_ZONE_ID": "canary-zone-4713",
    "STATUSPAGE_API_KEY": "canary-statuspage-4714",
    "HTTPS_PROXY": "http://ada:canary-proxy-4715@127.0.0.1:9",
}
IN_USE = "canary-in-use-4716"
"""What the rehearsal's adapters send as every token and key."""
REGISTRY_PASSWORD = "canary-registry-4717"
_HOLDERS = {"simulator.json", "kubeconfig", "config.json", "sitecustomize.py"}
"""The files whose purpose is to hold them."""
_INJECTION = f"""
import sys
if "cockpit" in sys.argv[:3] or "-m" in sys.orig_argv:
    import cockpit.cli.rehearsal
    cockpit.cli.rehearsal._WORTHLESS = "{IN_USE}"
"""


@pytest.fixture
def canaries(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distinctive value for every secret that a run can have."""
    for name, value in FROM_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    (short_path / "docker").mkdir(mode=0o700)
    login = {"auths": {"registry.example": {"username": "ada", "password": REGISTRY_PASSWORD}}}
    (short_path / "docker" / "config.json").write_text(json.dumps(login))
    (short_path / "docker" / "config.json").chmod(0o600)
    monkeypatch.setenv("DOCKER_CONFIG", str(short_path / "docker"))
    (short_path / "site").mkdir()
    (short_path / "site" / "sitecustomize.py").write_text(_INJECTION)
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root), str(short_path / "site")]))


def secrets_of(cockpit: Cockpit) -> tuple[bytes, ...]:
    """Every value that must appear nowhere, those of the simulated world too."""
    directory = cockpit.run.directory
    slack = json.loads((directory / "simulator.json").read_text())["slack"]
    kubeconfig = YAML(typ="safe", pure=True).load((directory / "kubeconfig").read_text())
    token = kubeconfig["users"][0]["user"]["token"]
    assert len(token) > 8
    values = (*FROM_ENVIRONMENT.values(), IN_USE, REGISTRY_PASSWORD, slack, token, "canary-proxy-4715")
    return tuple(value.encode() for value in values)


def leaks(text: bytes, secrets: tuple[bytes, ...]) -> list[bytes]:
    """Which secrets are in there."""
    return [secret for secret in secrets if secret in text]


class Looks:
    """The arguments of every process, as `ps` shows them to everybody, a few times a second."""

    def __init__(self) -> None:
        self.seen = b""
        self._at = 0.0

    def taken(self) -> bool:
        """True, after a look if it is time for one."""
        if time.monotonic() - self._at > 0.2:
            self._at = time.monotonic()
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen += path.read_bytes() + b"\n"
        return True


def written(home: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of the home, but those that exist to hold secrets."""
    for path in home.rglob("*"):
        if path.is_file() and path.name not in _HOLDERS:
            yield path, path.read_bytes()


@pytest.mark.usefixtures("canaries")
def test_no_secret_is_written_anywhere(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--scenario", "error-spike", "--decide", "auto", "--speed", "240")
    looks = Looks()
    terminal.until_true(lambda: looks.taken() and "ROLLED BACK" in terminal.text, "the run goes back", seconds=120)
    secrets = secrets_of(cockpit)
    paths = cockpit.run
    outputs = [
        cockpit(*words)
        for words in (("status",), ("status", "-o", "json"), ("runs",), ("runs", "-o", "json"), ("doctor",),
                      ("doctor", "-o", "json"), ("schema",))
    ]  # fmt: skip
    engine = paths.engine_pid
    assert engine
    live = list(written(cockpit.home))
    os.kill(engine, signal.SIGTERM)
    eventually(lambda: paths.engine_pid is None)
    outputs.append(cockpit("status", paths.run))
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end()
    for done in outputs:
        assert not leaks((done.stdout + done.stderr).encode(), secrets), done.args
    names = {path.name for path, _ in live}
    assert {"journal.db", "journal.db-wal", "engine.log", "break-glass.txt", "settings.json"} <= names
    for path, content in (*live, *written(cockpit.home)):
        assert not leaks(content, secrets), path
    assert not leaks(terminal.received, secrets)
    assert not leaks(looks.seen, secrets)


PROMETHEUS_TOKEN, SCRIPT_SECRET = "canary-prometheus-4718", "canary-script-4719"
LEAKING = """#!/bin/sh
echo "out $SCRIPT_SECRET"; echo "err $SCRIPT_SECRET" >&2; printf %s "$SCRIPT_SECRET" | base64; env
"""
RIGHTS = """
secrets:
  PROMETHEUS_TOKEN: {env: [PROMETHEUS_TOKEN]}
  SCRIPT_SECRET: {env: [SCRIPT_SECRET]}
"""
_SCRIPT = "{{id: {id}, kind: script, argv: [./leak.sh], secrets: [SCRIPT_SECRET], deadline: 20s}}"


class Echo(BaseHTTPRequestHandler):
    """A registry that asks for a login and a Prometheus that wants a token; both say in their errors what they got."""

    heard: set[str]
    asked: Iterator[int]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        shown = self.headers.get("Authorization", "")
        type(self).heard.add(shown)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/v2/") and not shown:
            self._say(401, {"errors": [{"message": "who are you"}]}, {"WWW-Authenticate": 'Basic realm="echo"'})
        elif self.path.startswith("/v2/"):
            self._say(200, {}, {"Docker-Content-Digest": f"sha256:{'0' * 64}"})
        elif next(type(self).asked) % 4 == 3:
            self._say(422, {"status": "error", "errorType": "bad_data", "error": f"I got Authorization: {shown}"})
        else:
            result = [{"metric": {}, "value": [time.time(), "0.04"]}]
            self._say(200, {"status": "success", "data": {"resultType": "vector", "result": result}})

    def _say(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        """Say nothing on the terminal."""


@pytest.fixture
def echo(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of both servers, whose credentials are at hand."""
    handler = type("Own", (Echo,), {"heard": set(), "asked": count()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    address = f"127.0.0.1:{server.server_port}"
    (short_path / "docker").mkdir(mode=0o700)
    config = short_path / "docker" / "config.json"
    config.write_text(json.dumps({"auths": {address: {"username": "ada", "password": REGISTRY_PASSWORD}}}))
    config.chmod(0o600)
    monkeypatch.setenv("DOCKER_CONFIG", str(config.parent))
    monkeypatch.setenv("PROMETHEUS_TOKEN", PROMETHEUS_TOKEN)
    monkeypatch.setenv("SCRIPT_SECRET", SCRIPT_SECRET)
    yield address
    server.shutdown()
    thread.join()
    server.server_close()
    basic = base64.b64encode(f"ada:{REGISTRY_PASSWORD}".encode()).decode()
    assert {f"Bearer {PROMETHEUS_TOKEN}", f"Basic {basic}"} <= handler.heard, "they were used"


def leaking_runbook(directory: Path) -> Path:
    """The minimal runbook with logins, and with programs on the way there and back that tell their secret."""
    program, book = directory / "leak.sh", directory / "runbook.yaml"
    program.write_text(LEAKING)
    program.chmod(0o700)
    text = Path("config/runbooks/minimal.yaml").read_text() + RIGHTS
    for old, new in (
        ("  interval: 2s\n", "  interval: 1s\n  scrape_interval: 1s\n  token: PROMETHEUS_TOKEN\n"),
        (", verify_image: false}\n", "}\n          - " + _SCRIPT.format(id="leak") + "\n"),
        (
            "        - {id: back-workloads",
            "        - " + _SCRIPT.format(id="back-leak") + "\n        - {id: back-workloads",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    book.write_text(text)
    return book


def mirrored(kubeconfig: Path) -> bytes:
    """All that the run's ConfigMap holds, unpacked."""
    tree = YAML(typ="safe", pure=True).load(kubeconfig.read_text())
    where = f"{tree['clusters'][0]['cluster']['server']}/api/v1/namespaces/default/configmaps/cockpit-minimal"
    login = {"Authorization": f"Bearer {tree['users'][0]['user']['token']}"}
    with urllib.request.urlopen(urllib.request.Request(where, headers=login), timeout=10) as answer:
        text = answer.read()
    found = [base64.b64decode(value) for value in json.loads(text).get("binaryData", {}).values()]
    assert any(value.startswith(b"\x1f\x8b") for value in found)
    return text + b"".join(gzip.decompress(value) if value.startswith(b"\x1f\x8b") else value for value in found)


def test_no_secret_of_a_run_with_logins_and_programs_is_written_anywhere(
    cockpit: Cockpit, echo: str, short_path: Path
) -> None:
    book = leaking_runbook(short_path)
    world = cockpit.start("simulate", str(book), "--var", f"IMAGE={echo}/web", "--speed", "5")
    assert world.stdout is not None
    (kubeconfig,) = re.findall(r"KUBECONFIG=(\S+)", world.stdout.readline())
    token = YAML(typ="safe", pure=True).load(Path(kubeconfig).read_text())["users"][0]["user"]["token"]
    basic = base64.b64encode(f"ada:{REGISTRY_PASSWORD}".encode()).decode()
    inside = base64.b64encode(SCRIPT_SECRET.encode()).decode()
    secrets = tuple(
        each.encode() for each in (PROMETHEUS_TOKEN, REGISTRY_PASSWORD, basic, SCRIPT_SECRET, inside, token)
    )
    terminal = Terminal(
        "-m", "cockpit", "run", str(book), "--kubeconfig", kubeconfig, "--decide", "auto",
        "--var", f"PROMETHEUS_URL=http://{echo}", "--var", f"IMAGE={echo}/web", "--var", "GATE_HOLD=30m",
    )  # fmt: skip
    looks = Looks()
    terminal.until_true(lambda: looks.taken() and "commanded 50 %" in terminal.text, "the gate", seconds=90)
    paths, engine = cockpit.living()
    copied = mirrored(Path(kubeconfig))
    assert b"***" in copied, "what the program told was masked, not lost"
    outputs = [cockpit.here(*words) for words in (("status",), ("status", "-o", "json"), ("runs", "--verify"))]
    # The disk is full from here on: the way back is recorded in another place.
    size = paths.journal.with_name("journal.db-wal").stat().st_size
    resource.prlimit(engine, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    outputs.append(cockpit.here("rollback", "--reason", "back"))
    terminal.until_true(lambda: looks.taken() and "ROLLED BACK" in terminal.text, "the way back", seconds=60)
    outputs.append(cockpit.here("status", "-o", "json"))
    spill = spill_place(paths.journal, os.environ)
    spilled = spill.read_bytes()
    terminal.signalled(signal.SIGTERM)
    # A living engine would begin it anew.
    os.kill(engine, signal.SIGKILL)
    eventually(lambda: paths.engine_pid is None)
    spill.unlink()
    assert b"back-leak" in spilled
    assert b"***" in spilled
    for done in outputs:
        assert not leaks((done.stdout + done.stderr).encode(), secrets), done.args
    for path, content in written(cockpit.home):
        if path.parent.name != "simulators":
            assert not leaks(content, secrets), path
    for place, content in (("mirror", copied), ("spill", spilled), ("screen", terminal.received), ("ps", looks.seen)):
        assert not leaks(content, secrets), place


HOSTILE_SCREEN = """
from tests.tui.preview import main
main()
"""
COMMANDS_OF_TEXT = (b"\x1b]52", b"\x1b]0;evil", b"\xc2\x9b", "\u202e".encode(), "\u2066".encode())


@pytest.mark.parametrize("keys", ["", "p", "g", "j", "m", "b", "c"])
def test_text_from_outside_never_commands_the_terminal(keys: str) -> None:
    terminal = Terminal("-c", HOSTILE_SCREEN, "hostile")
    terminal.until("METRICS")
    terminal.until("\ufffd")
    if keys:
        terminal.press(keys)
        terminal.until_true(lambda: "\ufffd" in terminal.text, "the text is still there, made harmless")
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end()
    assert [sequence for sequence in COMMANDS_OF_TEXT if sequence in terminal.received] == []
