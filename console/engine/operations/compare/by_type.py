"""Equal without the server's word: a manifest's value and the live one, compared by what they are.

The API drops what is zero, writes quantities anew and codes bytes its own way; a null in a manifest says nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence

from console.engine.operations.compare.places import Place, Step, words
from state.base.json import Json, JsonObject, text
from state.base.quantities import quantity

ABSENT: Json = ("absent",)
"""What stands for a field that an object doesn't have."""
# What is text though it may look like a number: there 1000m and 1 are two things.
_TEXT = re.compile(
    r"(?:^|\.)(?:annotations|labels|matchLabels|nodeSelector|selector|stringData|parameters|nodeName|name|namespace)(?:\.|$)"
    r"|(?:^|\.)(?:args|command|finalizers|values|operator|key|apiGroups|resources|verbs|resourceNames)\["
    r"|env\[[^\]]*\]\.value$|(?:^|\.)image$|^rules\["
)
_TEXT_OF_KIND = {"ConfigMap": re.compile(r"^data\."), "Secret": re.compile(r"^type$")}
_CHOSEN = re.compile(
    r"(?:nodePort|healthCheckNodePort|Probe\.(?:period|timeout)Seconds|Probe\.\w+Threshold)$"
)
_BYTES = re.compile(r"(?:^|\.)(?:caBundle|binaryData\..+)$")
_SECRET_BYTES = re.compile(r"^data\.")
_KEYS = (
    ("name",), ("key",), ("mountPath",), ("containerPort", "protocol"), ("containerPort",), ("port", "protocol"),
    ("port",), ("devicePath",), ("topologyKey",), ("ip",), ("uid",),
)  # fmt: skip


def differences(
    kind: str, expected: Json, live: Json, place: Place = ()
) -> Iterator[tuple[Place, Json, Json]]:
    """Yield (place, expected, live) of every field that is set and isn't the same live, or ABSENT there."""
    if expected is None or expected == live:
        return
    if isinstance(expected, Mapping) and (isinstance(live, Mapping) or live is ABSENT or live is None):
        if not expected or (live is not ABSENT and live is not None):
            yield from _of_mapping(kind, expected, live, place)
        elif not is_zero(expected):
            yield place, expected, ABSENT
    elif _is_list(expected) and _is_list(live):
        yield from _of_list(kind, expected, live, place)
    elif not same(kind, expected, live, place):
        yield place, expected, live


def _of_mapping(
    kind: str, expected: JsonObject, live: Json, place: Place
) -> Iterator[tuple[Place, Json, Json]]:
    for key, value in expected.items():
        now = live.get(key, ABSENT) if isinstance(live, Mapping) else ABSENT
        yield from differences(kind, value, now, (*place, Step(key)))


def _of_list(kind: str, expected: Json, live: Json, place: Place) -> Iterator[tuple[Place, Json, Json]]:
    assert isinstance(expected, Sequence)
    assert isinstance(live, Sequence)
    if not expected:
        # To a pod the API adds volumes, tolerations and pull secrets of its own.
        if live and kind != "Pod":
            yield place, expected, live
        return
    keys = next((keys for keys in _KEYS if _told_apart(expected, keys) and _told_apart(live, keys)), None)
    if keys is not None:
        named = {_identity(one, keys): one for one in live}
        for at, one in enumerate(expected):
            now = named.get(_identity(one, keys), ABSENT)
            member = one if now is ABSENT else now
            yield from differences(kind, one, now, (*place, Step(member=member, index=at)))
        return
    for at, one in enumerate(expected):
        now = live[at] if at < len(live) else ABSENT
        member = None if isinstance(one, Mapping) else one
        step = Step(member=member, index=at)
        if next(differences(kind, one, now, (*place, step)), None) is not None or len(live) != len(expected):
            # It is one value to the API: an order or a length that differs is told as a whole.
            yield place, expected, live
            return


