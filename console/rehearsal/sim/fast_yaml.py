"""YAML by libyaml where PyYAML has it: a runbook is read and written twenty times as fast."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from state.base.json import Json, JsonObject, obj

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def load(text: str) -> dict[str, Json]:
    """Return the mapping that a document is, empty where it is something else.

    Raises yaml.YAMLError.
    """
    return dict(obj(yaml.load(text, _Loader)))  # noqa: S506  the safe loader, in C


def load_all(text: str) -> Iterator[JsonObject]:
    """Yield the mappings of a stream of documents; empty ones are left out.

    Raises yaml.YAMLError.
    """
    return (obj(one) for one in yaml.load_all(text, _Loader) if one)


def dump(value: Json) -> str:
    """Return a value as a document, keys in their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=200)
