"""What stands for the service before its first release: namespaces, access, secrets, values, a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from console.rehearsal.sim.seeded import key, system_identifier
from console.rehearsal.web_service.names import Names, Site
from console.rehearsal.world.cluster_seed import namespace, secret
from state.base.json import Json, JsonObject
from state.runbook.environment import Tier

TLS_SECRET = "web-tls"  # noqa: S105  the name of a Kubernetes Secret
_PRODUCTS = ("teapot", "kettle", "cup", "tray", "tea towel")


def objects(site: Site, seed: int) -> Iterator[tuple[str, JsonObject]]:
    """Yield (plural, object) of an environment's namespace and what is in it."""
    yield from namespace(site.namespace)
    for name in (site.secret, *site.more_secrets):
        yield "secrets", secret(site.namespace, name, _settings(site, seed, name))


def _settings(site: Site, seed: int, name: str) -> dict[str, str]:
    password = key(seed, site.tier, f"{name} database")[:32]
    user = f"{site.release}_{site.tier}"
    return {
        "DATABASE_URL": f"postgresql://{user}:{password}@db.{site.tier}.internal/{user}",
        "SESSION_KEY": key(seed, site.tier, f"{name} session"),
    }


def values(names: Names, site: Site, image: str) -> dict[str, Json]:
    """Return the chart's values of an environment, with the image to run."""
    config: dict[str, Json] = {
        "environment": site.tier.value,
        "logLevel": "info",
        "publicUrl": f"https://{site.host}",
    }
    checksum = sha256(repr(sorted(config.items())).encode()).hexdigest()[:16]
    return {
        "name": site.deployment,
        "image": {names.part: image},
        "replicas": 3,
        "healthPath": site.health_path,
        "ingress": {"className": "nginx", "host": site.host, "tlsSecret": TLS_SECRET},
        "config": {**config, "checksum": checksum},
        "secret": {"name": site.secret},
    }


def copy_chart(names: Names, source: Path, target: Path) -> None:
    """Copy the chart, with the runbook's names for it and for its container."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        copy = target / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text().replace("PART", names.part)
        if file.name == "Chart.yaml":
            text = text.replace("name: web-service", f"name: {names.chart}")
            text = text.replace("version: 1.0.0", f"version: {names.chart_version}")
        copy.write_text(text)


def make_database(file: Path, seed: int, tier: Tier) -> str:
    """Make an environment's database, where it is not there yet, and return its URL for reading."""
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        link.execute(
            "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, product INTEGER NOT NULL, customer TEXT)"
        )
        link.execute("CREATE TABLE IF NOT EXISTS instance_identity (system_identifier INTEGER NOT NULL)")
        if not link.execute("SELECT count(*) FROM products").fetchone()[0]:
            link.executemany("INSERT INTO products (name) VALUES (?)", [(name,) for name in _PRODUCTS])
            rows = [
                (key(seed, tier, f"order {n}")[:12], n % 5 + 1, f"{tier} customer {n}") for n in range(20)
            ]
            link.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
            link.execute(
                "INSERT INTO instance_identity VALUES (?)", (system_identifier(seed, f"service {tier}"),)
            )
    link.close()
    return f"sqlite:///file:{file}?mode=ro&uri=true"
