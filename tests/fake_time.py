"""Fake time for what runs on an event loop."""

from __future__ import annotations

import pytest

FAKE_TIME = pytest.mark.looptime(noop_cycles=5)
"""Time jumps to the next timer once the loop has turned idly so often; looptime's own 42 turns cost a third more."""
