"""Response times: log-normal per track, mixed by their shares."""

from __future__ import annotations

import math
from collections.abc import Sequence

_SPREAD = 0.55
"""The standard deviation of the logarithm of a response time."""

_Z95 = 1.6448536269514722
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The histogram bounds of ingress-nginx, in seconds."""


def share_below(limit_ms: float, p95_ms: float) -> float:
    """The share of requests faster than a limit when 95 % are faster than `p95_ms`."""
    mean = math.log(p95_ms) - _Z95 * _SPREAD
    return 0.5 * (1.0 + math.erf((math.log(limit_ms) - mean) / (_SPREAD * math.sqrt(2.0))))


def mixed_p95(parts: Sequence[tuple[float, float]]) -> float:
    """The 95th percentile, in milliseconds, of a mixture of (requests, p95) parts; NaN without requests."""
    total = sum(requests for requests, _ in parts)
    if total <= 0:
        return math.nan
    low, high = 0.1, max(p95 for _, p95 in parts) * 4.0
    for _ in range(48):
        middle = (low + high) / 2.0
        below = sum(requests * share_below(middle, p95) for requests, p95 in parts) / total
        low, high = (middle, high) if below < 0.95 else (low, middle)
    return (low + high) / 2.0
