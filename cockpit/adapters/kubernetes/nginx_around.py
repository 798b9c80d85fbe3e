"""What surrounds a canary Ingress, and what that means for its weight. Pure.

Source: ingress-nginx, user guide "Annotations", section "Canary"; `rootfs/etc/nginx/lua/balancer.lua` (affinity comes
before header, cookie and weight; no primary endpoints is 503; one alternative backend counts) and
`internal/ingress/controller` (a canary needs a primary of the same host, path and path type; the oldest Ingress of a
host and path serves it, of equally old ones that with the greater name).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cockpit.adapters.kubernetes.objects import strings
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, text
from cockpit.model.cluster import Note, Severity
from cockpit.model.text import clean

PREFIX = "nginx.ingress.kubernetes.io/"
CANARY = PREFIX + "canary"
_CLASS = "kubernetes.io/ingress.class"
_STAYS = "weight 0 does not evict them"
_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Around:
    """The other Ingresses of a canary's hosts and paths, oldest first, and the ready endpoints of their Services."""

    canary: Json = field(default_factory=dict)
    primaries: tuple[Json, ...] = ()
    canaries: tuple[Json, ...] = ()
    ready: Mapping[str, int] = field(default_factory=dict)
    looked: bool = False
    problem: str = ""

    @property
    def main(self) -> str:
        """The Service of the primary Ingress, or an empty string."""
        return service_of(self.primaries[0]) if self.primaries else ""

    @property
    def takes_over(self) -> bool:
        """Whether the canary Ingress, once it is no canary, would serve the host itself in place of the primary."""
        return any(_age(self.canary) < _age(primary) for primary in self.primaries)


def around(canary: Json, ingresses: Sequence[Json]) -> Around:
    """The Ingresses that meet a canary's rules, without endpoints yet."""
    mine = _places(canary)
    others = [
        each
        for each in ingresses
        if _name(each) != _name(canary) and _same_class(each, canary) and mine & _places(each)
    ]
    others.sort(key=_age)
    return Around(
        canary=canary,
        primaries=tuple(each for each in others if not is_canary(each)),
        canaries=tuple(each for each in others if is_canary(each)),
        looked=True,
    )


def is_canary(ingress: Json) -> bool:
    """Whether ingress-nginx takes it as a canary."""
    return text(ingress, "metadata", "annotations", CANARY).lower() in ("true", "t", "1")


def service_of(ingress: Json) -> str:
    """The Service of the first rule or of the default backend."""
    backend = dig(ingress, "spec", "rules", 0, "http", "paths", 0, "backend") or dig(ingress, "spec", "defaultBackend")
    return clean(text(backend, "service", "name"))


def rule_notes(annotations: Mapping[str, str]) -> Iterator[Note]:
    """What header and cookie rules mean; they come before the weight."""
    header, cookie = annotations.get(PREFIX + "canary-by-header"), annotations.get(PREFIX + "canary-by-cookie")
    value = annotations.get(PREFIX + "canary-by-header-value")
    pattern = annotations.get(PREFIX + "canary-by-header-pattern")
    if header and value:
        said = f"requests with the header {header}: {value} go to the candidate at every weight; {_STAYS}"
        yield Note(text=said, evades=True)
    elif header and pattern:
        said = f"requests whose header {header} matches {pattern} go to the candidate at every weight; {_STAYS}"
        yield Note(text=said, evades=True)
    elif header:
        yield Note(text=f"requests with {_always(f'the header {header}')}; {_STAYS}", evades=True)
    elif value or pattern:
        said = "canary-by-header-value and -pattern have no effect without canary-by-header"
        yield Note(text=said, severity=Severity.INFO)
    if cookie:
        yield Note(text=f"requests with {_always(f'the cookie {cookie}')}; {_STAYS}", evades=True)


def around_notes(near: Around, share: int) -> Iterator[Note]:
    """What the other Ingresses and the Services behind them mean at a share in percent."""
    if near.problem:
        yield Note(text=f"what else serves this host could not be looked at: {near.problem}")
    yield from _affinity(near)
    if not near.looked:
        return
    yield from _primary(near, share)
    for other in near.canaries:
        yield Note(
            text=f"the canary Ingress {_name(other)} has the same host and path: ingress-nginx uses only one of the "
            "two, so this weight may count for nothing",
            severity=Severity.FAULT,
            hint=f'Delete {_name(other)}, or set its canary annotation to "false".',
        )
    if near.takes_over:
        yield _older(near)


def _always(what: str) -> str:
    return f"{what}: always go to the candidate at every weight, with never to none"


