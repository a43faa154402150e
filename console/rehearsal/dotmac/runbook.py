"""The platform's side of its runbook: the SOP's own, with the rehearsal's candidate and environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from console.rehearsal.dotmac.names import (
    CANDIDATE_VERSION,
    CHART_VERSION,
    COMMIT,
    LOGINS,
    RELEASE,
    SECRET,
    Env,
)
from console.rehearsal.sim.fast_yaml import load
from console.rehearsal.world.cluster_seed import REGION
from console.rehearsal.world.runbook import OBSERVED, Addresses, builds_at
from state.base.json import Json, JsonObject, obj
from state.view.enums import Tier


@dataclass(frozen=True, slots=True)
class Reached:
    """How one environment of the platform is reached. Ports are on 127.0.0.1."""

    https_port: int
    http_port: int
    chart: Path
    values: Path
    files: Mapping[str, Path]
    """The secrets' files: roles, ``s3-access-key``, ``s3-secret-key``, ``database-url``."""


def sop_text() -> str:
    """Return the text of the SOP's runbook, from the wheel or from the checkout."""
    packaged = files("state.runbook") / "sop.yaml"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "runbook.yaml").read_text(encoding="utf-8")


def sop(
    given: str, addresses: Addresses, images: Mapping[str, str], head: str, reached: Mapping[Env, Reached]
) -> dict[str, Json]:
    """Return the SOP's runbook as data: candidate ``images`` by part, and its migration's ``head``."""
    book = load(given)
    migration = {**obj(obj(book["candidate"]).get("migration")), "head": head, "backward_compatible": True}
    book["candidate"] = {
        "version": CANDIDATE_VERSION,
        "commit": COMMIT,
        "images": dict(images),
        "migration": migration,
    }
    known, builds = obj(book["environments"]), addresses.observers[Tier.STAGING]
    book["environments"] = {
        env.value: {
            **obj(known[env]),
            **_environment(env, addresses, reached[env]),
            **({"ci": builds_at(obj(known[env])["ci"], builds)} if "ci" in obj(known[env]) else {}),
        }
        for env in Env
    }
    if "ci" in book:
        book["ci"] = builds_at(book["ci"], builds)
    return book


def _environment(env: Env, addresses: Addresses, reached: Reached) -> JsonObject:
    pins = {"pin": f"127.0.0.1:{reached.https_port}", "http_pin": f"127.0.0.1:{reached.http_port}"}

    def file(name: str) -> JsonObject:
        return {"file": str(reached.files[name])}

    return {
        "tier": env.value,
        **addresses.environment(env.tier, env.namespace, OBSERVED),
        "release": RELEASE,
        "chart": {"path": str(reached.chart), "version": CHART_VERSION, "values": [str(reached.values)]},
        "domains": {part: {"host": f"{part}.{env.domain}", **pins} for part in ("api", "admin")},
        "objectstore": {
            "url": addresses.objectstore,
            "bucket": env.bucket,
            "region": REGION,
            "access_key": file("s3-access-key"),
            "secret_key": file("s3-secret-key"),
        },
        "database": {"url": file("database-url")},
        "accounts": {role: _login(role, file(role)) for role in LOGINS},
        "secrets": [SECRET],
    }


def _login(role: str, password: JsonObject) -> JsonObject:
    login = LOGINS[role]
    account: dict[str, Json] = {"username": login.username, "password": password}
    return account | ({"tenant": login.tenant} if login.tenant else {})
