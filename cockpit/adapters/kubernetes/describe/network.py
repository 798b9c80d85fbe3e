"""Services, Ingresses and HTTPRoutes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cockpit.adapters.kubernetes.describe.parts import ago, condition_lines, events, pairs, section, table
from cockpit.adapters.kubernetes.resource import Json, dig, items, mapping, number, text
from cockpit.model.lens import Described, DescribedSection
from cockpit.model.text import clean

_NGINX = "nginx.ingress.kubernetes.io/"


def describe_service(
    obj: Json, endpoints: Sequence[Json], found: Sequence[Json], now: datetime, problem: str = ""
) -> Described:
    """A Service with its endpoints, from EndpointSlices or from one older Endpoints object, and events."""
    spec = mapping(obj, "spec")
    ports = [
        [text(port, "name") or "-", number(port, "port"), dig(port, "targetPort") or number(port, "port"),
         number(port, "nodePort") or "-", text(port, "protocol") or "TCP"]
        for port in items(spec, "ports")
    ]  # fmt: skip
    status = section("Status", [
        ("Type", text(spec, "type")),
        ("Cluster IP", text(spec, "clusterIP")),
        ("External", ", ".join(_external(obj)) or text(spec, "externalName")),
        ("Selector", pairs(mapping(spec, "selector")) or "none"),
        ("Session affinity", text(spec, "sessionAffinity")),
        ("Created", ago(text(obj, "metadata", "creationTimestamp"), now)),
        ("Labels", pairs(mapping(obj, "metadata", "labels"))),
    ])  # fmt: skip
    sections = [
        status,
        section("Ports", lines=table(ports, ("NAME", "PORT", "TARGET", "NODE PORT", "PROTOCOL"))),
        _endpoints(endpoints),
        events(found, now, problem),
    ]
    return Described(kind="service", name=_name(obj), at=now, sections=tuple(sections))


def describe_ingress(obj: Json, found: Sequence[Json], now: datetime, problem: str = "") -> Described:
    """An Ingress with its rules, the annotations of ingress-nginx, and events."""
    spec, notes = mapping(obj, "spec"), mapping(obj, "metadata", "annotations")
    canary = [(key.removeprefix(_NGINX), value) for key, value in sorted(notes.items()) if key.startswith(_NGINX)]
    sections = [
        section("Status", [
            ("Class", text(spec, "ingressClassName") or text(notes, "kubernetes.io/ingress.class")),
            ("Address", ", ".join(_addresses(obj)) or "none yet"),
            ("Default backend", _backend(mapping(spec, "defaultBackend"))),
            ("TLS", ", ".join(f"{text(each, 'secretName')} for {_hosts(each)}" for each in items(spec, "tls"))),
            ("Created", ago(text(obj, "metadata", "creationTimestamp"), now)),
        ]),
        section("Rules", lines=table([*_ingress_rules(spec)], ("HOST", "PATH", "TYPE", "BACKEND")) or ["none"]),
        *([section("nginx annotations", canary)] if canary else []),
        events(found, now, problem),
    ]  # fmt: skip
    return Described(kind="ingress", name=_name(obj), at=now, sections=tuple(sections))


def describe_http_route(obj: Json, found: Sequence[Json], now: datetime, problem: str = "") -> Described:
    """An HTTPRoute with its rules and backends, what each parent says of it, and events."""
    spec = mapping(obj, "spec")
    sections = [
        section("Status", [
            ("Hosts", ", ".join(map(str, items(spec, "hostnames"))) or "any"),
            ("Parents", ", ".join(_parent(each) for each in items(spec, "parentRefs")) or "none"),
            ("Created", ago(text(obj, "metadata", "creationTimestamp"), now)),
        ]),
        *(_route_rule(place, rule) for place, rule in enumerate(items(spec, "rules"), 1)),
        *_parents(obj, now),
        events(found, now, problem),
    ]  # fmt: skip
    return Described(kind="httproute", name=_name(obj), at=now, sections=tuple(sections))


def _endpoints(found: Sequence[Json]) -> DescribedSection:
    ready: dict[str, str] = {}
    others: dict[str, str] = {}
    for each in found:
        for endpoint in items(each, "endpoints"):
            place = ready if dig(endpoint, "conditions", "ready") is not False else others
            place |= dict.fromkeys(map(str, items(endpoint, "addresses")), text(endpoint, "targetRef", "name"))
        for subset in items(each, "subsets"):
            for key, place in (("addresses", ready), ("notReadyAddresses", others)):
                place |= {text(one, "ip"): text(one, "targetRef", "name") for one in items(subset, key)}
    lines = table(
        [[ip, "ready", pod] for ip, pod in ready.items()] + [[ip, "not ready", pod] for ip, pod in others.items()]
    )
    return section("Endpoints", [("Ready", len(ready)), ("Not ready", len(others))], lines)


def _external(service: Json) -> list[str]:
    return [*map(str, items(service, "spec", "externalIPs")), *_addresses(service)]


def _addresses(obj: Json) -> list[str]:
    found = items(obj, "status", "loadBalancer", "ingress")
    return [address for each in found if (address := text(each, "ip") or text(each, "hostname"))]


def _ingress_rules(spec: Json) -> Iterator[list[str]]:
    for rule in items(spec, "rules"):
        for path in items(rule, "http", "paths"):
            backend = _backend(mapping(path, "backend"))
            yield [text(rule, "host") or "*", text(path, "path") or "/", text(path, "pathType"), backend]


def _backend(backend: Json) -> str:
    service = mapping(backend, "service")
    if service:
        port = number(service, "port", "number") or text(service, "port", "name")
        return f"{text(service, 'name')}:{port}"
    resource = mapping(backend, "resource")
    return f"{text(resource, 'kind')}/{text(resource, 'name')}" if resource else ""


def _hosts(tls: Json) -> str:
    return ", ".join(map(str, items(tls, "hosts"))) or "all hosts"


def _route_rule(place: int, rule: Json) -> DescribedSection:
    matches = ", ".join(map(_match, items(rule, "matches"))) or "everything"
    refs = items(rule, "backendRefs")
    total = sum(_weight(ref) for ref in refs)
    rows = [
        [f"{text(ref, 'name')}:{number(ref, 'port')}", f"weight {_weight(ref)}", _share(_weight(ref), total)]
        for ref in refs
    ]
    filters = ", ".join(text(each, "type") for each in items(rule, "filters"))
    return section(f"Rule {place}", [("Matches", matches), ("Filters", filters)], table(rows))


def _match(match: Json) -> str:
    path = mapping(match, "path")
    words = f"{text(match, 'method')} {text(path, 'type') or 'PathPrefix'} {text(path, 'value') or '/'}".strip()
    headers = [f"{text(each, 'name')}: {text(each, 'value')}" for each in items(match, "headers")]
    return f"{words} with {', '.join(headers)}" if headers else words


def _weight(ref: Json) -> int:
    """The Gateway API's default weight is 1."""
    return number(ref, "weight") if dig(ref, "weight") is not None else 1


def _share(weight: int, total: int) -> str:
    return f"{100 * weight / total:.0f} %" if total else "no traffic at all"


def _parent(ref: Json) -> str:
    name = f"{text(ref, 'kind') or 'Gateway'}/{text(ref, 'name')}"
    return f"{name}#{text(ref, 'sectionName')}" if text(ref, "sectionName") else name


def _parents(obj: Json, now: datetime) -> Iterable[DescribedSection]:
    generation = number(obj, "metadata", "generation")
    for each in items(obj, "status", "parents"):
        found = items(each, "conditions")
        old = any(number(one, "observedGeneration") < generation for one in found)
        rows = [
            ("Controller", text(each, "controllerName")),
            ("Spec", "has changed since; these conditions are of an older one" if old and found else ""),
        ]
        yield section(f"Parent {_parent(mapping(each, 'parentRef'))}", rows, condition_lines(found, now))


def _name(obj: Json) -> str:
    return clean(text(obj, "metadata", "name"), 253)
