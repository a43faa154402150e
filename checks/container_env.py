"""The environment of a container as the kubelet makes it: the one reading of configuration that every check shares.

The kubelet takes ``envFrom`` in its order (a later source wins, with its prefix), then ``env`` in its order, each of
which wins over all before it and may name earlier ones as ``$(NAME)``. What is marked optional may be absent. Where
anything else is, the container doesn't start: then nothing is known of what it would get.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from checks.clients.errors import NotFoundError
from checks.clients.kube_object import secret_values
from state.base.images import ImageRef
from state.base.json import JsonObject, flag, obj, objs, path, text, texts

SECRET: Final = "Secret"  # noqa: S105  a kind of object
CONFIG_MAP: Final = "ConfigMap"
_SOURCES: Final = {"configMapRef": CONFIG_MAP, "secretRef": SECRET}
_KEYS: Final = {"configMapKeyRef": CONFIG_MAP, "secretKeyRef": SECRET}
_REFERENCE: Final = re.compile(r"\$(?:\$|\(([^)\s]+)\))")
_SHELL: Final = re.compile(r"-[a-z]*c")
"""Before the text that a shell is to run: ``-c``, ``-ec``."""
_DEFAULT: Final = "kubectl.kubernetes.io/default-container"

Source = Callable[[str, str], Awaitable[JsonObject]]
"""Gives the object of a kind (ConfigMap, Secret) and a name. Raises NotFoundError where it isn't there."""


@dataclass(frozen=True, slots=True)
class ContainerEnv:
    """What one container gets. Secret-bearing: never log its values."""

    values: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)
    """Name -> where its value is from: ``secret/app-keys``, ``configMap/config``, ``env``, ``field …``."""
    secrets: frozenset[str] = frozenset()
    """The Secrets that something was read from."""


def main_container(template: JsonObject, part: str, reference: str = "") -> JsonObject:
    """Return the container of a pod template that is the part itself, and not a sidecar; empty where there is none.

    That is the one named as the part, or else the one of the candidate's repository, or the one that the template
    says kubectl should mean, or the first.
    """
    boxes = objs(path(template, ("spec", "containers")))
    named = [box for box in boxes if text(box, "name") == part]
    repository = ImageRef.parse(reference).repository if reference else ""
    alike = [box for box in boxes if repository and repository_of(text(box, "image")) == repository]
    default = text(obj(path(template, ("metadata", "annotations"))), _DEFAULT)
    meant = [box for box in boxes if default and text(box, "name") == default]
    return next(iter((*named, *alike, *meant, *boxes)), {})


def repository_of(reference: str) -> str:
    """Return the repository of an image reference, without host, tag and digest."""
    return ImageRef.parse(reference).repository if reference else ""


async def read_env(container: JsonObject, namespace: str, source: Source) -> ContainerEnv:
    """Return what a container gets.

    Raises NotFoundError where a source or key that isn't optional is not there, and what ``source`` raises.
    """
    reading = _Reading(namespace, source)
    for one in objs(container.get("envFrom")):
        await reading.take_all(one)
    for one in objs(container.get("env")):
        await reading.take(one)
    return ContainerEnv(reading.values, reading.origins, frozenset(reading.secrets))


