"""What an image of the tests does is in its name: ``shop/web-late-8:2`` is a web that is ready after 8 seconds.

The words of the repository's last part, in any order; any other word means nothing:

    refused      the registry doesn't have it: ErrImagePull, then ImagePullBackOff
    crash        ends with 1 after half a second, each time it is started
    fail         ends with 1 once its work is done (what a job does that fails)
    hang         runs, and is never ready; a job's never ends
    late-N       is ready N seconds after its start
    done         ends with 0 after a second, and so does every container of a job that says nothing else
    done-N       ends with 0 after N seconds
    slow         ignores SIGTERM: it is killed when its grace is over
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

READY_S = 1.0
"""How long an ordinary container takes from its start until its readiness probe succeeds."""
_WORK_S = 1.0
_CRASH_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What a container of an image does. Times are real seconds."""

    refused: bool = False
    ends_after_s: float | None = None
    exit_code: int = 0
    ready_after_s: float | None = READY_S
    """None: never."""
    ignores_term: bool = False


def image_of(reference: str, *, of_job: bool) -> Image:
    """Return what an image does, by the name that a pod gives it."""
    words = _repository(reference).rpartition("/")[2].split("-")
    ends = _WORK_S if of_job or "done" in words or "fail" in words else None
    ready: float | None = READY_S
    if "crash" in words:
        ends = _CRASH_S
    if "hang" in words:
        ends, ready = None, None
    if "done" in words:
        ends = _number_after(words, "done", _WORK_S)
    if "late" in words:
        ready = _number_after(words, "late", 8.0)
    return Image(
        refused="refused" in words,
        ends_after_s=ends,
        exit_code=1 if {"crash", "fail"} & set(words) else 0,
        ready_after_s=ready,
        ignores_term="slow" in words,
    )


def image_id(reference: str) -> str:
    """Return what a container runtime reports as imageID: repository and digest, one of our own for a tag."""
    digest = reference.partition("@")[2] or f"sha256:{sha256(reference.encode()).hexdigest()}"
    return f"{_repository(reference)}@{digest}"


def _repository(reference: str) -> str:
    name = reference.partition("@")[0]
    head, colon, tag = name.rpartition(":")
    return head if colon and "/" not in tag else name


def _number_after(words: list[str], word: str, otherwise: float) -> float:
    after = words[words.index(word) + 1 :]
    return float(after[0]) if after and after[0].isdigit() else otherwise
