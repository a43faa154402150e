"""Values of a YAML text replaced where they stand: its comments, its order and its layout stay."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from state.base.json import Json


def filled(text: str, values: Mapping[tuple[str, ...], Json]) -> str:
    """Return a text with other values at some places. A key that a block lacks becomes its first.

    A new value is written in flow style, on the line where the old one began. Raises KeyError for a place in nothing.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    for start, end, written in sorted((_change(root, *one) for one in values.items()), reverse=True):
        old = text[start:end]
        # A block ends where the next key begins: what stands before that stays.
        text = f"{text[:start]}{written}{old[len(old.rstrip()) :]}{text[end:]}"
    return text


def _change(root: yaml.Node | None, place: tuple[str, ...], value: Json) -> tuple[int, int, str]:
    """Return from where to where a text changes, and what is written there."""
    block = _node(root, place[:-1])
    node = _below(block, place[-1])
    if node is not None:
        return node.start_mark.index, node.end_mark.index, _flow(value)
    if not isinstance(block, yaml.MappingNode) or block.flow_style or not block.value:
        raise KeyError(".".join(place))
    first = block.value[0][0].start_mark
    return first.index, first.index, f"{place[-1]}: {_flow(value)}\n{' ' * first.column}"


def _node(node: yaml.Node | None, place: tuple[str, ...]) -> yaml.Node:
    for key in place:
        node = _below(node, key)
    if node is None:
        raise KeyError(".".join(place))
    return node


def _below(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
        found: yaml.Node = node.value[int(key)]
        return found
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _flow(value: Json) -> str:
    written = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True
    )
    return written.removesuffix("...\n").strip()