def _affinity(near: Around) -> Iterator[Note]:
    sticky = next((each for each in (*near.primaries, near.canary) if _annotation(each, "affinity") == "cookie"), None)
    if sticky is None:
        return
    on = f"cookie affinity on {_name(sticky)}"
    kept = "users who are pinned to stable never enter, so the observed share stays below the weight"
    if _annotation(near.canary, "affinity-canary-behavior") == "legacy":
        yield Note(text=f"{on} (affinity-canary-behavior legacy): {kept}", severity=Severity.INFO)
        return
    yield Note(text=f"{on}: users who are pinned to the candidate stay at every weight; {_STAYS}; {kept}", evades=True)


def _primary(near: Around, share: int) -> Iterator[Note]:
    missing = sorted(_places(near.canary) - {place for each in near.primaries for place in _places(each)})
    if missing:
        where = ", ".join(_words(place) for place in missing[:3])
        yield Note(
            text=f"no primary Ingress serves {where}: ingress-nginx ignores this canary there",
            severity=Severity.FAULT,
            hint="A canary needs a primary Ingress of the same host, path and path type.",
        )
    for each in near.primaries:
        yield from _primary_service(near, each, share)
    candidate = service_of(near.canary)
    if share and near.ready.get(candidate) == 0:
        said = f"the candidate's Service {candidate} has no ready endpoints: ingress-nginx sends its share to stable"
        yield Note(text=said, severity=Severity.FAULT, hint="Make its pods ready.")


def _primary_service(near: Around, primary: Json, share: int) -> Iterator[Note]:
    service = service_of(primary)
    if service and service == service_of(near.canary):
        yield Note(
            text=f"the primary Ingress {_name(primary)} leads to the canary's own Service {service}: ingress-nginx "
            "ignores the canary",
            severity=Severity.FAULT,
            hint="Let the primary Ingress lead to the active Service.",
        )
    if near.ready.get(service) == 0:
        yield Note(
            text=f"Service {service} of the primary Ingress {_name(primary)} has no ready endpoints: ingress-nginx "
            "answers 503 to everybody, even at canary weight 100",
            severity=Severity.FAULT,
            hint="Scale its pods up; switch the Service before stable is scaled to 0.",
        )
    elif share == 100:
        said = f"keep the pods of Service {service} up: without them ingress-nginx answers 503, even at weight 100"
        yield Note(text=said, severity=Severity.INFO)


def _older(near: Around) -> Note:
    first = next(each for each in near.primaries if _age(near.canary) < _age(each))
    said = (
        f'with canary "false" this Ingress would serve its host itself, because it is older than the primary '
        f"{_name(first)} (or as old, with the greater name), and everybody would go to the candidate; it is taken out "
        "with weight 0 instead"
    )
    pinned = [*_affinity(near), *rule_notes(strings(mapping(near.canary, "metadata", "annotations")))]
    hint = f"Delete the canary Ingress and create it anew, so that it is younger than {_name(first)}."
    if any(note.evades for note in pinned):
        return Note(text=f"{said}, which does not evict everyone", severity=Severity.FAULT, hint=hint)
    return Note(text=said, hint=hint)


def _age(ingress: Json) -> tuple[str, tuple[int, ...]]:
    """Sorts as ingress-nginx does: by creation, and equally old ones by falling namespace and name."""
    name = f"{text(ingress, 'metadata', 'namespace')}/{text(ingress, 'metadata', 'name')}"
    # The end mark makes a longer name the greater one of two that begin alike.
    return text(ingress, "metadata", "creationTimestamp"), (*(-ord(letter) for letter in name), 0)


def _same_class(one: Json, other: Json) -> bool:
    first, second = _class(one), _class(other)
    return not first or not second or first == second


def _class(ingress: Json) -> str:
    return text(ingress, "spec", "ingressClassName") or text(ingress, "metadata", "annotations", _CLASS)


def _places(ingress: Json) -> set[_Place]:
    """Host, path and path type of every rule."""
    found = {
        (text(rule, "host"), text(path, "path") or "/", text(path, "pathType"))
        for rule in items(ingress, "spec", "rules")
        for path in items(rule, "http", "paths")
    }
    return found | ({("", "", "")} if mapping(ingress, "spec", "defaultBackend") else set())


def _words(place: _Place) -> str:
    host, path, _ = place
    return clean(f"{host or 'any host'}{path}")


def _annotation(ingress: Json, name: str) -> str:
    return text(ingress, "metadata", "annotations", PREFIX + name)


def _name(ingress: Json) -> str:
    return clean(text(ingress, "metadata", "name"))
