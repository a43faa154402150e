"""The Python client's raw path, as the console uses it: lists, watches, bookmarks, 410."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kubernetes.aio import config

from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.json import JsonObject, items, obj, path
from tests.clocks import ManualClock
from tests.console.rehearsal.sim.kubernetes.conftest import Served, serve

PODS = "/api/v1/namespaces/shop/configmaps"


@pytest.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Served]:
    """A cluster that stands still, with three config maps."""
    store = Store.open(None, ManualClock(), history=50)
    store.create("namespaces", {"metadata": {"name": "shop"}})
    for name in ("a", "b", "c"):
        made = {"metadata": {"name": name, "namespace": "shop", "labels": {"of": name}}}
        store.create("configmaps", made)
    async with serve(store, KubeApi(store), tmp_path) as there:
        yield there


@asynccontextmanager
async def asked(
    there: Served, where: str, *query: tuple[str, str]
) -> AsyncIterator[AsyncIterator[JsonObject]]:
    """Ask with the kubeconfig's credentials, and give the lines of the answer."""
    api = await config.new_client_from_config(str(there.kubeconfig))
    async with api:
        request = await api.param_serialize(
            "GET", where, query_params=list(query), auth_settings=["BearerToken"]
        )
        answer = (await api.call_api(*request)).response

        async def lines() -> AsyncIterator[JsonObject]:
            async for line in answer.content:
                yield json.loads(line)

        yield lines()
        answer.close()


async def one(there: Served, where: str, *query: tuple[str, str]) -> JsonObject:
    async with asked(there, where, *query) as lines:
        return await anext(lines)


def names(body: JsonObject) -> list[object]:
    return [path(item, ("metadata", "name")) for item in items(body.get("items"))]


async def test_lists_select_and_go_on_where_a_limit_cut_them(quiet: Served) -> None:
    assert names(await one(quiet, PODS)) == ["a", "b", "c"]
    assert names(await one(quiet, PODS, ("labelSelector", "of notin (a,b)"))) == ["c"]
    assert names(await one(quiet, PODS, ("fieldSelector", "metadata.name!=a"))) == ["b", "c"]
    first = await one(quiet, PODS, ("limit", "2"))
    assert names(first) == ["a", "b"]
    meta = obj(first["metadata"])
    assert meta["remainingItemCount"] == 1
    rest = await one(quiet, PODS, ("limit", "2"), ("continue", str(meta["continue"])))
    assert names(rest) == ["c"]
    assert "continue" not in obj(rest["metadata"])


async def test_a_watch_goes_on_from_a_version(quiet: Served) -> None:
    since = str(quiet.store.version)
    async with asked(
        quiet, PODS, ("watch", "true"), ("resourceVersion", since), ("labelSelector", "of=a")
    ) as events:
        quiet.store.create("configmaps", {"metadata": {"name": "other", "namespace": "shop"}})
        changed = quiet.store.get("configmaps", "shop", "a")
        assert changed is not None
        quiet.store.update("configmaps", {**changed, "data": {"k": "v"}})
        quiet.store.put("configmaps", {"metadata": {"name": "a", "namespace": "shop"}})
        seen = [await anext(events), await anext(events)]
    assert [event["type"] for event in seen] == ["MODIFIED", "DELETED"]
    assert path(seen[0], ("object", "data")) == {"k": "v"}


async def test_a_watch_without_a_version_begins_with_what_there_is(quiet: Served) -> None:
    query = (("watch", "true"), ("sendInitialEvents", "true"), ("allowWatchBookmarks", "true"))
    async with asked(quiet, PODS, *query, ("resourceVersionMatch", "NotOlderThan")) as events:
        seen = [await anext(events) for _ in range(4)]
    assert [event["type"] for event in seen] == ["ADDED", "ADDED", "ADDED", "BOOKMARK"]
    end = path(seen[3], ("object", "metadata", "annotations"))
    assert end == {"k8s.io/initial-events-end": "true"}


async def test_bookmarks_come_by_the_clock(quiet: Served) -> None:
    clock = quiet.store.clock
    assert isinstance(clock, ManualClock)
    since = str(quiet.store.version)
    query = (("watch", "1"), ("resourceVersion", since), ("allowWatchBookmarks", "true"))
    async with asked(quiet, PODS, *query) as events:
        quiet.store.create("secrets", {"metadata": {"name": "s", "namespace": "shop"}})
        await clock.advance(61)
        event = await anext(events)
    assert event["type"] == "BOOKMARK"
    assert path(event, ("object", "metadata", "resourceVersion")) == str(quiet.store.version)


@pytest.mark.parametrize("since", ["1", "99999"])
async def test_a_version_that_is_gone_is_told_so(quiet: Served, since: str) -> None:
    quiet.store.compact()
    event = await one(quiet, PODS, ("watch", "true"), ("resourceVersion", since))
    assert event["type"] == "ERROR"
    assert path(event, ("object", "code")) == 410
    assert path(event, ("object", "reason")) == "Expired"


async def test_a_watch_ends_when_its_time_is_over_or_the_server_drops_it(quiet: Served) -> None:
    async with asked(quiet, PODS, ("watch", "true"), ("timeoutSeconds", "1")) as events:
        assert len([event async for event in events]) == 3
    async with asked(quiet, PODS, ("watch", "true")) as events:
        assert (await anext(events))["type"] == "ADDED"
        quiet.api.drop_watches()
        assert len([event async for event in events]) == 2