def zeros(expected: Json, answer: Json, live: Json, place: Place = ()) -> Iterator[tuple[Place, Json, Json]]:
    """Yield what differs between two objects where a manifest says zero, false or empty.

    The API drops such a field, and who owns it with it: no set of fields tells of it.
    """
    if isinstance(expected, Mapping) and expected:
        for key, value in expected.items():
            step = Step(key)
            yield from zeros(value, _field(answer, key), _field(live, key), (*place, step))
    elif _is_list(expected) and expected:
        assert isinstance(expected, Sequence)
        keys = next((keys for keys in _KEYS if _told_apart(expected, keys)), None)
        for at, one in enumerate(expected) if keys is not None else ():
            now = _member(live, one, keys or ())
            step = Step(member=one if now is ABSENT else now, index=at)
            yield from zeros(one, _member(answer, one, keys or ()), now, (*place, step))
    elif expected is not None and is_zero(expected) and live is not ABSENT and answer != live:
        yield place, expected if answer is ABSENT else answer, live


def _field(found: Json, key: str) -> Json:
    return found.get(key, ABSENT) if isinstance(found, Mapping) else ABSENT


def _member(found: Json, one: Json, keys: tuple[str, ...]) -> Json:
    if not _is_list(found):
        return ABSENT
    assert isinstance(found, Sequence)
    identity = _identity(one, keys)
    return next((m for m in found if isinstance(m, Mapping) and _identity(m, keys) == identity), ABSENT)


def _told_apart(members: Sequence[Json], keys: tuple[str, ...]) -> bool:
    if not members or not all(isinstance(one, Mapping) and keys[0] in one for one in members):
        return False
    identities = [_identity(one, keys) for one in members]
    return len(set(identities)) == len(identities)


def _identity(one: Json, keys: tuple[str, ...]) -> tuple[str, ...]:
    assert isinstance(one, Mapping)
    return tuple(str(one.get(key) or ("TCP" if key == "protocol" else "")) for key in keys)


def same(kind: str, expected: Json, live: Json, place: Place) -> bool:
    """Return whether two values that are not both objects or lists are the same to the API."""
    if live is ABSENT or live is None:
        return is_zero(expected)
    if is_zero(expected) and is_zero(live):
        return not (isinstance(expected, str) and isinstance(live, str))
    if isinstance(expected, bool) or isinstance(live, bool):
        return expected is live
    where = words(place)
    if not expected and _chosen(kind, expected, where):
        return True
    if isinstance(expected, str) and isinstance(live, str):
        if _BYTES.search(where) or (kind == "Secret" and _SECRET_BYTES.search(where)):
            return _decoded(expected) == _decoded(live) is not None
        if _TEXT.search(where) or (kind in _TEXT_OF_KIND and _TEXT_OF_KIND[kind].search(where)):
            return expected == live
    number = quantity(expected)
    return number is not None and number == quantity(live)


def _chosen(kind: str, expected: Json, where: str) -> bool:
    """Return whether the API chooses a value itself where a manifest has zero or an empty text."""
    if isinstance(expected, str):
        return not (_TEXT.search(where) or (kind in _TEXT_OF_KIND and _TEXT_OF_KIND[kind].search(where)))
    return isinstance(expected, int) and bool(_CHOSEN.search(where))


def is_zero(value: Json) -> bool:
    """Return whether a value is what the API takes for nothing: zero, false, empty, or made of that alone."""
    if isinstance(value, Mapping):
        return all(is_zero(one) for one in value.values())
    if isinstance(value, str):
        return not value
    if _is_list(value):
        return value is not ABSENT and not value
    return value is None or value == 0


def _decoded(coded: str) -> bytes | None:
    try:
        return base64.b64decode("".join(coded.splitlines()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and value is not ABSENT


def clear_secret(thing: JsonObject) -> JsonObject:
    """Return a Secret with its ``stringData`` where the API puts it; any other object as it is."""
    if text(thing, "kind") != "Secret" or not isinstance(thing.get("stringData"), Mapping):
        return thing
    clear = thing["stringData"]
    assert isinstance(clear, Mapping)
    coded = {k: base64.b64encode(v.encode()).decode() for k, v in clear.items() if isinstance(v, str)}
    data = thing.get("data")
    kept = {key: value for key, value in thing.items() if key != "stringData"}
    return {**kept, "data": {**(data if isinstance(data, Mapping) else {}), **coded}}
