"""What is believed of a signed word: only what the runbook's key for that account signs, about this very log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from console.engine.commands.handler import CommandContext, CommandRefusedError, CommandRequest
from state.attest.sshsig import ATTESTATION, Signature, SignatureError, check, parse, public_key
from state.attest.statement import Asking, Attestation, Granting, S, Statement, read_statement
from state.base.canonical import CanonicalError, parse_anchor
from state.base.json import text
from state.events.gates import AttestSigned
from state.events.requests import RequestGranted, RequestMade
from state.log.errors import LogError
from state.log.revoked_keys import read_revoked
from state.view.attestations import cautions, parts_of, verdicts_of
from state.view.launch import ItemView
from state.view.people import people_of
from state.view.requests import RequestView

SELF_DECLARED = "self-declared"


def word_of(context: CommandContext, request: CommandRequest, item: ItemView, *, go: bool) -> AttestSigned:
    """Return a person's word, with how they are known: by signature and key, or self-declared.

    Raises RefusedError for a signature that doesn't hold, and for a GO without one by a person who has a key.
    """
    keys = {
        public_key(key)
        for p in context.view.people
        if request.who.account in p.accounts
        for key in p.signing_keys
    }
    word = AttestSigned(
        item=item.id,
        go=go,
        comment=request.text("comment"),
        link=request.text("link", 500),
        how_known=f"{request.who.how_known}, {SELF_DECLARED}",
        evidence=tuple(check.seq for check in item.checks if check.seq),
        cautions=cautions(item) if go else (),
    )
    signature = text(request.args, "signature")
    if not signature:
        if keys and go:
            why = request.text("unsigned") or "it came without a signature"
            raise CommandRefusedError(f"{request.who.account} signs a GO with an SSH key: {why}")
        return word
    said, made = _signed(context, request, Attestation)
    if made.key not in keys:
        raise CommandRefusedError(
            f"the runbook does not list the key {made.fingerprint} for {request.who.account}"
        )
    _about_this(context, request, item, said, word)
    _fresh(context, said, made)
    return replace(
        word,
        how_known=f"SSH key {made.fingerprint}",
        evidence=said.evidence,
        statement=said.text(),
        signature=signature,
        key=made.fingerprint,
    )


def asking_of(context: CommandContext, request: CommandRequest, body: RequestMade) -> RequestMade:
    """Return a request as it was signed; as it is where nobody signed it.

    Raises RefusedError for a signature that doesn't hold.
    """
    if not text(request.args, "signature"):
        return body
    said, made = _signed(context, request, Asking)
    _known(context, made)
    if (said.account, said.command, said.args, said.shown, said.reason) != (
        request.who.account,
        body.command,
        body.args,
        body.shown,
        body.reason,
    ):
        raise CommandRefusedError("the signature is for another request than the one that was made")
    _fresh(context, said, made)
    return replace(
        body,
        how_known=f"SSH key {made.fingerprint}",
        statement=said.text(),
        signature=text(request.args, "signature"),
        key=made.fingerprint,
    )


def granting_of(
    context: CommandContext, request: CommandRequest, one: RequestView, body: RequestGranted
) -> RequestGranted:
    """Return a grant as it was signed; as it is where nobody signed it.

    Raises RefusedError for a signature that doesn't hold.
    """
    if not text(request.args, "signature"):
        return body
    said, made = _signed(context, request, Granting)
    _known(context, made)
    given = (request.who.account, one.seq, one.shown, body.comment)
    if (said.account, said.request, said.shown, said.comment) != given:
        raise CommandRefusedError("the signature grants another request, or another than was shown")
    _fresh(context, said, made)
    return replace(
        body,
        how_known=f"SSH key {made.fingerprint}",
        statement=said.text(),
        signature=text(request.args, "signature"),
        key=made.fingerprint,
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """What a word was signed with."""

    statement: str
    signature: str
    key: str

    @property
    def how_known(self) -> str:
        """How a person is known by it."""
        return f"SSH key {self.key}"


def proof_of(
    context: CommandContext,
    request: CommandRequest,
    kind: type[S],
    same: Callable[[S], bool],
    *,
    own: bool = True,
) -> Proof | None:
    """Return what signed a word; None where nobody did. ``same`` says whether a statement is about this very word.

    ``own``: only a key of the account's own people counts. Raises RefusedError for a signature that doesn't hold.
    """
    signature = text(request.args, "signature")
    if not signature:
        return None
    said, made = _signed(context, request, kind)
    _known(context, made)
    account = request.who.account
    if own and not any(account in p.accounts for p in people_of(context.view, "", made.fingerprint)):
        raise CommandRefusedError(f"the runbook does not list the key {made.fingerprint} for {account}")
    if said.account != account or not same(said):
        raise CommandRefusedError("the signature is for another word than the one that was given")
    _fresh(context, said, made)
    return Proof(said.text(), signature, made.fingerprint)


def key_of(request: CommandRequest) -> str:
    """Return the fingerprint of the key that a command says it is signed with, unchecked; nothing without one."""
    try:
        return parse(text(request.args, "signature")).fingerprint if request.args.get("signature") else ""
    except SignatureError:
        return ""


def _signed(context: CommandContext, request: CommandRequest, kind: type[S]) -> tuple[S, Signature]:
    """Return what a command's statement says and what signed it.

    Raises RefusedError where the signature doesn't hold, and where its key is revoked or that can't be told.
    """
    statement = text(request.args, "statement")
    try:
        said = read_statement(kind, statement)
        made = check(text(request.args, "signature"), statement.encode(), ATTESTATION)
    except (CanonicalError, SignatureError) as error:
        raise CommandRefusedError(f"the signature does not hold: {error}") from None
    _not_revoked(context.runbook.revoked_keys, made)
    return said, made


def _not_revoked(file: Path | None, made: Signature) -> None:
    """Check that no file revokes a key. It is read each time: a key leaks in the middle of a launch too."""
    if file is None:
        return
    try:
        revoked = read_revoked(file)
    except LogError as error:
        raise CommandRefusedError(f"whether {made.fingerprint} is revoked is not known: {error}") from None
    if revoked.holds(made.key):
        raise CommandRefusedError(
            f"the key {made.fingerprint} is revoked: sign with another, which the runbook lists"
        )


def _known(context: CommandContext, made: Signature) -> None:
    if not people_of(context.view, "", made.fingerprint):
        raise CommandRefusedError(f"the runbook does not list the key {made.fingerprint} for anybody")


def _fresh(context: CommandContext, said: Statement, made: Signature) -> None:
    """Check that a statement is about this log as it stands, and wasn't given before.

    A signature counts once: what a key signed before is in the log, and the head of a new statement is not older.
    """
    head = parse_anchor(said.head)
    found = context.journal.store.read(head.seq - 1, 1)
    if said.log != context.view.log_id or not found or found[0].hash[:32] != head.hash:
        raise CommandRefusedError("the signature is for another log, or for another history of this one")
    last = context.view.signed.get(made.fingerprint, 0)
    if head.seq < last:
        raise CommandRefusedError(
            f"a signature counts once, and this one was made before event {last}, which the same key signed: "
            "sign again"
        )


def _about_this(
    context: CommandContext, request: CommandRequest, item: ItemView, said: Attestation, word: AttestSigned
) -> None:
    view = context.view
    given = (request.who.account, item.id, word.go, word.comment, word.link)
    if (said.account, said.item, said.go, said.comment, said.link) != given:
        raise CommandRefusedError("the signature is for another word than the one that was given")
    if any(context.journal.clean(one) != one for one in (word.comment, word.link)):
        raise CommandRefusedError("the comment holds a secret value: leave it out, then sign again")
    if (said.candidate, said.images, said.parts) != (
        view.candidate.version,
        view.candidate.images,
        parts_of(view),
    ):
        raise CommandRefusedError("the signature is for another candidate, chart or values: look again")
    head = parse_anchor(said.head)
    unseen = [check.seq for check in item.checks if check.seq > head.seq]
    if unseen or said.evidence != word.evidence or said.verdicts != verdicts_of(item):
        raise CommandRefusedError("the checks of this item ran anew while it was signed: look again")
    if said.cautions != word.cautions:
        raise CommandRefusedError("what speaks against it has changed while it was signed: look again")