class _Reading:
    def __init__(self, namespace: str, source: Source) -> None:
        self.values: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self.secrets: set[str] = set()
        self._namespace = namespace
        self._source = source
        self._read: dict[tuple[str, str], dict[str, str]] = {}

    async def take_all(self, one: JsonObject) -> None:
        for word, kind in _SOURCES.items():
            ref = obj(one.get(word))
            name = text(ref, "name")
            if not name:
                continue
            held = await self._held(kind, name, optional=flag(ref, "optional"))
            for key, value in (held or {}).items():
                self._set(text(one, "prefix") + key, value, _origin(kind, name))

    async def take(self, one: JsonObject) -> None:
        name, given = text(one, "name"), obj(one.get("valueFrom"))
        if not given:
            self._set(name, expand(text(one, "value"), self.values), "env")
            return
        for word, kind in _KEYS.items():
            ref = obj(given.get(word))
            if not ref:
                continue
            source, key, optional = text(ref, "name"), text(ref, "key"), flag(ref, "optional")
            held = await self._held(kind, source, optional=optional)
            if held is not None and key in held:
                self._set(name, held[key], _origin(kind, source))
            elif held is not None and not optional:
                raise NotFoundError(
                    f"{_origin(kind, source)} has no key {key}, which {name} is taken from: the container can't start"
                )
        field_path = text(obj(given.get("fieldRef")), "fieldPath")
        resource = text(obj(given.get("resourceFieldRef")), "resource")
        if field_path == "metadata.namespace":
            self._set(name, self._namespace, f"field {field_path}")
        elif field_path or resource:
            # It is another one in each pod, and says nothing of the configuration.
            self._set(name, f"({field_path or resource})", f"field {field_path or resource}")

    def _set(self, name: str, value: str, origin: str) -> None:
        self.values[name], self.origins[name] = value, origin

    async def _held(self, kind: str, name: str, *, optional: bool) -> dict[str, str] | None:
        """Return what a source holds, or None where it is optional and absent."""
        if (kind, name) not in self._read:
            try:
                found = await self._source(kind, name)
            except NotFoundError:
                if optional:
                    return None
                raise
            self._read[kind, name] = secret_values(found) if kind == SECRET else _strings(found)
        if kind == SECRET:
            self.secrets.add(name)
        return self._read[kind, name]


def _origin(kind: str, name: str) -> str:
    return f"{'secret' if kind == SECRET else 'configMap'}/{name}"


def _strings(found: JsonObject) -> dict[str, str]:
    return {key: value for key, value in obj(found.get("data")).items() if isinstance(value, str)}


def expand(value: str, known: Mapping[str, str]) -> str:
    """Return a value with its ``$(NAME)`` replaced as the kubelet does: an unknown one stays, ``$$`` is a dollar."""

    def replaced(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return known.get(match[1], match[0])

    return _REFERENCE.sub(replaced, value)


def command_words(container: JsonObject, known: Mapping[str, str]) -> list[str]:
    """Return the words of a container's own command line, as far as the cluster knows it: its image may have another.

    A shell's ``-c`` text is read too, with ``$NAME`` and ``${NAME}`` from the environment ``known``.
    """
    words = [
        expand(word, known) for word in (*texts(container.get("command")), *texts(container.get("args")))
    ]
    return [
        part
        for before, word in zip(("", *words), words, strict=False)
        for part in (_split(word, known) if _SHELL.fullmatch(before) else (word,))
    ]


def queues_of(container: JsonObject, known: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the queues that a worker's own command line names (``-Q a,b``, ``--queues=a,b``); None: it names none.

    ``-X`` takes away.
    """
    words = command_words(container, known)
    read, left_out = _option(words, "-Q", "--queues"), _option(words, "-X", "--exclude-queues")
    if read is None:
        return None
    return tuple(name for name in read if name not in (left_out or ()))


def _split(word: str, known: Mapping[str, str]) -> Sequence[str]:
    filled = re.sub(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))", lambda m: _shell(m, known), word)
    try:
        return shlex.split(filled, comments=False)
    except ValueError:
        return filled.split()


def _shell(match: re.Match[str], known: Mapping[str, str]) -> str:
    return known.get(match[1] or match[3]) or match[2] or ""


def _option(words: Sequence[str], short: str, long: str) -> list[str] | None:
    found: str | None = None
    for index, word in enumerate(words):
        if word in {short, long}:
            found = words[index + 1] if index + 1 < len(words) else ""
        elif word.startswith(f"{long}="):
            found = word.partition("=")[2]
        elif word.startswith(short) and not word.startswith("--"):
            found = word[len(short) :].lstrip("=")
    return None if found is None else [one.strip() for one in found.split(",") if one.strip()]
