"""The tenants and accounts of an environment: they follow from the seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.rehearsal.sim.seeded import digest, identifier

ANONYMOUS = "anonymous"

_FIRST = (
    "Nordwind",
    "Halden",
    "Brightwater",
    "Ostara",
    "Kestrel",
    "Lumen",
    "Marlow",
    "Tessel",
    "Arden",
    "Quarry",
)
_SECOND = ("Fibre", "Networks", "Telecom", "Broadband", "Connect", "Access")
_TENANTS = 8


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer of the platform."""

    id: str
    slug: str
    name: str
    plan: str
    domain: str
    """Of its members' e-mail addresses."""


@dataclass(frozen=True, slots=True)
class Account:
    """A login: one of the four test accounts, or nobody's business."""

    role: str
    user_id: str
    username: str
    password: str
    email: str
    tenant: Tenant | None
    """None for a platform admin, who has no home tenant."""

    def __repr__(self) -> str:
        return f"Account({self.role})"


def tenant(seed: int, environment: str, slug: str, name: str) -> Tenant:
    """Return a tenant; neither its id nor its domain is the same in two environments."""
    suffix = digest(seed, environment, "domain", slug).hex()[:6]
    plans = ("starter", "professional", "enterprise")
    plan = plans[digest(seed, "plan", slug)[0] % len(plans)]
    return Tenant(identifier(seed, environment, "tenant", slug), slug, name, plan, f"{slug}-{suffix}.test")


def tenants(seed: int, environment: str) -> tuple[Tenant, ...]:
    """Return the customers of ``environment``, without those of the test accounts."""
    found: dict[str, Tenant] = {}
    for number in range(100):
        draw = digest(seed, environment, "name", str(number))
        name = f"{_FIRST[draw[0] % len(_FIRST)]} {_SECOND[draw[1] % len(_SECOND)]}"
        slug = name.lower().replace(" ", "-")
        if slug not in found:
            found[slug] = tenant(seed, environment, slug, name)
        if len(found) == _TENANTS:
            break
    return tuple(found.values())


def accounts(
    seed: int, environment: str, given: Mapping[str, tuple[str, str, str | None]]
) -> dict[str, Account]:
    """Return the test accounts by user name, from role -> (user name, password, tenant's slug or None).

    Whoever is not a platform admin has a home tenant, "partner-home" where none was given.
    """
    made = {}
    for role, (username, password, slug) in given.items():
        home = None
        if role != "platform_admin":
            name = slug or "partner-home"
            home = tenant(seed, environment, name, name.replace("-", " ").title())
        domain = home.domain if home else tenant(seed, environment, "operator", "Operator").domain
        user_id = identifier(seed, environment, "user", username)
        made[username] = Account(role, user_id, username, password, f"{username}@{domain}", home)
    return made


def moment(wall_us: int) -> datetime:
    """Return a clock's reading as an aware datetime, UTC."""
    return datetime.fromtimestamp(wall_us / 1_000_000, tz=UTC)


def iso(wall_us: int) -> str:
    """Return a clock's reading as the platform writes times: ISO 8601 with offset."""
    return moment(wall_us).isoformat(timespec="microseconds")
