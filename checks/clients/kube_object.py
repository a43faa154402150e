"""What is read of every Kubernetes object: its name and labels, and a Secret's values."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from state.base.json import JsonObject, obj, objs, path, text
from state.base.times import micros_of

_DATA: Final = frozenset({"f:data", "f:stringData", "f:binaryData"})


def secret_values(secret: JsonObject) -> dict[str, str]:
    """Return a Secret object's data decoded; bytes that are not text come as Latin-1."""
    values = {key: value for key, value in obj(secret.get("stringData")).items() if isinstance(value, str)}
    for key, coded in obj(secret.get("data")).items():
        try:
            raw = base64.b64decode(coded, validate=True) if isinstance(coded, str) else b""
        except (binascii.Error, ValueError):
            continue
        try:
            values[key] = raw.decode()
        except UnicodeDecodeError:
            values[key] = raw.decode("latin-1")
    return values


def data_written_us(thing: JsonObject) -> int:
    """Return when a Secret's or ConfigMap's data was last written, microseconds since 1970; 0 where nothing tells.

    Whoever owns only labels and the like didn't write data.
    """
    fields = objs(obj(thing.get("metadata")).get("managedFields"))
    writers = [one for one in fields if not obj(one.get("fieldsV1")) or _DATA & set(obj(one.get("fieldsV1")))]
    return max((micros_of(text(one, "time")) for one in writers if text(one, "time")), default=0)


def name_of(thing: JsonObject) -> str:
    """Return an object's name."""
    return text(obj(thing.get("metadata")), "name")


def labels_of(thing: JsonObject) -> JsonObject:
    """Return an object's labels."""
    return obj(path(thing, ("metadata", "labels")))


def selector(labels: JsonObject) -> str:
    """Return a label selector that matches exactly these labels."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()) if isinstance(value, str))
