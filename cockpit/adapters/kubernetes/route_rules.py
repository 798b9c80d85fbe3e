"""The rules of an HTTPRoute as shares of two Services, and what else in them matters. Pure.

Source: Gateway API v1, HTTPRoute `backendRefs[].weight`: default 1, a share of the sum of the rule's weights; a rule
whose weights sum to 0 answers with an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cockpit.adapters.kubernetes.resource import Json, dig, items, number, text
from cockpit.model.cluster import Note, Severity, WeightField
from cockpit.model.text import clean


@dataclass(frozen=True, slots=True)
class Ref:
    """One backendRef: where it is, its Service and its raw weight (None: absent, which means 1)."""

    rule: int
    at: int
    service: str
    raw: int | None

    @property
    def weight(self) -> int:
        """The weight that counts."""
        return 1 if self.raw is None else self.raw


@dataclass(frozen=True, slots=True)
class Pair:
    """A rule that has the candidate and the main Service, and the sum of the weights of its other backends."""

    rule: int
    candidate: Ref
    main: Ref
    others: int
    backends: int

    @property
    def percent(self) -> int:
        """The candidate's part of the two."""
        both = self.candidate.weight + self.main.weight
        return round(100 * self.candidate.weight / both) if both else 0

    @property
    def total(self) -> int:
        """The sum of all weights of the rule."""
        return self.candidate.weight + self.main.weight + self.others

    def is_written(self, weight: int) -> bool:
        """Whether both weights are written, and sum to 100."""
        return (self.candidate.raw, self.main.raw) == (weight, 100 - weight)


def pairs(route: Json, namespace: str, candidate: str, mains: Sequence[str]) -> list[Pair]:
    """The rules that have the candidate and one of the main Services, the first of them that any rule has."""
    rules = [_refs(route, index, namespace) for index in range(len(items(route, "spec", "rules")))]
    for main in mains:
        if found := [pair for refs in rules if (pair := _pair(refs, candidate, main))]:
            return found
    return []


def services(route: Json, namespace: str) -> set[str]:
    """Every Service of the namespace that the route can send requests to."""
    rules = range(len(items(route, "spec", "rules")))
    return {ref.service for index in rules for ref in _refs(route, index, namespace)} - {""}


def fields(route: str, found: Sequence[Pair]) -> tuple[WeightField, ...]:
    """What a change of the weight writes."""
    made = []
    for pair in found:
        target = f"httproute/{route}" + (f", rule {pair.rule + 1}" if len(found) > 1 else "")
        for ref, rest in ((pair.candidate, False), (pair.main, True)):
            value = "absent" if ref.raw is None else str(ref.raw)
            made.append(WeightField(target=target, field=f"{ref.service} weight", value=value, rest=rest))
    return tuple(made)


def notes(route: Json, namespace: str, candidate: str, found: Sequence[Pair], active: str) -> Iterator[Note]:
    """What the weight does not tell."""
    main = found[0].main.service
    if main != active:
        yield Note(
            text=f"its other backend is {main}, not the active Service {active}: the switch of {active} moves nothing "
            "here, and the route must keep weight 100 after it",
            hint=f"Name {active} in backendRefs, or leave canary_off out of the forward steps.",
        )
    if len({pair.percent for pair in found}) > 1:
        yield Note(text="the rules have different weights: " + ", ".join(f"{pair.percent} %" for pair in found))
    for pair in found:
        yield from _pair_notes(pair)
    paired = {pair.rule for pair in found}
    for index, rule in enumerate(items(route, "spec", "rules")):
        if dig(rule, "sessionPersistence") is not None and index in paired:
            said = "session persistence keeps users where they are: neither weight 0 nor a rollback evicts them"
            yield Note(text=f"rule {index + 1}: {said}", evades=True)
        if index not in paired:
            yield from _lonely(_refs(route, index, namespace), index, candidate, main)


def _pair_notes(pair: Pair) -> Iterator[Note]:
    rule = f"rule {pair.rule + 1}"
    if pair.total == 0:
        yield Note(
            text=f"the weights of {rule} sum to 0: its requests are answered with an error",
            severity=Severity.FAULT,
            hint="Give the main Service a weight; a rollback does it.",
        )
    elif pair.others:
        share = 100 * pair.candidate.weight / pair.total
        yield Note(
            text=f"other backends of {rule} hold {pair.others} of {pair.total}: the candidate's weight "
            f"{pair.candidate.weight} is {share:.1f} % of the requests"
        )
    elif pair.backends > 2:
        yield Note(text=f"{rule} has other backends, with weight 0", severity=Severity.INFO)
    if pair.total and not pair.is_written(pair.percent):
        said = f"the weights of {rule} are {pair.candidate.weight} and {pair.main.weight}, not of 100"
        yield Note(text=f"{said}: the next change writes both", severity=Severity.INFO)


def _lonely(refs: Sequence[Ref], index: int, candidate: str, main: str) -> Iterator[Note]:
    names = {ref.service for ref in refs if ref.weight}
    if candidate in names:
        said = (
            f"rule {index + 1} sends requests to {candidate} and not to {main}: neither the weight nor a rollback "
            "changes that"
        )
        yield Note(text=said, evades=True)
    elif main in names:
        said = f"rule {index + 1} has {main} and not {candidate}: its requests stay with {main} at every weight"
        yield Note(text=said, severity=Severity.INFO)


def _refs(route: Json, index: int, namespace: str) -> list[Ref]:
    """The backendRefs of a rule in their order; what is no Service of the namespace has no name."""
    found = []
    for at, ref in enumerate(items(route, "spec", "rules", index, "backendRefs")):
        ours = text(ref, "kind") in ("", "Service") and text(ref, "group") == ""
        ours = ours and text(ref, "namespace") in ("", namespace)
        raw = number(ref, "weight") if dig(ref, "weight") is not None else None
        found.append(Ref(index, at, clean(text(ref, "name")) if ours else "", raw))
    return found


def _pair(refs: Sequence[Ref], candidate: str, main: str) -> Pair | None:
    first = next((ref for ref in refs if ref.service == candidate), None)
    second = next((ref for ref in refs if ref.service == main), None)
    if first is None or second is None:
        return None
    others = sum(ref.weight for ref in refs if ref not in (first, second))
    return Pair(first.rule, first, second, others, len(refs))
