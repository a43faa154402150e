"""Which image runs, whatever digest its runtime calls it by: the index, a platform's manifest, a configuration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from checks.clients.registry import RegistryClient
from state.base.images import ImageRef, digest_of, short

if TYPE_CHECKING:
    from checks.judging import Findings

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


async def others_than(
    reference: str,
    told: Mapping[str, str],
    registry: RegistryClient,
    findings: Findings,
    *,
    loaded: Collection[str] = (),
) -> dict[str, str]:
    """Return those of (pod, digest) that run another image than a reference by digest; notes what can't be told.

    The registry is asked only where digests differ: a runtime may tell that of an index, of a platform's manifest, or
    of a configuration. Where it can't say, a digest is another one if beside it a pod tells the reference's own.
    ``loaded`` are digests of images that were put into a node by hand: one of them that the registry doesn't know may
    be of the same image all the same, or of any other.
    """
    expected, image = digest_of(reference), ImageRef.parse(reference)
    by_index = expected in told.values()
    found: dict[str, str] = {}
    for digest in sorted(set(told.values()) - {expected}):
        pods = [pod for pod, one in told.items() if one == digest]
        if not digest:
            findings.blind(f"the cluster does not say which digest {pods[0]} runs")
            continue
        try:
            same = digest in await registry.stands_for(ImageRef(image.host, image.repository, "", expected))
        except CouldNotLookError as error:
            if not by_index:
                findings.blind(f"whether {short(digest)} is {short(expected)} can't be told: {error}")
                continue
            same = False
        if same:
            continue
        if digest in loaded:
            findings.blind(
                f"which image {pods[0]} runs can't be told: {short(digest)} was loaded into its node by hand"
            )
        else:
            found |= dict.fromkeys(pods, digest)
    return found


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
