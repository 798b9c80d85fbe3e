"""The Table form of objects, and the choice of form by the Accept header."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.simulator.kube.columns import columns_of
from cockpit.simulator.kube.status import ApiError
from cockpit.simulator.world.kinds import Kind
from cockpit.simulator.world.values import Obj, dig

_META = "meta.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Form:
    """How answers are written: plain objects, `Table` rows or `PartialObjectMetadata`."""

    name: str = ""
    include: str = "Metadata"


def choose_form(accept: str, include: str | None) -> Form:
    """The first form of an Accept header that is served; raises ApiError 406 when there is none."""
    include = include or "Metadata"
    if include not in ("None", "Metadata", "Object"):
        raise ApiError(400, f'invalid includeObject value: "{include}"')
    for offer in accept.split(",") if accept else [""]:
        media, _, text = offer.strip().partition(";")
        parameters = dict(part.strip().split("=", 1) for part in text.split(";") if "=" in part)
        if media not in ("application/json", "application/*", "*/*", ""):
            continue
        wanted = parameters.get("as", "")
        if wanted in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            if parameters.get("g") == "meta.k8s.io" and parameters.get("v") == "v1":
                return Form(wanted.removesuffix("List"), include)
        elif not wanted:
            return Form()
    raise ApiError(406, "only the following media types are accepted: application/json")


def partial(obj: Obj) -> Obj:
    """An object's metadata alone."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}


def row(kind: Kind, obj: Obj, include: str, now: float) -> Obj:
    """One Table row."""
    cells = [column.cell(obj, now) for column in columns_of(kind)]
    shown = {"None": None, "Metadata": partial(obj), "Object": obj}[include]
    return {"cells": cells, "object": shown}


def table(kind: Kind, objects: list[Obj], metadata: Obj, include: str, now: float, headed: bool = True) -> Obj:
    """A Table of objects; `headed` adds the column definitions."""
    columns = [column.definition() for column in columns_of(kind)] if headed else None
    rows = [row(kind, obj, include, now) for obj in objects]
    return {"kind": "Table", "apiVersion": _META, "metadata": metadata, "columnDefinitions": columns, "rows": rows}


def present(kind: Kind, obj: Obj, form: Form, now: float, headed: bool = True) -> Obj:
    """One object in the chosen form."""
    if form.name == "Table":
        metadata = {"resourceVersion": dig(obj, "metadata", "resourceVersion", default="")}
        return table(kind, [obj], metadata, form.include, now, headed)
    if form.name == "PartialObjectMetadata":
        return partial(obj)
    return obj


def present_list(kind: Kind, objects: list[Obj], metadata: Obj, form: Form, now: float) -> Obj:
    """A list in the chosen form."""
    if form.name == "Table":
        return table(kind, objects, metadata, form.include, now)
    if form.name == "PartialObjectMetadata":
        items = [partial(obj) for obj in objects]
        return {"kind": "PartialObjectMetadataList", "apiVersion": _META, "metadata": metadata, "items": items}
    items = [{key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in objects]
    return {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}
