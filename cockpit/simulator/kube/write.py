"""Creating, changing and deleting objects, with the checks and the bookkeeping of an API server."""

from __future__ import annotations

from cockpit.simulator.kube.notice import note_change
from cockpit.simulator.kube.request import Actor, Target
from cockpit.simulator.kube.status import ApiError, already_exists, conflict, invalid, not_found
from cockpit.simulator.kube.validate import complete, validate
from cockpit.simulator.world.kinds import DEPLOYMENT, NAMESPACE, POD, Kind
from cockpit.simulator.world.managed import stamp
from cockpit.simulator.world.values import Obj, clone, rfc3339, stable_uid
from cockpit.simulator.world.world import World


class Writer:
    """Writes on behalf of an actor. With `dry` everything is checked and returned, and nothing stored."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, target: Target) -> Obj:
        """The object a request names; raises ApiError 404."""
        found = self._world.cluster.store.get(target.kind, target.namespace, target.name)
        if found is None:
            raise not_found(target.kind, target.name)
        return found

    def create(self, target: Target, body: Obj, actor: Actor, dry: bool) -> Obj:
        """Store a new object; raises ApiError 400, 404, 409 or 422."""
        kind, cluster = target.kind, self._world.cluster
        obj: Obj = clone(body)
        metadata = obj.setdefault("metadata", {})
        self._check_identity(kind, obj, target.namespace, "")
        self._name(target, metadata)
        if cluster.store.get(kind, target.namespace, metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
            metadata.pop(key, None)
        if kind.has_status:
            obj["status"] = {"phase": "Active"} if kind is NAMESPACE else {}
        complete(kind, obj)
        validate(kind, None, obj)
        stamp(None, obj, actor.manager, cluster.now)
        if dry:
            made = {"uid": stable_uid(metadata["name"]), "creationTimestamp": rfc3339(cluster.now)}
            return {**obj, "metadata": {**metadata, **made}}
        created = clone(cluster.create(kind, obj))
        note_change(self._world, kind, None, created, actor)
        self._world.settle()
        stored: Obj = created
        return stored

    def _name(self, target: Target, metadata: Obj) -> None:
        """Give a new object its name and namespace; raises ApiError 404 or 422."""
        kind, cluster = target.kind, self._world.cluster
        if "name" not in metadata and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + cluster.unique(metadata["generateName"], 5)
        if not metadata.get("name"):
            raise ApiError(422, f'{kind.name} "" is invalid: metadata.name: Required value: name is required')
        if kind.namespaced:
            metadata["namespace"] = target.namespace
            if cluster.store.get(NAMESPACE, "", target.namespace) is None:
                raise not_found(NAMESPACE, target.namespace)

    def replace(self, target: Target, body: Obj, actor: Actor, dry: bool) -> Obj:
        """Store a changed object or its status; raises ApiError 404, 409 or 422."""
        kind, cluster = target.kind, self._world.cluster
        before = self.find(target)
        after: Obj = clone(body)
        metadata = after.setdefault("metadata", {})
        self._check_identity(kind, after, target.namespace, target.name)
        version = metadata.get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(kind, target.name)
        if metadata.get("uid") not in (None, before["metadata"]["uid"]):
            ours, theirs = before["metadata"]["uid"], metadata["uid"]
            why = f"Precondition failed: UID in precondition: {theirs}, UID in object meta: {ours}"
            raise conflict(kind, target.name, why)
        after = self._combine(kind, before, after, target.subresource)
        validate(kind, before, after)
        if _same(before, after):
            return before
        stamp(before, after, actor.manager, cluster.now, target.subresource)
        if dry:
            return after
        stored: Obj = clone(cluster.store.put(kind, after))
        note_change(self._world, kind, before, stored, actor)
        self._world.settle()
        return stored

    def delete(self, target: Target, actor: Actor, options: Obj, dry: bool) -> Obj:
        """Remove an object and what it owns; pods end first. Raises ApiError 404 or 409."""
        world, kind = self._world, target.kind
        before = self.find(target)
        wanted = options.get("preconditions") or {}
        for key in ("uid", "resourceVersion"):
            if wanted.get(key) not in (None, before["metadata"][key]):
                raise conflict(kind, target.name, f"Precondition failed: {key}")
        if dry:
            return before
        world.record.add("delete", f"{kind.plural}/{target.name}", actor.user, agent=actor.agent)
        if kind is POD and options.get("gracePeriodSeconds") != 0:
            marked = world.pods.terminate(before)
            world.settle()
            return marked
        world.cluster.store.remove(kind, target.namespace, target.name)
        if options.get("propagationPolicy") != "Orphan":
            world.cluster.collect(before)
        world.settle()
        return before

    def _combine(self, kind: Kind, before: Obj, after: Obj, subresource: str) -> Obj:
        """The stored form of a write: identity is kept, status and the rest are written apart."""
        if subresource == "status":
            return {**clone(before), "status": after.get("status", {})}
        kept = before["metadata"]
        for key in ("uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp", "managedFields"):
            if key in kept:
                after["metadata"][key] = clone(kept[key])
        if kind.namespaced:
            after["metadata"]["namespace"] = kept["namespace"]
        if kind.has_status:
            after["status"] = clone(before.get("status", {}))
        complete(kind, after)
        if kind.counts_generations and _counts(kind, before, after):
            after["metadata"]["generation"] = kept["generation"] + 1
        return after

    def _check_identity(self, kind: Kind, obj: Obj, namespace: str, name: str) -> None:
        obj.setdefault("apiVersion", kind.api_version)
        obj.setdefault("kind", kind.name)
        given = (obj["apiVersion"], obj["kind"])
        if given != (kind.api_version, kind.name):
            text = f"the API version in the data ({given[0]}) does not match the expected API version"
            raise ApiError(400, f"{text} ({kind.api_version})")
        theirs = obj["metadata"].get("namespace")
        if namespace and theirs not in (None, "", namespace):
            raise ApiError(400, "the namespace of the provided object does not match the namespace sent on the request")
        if name and obj["metadata"].setdefault("name", name) != name:
            raise invalid(kind, name, "metadata.name", "Invalid value: field is immutable")


def _counts(kind: Kind, before: Obj, after: Obj) -> bool:
    """Whether a write makes a new generation: of Deployments, a changed annotation does too."""
    if after.get("spec") != before.get("spec"):
        return True
    notes = (each["metadata"].get("annotations") or {} for each in (before, after))
    return kind is DEPLOYMENT and next(notes) != next(notes)


def _same(before: Obj, after: Obj) -> bool:
    """Whether a write changes nothing: such a write makes no new resource version."""
    return before == after
