"""Where settings lead, as places and not as texts: host and port, and of a database its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {
    **dict.fromkeys(("postgres", "postgresql"), 5432),
    **dict.fromkeys(("mysql", "mariadb"), 3306),
    **dict.fromkeys(("redis", "rediss", "valkey"), 6379),
    **dict.fromkeys(("amqp", "amqps"), 5672),
    **dict.fromkeys(("mongodb", "mongodb+srv"), 27017),
}
_DATABASES: Final = frozenset({"postgres", "postgresql", "mysql", "mariadb", "mongodb", "mongodb+srv"})
_REDIS_HOST: Final = re.compile(r"(?:REDIS|VALKEY|BROKER)(?:_|__)HOST$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and where it matters what in it: two names of one database number are one Redis."""

    kind: str
    """``redis``, ``postgresql``…, without its driver."""
    host: str
    port: int
    name: str = ""
    """The database, of a server that holds several apart."""


def place_of(value: str, namespace: str) -> Place | None:
    """Return where a URL leads, or None where it is none of a data system.

    ``namespace`` is whose short names of services it may hold: ``redis`` is ``redis.NAMESPACE`` there.
    """
    try:
        url = urlsplit(value.strip())
        port = url.port
    except ValueError:
        return None
    kind = url.scheme.lower().partition("+")[0]
    if kind not in _PORTS or not url.hostname:
        return None
    family = {"rediss": "redis", "valkey": "redis", "postgres": "postgresql", "amqps": "amqp"}.get(kind, kind)
    name = url.path.strip("/") if kind in _DATABASES else ""
    return Place(family, host_of(url.hostname, namespace), port or _PORTS[kind], name)


def host_of(host: str, namespace: str) -> str:
    """Return one name for a host, whichever of a cluster's ways of writing it was used."""
    bare = host.lower().rstrip(".").removesuffix(".cluster.local").removesuffix(".svc")
    return bare if "." in bare or ":" in bare or bare == "localhost" else f"{bare}.{namespace}"


def places_of(values: Mapping[str, str], namespace: str) -> dict[str, Place]:
    """Return the places that settings lead to, by name: of URLs, and of a Redis whose host and port stand apart."""
    found = {
        name: place for name, value in values.items() if (place := place_of(value, namespace)) is not None
    }
    for name, value in values.items():
        if _REDIS_HOST.search(name) and value.strip():
            port = values.get(name[: -len("HOST")] + "PORT", "").strip()
            host = host_of(value.strip(), namespace)
            found[name] = Place("redis", host, int(port) if port.isdecimal() else _PORTS["redis"])
    return found


def databases_of(values: Mapping[str, str], namespace: str) -> dict[str, Place]:
    """Return the databases that settings lead to."""
    found = places_of(values, namespace)
    return {name: place for name, place in found.items() if place.kind not in {"redis", "amqp"}}
