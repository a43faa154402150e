"""Who may read what: the roles' matrix and their permissions."""

from __future__ import annotations

from collections.abc import Mapping

MATRIX = ("platform_admin", "tenant_admin", "tenant_user", "partner")

PLATFORM_ONLY: Mapping[str, int] = {"tenant_admin": 403, "tenant_user": 403, "partner": 403}
TENANT_ROLES: Mapping[str, int] = {"partner": 403}
MEMBERS: Mapping[str, int] = {"platform_admin": 403, "partner": 403}
HOME_TENANT: Mapping[str, int] = {"platform_admin": 400, "partner": 403}
"""A platform admin has no home tenant, which these routes want."""
TENANT_ADMINS: Mapping[str, int] = {"tenant_user": 403, "partner": 403}
NOBODY: Mapping[str, int] = dict.fromkeys(MATRIX, 403)

_BILLING = (
    "billing.invoices.view",
    "billing.subscriptions.view",
    "billing.payments.view",
    "billing.settings.view",
)
_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "platform_admin": ("platform:admin",),
    "tenant_admin": (*_BILLING, "billing.invoices.create", "billing.settings.update", "partner.tenants.list"),
    "tenant_user": _BILLING,
    "partner": ("partner.tenants.list", "partner.billing.view"),
}


def permissions(role: str) -> list[str]:
    """Return the names of what a role may do."""
    return list(_PERMISSIONS.get(role, ()))
