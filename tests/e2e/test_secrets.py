"""No secret is ever written down, and no text from outside commands the terminal."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

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


def command_lines() -> bytes:
    """The arguments of every process, as `ps` shows them to everybody."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return b"\n".join(found)


def written(home: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of the home, but those that exist to hold secrets."""
    for path in home.rglob("*"):
        if path.is_file() and path.name not in _HOLDERS:
            yield path, path.read_bytes()


@pytest.mark.usefixtures("canaries")
def test_no_secret_is_written_anywhere(cockpit: Cockpit) -> None:
    terminal = Terminal("-m", "cockpit", "demo", "--scenario", "error-spike", "--decide", "auto", "--speed", "240")
    seen = b""

    def rolled_back() -> bool:
        nonlocal seen
        seen += command_lines()
        return "ROLLED BACK" in terminal.text

    terminal.until_true(rolled_back, "the run goes back", seconds=120)
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
    assert not leaks(seen, secrets)


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
