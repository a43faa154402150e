"""The tables of the database stand-in: the part of the platform's schema that checks ask for.

Column names follow the platform's models; times are text in PostgreSQL's own style.
"""

from __future__ import annotations

PREVIOUS_HEAD = "c3f1a7d2e9b4"
HEAD = "create_licensing_enums"

# The schema that the previous release left.
TABLES = {
    "alembic_version": "version_num TEXT PRIMARY KEY",
    "instance_identity": "system_identifier INTEGER NOT NULL",
    "tenants": "id TEXT PRIMARY KEY, slug TEXT UNIQUE, name TEXT, plan_type TEXT, status TEXT,"
    " email_domain TEXT, created_at TEXT",
    "users": "id TEXT PRIMARY KEY, username TEXT, email TEXT, tenant_id TEXT, is_platform_admin INTEGER,"
    " is_active INTEGER, created_at TEXT",
    "roles": "id TEXT PRIMARY KEY, name TEXT UNIQUE, description TEXT",
    "user_roles": "user_id TEXT, role_id TEXT, granted_at TEXT",
    "audit_activities": "id TEXT PRIMARY KEY, activity_type TEXT, severity TEXT, action TEXT,"
    " description TEXT, tenant_id TEXT, user_id TEXT, username TEXT, ip_address TEXT,"
    " user_agent TEXT, request_id TEXT,"
    " timestamp TEXT, created_at TEXT",
    "jobs": "id TEXT PRIMARY KEY, tenant_id TEXT, job_type TEXT, title TEXT, status TEXT,"
    " progress_percent INTEGER, created_at TEXT, started_at TEXT, completed_at TEXT, created_us INTEGER",
    "invoices": "invoice_id TEXT PRIMARY KEY, tenant_id TEXT, invoice_number TEXT, status TEXT,"
    " currency TEXT, total_amount INTEGER, created_at TEXT",
    "subscriptions": "subscription_id TEXT PRIMARY KEY, tenant_id TEXT, plan_id TEXT, status TEXT",
}

# What the candidate's migration adds.
ADDED_TABLES = {
    "contacts": "id TEXT PRIMARY KEY, tenant_id TEXT, display_name TEXT",
    "partner_tenant_links": "id TEXT PRIMARY KEY, partner_id TEXT, managed_tenant_id TEXT, access_role TEXT",
    "partner_accounts": "id TEXT PRIMARY KEY, partner_id TEXT, customer_id TEXT",
    "email_verification_tokens": "id TEXT PRIMARY KEY, user_id TEXT, expires_at TEXT",
    "billing_payment_methods": "id TEXT PRIMARY KEY, tenant_id TEXT, type TEXT, last4 TEXT",
    "role_hierarchy": "parent_role_id TEXT, child_role_id TEXT",
    "permission_grants": "id TEXT PRIMARY KEY, user_id TEXT, permission_id TEXT, action TEXT",
    "user_devices": "id TEXT PRIMARY KEY, user_id TEXT, device_name TEXT",
    "licenses": "id TEXT PRIMARY KEY, tenant_id TEXT, status TEXT",
}
ADDED_COLUMNS = {("roles", "parent_id"): "TEXT", ("roles", "max_users"): "INTEGER"}

SEEDED_ROLES = (
    "admin",
    "tenant_admin",
    "tenant_billing_manager",
    "tenant_user",
    "partner_msp_full",
    "partner_msp_billing",
    "partner_msp_support",
    "partner_auditor",
)

HIDDEN = "left_out_"
