"""What is believed of a signed word: only what the runbook's key for that account signs, about this very log."""

from __future__ import annotations

from dataclasses import replace

from console.engine.commands.handler import CommandContext, CommandRefusedError, CommandRequest
from state.attest.sshsig import ATTESTATION, SignatureError, check, public_key
from state.attest.statement import Attestation, read_statement
from state.base.canonical import CanonicalError, parse_anchor
from state.base.json import text
from state.events.gates import AttestSigned
from state.view.attestations import cautions
from state.view.launch import ItemView

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
    statement = text(request.args, "statement")
    try:
        said = read_statement(Attestation, statement)
        made = check(signature, statement.encode(), ATTESTATION)
    except (CanonicalError, SignatureError) as error:
        raise CommandRefusedError(f"the signature does not hold: {error}") from None
    if made.key not in keys:
        raise CommandRefusedError(
            f"the runbook does not list the key {made.fingerprint} for {request.who.account}"
        )
    _about_this(context, request, item, said, word)
    return replace(
        word,
        how_known=f"SSH key {made.fingerprint}",
        evidence=said.evidence,
        statement=statement,
        signature=signature,
        key=made.fingerprint,
    )


def _about_this(
    context: CommandContext, request: CommandRequest, item: ItemView, said: Attestation, word: AttestSigned
) -> None:
    given = (request.who.account, item.id, word.go, word.comment, word.link)
    if (said.account, said.item, said.go, said.comment, said.link) != given:
        raise CommandRefusedError("the signature is for another word than the one that was given")
    if any(context.journal.clean(one) != one for one in (word.comment, word.link)):
        raise CommandRefusedError("the comment holds a secret value: leave it out, then sign again")
    head = parse_anchor(said.head)
    found = context.journal.store.read(head.seq - 1, 1)
    if said.log != context.view.log_id or not found or found[0].hash[:32] != head.hash:
        raise CommandRefusedError("the signature is for another log, or for another history of this one")
    unseen = [check.seq for check in item.checks if check.seq > head.seq]
    if unseen or set(said.evidence) - {check.seq for check in item.checks}:
        raise CommandRefusedError("the checks of this item ran anew while it was signed: look again")
    if said.cautions != word.cautions:
        raise CommandRefusedError("what speaks against it has changed while it was signed: look again")
