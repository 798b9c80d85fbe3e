"""The pods of a label selector, listed once as a Table: 150 bytes a pod in place of 5,000."""

from __future__ import annotations

from cockpit.adapters.kubernetes.classify import Request
from cockpit.adapters.kubernetes.client import PAGE, KubeClient
from cockpit.adapters.kubernetes.pods import TABLE, Columns, pod_of_object, pod_of_row
from cockpit.adapters.kubernetes.resource import Json, Resource, items, text
from cockpit.model.cluster import PodPlace
from cockpit.model.text import clean

_NO_ADDRESS = "<none>"


async def list_pods(client: KubeClient, pods: Resource, selector: str, track_key: str = "") -> list[PodPlace]:
    """All pods of a selector, page by page; labels are asked for only when `track_key` needs them."""
    query = {"labelSelector": selector, "limit": str(PAGE), "includeObject": "Metadata" if track_key else "None"}
    found: list[PodPlace] = []
    token: dict[str, str] = {}
    columns, address = Columns(), -1
    while True:
        page = await client.json(Request("list", pods), query | token, TABLE)
        columns, address = Columns.of(page) or columns, _address_column(page, address)
        found += _places(page, columns, address, track_key)
        more = text(page, "metadata", "continue")
        if not more:
            return found
        token = {"continue": more}


def _places(page: Json, columns: Columns, address: int, track_key: str) -> list[PodPlace]:
    if "items" in page:
        each_pod = ((pod_of_object(item, track_key), text(item, "status", "podIP")) for item in items(page, "items"))
    else:
        rows = items(page, "rows")
        each_pod = ((pod_of_row(row, columns, track_key), text(row, "cells", address)) for row in rows)
    return [PodPlace(pod, "" if at == _NO_ADDRESS else clean(at, 60)) for pod, at in each_pod if pod is not None]


def _address_column(page: Json, known: int) -> int:
    names = [text(column, "name") for column in items(page, "columnDefinitions")]
    return names.index("IP") if "IP" in names else known
