"""What a smoke test's answer must be, and what is said when it is not."""

from __future__ import annotations

from typing import Any

import pytest

from cockpit.engine.actions.http_checks import field, judge
from cockpit.engine.ports import HttpAnswer
from cockpit.runbook.actions import HttpCheck, HttpChecks


def check(**parts: Any) -> HttpCheck:
    return HttpCheck.model_validate({"name": "Version check", "path": "/version", **parts})


@pytest.mark.parametrize(
    ("parts", "status", "body", "said"),
    [
        ({}, 200, "", ""),
        ({"status": 204}, 204, "", ""),
        ({"fields": {"version": "1.0.0"}}, 200, '{"version": "1.0.0"}', ""),
        ({"fields": {"a.b.1.c": "x"}}, 200, '{"a": {"b": [0, {"c": "x"}]}}', ""),
        ({"fields": {"ok": True, "count": 3, "gone": None}}, 200, '{"ok": true, "count": 3, "gone": null}', ""),
        ({}, 503, "<h1>Service\n  Unavailable</h1>", "expected HTTP 200, got HTTP 503: <h1>Service Unavailable</h1>"),
        ({}, 500, "", "expected HTTP 200, got HTTP 500 without a body"),
        ({"fields": {"version": "1"}}, 200, "1.0.0 is up", "expected JSON, got HTTP 200: 1.0.0 is up"),
        ({"fields": {"version": "1.0.0"}}, 200, '{"version": "0.9.4"}', "expected version to be 1.0.0, got 0.9.4"),
        ({"fields": {"ok": True}}, 200, '{"ok": false}', "expected ok to be true, got false"),
        (
            {"fields": {"database": "ok", "redis": "ok"}},
            200,
            '{"redis": "down"}',
            'expected database to be ok, got no such field in {"redis": "down"}, expected redis to be ok, got down',
        ),
        ({}, 404, "x" * 200, f"expected HTTP 200, got HTTP 404: {'x' * 119}…"),
        (
            {},
            404,
            "\x1b]0;x\x07",
            "expected HTTP 200, got HTTP 404: \N{REPLACEMENT CHARACTER}]0;x\N{REPLACEMENT CHARACTER}",
        ),
    ],
)
def test_answers(parts: dict[str, Any], status: int, body: str, said: str) -> None:
    assert judge(check(**parts), HttpAnswer(status, body)) == said


@pytest.mark.parametrize(
    ("path", "found"), [("a", '{"b": 1}'), ("a.b", "1"), ("a.c", None), ("a.b.c", None), ("l.0", "x"), ("l.1", None)]
)
def test_fields(path: str, found: str | None) -> None:
    assert field({"a": {"b": 1}, "l": ["x"]}, path) == found


@pytest.mark.parametrize(
    ("parts", "way"),
    [
        ({}, "proxy"),
        ({"url": "http://blue.test"}, "url"),
        ({"via": "port_forward"}, "port_forward"),
        ({"via": "proxy"}, "proxy"),
    ],
)
def test_way_to_the_track(parts: dict[str, Any], way: str) -> None:
    one = {"name": "Health", "path": "/health"}
    action = HttpChecks.model_validate({"id": "a", "kind": "http_checks", "track": "blue", "checks": [one], **parts})
    assert action.way == way


def test_fraction_is_not_taken_for_a_version() -> None:
    with pytest.raises(ValueError, match="valid string"):
        check(fields={"version": 1.10})
