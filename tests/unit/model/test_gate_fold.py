from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cockpit.model.events import GateBroke, GateHolding, GateOpened, StepStarted
from cockpit.model.reduce import replay

AT = datetime(2026, 1, 8, 9, tzinfo=UTC)


def test_only_a_gate_that_held_can_break() -> None:
    def at(minute: int) -> dict[str, object]:
        return {"at": AT + timedelta(minutes=minute), "actor": "engine", "seq": minute + 1, "step": "2.1"}

    events = [
        StepStarted(**at(0), title="Some"),
        GateOpened(**at(1), hold_s=600),
        GateBroke(**at(2), reason="warming up", value="0.1 %"),
        GateHolding(**at(3)),
        GateBroke(**at(4), reason="Error Rate 0.61 %", value="0.61 %"),
        GateBroke(**at(5), reason="P95 900 ms", value="900 ms"),
    ]
    seen = []
    for count in (3, 5, 6):
        gate = replay(events[:count]).steps["2.1"].gate
        assert gate is not None
        seen.append((gate.reason, gate.broke_at, gate.broke_value))
    broke = AT + timedelta(minutes=4)
    assert seen == [
        ("warming up", None, ""),
        ("Error Rate 0.61 %", broke, "0.61 %"),
        ("P95 900 ms", broke, "0.61 %"),
    ]
