"""What the engine sees now: pods, measurements, the live route; and all that was measured in the run."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cockpit.engine.commanding import Commanding
from cockpit.engine.conditions import Checked
from cockpit.engine.gates import Looks
from cockpit.engine.pulse import Turn
from cockpit.model.cluster import CanaryState, Pod, PodsChanged
from cockpit.model.comparison import Comparison
from cockpit.model.events import DecisionMade, Event, GateOverridden
from cockpit.model.history import History
from cockpit.model.status import Worker
from cockpit.model.verdict import Measurement

HISTORY = 120


@dataclass(slots=True)
class Observations:
    """The latest of everything; written by the watching tasks alone."""

    pods: PodsChanged | None = None
    measurements: dict[str, Measurement] = field(default_factory=dict)
    histories: dict[str, deque[Measurement]] = field(default_factory=dict)
    silent: dict[str, datetime] = field(default_factory=dict)
    """Since when each metric that has no measured value now has had none."""
    history: History = field(default_factory=History)
    canary: CanaryState | None = None
    live_active: str | None = None
    selector: Mapping[str, str] | None = None
    live_problem: str = ""
    live_at: datetime | None = None
    guarded_at: datetime | None = None
    guarded_problem: str = ""
    gate: tuple[Checked, ...] = ()
    gate_step: str = ""
    gate_checked_at: datetime | None = None
    gate_looks: Looks = field(default_factory=Looks)
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    blind_since: datetime | None = None
    readiness_at: datetime | None = None
    readiness_proofs: tuple[str, ...] = ()
    commanding: Commanding | None = None
    mirrored_at: datetime | None = None
    mirror_problem: str = ""
    server: str = ""
    break_glass: str = ""
    turns: dict[Worker, Turn] = field(default_factory=dict)

    def keep(self, measurement: Measurement) -> None:
        """Make a measurement the latest of its metric."""
        self.measurements[measurement.metric] = measurement
        self.histories.setdefault(measurement.metric, deque(maxlen=HISTORY)).append(measurement)
        if measurement.verdict.measured:
            self.silent.pop(measurement.metric, None)
        else:
            self.silent.setdefault(measurement.metric, measurement.at)
        self.history.measured(measurement)

    def frozen(self, event: Event) -> dict[str, object]:
        """What a decision rests on, as fields of its event; nothing for other events."""
        if not isinstance(event, DecisionMade | GateOverridden):
            return {}
        return {"evidence": tuple(self.measurements.values()), "comparisons": tuple(self.comparisons.values())}

    def known_pods(self) -> tuple[Pod, ...]:
        """The pods as last seen."""
        return self.pods.pods if self.pods else ()
