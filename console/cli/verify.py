"""``launch-console verify LOG``: the check of a log, for a person or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from console.cli.saved_log import seen_of
from console.cli.say import out
from console.exit_codes import ExitCode, FailedError
from state.base.times import stamp
from state.log.allowed_signers import read_allowed
from state.log.errors import Damage, LogError, NotALogError
from state.log.revoked_keys import read_revoked
from state.log.verify import VerifyReport, verify


def run(
    log: Path,
    anchor: list[str],
    allowed_signers: Path | None,
    revoked_keys: Path | None,
    no_witness: bool,
    as_json: bool,
) -> ExitCode:
    """Check a log against its chain and every ``anchor``, and print what was found.

    ``allowed_signers`` is an allowed_signers file, ``revoked_keys`` a KRL or a file of
    public keys. What this account saw of the log before counts as an anchor,
    unless ``no_witness``. Raises LogError, and FailedError for a wrong anchor text or a bad file of signers.
    """
    seen = [] if no_witness else seen_of(log)
    try:
        allowed = read_allowed(allowed_signers) if allowed_signers is not None else None
        revoked = read_revoked(revoked_keys) if revoked_keys is not None else None
    except LogError as error:  # of a file of keys, not of the log
        raise FailedError(str(error), ExitCode.BAD_CONFIG) from None
    try:
        report = verify(log, [*anchor, *seen], allowed=allowed, revoked=revoked)
    except ValueError as error:
        raise FailedError(str(error), ExitCode.BAD_CONFIG) from None
    if report.damage is Damage.NOT_A_LOG:
        raise NotALogError(report.message)
    told = json.dumps(_as_json(log, report)) if as_json else _as_text(log, report)
    if seen and report.damage in {Damage.TRUNCATED, Damage.ANCHOR} and not as_json:
        told += f"\n  witness  this account saw {seen[0]}; for a copy from before that, give --no-witness"
    out(told)
    return ExitCode.GO if report.ok else ExitCode.DAMAGED_LOG


def _as_json(log: Path, report: VerifyReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "log": str(log),
        "log_id": report.log_id,
        "events": report.events,
        "head": report.head,
        "bad_seq": report.bad_seq,
        "damage": report.damage.value if report.damage is not None else None,
        "message": report.message,
        "closed": report.closed,
        "engine_stopped_us": report.stopped_us,
        "anchors": report.anchors,
        "unanchored": report.unanchored,
        "signed": report.signatures.signed,
        "self_declared": report.signatures.self_declared,
        "keys": report.signatures.keys,
        "sealed": report.signatures.sealed,
    }


def _as_text(log: Path, report: VerifyReport) -> str:
    lines = [f"{'VERIFIES' if report.ok else 'DAMAGED'}  {log}", f"  {report.message}"]
    if not report.ok and report.events:
        lines.append(f"  the {report.events} events before it verify")
    if report.head:
        lines.append(f"  head     {report.head}")
    if report.events:
        lines.append(f"  anchors  {report.anchors} agree; {report.unanchored} events are after the newest")
    lines += _signatures(report)
    if report.ok and report.closed is None:
        lines.append(f"  end      {_open_end(report)}")
    return "\n".join(lines)


def _open_end(report: VerifyReport) -> str:
    """Return how a log ends that says of no end of the launch."""
    if report.stopped_us is None:
        return "none is written: the launch goes on, its engine was killed, or its end was cut off"
    return f"its engine was stopped in good order at {stamp(report.stopped_us)}; the launch isn't closed"


def _signatures(report: VerifyReport) -> list[str]:
    found = report.signatures
    if not found.signed and not found.self_declared and not found.redacted:
        return []
    sealed = f"; they seal the first {found.sealed} events" if found.sealed else ""
    whose = "" if found.sealed or not found.signed else "; the keys are those that the log itself names"
    gone = f", {found.redacted} redacted" if found.redacted else ""
    rows = [f"  attestations  {found.signed} signed, {found.self_declared} unsigned{gone}{sealed}{whose}"]
    return rows + [f"                {count} by {who}" for who, count in sorted(found.keys.items())]
