"""The ConfigMap that holds a copy of the run.

Source: Kubernetes, "ConfigMaps": `binaryData` holds base64, an object has at most 1 MiB.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import zlib

from pydantic import ValidationError

from cockpit.adapters.kubernetes.client import KubeClient
from cockpit.adapters.kubernetes.fence import EPOCH, EPOCH_PATH, HOLDER, epoch_of, holder_of
from cockpit.adapters.kubernetes.patch import pointer, test
from cockpit.adapters.kubernetes.resource import Json, Resource, mapping, text
from cockpit.errors import BadAnswer, Conflict, Fenced, NotFound
from cockpit.model.mirror import About, Copy, FoundCopy

_ABOUT, _RUNBOOK, _JOURNAL = "about", "runbook.gz", "journal-{:03}.gz"
_CHUNK = 200_000
_HOLDER_PATH = pointer("metadata", "annotations", HOLDER)
_TRIES = 3


class KubeMirror:
    """See `cockpit.engine.ports.Mirror`."""

    def __init__(self, client: KubeClient, namespace: str, name: str) -> None:
        self._client = client
        self._resource = Resource("", "v1", "configmaps", namespace, name)
        self._stamp: tuple[str, str] | None = None

    async def read(self) -> FoundCopy | None:
        """The copy, None when there is none; raises BadAnswer when it cannot be understood."""
        try:
            obj = await self._client.get(self._resource)
        except NotFound:
            return None
        if not mapping(obj, "binaryData"):
            return None
        return FoundCopy(_copy(obj), epoch_of(obj) or 0, holder_of(obj))

    async def write(self, copy: Copy, epoch: int, holder: str) -> None:
        """Replace the copy, and make it again where somebody deleted it.

        Raises Fenced when somebody with a later claim wrote it, Conflict when it changes.
        """
        refusal: Conflict | NotFound | None = None
        for _ in range(_TRIES):
            try:
                await self._write(copy, epoch, holder)
                return
            except Fenced:
                raise
            except (Conflict, NotFound) as error:
                refusal, self._stamp = error, None
        assert refusal is not None
        raise refusal

    async def _write(self, copy: Copy, epoch: int, holder: str) -> None:
        stamp = {EPOCH: str(epoch), HOLDER: holder}
        if self._stamp is None:
            try:
                found = await self._client.get(self._resource)
            except NotFound:
                await self._create(copy, stamp)
                self._stamp = (str(epoch), holder)
                return
            known = _known(found, epoch, holder)
        else:
            known = [test(EPOCH_PATH, self._stamp[0]), test(_HOLDER_PATH, self._stamp[1])]
        content = _content(copy)
        operations: list[Json] = [
            *known,
            {"op": "add", "path": EPOCH_PATH, "value": stamp[EPOCH]},
            {"op": "add", "path": _HOLDER_PATH, "value": stamp[HOLDER]},
            *({"op": "add", "path": f"/{part}", "value": content[part]} for part in content),
        ]
        await self._client.patch(self._resource, operations, own=True)
        self._stamp = (str(epoch), holder)

    async def _create(self, copy: Copy, stamp: Json) -> None:
        name, namespace = self._resource.name, self._resource.namespace
        metadata: Json = {"name": name, "namespace": namespace, "annotations": stamp}
        body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **_content(copy)}
        await self._client.create(self._resource.named(""), body, own=True)


def _known(found: Json, epoch: int, holder: str) -> list[Json]:
    """What the write must find unchanged; raises Fenced when it is not ours to write."""
    theirs, by = epoch_of(found), holder_of(found)
    if theirs is not None and (theirs > epoch or (theirs == epoch and by not in ("", holder))):
        raise Fenced(
            f"The mirror was written by {by or 'somebody else'} with epoch {theirs}; this engine has epoch {epoch}",
            "That run has the later claim. Delete the ConfigMap if it is a leftover.",
            by=by,
            epoch=theirs,
            key="configmap",
        )
    annotations = mapping(found, "metadata", "annotations")
    missing: list[Json] = [] if annotations else [{"op": "add", "path": "/metadata/annotations", "value": {}}]
    return [test("/metadata/resourceVersion", text(found, "metadata", "resourceVersion")), *missing]


def _content(copy: Copy) -> Json:
    chunks = [copy.journal[start : start + _CHUNK] for start in range(0, len(copy.journal), _CHUNK)]
    binary = {_RUNBOOK: gzip.compress(copy.runbook, mtime=0)}
    binary |= {_JOURNAL.format(number): chunk for number, chunk in enumerate(chunks)}
    encoded = {key: base64.b64encode(value).decode() for key, value in binary.items()}
    return {"data": {_ABOUT: copy.about.model_dump_json(indent=1)}, "binaryData": encoded}


def _copy(obj: Json) -> Copy:
    binary = mapping(obj, "binaryData")
    try:
        about = About.model_validate_json(text(obj, "data", _ABOUT))
        chunks = [base64.b64decode(binary[key]) for key in sorted(binary) if key != _RUNBOOK]
        return Copy(about, gzip.decompress(base64.b64decode(binary[_RUNBOOK])), b"".join(chunks))
    except (ValidationError, KeyError, TypeError, binascii.Error, OSError, EOFError, zlib.error) as error:
        where = f"configmap/{text(obj, 'metadata', 'name')}"
        raise BadAnswer(
            f"{where} holds no copy of a run that this cockpit understands ({type(error).__name__})",
            "It was written by another version, or by hand.",
        ) from error
