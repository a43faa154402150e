"""What a launch says of its candidate, as in-toto Statements v1, one a line; its images are the subjects, by digest.

A Statement is written only for what is known: a check or gate that could not be judged has none, since a policy may
take a missing one for nothing but a no. They are not signed here: whoever hands them on signs them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from state.base.images import ImageRef, digest_of
from state.base.json import Json
from state.base.times import iso
from state.exports.judged import Judged, Outcome
from state.figures.one_launch import Change, changes_of
from state.view.enums import GateStatus, LaunchState, Verdict
from state.view.gates import GateView
from state.view.launch import LaunchView

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SVR = "https://in-toto.io/attestation/svr/v0.1"
RELEASE = "https://in-toto.io/attestation/release/v0.1"
VERIFIER = "https://launch-console.dev"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_RESULTS = {Verdict.PASS: "PASSED", Verdict.FAIL: "FAILED"}


class NoSubjectError(Exception):
    """The candidate has no image with a digest, which every Statement is about."""


@dataclass(frozen=True, slots=True)
class _Image:
    name: str
    sha256: str
    purl: str

    def subject(self) -> dict[str, Json]:
        """Return it as a ResourceDescriptor."""
        return {"name": self.name, "digest": {"sha256": self.sha256}}


def statements(outcome: Outcome) -> Iterator[str]:
    """Yield the Statements: of checks, of gates, of the launch, of what it released.

    Raises NoSubjectError.
    """
    images = list(_images(outcome.view))
    if not images:
        raise NoSubjectError(
            "the candidate names no image by its digest, and in-toto Statements are about digests"
        )
    every = [image.subject() for image in images]
    for judged in outcome.checks:
        if (result := _RESULTS.get(judged.verdict)) is not None:
            yield _line(every, TEST_RESULT, _test_result(outcome.view, result, judged))
    for gate in outcome.view.gates:
        if (predicate := _gate(outcome.view, gate)) is not None:
            yield _line(every, TEST_RESULT, predicate)
    if properties := list(_properties(outcome.view)):
        yield _line(every, SVR, _svr(outcome.view, properties))
    if changes_of(outcome.view)[-1:] == (Change.GOOD,):
        for image in images:
            released: dict[str, Json] = {"purl": image.purl, "releaseId": outcome.view.candidate.version}
            yield _line([image.subject()], RELEASE, released)


def _line(subjects: list[dict[str, Json]], kind: str, predicate: dict[str, Json]) -> str:
    told = {"_type": STATEMENT, "subject": subjects, "predicateType": kind, "predicate": predicate}
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")) + "\n"


def _images(view: LaunchView) -> Iterator[_Image]:
    for container, reference in view.candidate.images:
        found = _DIGEST.fullmatch(digest_of(reference))
        if found is None:
            continue
        image = ImageRef.parse(reference)
        place = "/".join(one for one in (image.host, image.repository) if one)
        name = (image.repository.rpartition("/")[2] or container).lower()
        where = f"?repository_url={quote(place, safe='/')}" if place else ""
        purl = f"pkg:oci/{quote(name, safe='')}@sha256%3A{found[1]}{where}"
        yield _Image(place or container, found[1], purl)


def _configuration(view: LaunchView) -> list[Json]:
    digest = _DIGEST.fullmatch(f"sha256:{view.scope.runbook_digest.removeprefix('sha256:')}")
    described: dict[str, Json] = {"name": "runbook"}
    if digest is not None:
        return [{**described, "digest": {"sha256": digest[1]}}]
    return [{**described, "uri": f"urn:uuid:{view.log_id}"}]


def _test_result(view: LaunchView, result: str, judged: Judged) -> dict[str, Json]:
    passed = result == "PASSED"
    return {
        "result": result,
        "configuration": _configuration(view),
        "passedTests": [_name(judged)] if passed else [],
        "warnedTests": [],
        "failedTests": [] if passed else [_name(judged)],
    }


def _name(judged: Judged) -> str:
    return f"{judged.check.id} {judged.check.kind} ({judged.check.env})"


def _gate(view: LaunchView, gate: GateView) -> dict[str, Json] | None:
    """Return the result of a gate that is GO or NO-GO; a waived item is a warning. None for every other one."""
    status = view.statuses.get(gate.number)
    if status not in {GateStatus.GO, GateStatus.NO_GO}:
        return None
    verdicts = {item.id: item.verdict(view.wall_us) for item in gate.items}
    waived: list[Json] = [
        item.id for item in gate.items if item.not_applicable or verdicts[item.id] is Verdict.WAIVED
    ]
    failed: list[Json] = [item for item, verdict in verdicts.items() if verdict is Verdict.FAIL]
    passed: list[Json] = [i for i, v in verdicts.items() if v is Verdict.PASS and i not in waived]
    result = "FAILED" if status is GateStatus.NO_GO else "WARNED" if waived else "PASSED"
    return {
        "result": result,
        "configuration": [
            *_configuration(view),
            {"name": f"gate {gate.number}", "uri": f"urn:gate:{gate.number}"},
        ],
        "passedTests": passed,
        "warnedTests": waived,
        "failedTests": failed,
    }


def _properties(view: LaunchView) -> Iterator[str]:
    for gate in view.gates:
        if view.statuses.get(gate.number) is GateStatus.GO:
            yield f"LC_GATE_{gate.number:02d}_GO"
    if view.state is LaunchState.CLOSED:
        yield "LC_LAUNCH_CLOSED"


def _svr(view: LaunchView, properties: list[str]) -> dict[str, Json]:
    return {
        "verifier": {"id": VERIFIER, "policies": _configuration(view)},
        "timeCreated": iso(view.wall_us),
        "properties": properties,
    }
