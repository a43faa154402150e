"""The objects of the simulated cluster: versions, conflicts, deletion, history and journal.

One process, one event loop: no method waits, so what a caller reads and then writes can't change in between.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from console.rehearsal.sim.kubernetes import admission, problems
from console.rehearsal.sim.kubernetes.history import Change, History
from console.rehearsal.sim.kubernetes.journal import Journal
from console.rehearsal.sim.kubernetes.kubectl.owned_fields import Writer, take_over
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    child,
    clone,
    copied,
    is_terminating,
    name_of,
    namespace_of,
    number,
    stamp,
    tidied,
    uid_of,
    version_of,
    word,
)
from console.rehearsal.sim.kubernetes.resources import RESOURCES, Resource
from state.base.clock import SECOND_US, Clock, SystemClock
from state.base.json import JsonObject, obj, objs, path, text, texts

Key: TypeAlias = tuple[str, str, str]  # plural, namespace ("" for the cluster's own), name
Part: TypeAlias = Literal["", "status", "all"]

FIRST_NAMESPACES = ("default", "kube-public", "kube-system")
SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_ENDED = ("Succeeded", "Failed")


class Store:
    """Every object of the cluster, by kind (its plural: ``pods``), namespace and name.

    What ``get``, ``list`` and writes return are copies; ``peek`` and ``scan`` lend the store's own to read.
    Times come from the clock. ``history`` is how many changes a watch can go back before it is told 410.
    """

    def __init__(self, clock: Clock | None = None, *, seed: int = 0, history: int = 4096) -> None:
        self.clock: Clock = clock or SystemClock()
        self._seed = seed
        self._objects: dict[str, dict[tuple[str, str], Obj]] = {plural: {} for plural in RESOURCES}
        self._owned: dict[str, set[Key]] = {}
        self._history = History(history)
        self._names = 0
        self._journal: Journal | None = None

    @classmethod
    def open(
        cls, journal: Path | None, clock: Clock | None = None, *, seed: int = 0, history: int = 4096
    ) -> Store:
        """Return a store with what its journal holds; a new one has the namespaces every cluster has.

        Raises OSError where the file can't be used, ValueError where it is no journal.
        """
        store = cls(clock, seed=seed, history=history)
        if journal is not None:
            store._journal = Journal(journal)
            for body in store._journal.read():
                store._replay(body)
            store._journal.rewrite(store.version, store.everything())
        for name in FIRST_NAMESPACES:
            if store.peek("namespaces", "", name) is None:
                store.create("namespaces", {"metadata": {"name": name}})
        return store

    def _replay(self, line: JsonObject) -> None:
        plural = text(line, "resource")
        self._history.version = max(self.version, number(line, ("rv",)))
        if plural not in self._objects:
            return
        body = clone(obj(line.get("object"))) if isinstance(line.get("object"), Mapping) else None
        named = line if body is None else obj(body.get("metadata"))
        old = self._objects[plural].pop((text(named, "namespace"), text(named, "name")), None)
        if old is not None:
            self._forget(plural, old)
        if body is not None:
            self._index(plural, body)
            self._objects[plural][namespace_of(body), name_of(body)] = body

    def everything(self) -> Iterator[tuple[str, JsonObject]]:
        """Yield every object with its kind's plural."""
        for plural, kept in self._objects.items():
            for body in kept.values():
                yield plural, body

    def close(self) -> None:
        """Close the journal; the objects stay readable."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    # Reading

    @property
    def version(self) -> int:
        """The resourceVersion of the newest change."""
        return self._history.version

    def peek(self, resource: str, namespace: str | None, name: str) -> JsonObject | None:
        """Return the store's own object, not to be changed, or None."""
        return self._objects[resource].get((namespace or "", name))

    def get(self, resource: str, namespace: str | None, name: str) -> Obj | None:
        """Return a copy of an object, or None."""
        found = self.peek(resource, namespace, name)
        return None if found is None else clone(found)

    def need(self, resource: str, namespace: str | None, name: str) -> JsonObject:
        """Return the store's own object.

        Raises KubeError (404) where there is none.
        """
        found = self.peek(resource, namespace, name)
        if found is None:
            raise problems.not_found(RESOURCES[resource], name)
        return found

    def scan(self, resource: str, namespace: str | None = None) -> list[JsonObject]:
        """Return the store's own objects of a kind, sorted; None is every namespace."""
        kept = self._objects[resource]
        return [kept[key] for key in sorted(kept) if namespace is None or key[0] == namespace]

    def owned(self, uid: str, resource: str) -> list[JsonObject]:
        """Return the store's own objects of a kind that have ``uid`` as an owner, sorted."""
        keys = sorted(key for key in self._owned.get(uid, ()) if key[0] == resource)
        return [self._objects[resource][key[1], key[2]] for key in keys]

    # Watching

    def changes(self, since: int) -> list[Change]:
        """Return the changes of every kind after a version.

        Raises KubeError (410) for a version that is older than what is kept, or that this store never gave.
        """
        return self._history.since(since)

    async def wait_beyond(self, version: int) -> None:
        """Wait until there is a newer version."""
        await self._history.wait_beyond(version)

    def compact(self) -> None:
        """Forget the history, as a real cluster does after minutes: watches from older versions get 410."""
        self._history.compact()

    # Writing

    def create(
        self,
        resource: str,
        body: Mapping[str, object],
        namespace: str | None = None,
        *,
        keep_status: bool = True,
        dry_run: bool = False,
        writer: Writer | None = None,
    ) -> Obj:
        """Add an object and return it as stored. ``namespace`` fills one that the body leaves out.

        ``writer`` is who owns its fields from then on; without one, nobody does.

        Raises KubeError: 404 no such namespace, 403 namespace ends, 409 name taken, 422 breaks rules.
        """
        kind, new = RESOURCES[resource], tidied(body)
        meta = child(new, "metadata")
        if kind.namespaced:
            meta["namespace"] = text(meta, "namespace") or namespace or "default"
            self._admit_to(kind, new)
        else:
            meta.pop("namespace", None)
        if not text(meta, "name") and text(meta, "generateName"):
            meta["name"] = self._generated(resource, meta)
        if self.peek(resource, namespace_of(new), name_of(new)) is not None:
            raise problems.already_exists(kind, name_of(new))
        if "status" in kind.subresources and not keep_status:
            new.pop("status", None)
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        meta["uid"] = self._uid()
        meta["creationTimestamp"] = stamp(self.clock.wall_us())
        if kind.generations:
            meta["generation"] = 1
        admission.as_stored(kind, new)
        admission.fill_defaults(kind, new)
        admission.validate(kind, new, None)
        if resource == "pods":
            account = self.peek("serviceaccounts", namespace_of(new), word(new, "spec", "serviceAccountName"))
            admission.mount_token(new, account, self._letters(name_of(new)))
            self._admit_pod(kind, new)
        if resource == "persistentvolumeclaims":
            meta["finalizers"] = [*texts(meta.get("finalizers")), "kubernetes.io/pvc-protection"]
        if writer is not None:
            take_over(new, {}, writer)
        return self._write(resource, None, new, dry_run=dry_run)

    def put(self, resource: str, body: Mapping[str, object], namespace: str | None = None) -> Obj:
        """Create an object or replace all of it, status too, whatever its version; return it as stored."""
        meta = obj(body.get("metadata"))
        where = (text(meta, "namespace") or namespace or "default") if RESOURCES[resource].namespaced else ""
        if self.peek(resource, where, text(meta, "name")) is None:
            return self.create(resource, body, namespace)
        new = clone(body)
        for key in ("resourceVersion", "uid"):
            child(new, "metadata").pop(key, None)
        return self.update(
            resource, {**new, "metadata": {**child(new, "metadata"), "namespace": where}}, part="all"
        )

    def update(
        self,
        resource: str,
        body: Mapping[str, object],
        *,
        part: Part = "",
        dry_run: bool = False,
        writer: Writer | None = None,
    ) -> Obj:
        """Replace an object and return it as stored; a body with a resourceVersion must have the newest.

        ``part`` is what of the body counts: "" all but the status, "status" only that, "all" everything.
        ``writer`` owns what it changes from then on.
        Raises KubeError: 404 not there, 409 other version or uid, 422 breaks rules.
        """
        kind, given = RESOURCES[resource], tidied(body)
        name, where = name_of(given), namespace_of(given) if kind.namespaced else ""
        old = self.need(resource, where, name)
        if (asked := version_of(given)) and asked != version_of(old):
            raise problems.conflict(kind, name)
        if uid_of(given) and uid_of(given) != uid_of(old):
            have = f"UID in precondition: {uid_of(given)}, UID in object meta: {uid_of(old)}"
            raise problems.conflict(kind, name, f"Precondition failed: {have}")
        new = clone(old) if part == "status" else given
        if part == "status" or (part == "" and "status" in kind.subresources):
            new.pop("status", None)
            status = (given if part == "status" else old).get("status")
            if status is not None:
                new["status"] = copied(status)
        self._keep_identity(kind, new, old)
        admission.as_stored(kind, new)
        admission.carry_over(kind, new, old)
        admission.fill_defaults(kind, new)
        admission.validate(kind, new, old)
        if writer is not None:
            take_over(new, old, writer)
        if kind.generations and _counted(new) != _counted(old):
            child(new, "metadata")["generation"] = number(old, ("metadata", "generation")) + 1
        return self._write(resource, old, new, dry_run=dry_run)

    def set_status(self, resource: str, body: JsonObject, status: Mapping[str, object]) -> None:
        """Replace the status of an object, if it is still there."""
        old = self.peek(resource, namespace_of(body), name_of(body))
        if old is not None and old.get("status") != status:
            where: Obj = {"name": name_of(body), "namespace": namespace_of(body)}
            self.update(resource, {"metadata": where, "status": status}, part="status")

    def delete(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        *,
        grace: bool = True,
        grace_s: int | None = None,
        orphan: bool = False,
        dry_run: bool = False,
    ) -> Obj:
        """Delete an object and what it owns; return it as it was, or as it is while it ends.

        With ``grace`` a pod on a node and a namespace only begin to end: the controllers finish it. A pod gets
        ``grace_s`` seconds, or what its spec says.
        Objects with finalizers stay until those are gone. Raises KubeError (404).
        """
        old = self.need(resource, namespace, name)
        if dry_run:
            return clone(old)
        slow = resource == "namespaces" or (resource == "pods" and bool(word(old, "spec", "nodeName")))
        given = number(old, ("spec", "terminationGracePeriodSeconds"), 30) if grace_s is None else grace_s
        seconds = given if grace and slow and resource == "pods" else 0
        if (grace and slow) or texts(path(old, ("metadata", "finalizers"))):
            return self._begin_to_end(resource, old, seconds)
        self._remove(resource, old, orphan=orphan)
        gone = clone(old)
        if resource == "pods" and grace:
            self._mark_as_ending(gone, old, 0)
        return gone

    def _mark_as_ending(self, new: Obj, old: JsonObject, seconds: int) -> None:
        meta = child(new, "metadata")
        meta["deletionTimestamp"] = stamp(self.clock.wall_us() + seconds * SECOND_US)
        meta["deletionGracePeriodSeconds"] = seconds
        if "generation" in meta:
            meta["generation"] = number(old, ("metadata", "generation")) + 1

    def _begin_to_end(self, resource: str, old: JsonObject, seconds: int) -> Obj:
        if is_terminating(old):
            return clone(old)
        new = clone(old)
        self._mark_as_ending(new, old, seconds)
        if resource == "namespaces":
            del child(new, "metadata")["deletionGracePeriodSeconds"]
        if resource == "namespaces":
            child(new, "status")["phase"] = "Terminating"
        return self._write(resource, old, new)

    def _remove(self, resource: str, old: JsonObject, *, orphan: bool) -> None:
        where = (namespace_of(old), name_of(old))
        uid = uid_of(old)
        del self._objects[resource][where]
        self._forget(resource, old)
        self._record(resource, old, None)
        for plural, below, name in sorted(self._owned.pop(uid, set())):
            dependent = self.peek(plural, below, name)
            if dependent is None:
                continue
            if orphan:
                freed = clone(dependent)
                refs = objs(path(dependent, ("metadata", "ownerReferences")))
                kept = [copied(ref) for ref in refs if text(ref, "uid") != uid]
                child(freed, "metadata")["ownerReferences"] = kept
                self._write(plural, dependent, freed)
            else:
                self.delete(plural, below, name)

    def empty_namespace(self, name: str) -> None:
        """Remove everything in a namespace, and then the namespace."""
        for plural, kept in self._objects.items():
            for where in [key for key in kept if key[0] == name and RESOURCES[plural].namespaced]:
                if where in kept:
                    self._remove(plural, kept[where], orphan=False)
        if (gone := self.peek("namespaces", "", name)) is not None:
            self._remove("namespaces", gone, orphan=False)

    # How a write is done

    def _write(self, resource: str, old: JsonObject | None, new: Obj, *, dry_run: bool = False) -> Obj:
        meta = child(new, "metadata")
        meta["resourceVersion"] = word(old or {}, "metadata", "resourceVersion")
        if (old is not None and old == new) or dry_run:
            return clone(new)
        ended = is_terminating(new) and resource != "namespaces" and old is not None and is_terminating(old)
        if ended and texts(path(old, ("metadata", "finalizers"))) and not texts(meta.get("finalizers")):
            self._remove(resource, old or new, orphan=False)
            return clone(new)
        meta["resourceVersion"] = str(self.version + 1)
        if old is not None:
            self._forget(resource, old)
        self._objects[resource][namespace_of(new), name_of(new)] = new
        self._index(resource, new)
        self._record(resource, old, new)
        return clone(new)

    def _record(self, resource: str, old: JsonObject | None, new: JsonObject | None) -> None:
        version = self._history.record(resource, old, new)
        if self._journal is not None:
            self._journal.add(version, resource, new, None if new is not None else old)

    def _owners(self, body: JsonObject) -> list[str]:
        return [text(ref, "uid") for ref in objs(path(body, ("metadata", "ownerReferences")))]

    def _index(self, resource: str, body: JsonObject) -> None:
        for uid in self._owners(body):
            self._owned.setdefault(uid, set()).add((resource, namespace_of(body), name_of(body)))

    def _forget(self, resource: str, body: JsonObject) -> None:
        for uid in self._owners(body):
            self._owned.get(uid, set()).discard((resource, namespace_of(body), name_of(body)))

    def _keep_identity(self, kind: Resource, new: Obj, old: JsonObject) -> None:
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        meta = child(new, "metadata")
        fixed = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
        for key in ("namespace", *fixed):
            meta.pop(key, None)
            value = path(old, ("metadata", key))
            if value is not None:
                meta[key] = copied(value)

    def _admit_to(self, kind: Resource, new: JsonObject) -> None:
        namespace = self.need("namespaces", "", namespace_of(new))
        if is_terminating(namespace):
            where = name_of(namespace)
            why = f"unable to create new content in namespace {where} because it is being terminated"
            raise problems.forbidden(kind, name_of(new), why)

    def _admit_pod(self, kind: Resource, pod: JsonObject) -> None:
        where = namespace_of(pod)
        quotas = self.scan("resourcequotas", where)
        pods = self.scan("pods", where) if quotas else ()
        there = sum(word(one, "status", "phase") not in _ENDED for one in pods)
        why = admission.refused(
            pod,
            self.need("namespaces", "", where),
            [name_of(one) for one in self.scan("serviceaccounts", where)],
            quotas,
            there,
        )
        if why:
            raise problems.forbidden(kind, name_of(pod), why)

    def _uid(self) -> str:
        digest = sha256(f"{self._seed}/{self.version + 1}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def _generated(self, resource: str, meta: JsonObject) -> str:
        while True:
            self._names += 1
            name = text(meta, "generateName")[:248] + self._letters(str(self._names))
            if self.peek(resource, text(meta, "namespace"), name) is None:
                return name

    def _letters(self, what: str) -> str:
        digest = sha256(f"{self._seed}/{self.version}/{what}".encode()).digest()
        return "".join(SUFFIX_LETTERS[byte % len(SUFFIX_LETTERS)] for byte in digest[:5])

    # Last, since its name hides the type's in what follows it

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        """Return copies of the objects of a kind; None is every namespace."""
        return [clone(one) for one in self.scan(resource, namespace)]


def _counted(body: JsonObject) -> JsonObject:
    """Return the spec whose change counts a generation; the node that a pod gets is none."""
    return {key: one for key, one in obj(body.get("spec")).items() if key != "nodeName"}
