"""Whether a chart would run the candidate: which images its rendered objects name, and which keys would change that.

helm takes a value that no template reads without a word. Then the old image runs on under the new name of a
release, and only the rendered manifest tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.engine.operations.preview.manifest import documents
from state.base.images import ImageRef, digest_of, short
from state.base.json import Json, JsonObject, items, obj, text
from state.runbook.environment import Chart
from state.runbook.image_keys import ImageKeys, keys_at, reference_in

# They may quote an image; nothing runs because of that.
_SILENT = frozenset({"ConfigMap", "Secret", "CustomResourceDefinition"})
_LASTING = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_PART = re.compile(r"(?P<before>.*?)_?(?P<part>registry|repository|tag|digest|sha)", re.IGNORECASE)
_REFERENCE = re.compile(r"[\w.-]+(?::\d+)?(?:/[\w.-]+)*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image that an object of a manifest names."""

    where: str
    """``Deployment/shop-web, container web``."""
    kind: str
    container: str
    reference: str


def named_images(manifest: str) -> list[NamedImage]:
    """Return every image that a manifest names: of containers, and at ``image`` keys of other objects."""
    found: list[NamedImage] = []
    for document in documents(manifest):
        kind = text(document, "kind")
        if kind not in _SILENT:
            where = f"{kind}/{text(obj(document.get('metadata')), 'name')}"
            parts = {key: value for key, value in document.items() if key not in {"metadata", "status"}}
            found += _images(where, kind, parts)
    return found


def _images(where: str, kind: str, value: Json) -> Iterator[NamedImage]:
    if isinstance(value, Mapping):
        named = value.get("image")
        reference = named if isinstance(named, str) else reference_in(value, keys_at(value, "image"))
        if reference:
            container = text(value, "name")
            place = f"{where}, container {container}" if container else where
            yield NamedImage(place, kind, container, reference)
        for key, one in value.items():
            if key != "metadata":
                yield from _images(where, kind, one)
    else:
        for one in items(value):
            yield from _images(where, kind, one)


def refusals(
    manifest: str, images: Mapping[str, str], chart: Chart, values: JsonObject, place: str
) -> list[str]:
    """Return why a rendered manifest isn't the candidate's, a line for each image that nothing in it names.

    ``values`` are the chart's own with the values files over them: in them keys are looked for that would do.
    ``place`` is where the runbook has the chart.
    """
    named = named_images(manifest)
    given = {digest_of(one.reference) for one in named}
    return [
        _refusal(name, reference, named, chart, values, place)
        for name, reference in images.items()
        if digest_of(reference) not in given
    ]


def _refusal(
    name: str,
    reference: str,
    named: Sequence[NamedImage],
    chart: Chart,
    values: JsonObject,
    place: str,
) -> str:
    image = ImageRef.parse(reference)
    instead = [one for one in named if _alike(one.reference, image) or one.container == name] or named
    told = "; ".join(f"{one.where}: {_short(one.reference)}" for one in instead[:_NAMED]) or "no image at all"
    tried = ", ".join(key for keys in chart.keys_of(name) for key in keys.named().values())
    start = (
        f"the chart would not run the candidate's {name} ({short(image.digest)}) by {tried}; it names {told}"
    )
    sets = [keys for keys in likely_keys(values, name, image) if keys not in chart.keys_of(name)]
    if not sets:
        return f"{start}. Name the chart's own keys of this image at {place}.image_keys.{name}"
    shown = ", ".join(
        "{ " + ", ".join(f"{part}: {key}" for part, key in keys.named().items()) + " }" for keys in sets
    )
    alone = any(keys.tag and not keys.digest and not keys.sha for keys in sets)
    tag = ". It has no key for a digest: the tag gets it too, as TAG@sha256:…" if alone else ""
    several = f"[{shown}]" if len(sets) > 1 else shown
    return f"{start}. These keys would do, at {place}: image_keys: {{ {name}: {several} }}{tag}"


def halves(manifest: str, images: Mapping[str, str]) -> list[str]:
    """Return what would go on running another image of a repository of the candidate's, a line each.

    Only what runs on: a job or a cron job may have an image of an earlier time on purpose.
    """
    digests = {digest_of(reference) for reference in images.values()}
    named = named_images(manifest)
    given = {digest_of(one.reference) for one in named}
    found: list[str] = []
    for one in named:
        if one.kind not in _LASTING or digest_of(one.reference) in digests:
            continue
        for name, reference in images.items():
            if digest_of(reference) not in given:
                continue  # it isn't named at all, which is refused
            if _repository(one.reference) == _repository(reference):
                words = f"{one.where} would run {_short(one.reference)}, not the candidate's {name}"
                found.append(f"{words}: name its keys too, as a second set in image_keys.{name}")
                break
    return found


def likely_keys(values: JsonObject, name: str, image: ImageRef) -> list[ImageKeys]:
    """Return the sets of keys in a chart's values that look like those of an image; the likeliest alone.

    The same repository outweighs the same last name, which outweighs the image's name as a part of the key.
    """
    found = [(rank, keys) for keys in _sets(values, "") if (rank := _likeness(values, keys, name, image))]
    best = max((rank for rank, _ in found), default=0)
    return [keys for rank, keys in found if rank == best]


def _likeness(values: JsonObject, keys: ImageKeys, name: str, image: ImageRef) -> int:
    reference = reference_in(values, keys) or ""
    if _repository(reference) == image.repository:
        return 3
    if _alike(reference, image):
        return 2
    steps = re.split(r"[.\[\]]", next(iter(keys.named().values())))
    return 1 if name in steps else 0


def _sets(value: JsonObject, place: str) -> Iterator[ImageKeys]:
    """Yield each set of keys in values: that of a whole reference, or those of parts that stand beside each other."""
    beside: dict[str, dict[str, str]] = {}
    for key, one in value.items():
        here = f"{place}.{_escaped(key)}" if place else _escaped(key)
        match = _PART.fullmatch(key)
        if isinstance(one, Mapping):
            yield from _sets(one, here)
        elif match is not None:
            beside.setdefault(match["before"].lower(), {}).setdefault(match["part"].lower(), here)
        elif isinstance(one, str) and _REFERENCE.fullmatch(one) and ("/" in one or "image" in key.lower()):
            yield ImageKeys(ref=here)
    for parts in beside.values():
        if "repository" in parts and {"tag", "digest", "sha"} & {*parts}:
            yield ImageKeys(
                **{part: key for part, key in parts.items() if part != "sha" or "digest" not in parts}
            )


def _escaped(key: str) -> str:
    return re.sub(r"([.\\])", r"\\\1", key)


def _repository(reference: str) -> str:
    return ImageRef.parse(reference).repository


def _alike(reference: str, image: ImageRef) -> bool:
    return (
        bool(reference) and _repository(reference).rpartition("/")[2] == image.repository.rpartition("/")[2]
    )


def _short(reference: str) -> str:
    name, at, digest = reference.partition("@")
    return f"{name}@{short(digest)}" if at else name
