"""Which image runs, whatever digest its runtime calls it by: the index, a platform's manifest, a configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from checks.clients.registry import RegistryClient
from state.base.images import ImageRef, digest_of, short

Pair = tuple[str, str]
"""Container, digest."""


async def as_released(
    running: Iterable[Pair],
    release: Mapping[str, str],
    references: Mapping[str, str],
    unnamed: Collection[Pair],
    registry: RegistryClient,
) -> tuple[Pair, ...]:
    """Return what runs, the release's own digest for each that stands for the same image, sorted.

    ``release`` is (container, reference by digest), ``references`` what the pods ask for, ``unnamed`` those that
    their runtime calls by the configuration alone. The registry is asked only where digests differ. Raises
    CouldNotLookError where one of the unnamed can't be told.
    """
    found: set[Pair] = set()
    for name, digest in running:
        expected = digest_of(release.get(name, ""))
        same = not expected or digest == expected
        if not same:
            image = ImageRef.parse(references.get(name) or release[name])
            same = await _same(
                ImageRef(image.host, image.repository, "", expected),
                digest,
                registry,
                told=(name, digest) not in unnamed,
            )
        found.add((name, expected if same and expected else digest))
    return tuple(sorted(found))


async def _same(image: ImageRef, digest: str, registry: RegistryClient, *, told: bool) -> bool:
    try:
        return digest in await registry.stands_for(image)
    except NotFoundError:
        return False
    except CouldNotLookError as error:
        if told:
            return False
        raise CouldNotLookError(
            f"which image {short(digest)} is can't be told: its runtime names only a configuration, and {error}"
        ) from None
