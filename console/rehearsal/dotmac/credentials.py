"""Made-up secrets of an environment. They follow from the seed, are strong, and are its own alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from console.rehearsal.dotmac.names import LOGINS, Env
from console.rehearsal.sim.seeded import key
from console.rehearsal.world.folder import write_secret


def password(seed: int, env: Env, role: str) -> str:
    """Return a test account's password."""
    return key(seed, env, f"account {role}")[:32]


def access_key(seed: int, env: Env) -> str:
    """Return the object store's access key id."""
    return f"RH{key(seed, env, 'storage access key')[:18].upper()}"


def storage_key(seed: int, env: Env) -> str:
    """Return the object store's secret key."""
    return key(seed, env, "storage secret key")[:40]


def logins(seed: int, env: Env) -> dict[str, tuple[str, str, str | None]]:
    """Return the test accounts: role -> user name, password, home tenant."""
    return {role: (login.username, password(seed, env, role), login.tenant) for role, login in LOGINS.items()}


def platform_secret(seed: int, env: Env) -> dict[str, str]:
    """Return the keys and values of the release's Secret: what a production start of the platform needs."""

    def strong(name: str) -> str:
        return key(seed, env, name)

    domain, mode = env.domain, "live" if env is Env.PRODUCTION else "test"
    database, redis = f"postgres.{env}.internal.dotmac.test", f"redis.{env}.internal.dotmac.test"
    database_password, redis_password = strong("database")[:32], strong("redis")[:32]
    ops = "ops.dotmac.test"
    return {
        "SECRET_KEY": strong("app"),
        "AUTH__JWT_SECRET_KEY": strong("jwt"),
        "JWT__SECRET_KEY": strong("jwt"),
        "NEXTAUTH_SECRET": strong("nextauth"),
        "DATABASE_URL": f"postgresql://dotmac_{env}:{database_password}@{database}:5432/dotmac_{env}",
        "DATABASE__HOST": database,
        "DATABASE__PORT": "5432",
        "DATABASE__DATABASE": f"dotmac_{env}",
        "DATABASE__USERNAME": f"dotmac_{env}",
        "DATABASE__PASSWORD": database_password,
        "REDIS_URL": f"redis://:{redis_password}@{redis}:6379/0",
        "SESSION_REDIS_URL": f"redis://:{redis_password}@{redis}:6379/1",
        "REDIS__HOST": redis,
        "REDIS__PORT": "6379",
        "REDIS__PASSWORD": redis_password,
        "CELERY__BROKER_URL": f"redis://:{redis_password}@{redis}:6379/2",
        "CELERY__RESULT_BACKEND": f"redis://:{redis_password}@{redis}:6379/3",
        "STORAGE__ENDPOINT": "https://objects.internal.dotmac.test",
        "STORAGE__ACCESS_KEY": access_key(seed, env),
        "STORAGE__SECRET_KEY": storage_key(seed, env),
        "STORAGE__BUCKET": env.bucket,
        "STORAGE__USE_SSL": "true",
        "VAULT__ENABLED": "true",
        "VAULT__URL": f"https://vault.{env}.internal.dotmac.test",
        "VAULT__TOKEN": f"hvs.{strong('vault')[:40]}",
        "TRUSTED_HOSTS": json.dumps([f"api.{domain}", f"admin.{domain}"]),
        "FRONTEND_URL": f"https://admin.{domain}",
        "FRONTEND_ADMIN_URL": f"https://admin.{domain}",
        "API_URL": f"https://api.{domain}",
        "OBSERVABILITY__OTEL_ENDPOINT": f"https://otel.{ops}",
        "OBSERVABILITY__ALERTMANAGER_BASE_URL": f"https://alertmanager.{ops}",
        "OBSERVABILITY__PROMETHEUS_BASE_URL": f"https://prometheus.{ops}",
        "OBSERVABILITY__GRAFANA_BASE_URL": f"https://grafana.{ops}",
        "OBSERVABILITY__ALERTMANAGER_WEBHOOK_SECRET": strong("webhook"),
        "BILLING__PAYSTACK_SECRET_KEY": f"sk_{mode}_{strong('paystack secret')[:40]}",
        "BILLING__PAYSTACK_PUBLIC_KEY": f"pk_{mode}_{strong('paystack public')[:40]}",
    }


def write_credentials(folder: Path, seed: int, env: Env, more: Mapping[str, str]) -> dict[str, Path]:
    """Write the secrets that the console needs, one file each, and return the files by name.

    Names: a role of the test accounts, ``s3-access-key``, ``s3-secret-key``, and the keys of ``more``.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {
        **{role: password(seed, env, role) for role in LOGINS},
        "s3-access-key": access_key(seed, env),
        "s3-secret-key": storage_key(seed, env),
        **more,
    }
    files = {name: folder / f"{env}-{name}" for name in values}
    for name, file in files.items():
        write_secret(file, values[name])
    return files
