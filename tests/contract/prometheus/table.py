"""`python -m tests.contract.prometheus.table`: the simulator's truth beside what a real Prometheus measured."""

from __future__ import annotations

from tests.contract.prometheus.truth import measured_text

if __name__ == "__main__":
    print(measured_text())
