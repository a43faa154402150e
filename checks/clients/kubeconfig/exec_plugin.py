"""A plugin of a kubeconfig is run, and says a token or a certificate, or why it doesn't."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from checks.clients.errors import MisconfiguredError, TimedOutError, Where
from checks.clients.kubeconfig.access import Access, Plugin, cluster_info
from checks.clients.redact import Redactor
from state.base.json import Json, JsonObject, obj, text
from state.base.text import line

# As long as any other question may take: whoever asks has a limit of its own.
_TIMEOUT_S: Final = 10.0
_LONGEST_ANSWER: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Credential:
    """What a plugin said."""

    token: str = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    until_s: float | None
    """Seconds since 1970; None: it doesn't say."""


async def run_plugin(plugin: Plugin, access: Access, where: Where, redactor: Redactor) -> Credential:
    """Run a plugin and return what it says.

    Raises MisconfiguredError with its own last line where it ends with an error; TimedOutError.
    """
    name = line(Path(plugin.command).name, 80)
    program = shutil.which(plugin.command)
    if program is None:
        hint = f" ({line(plugin.hint, 160)})" if plugin.hint else ""
        raise MisconfiguredError(f"{where}: {name}, which tells the credentials, is no program here{hint}")
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *plugin.args,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **dict(plugin.env), "KUBERNETES_EXEC_INFO": json.dumps(_info(plugin, access))},
            start_new_session=True,
        )
    except OSError as error:
        raise MisconfiguredError(f"{where}: {name} cannot be run: {error.strerror}") from None
    try:
        out, err = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
    except TimeoutError:
        raise TimedOutError(f"{where}: {name} told no credentials within {_TIMEOUT_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = next((one for one in reversed(err.decode(errors="replace").splitlines()) if one.strip()), "")
        why = line(redactor.clean(last), 200) or "it says nothing"
        raise MisconfiguredError(f"{where}: {name} ended with {process.returncode}: {why}")
    return _credential(plugin, out, f"{where}: {name}")


def _info(plugin: Plugin, access: Access) -> JsonObject:
    spec: dict[str, Json] = {"interactive": False}
    if plugin.wants_cluster:
        spec["cluster"] = cluster_info(access)
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}


def _credential(plugin: Plugin, out: bytes, who: str) -> Credential:
    try:
        said = obj(json.loads(out[:_LONGEST_ANSWER]))
    except (ValueError, RecursionError):
        said = {}
    if text(said, "kind") != "ExecCredential":
        raise MisconfiguredError(f"{who} told no ExecCredential as JSON")
    if text(said, "apiVersion") != plugin.api_version:
        spoken = line(text(said, "apiVersion"), 60) or "no apiVersion"
        raise MisconfiguredError(f"{who} speaks {spoken}; the kubeconfig expects {plugin.api_version}")
    status = obj(said.get("status"))
    found = Credential(
        text(status, "token"),
        text(status, "clientCertificateData"),
        text(status, "clientKeyData"),
        _seconds(text(status, "expirationTimestamp"), who),
    )
    if bool(found.certificate) != bool(found.key) or not (found.token or found.key):
        raise MisconfiguredError(f"{who} told neither a token nor a certificate with its key")
    return found


def _seconds(stamp: str, who: str) -> float | None:
    if not stamp:
        return None
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        raise MisconfiguredError(f"{who} told an expirationTimestamp that is no time") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
