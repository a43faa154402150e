"""How a chart takes an image: the keys of its values that hold a reference, or the parts of one.

The one home of both directions: from the candidate's image to the values that helm is given, and from values to
the reference that they name. Deploy, 6.7 and 8.1 ask here. A key is written as for helm's ``--set``:
``api.image.tag``, ``containers[0].image``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from state.base.images import ImageRef
from state.base.json import Json, items
from state.runbook.units import Model

_STEP = re.compile(r"(?:\\.|[^.\[\\])+|\[\d+\]")
_PARTS = ("registry", "repository", "tag", "digest", "sha")

Key = Annotated[str, Field(pattern=r"^[^\s=,{}]+$", examples=["api.image.repository"])]


class ImageKeys(Model):
    """Where a chart's values hold one image: whole, or in parts. Each key as helm's ``--set`` takes it."""

    ref: Key | None = None
    """The whole reference: ``registry/name:tag@sha256:…``."""
    registry: Key | None = None
    """The registry's host; without this key it is a part of ``repository``."""
    repository: Key | None = None
    tag: Key | None = None
    """Where the chart has no key for a digest, the tag gets both: ``v1.4.0@sha256:…``."""
    digest: Key | None = None
    """``sha256:`` and 64 digits."""
    sha: Key | None = None
    """The same without ``sha256:``, as some charts want it."""

    @model_validator(mode="after")
    def _enough(self) -> ImageKeys:
        parts = [name for name in _PARTS if getattr(self, name)]
        if self.ref and parts:
            raise ValueError(
                f"ref: is the whole reference, and {', '.join(parts)}: parts of it: one or the other"
            )
        if not self.ref and not (self.tag or self.digest or self.sha):
            raise ValueError(
                "one of ref:, digest:, sha: and tag: is needed, or the chart can't be given a digest"
            )
        if self.digest and self.sha:
            raise ValueError("digest: and sha: are two forms of the same: one of them")
        return self

    def named(self) -> dict[str, str]:
        """Return the keys by what they hold, as the runbook has them."""
        return {name: key for name in ("ref", *_PARTS) if (key := getattr(self, name))}


def _each(value: object) -> object:
    return (value,) if isinstance(value, Mapping) else value


KeySets = Annotated[
    tuple[ImageKeys, ...],
    BeforeValidator(_each, json_schema_input_type=ImageKeys | tuple[ImageKeys, ...]),
    Field(min_length=1),
]
"""One set of keys, or a list of them where a chart names an image more than once."""


_SPLIT = ImageKeys(registry="registry", repository="repository", tag="tag", digest="digest")


def usual(name: str) -> ImageKeys:
    """Return the keys of an image of which the runbook says nothing: ``image.NAME`` is the whole reference."""
    return ImageKeys(ref=f"image.{name}")


def assignments(
    keys: Mapping[str, Sequence[ImageKeys]], images: Mapping[str, str], version: str
) -> Iterator[tuple[str, str]]:
    """Yield (key, value) of everything that a chart must be given so that it runs these images.

    ``keys`` holds the sets by the image's name, ``version`` is the tag of a reference that has none.
    """
    for name, reference in images.items():
        for one in keys.get(name) or (usual(name),):
            yield from _assigned(one, reference, version)


def _assigned(keys: ImageKeys, reference: str, version: str) -> Iterator[tuple[str, str]]:
    if keys.ref:
        yield keys.ref, reference
        return
    image = ImageRef.parse(reference)
    host = f"{image.host}/" if image.host else ""
    if keys.registry and image.host:
        yield keys.registry, image.host
    if keys.repository:
        yield keys.repository, image.repository if keys.registry else f"{host}{image.repository}"
    if keys.tag:
        tag = image.tag or version
        alone = not keys.digest and not keys.sha and image.digest
        yield keys.tag, f"{tag}@{image.digest}" if alone else tag
    if keys.digest:
        yield keys.digest, image.digest
    if keys.sha:
        yield keys.sha, image.digest.removeprefix("sha256:")


def reference_in(values: Json, keys: ImageKeys) -> str | None:
    """Return the reference that values name by a set of keys; None where they name none.

    A part that has no key, or no value, is left out: ``:v1.4.0`` is a tag of whatever the chart's repository is.
    """
    if keys.ref:
        held = value_at(values, keys.ref)
        # Of charts that split it, by the names that charts split it by.
        return reference_in(held, _SPLIT) if isinstance(held, Mapping) else _text(held) or None
    parts = {name: _text(value_at(values, key)) for name, key in keys.named().items()}
    if not any(value for name, value in parts.items() if name != "registry"):
        return None
    name = "/".join(part for part in (parts.get("registry"), parts.get("repository")) if part)
    sha = parts.get("sha")
    digest = f"sha256:{sha.removeprefix('sha256:')}" if sha else parts.get("digest", "")
    tag = f":{parts['tag']}" if parts.get("tag") else ""
    return f"{name}{tag}" + (f"@{digest}" if digest else "")


def keys_at(values: Json, place: str) -> ImageKeys:
    """Return the keys of an image at a place of values: a reference, or an object that holds the parts of one."""
    found = value_at(values, place)
    parts = [name for name in _PARTS if isinstance(found, Mapping) and name in found]
    if not {"tag", "digest", "sha"} & {*parts}:
        return ImageKeys(ref=place)
    kept = [name for name in parts if name != "sha" or "digest" not in parts]
    return ImageKeys(**{name: f"{place}.{name}" for name in kept})


def value_at(values: Json, key: str) -> Json:
    """Return what values hold at a key of helm's ``--set``, or None."""
    for step in _STEP.findall(key):
        name = step.strip("[]") if step.startswith("[") else re.sub(r"\\(.)", r"\1", step)
        members = items(values)
        if isinstance(values, Mapping):
            values = values.get(name)
        elif name.isdigit() and int(name) < len(members):
            values = members[int(name)]
        else:
            return None
    return values


def _text(value: Json) -> str:
    """Return a value as a template prints it: an unquoted ``1.4`` is a number."""
    return "" if value is None or isinstance(value, bool | Mapping | list | tuple) else str(value)
