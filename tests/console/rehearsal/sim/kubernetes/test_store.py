from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.rehearsal.sim.kubernetes import KubeError, Store
from state.base.json import obj, path
from tests.clocks import ManualClock
from tests.console.rehearsal.sim.kubernetes.making import deployment, service


@pytest.fixture
def store() -> Store:
    made = Store.open(None, ManualClock(), history=10)
    made.create("namespaces", {"metadata": {"name": "shop"}})
    return made


def config(name: str, **more: object) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "shop", **more}}


def test_a_new_object_gets_its_identity(store: Store) -> None:
    made = store.create("deployments", deployment())
    meta = made["metadata"]
    assert isinstance(meta, dict)
    assert (meta["generation"], meta["creationTimestamp"]) == (1, "2026-11-18T11:06:40Z")
    assert meta["resourceVersion"] == str(store.version)
    assert len(str(meta["uid"])) == 36


def test_what_is_read_is_a_copy(store: Store) -> None:
    store.create("configmaps", {**config("c"), "data": {"a": "1"}})
    copy = store.get("configmaps", "shop", "c")
    assert copy is not None
    copy["data"] = {"a": "2"}
    assert store.need("configmaps", "shop", "c")["data"] == {"a": "1"}


def test_a_write_without_a_change_is_none(store: Store) -> None:
    made = store.create("deployments", deployment())
    before = store.version
    store.update("deployments", made)
    store.put("deployments", made)
    assert store.version == before


def test_a_put_replaces_everything_and_keeps_the_identity(store: Store) -> None:
    made = store.put("services", service())
    again = store.put("services", {**service(), "status": {"loadBalancer": {"ingress": []}}})
    assert path(again, ("metadata", "uid")) == path(made, ("metadata", "uid"))
    assert path(again, ("spec", "clusterIP")) == path(made, ("spec", "clusterIP"))
    assert path(again, ("status", "loadBalancer", "ingress")) == []


def test_what_an_object_owns_goes_with_it(store: Store) -> None:
    owner = store.create("configmaps", config("owner"))
    uid = path(owner, ("metadata", "uid"))
    store.create("secrets", config("owned", ownerReferences=[{"uid": uid, "name": "owner"}]))
    store.create("secrets", config("freed", ownerReferences=[{"uid": uid, "name": "owner"}]))
    store.update("secrets", config("freed"))
    store.delete("configmaps", "shop", "owner")
    assert store.peek("secrets", "shop", "owned") is None
    assert store.peek("secrets", "shop", "freed") is not None


def test_orphans_are_let_go(store: Store) -> None:
    uid = path(store.create("configmaps", config("owner")), ("metadata", "uid"))
    store.create("secrets", config("owned", ownerReferences=[{"uid": uid, "name": "owner"}]))
    store.delete("configmaps", "shop", "owner", orphan=True)
    assert path(store.need("secrets", "shop", "owned"), ("metadata", "ownerReferences")) == []


def test_finalizers_hold_an_object(store: Store) -> None:
    store.create("configmaps", config("held", finalizers=["shop/keep"]))
    assert path(store.delete("configmaps", "shop", "held"), ("metadata", "deletionTimestamp"))
    store.update("configmaps", config("held"))
    assert store.peek("configmaps", "shop", "held") is None


def test_nothing_is_added_to_a_namespace_that_ends(store: Store) -> None:
    store.delete("namespaces", "", "shop")
    with pytest.raises(KubeError, match="because it is being terminated") as refused:
        store.create("configmaps", config("late"))
    assert refused.value.code == 403
    store.empty_namespace("shop")
    assert store.peek("namespaces", "", "shop") is None


def test_history_is_kept_for_a_while(store: Store) -> None:
    since = store.version
    for place in range(5):
        store.create("configmaps", config(f"c{place}"))
    assert [change.version - since for change in store.changes(since)] == [1, 2, 3, 4, 5]
    for place in range(40):
        store.create("secrets", config(f"s{place}"))
    with pytest.raises(KubeError, match="too old resource version") as gone:
        store.changes(since)
    assert gone.value.code == 410


def test_a_killed_process_finds_its_objects_again(tmp_path: Path) -> None:
    journal = tmp_path / "cluster.jsonl"
    first = Store.open(journal, ManualClock(), seed=7)
    first.create("namespaces", {"metadata": {"name": "shop"}})
    first.create("configmaps", config("gone"))
    made = first.create("deployments", deployment())
    first.delete("configmaps", "shop", "gone")
    first.close()
    with journal.open("a") as out:
        out.write('{"rv": 99, "resource": "secr')  # what a kill in the middle of a write leaves
    again = Store.open(journal, ManualClock(), seed=7)
    assert again.get("deployments", "shop", "web") == made
    assert again.peek("configmaps", "shop", "gone") is None
    assert again.version == first.version
    assert journal.stat().st_mode & 0o777 == 0o600
    fresh = again.create("configmaps", config("new"))
    known = {path(one, ("metadata", "uid")) for _, one in first.everything()}
    assert path(fresh, ("metadata", "uid")) not in known
    again.close()
    third = Store.open(journal, ManualClock())
    third.close()
    assert third.peek("configmaps", "shop", "new") is not None


def test_what_was_deleted_is_nobodys_child_after_a_restart(tmp_path: Path) -> None:
    journal = tmp_path / "cluster.jsonl"
    first = Store.open(journal, ManualClock(), seed=7)
    first.create("namespaces", {"metadata": {"name": "shop"}})
    owner = str(path(first.create("deployments", deployment()), ("metadata", "uid")))
    child = config("child")
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": owner}
    meta = {**obj(child["metadata"]), "ownerReferences": [reference]}
    first.create("configmaps", {**child, "metadata": meta})
    first.delete("configmaps", "shop", "child")
    first.close()
    again = Store.open(journal, ManualClock(), seed=7)
    assert again.owned(owner, "configmaps") == []
    again.close()


def test_another_file_is_no_journal(tmp_path: Path) -> None:
    other = tmp_path / "notes.json"
    other.write_text(json.dumps({"a": 1}) + "\n")
    with pytest.raises(ValueError, match="not a journal of the rehearsal's cluster"):
        Store.open(other)
