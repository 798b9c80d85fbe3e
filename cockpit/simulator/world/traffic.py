"""Where requests go: from routes and selectors to shares of the tracks, late as a real router is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cockpit.simulator.blueprint import WorldSpec
from cockpit.simulator.scenario import Scenario
from cockpit.simulator.world.cluster import Cluster
from cockpit.simulator.world.endpoints import pods_behind
from cockpit.simulator.world.kinds import HTTP_ROUTE, INGRESS, SERVICE
from cockpit.simulator.world.objects import CANARY, CANARY_WEIGHT
from cockpit.simulator.world.pods import is_ready
from cockpit.simulator.world.selectors import matches_labels
from cockpit.simulator.world.values import Obj, dig, name_of

NOBODY = ""
"""The share of requests that find no ready pod."""

HEAVY_SHARE = 0.45
"""From this share on the candidate counts as heavily loaded (half, less the noise of stickiness)."""


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of the requests by track, 0 to 1. `canary` is the share that the canary route carries."""

    shares: Mapping[str, float] = field(default_factory=dict)
    canary: float = 0.0

    def of(self, track: str) -> float:
        """A track's share."""
        return self.shares.get(track, 0.0)


class Router:
    """Follows routes and selectors with the scenario's lag."""

    def __init__(self, cluster: Cluster, spec: WorldSpec) -> None:
        self._cluster = cluster
        self._spec = spec
        self._asked: Split | None = None
        self._pinned = 0.0
        self._wishes = 0
        self._applied = 0
        self.split = Split()
        self.heavy_since: float | None = None
        self.first_traffic: float | None = None

    def commanded_weight(self) -> int:
        """The candidate's weight that the route objects ask for, 0 to 100."""
        if self._spec.backend == "gateway":
            return self._route_weight()
        return self._canary_weight() if self.canary_enabled() else 0

    def canary_enabled(self) -> bool:
        """Whether the canary route is in service."""
        if self._spec.backend == "gateway":
            return self._route_weight() > 0
        return self._annotations().get(CANARY) == "true"

    def active_track(self) -> str:
        """The track that the active Service's selector names, empty when it names none."""
        selector = dig(self._service(self._spec.active_service), "spec", "selector", default={})
        for track in self._spec.tracks.values():
            if selector.get(self._spec.selector_key) and matches_labels(selector, track.labels):
                return track.name
        return ""

    def observe(self, scenario: Scenario) -> None:
        """Look at the objects; a changed wish reaches the traffic after the scenario's lag."""
        wanted = self._wanted(scenario)
        if wanted == self._asked:
            return
        candidate = self._spec.candidate
        grows = self._asked is None or wanted.of(candidate) >= self._asked.of(candidate)
        self._asked = wanted
        self._wishes += 1
        wish = self._wishes
        if not self.split.shares:
            self._apply(wanted, wish)
            return
        lag = scenario.lag_forward if grows else scenario.lag_back
        self._cluster.schedule.after(lag, lambda: self._apply(wanted, wish))

    def _apply(self, split: Split, wish: int) -> None:
        """Let a wish reach the traffic, unless a later one already has."""
        if wish < self._applied:
            return
        self._applied = wish
        self.split = split
        share = split.of(self._spec.candidate)
        now = self._cluster.now
        if share > 0 and self.first_traffic is None:
            self.first_traffic = now
        if share < HEAVY_SHARE:
            self.heavy_since = None
        elif self.heavy_since is None:
            self.heavy_since = now

    def _wanted(self, scenario: Scenario) -> Split:
        weight = self._sticky(self.commanded_weight() / 100.0, scenario)
        shares: dict[str, float] = {}
        for service, part in ((self._main_service(), 1.0 - weight), (self._canary_service(), weight)):
            for track, share in self._behind(service).items():
                shares[track] = shares.get(track, 0.0) + share * part
        return Split(shares, weight)

    def _sticky(self, weight: float, scenario: Scenario) -> float:
        """The share that a weight really gets when cookies pin users to where they have been."""
        if not scenario.sticky or not self.canary_enabled():
            self._pinned = 0.0
            return weight
        fresh = weight * (1.0 - scenario.sticky)
        self._pinned = max(self._pinned, fresh * scenario.sticky)
        return max(fresh, self._pinned)

    def _behind(self, service: str) -> dict[str, float]:
        """The shares of the tracks among the ready pods behind a Service."""
        found = self._service(service)
        pods = [pod for pod in pods_behind(self._cluster, found) if is_ready(pod)] if found else []
        counts: dict[str, int] = {}
        for pod in pods:
            track = self.track_of(pod)
            counts[track] = counts.get(track, 0) + 1
        if not counts:
            return {NOBODY: 1.0}
        return {track: count / len(pods) for track, count in counts.items()}

    def track_of(self, pod: Obj) -> str:
        """The track that a pod belongs to, by its labels; empty when none."""
        labels = pod["metadata"].get("labels", {})
        for track in self._spec.tracks.values():
            if track.labels and matches_labels(track.labels, labels):
                return track.name
        return NOBODY

    def _service(self, name: str) -> Obj | None:
        return self._cluster.store.get(SERVICE, self._spec.namespace, name)

    def _annotations(self) -> Mapping[str, str]:
        found = self._cluster.store.get(INGRESS, self._spec.namespace, self._spec.canary_ingress)
        annotations: Mapping[str, str] = dig(found, "metadata", "annotations", default={})
        return annotations

    def _canary_weight(self) -> int:
        annotations = self._annotations()
        total = _number(annotations.get(f"{CANARY_WEIGHT}-total"), 100)
        weight = _number(annotations.get(CANARY_WEIGHT), 0)
        return round(100 * max(0, min(weight, total)) / total) if total > 0 else 0

    def _refs(self) -> list[Obj]:
        found = self._cluster.store.get(HTTP_ROUTE, self._spec.namespace, self._spec.route)
        refs: list[Obj] = dig(found, "spec", "rules", 0, "backendRefs", default=[])
        return refs

    def _route_weight(self) -> int:
        refs = self._refs()
        total = sum(ref.get("weight", 1) for ref in refs)
        mine = sum(ref.get("weight", 1) for ref in refs if ref["name"] == self._canary_service())
        return round(100 * mine / total) if total else 0

    def _main_service(self) -> str:
        if self._spec.backend == "gateway":
            others = [ref["name"] for ref in self._refs() if ref["name"] != self._canary_service()]
            return others[0] if others else self._spec.active_service
        found = self._cluster.store.get(INGRESS, self._spec.namespace, self._spec.main_ingress)
        canary = self._cluster.store.get(INGRESS, self._spec.namespace, self._spec.canary_ingress)
        if found and canary and not self.canary_enabled() and _serves_first(canary, found):
            return self._canary_service()
        return _backend(found) or self._spec.active_service

    def _canary_service(self) -> str:
        candidate = self._spec.tracks[self._spec.candidate].service
        if self._spec.backend == "gateway":
            return candidate
        found = self._cluster.store.get(INGRESS, self._spec.namespace, self._spec.canary_ingress)
        return _backend(found) or candidate


def _backend(ingress: Obj | None) -> str:
    return str(dig(ingress, "spec", "rules", 0, "http", "paths", 0, "backend", "service", "name", default=""))


def _serves_first(one: Obj, other: Obj) -> bool:
    """Which of two Ingresses of a host ingress-nginx takes: the older, of equally old ones that of the greater name."""
    ages = [str(each["metadata"]["creationTimestamp"]) for each in (one, other)]
    return ages[0] < ages[1] or (ages[0] == ages[1] and name_of(one) > name_of(other))


def _number(text: str | None, default: int) -> int:
    try:
        return int(text) if text is not None else default
    except ValueError:
        return default
