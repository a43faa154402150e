"""Kubeconfig files merged into the three entries of one context, by client-go's rules.

kubernetes.aio's own loader merges entries that kubectl wouldn't, knows no ``as:``, and swallows what a plugin says.
The rules are those of k8s.io/client-go/tools/clientcmd: the first file that has a name wins, with the whole entry;
paths are relative to the file in which they stand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from checks.clients.errors import MisconfiguredError, Where
from state.base.json import JsonObject, obj, objs, text
from state.base.text import line

# Keys whose relative values are meant from the file's folder.
_PATHS: Final = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
    "contexts": (),
}
_KINDS: Final = {"clusters": "cluster", "users": "user", "contexts": "context"}


@dataclass(frozen=True, slots=True)
class Entries:
    """What files say of one context. Secret-bearing: never log it."""

    cluster: JsonObject
    user: JsonObject
    """Empty where the context names none: the requests are anonymous."""
    context: JsonObject


def files_of(paths: str) -> list[Path]:
    """Return the files of a list such as KUBECONFIG holds, each once, in its order."""
    parts = [part for part in paths.split(os.pathsep) if part]
    return [Path(part).expanduser() for part in dict.fromkeys(parts)]


def read_entries(paths: str, context: str, where: Where) -> Entries:
    """Return the entries of a context.

    Files that aren't there are passed over, as kubectl does, while there is one. Raises MisconfiguredError.
    """
    merged = _merged(paths, where)
    chosen = merged["contexts"].get(context)
    if chosen is None:
        raise MisconfiguredError(
            f"{where}: kubeconfig {paths} has no context {context!r}; expected the one that the runbook names"
        )
    cluster, user = text(chosen, "cluster"), text(chosen, "user")
    for kind, name in (("clusters", cluster), ("users", user)):
        if name not in merged[kind] and (name or kind == "clusters"):
            raise MisconfiguredError(
                f"{where}: kubeconfig {paths} has no {_KINDS[kind]} {name!r}, which context {context!r} names"
            )
    return Entries(merged["clusters"][cluster], merged["users"].get(user, {}), chosen)


def contexts_of(paths: str, where: Where) -> list[str]:
    """Return the names of all contexts. Raises MisconfiguredError."""
    return list(_merged(paths, where)["contexts"])


def _merged(paths: str, where: Where) -> dict[str, dict[str, JsonObject]]:
    files = files_of(paths)
    found = [file for file in files if file.exists()]
    if not found:
        raise MisconfiguredError(
            f"{where}: kubeconfig {paths} does not exist; name one in the runbook (kube.kubeconfig) or in KUBECONFIG"
        )
    merged: dict[str, dict[str, JsonObject]] = {kind: {} for kind in _PATHS}
    for file in found:
        said = _read(file, where)
        for kind in _PATHS:
            for name, entry in _named(said, kind, file, where).items():
                merged[kind].setdefault(name, entry)
    return merged


def _read(file: Path, where: Where) -> JsonObject:
    import yaml

    try:
        said = yaml.safe_load(file.read_bytes())
    except OSError:
        raise MisconfiguredError(
            f"{where}: kubeconfig {file} cannot be read; expected a file that you may read"
        ) from None
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as error:
        # Not the error's own words: they quote the file, tokens and all.
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise MisconfiguredError(
            f"{where}: kubeconfig {file} cannot be read ({type(error).__name__}{place}); expected a kubeconfig file"
        ) from None
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        raise MisconfiguredError(
            f"{where}: kubeconfig {file} cannot be read (it is no mapping); expected a kubeconfig file"
        )
    return said


def _named(said: JsonObject, kind: str, file: Path, where: Where) -> dict[str, JsonObject]:
    entries: dict[str, JsonObject] = {}
    for one in objs(said.get(kind)):
        name = text(one, "name")
        if name in entries:
            raise MisconfiguredError(
                f"{where}: kubeconfig {file} has two of {_KINDS[kind]} {line(name, 80)!r}; kubectl refuses it too"
            )
        entries[name] = _absolute(obj(one.get(_KINDS[kind])), _PATHS[kind], file.absolute().parent)
    return entries


def _absolute(entry: JsonObject, keys: Sequence[str], folder: Path) -> JsonObject:
    moved = {**entry, **{key: str(folder / text(entry, key)) for key in keys if text(entry, key)}}
    plugin = obj(entry.get("exec"))
    command = text(plugin, "command")
    # A bare name is looked for in PATH; with a slash in it, it is a path from the file's folder.
    if os.sep in command:
        moved["exec"] = {**plugin, "command": str(folder / command)}
    return moved
