"""Mappings that nobody can change: what a frozen view is made of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def empty_map() -> Mapping[K, V]:
    """Return an empty mapping that nobody can change."""
    return MappingProxyType({})


def with_item(old: Mapping[K, V], key: K, value: V) -> Mapping[K, V]:
    """Return a copy of a mapping in which ``key`` has ``value``."""
    return MappingProxyType({**old, key: value})


def without_item(old: Mapping[K, V], key: K) -> Mapping[K, V]:
    """Return a copy of a mapping that lacks ``key``."""
    return MappingProxyType({k: v for k, v in old.items() if k != key})
