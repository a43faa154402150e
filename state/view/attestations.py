"""What a person's word stands on: what spoke against it when it was given, and what makes it stale afterwards.

A word is about the evidence that its item had. Where a check says something else than it said then, or where what
was judged changed (another release, other values, another cluster), the word is asked for again. A check that ran
again and says the same changes nothing. What a promotion used stays as it was then, unless something fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from state.base.frozen import replace
from state.base.maps import with_item
from state.view.enums import Need, Verdict
from state.view.gates import AttestationView, CheckView, ItemView
from state.view.launch import LaunchView
from state.view.people import ATTESTING, keys_of, roles_of, same_person

_AGAINST = {
    Verdict.FAIL: "failed",
    Verdict.UNKNOWN: "could not be judged",
    Verdict.RUNNING: "is running",
    Verdict.PENDING: "never ran",
    Verdict.STALE: "is out of date",
}
_THEN = {
    Verdict.UNKNOWN: "could not be judged",
    Verdict.RUNNING: "was running",
    Verdict.PENDING: "had not run",
    Verdict.STALE: "was out of date",
}
_WRITTEN = frozenset({Need.COMMENT, Need.LINK})
_UNSEEN = frozenset({Verdict.RUNNING, Verdict.PENDING, Verdict.UNKNOWN})


def seen_of(item: ItemView) -> tuple[tuple[str, Verdict], ...]:
    """Return what each check of an item says now: what a word that is given now is about."""
    return tuple((check.id, check.verdict) for check in item.checks if check.counts)


def verdicts_of(item: ItemView) -> tuple[tuple[str, str], ...]:
    """Return what each check of an item says now, as a statement has it."""
    return tuple((check, verdict.value) for check, verdict in seen_of(item))


def parts_of(view: LaunchView) -> tuple[tuple[str, str, str], ...]:
    """Return what deploys are made of, as a statement has it: (environment, what, fingerprint), in order."""
    return tuple(sorted((env, what, digest) for env, parts in view.parts.items() for what, digest in parts))


def cautions(item: ItemView) -> tuple[str, ...]:
    """Return what speaks against a GO on an item, a line each: checks that fail, run, never ran or are out of date.

    The age of evidence is left out, so that a console and the engine say the same at any moment.
    """
    return tuple(
        f"{check.kind} ({check.env}) {against}"
        for check in item.checks
        if check.counts and (against := _against(check))
    )


def _against(check: CheckView) -> str:
    if check.since and check.verdict in {Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN}:
        return f"is out of date: {check.since}"
    return _AGAINST.get(check.verdict, "")


def judged(item: ItemView, check: CheckView) -> ItemView:
    """Return an item whose check has a new verdict: words that saw another one are stale."""
    if not check.counts or not item.words:
        return item
    return change_words(item, lambda word: _after(word, item, check))


def _after(word: AttestationView, item: ItemView, check: CheckView) -> AttestationView:
    then, now = dict(word.seen).get(check.id), check.verdict
    if now is then or (then is not None and {then, now} <= _UNSEEN):
        return replace(word, blind=tuple(one for one in word.blind if one != check.id))
    # The second look wasn't there to be seen: it changes nothing unless it fails.
    if now is not Verdict.FAIL and (item.used_us or then is None):
        return word
    if now is Verdict.UNKNOWN:
        return replace(word, blind=tuple(dict.fromkeys((*word.blind, check.id))))
    before = "had not been judged" if then is None else _THEN.get(then, f"was {then}")
    said = "GO" if word.go else "NO-GO"
    return _changed(word, f"{check.kind} {before} when {word.actor} said {said}; it's {now} now")


def _changed(word: AttestationView, why: str) -> AttestationView:
    return word if word.changed else replace(word, changed=why)


def change_words(item: ItemView, change: Callable[[AttestationView], AttestationView]) -> ItemView:
    """Return an item with each of its words changed; the same object where none is."""
    words = tuple(change(word) for word in item.words)
    return item if words == item.words else replace(item, others=words[:-1], attestation=words[-1])


def void(
    view: LaunchView, about: Callable[[ItemView], bool], why: str, *, before: int | None = None
) -> LaunchView:
    """Return the view in which every word on the items that something is about is stale, for a reason in words.

    ``before``: the event from which on words knew of it already.
    """

    def in_word(word: AttestationView) -> AttestationView:
        return word if before is not None and word.seq >= before else _changed(word, why)

    def in_item(item: ItemView) -> ItemView:
        return change_words(item, in_word) if item.words and about(item) else item

    gates = tuple(replace(gate, items=tuple(in_item(i) for i in gate.items)) for gate in view.gates)
    return view if gates == view.gates else replace(view, gates=gates)


def void_excluded(view: LaunchView, deed: str, account: str, key: str = "", *, but: int = 0) -> LaunchView:
    """Return the view in which somebody's words are stale on the items that whoever did this may not sign."""

    def in_word(word: AttestationView) -> AttestationView:
        mine = word.go and word.seq != but and same_person(view, word.actor, account, word.key, key)
        return _changed(word, f"{word.actor} {deed} since, and may not sign this") if mine else word

    def in_item(item: ItemView) -> ItemView:
        return change_words(item, in_word) if item.words and deed in item.rule.excluded else item

    gates = tuple(replace(gate, items=tuple(in_item(i) for i in gate.items)) for gate in view.gates)
    return view if gates == view.gates else replace(view, gates=gates)


def with_word(view: LaunchView, item: ItemView, word: AttestationView) -> ItemView:
    """Return an item with one more word. It takes the place of the same person's; where one is enough, of all."""
    kept = (one for one in item.words if not same_person(view, one.actor, word.actor, one.key, word.key))
    others = tuple(kept) if item.rule.people > 1 else ()
    return replace(item, attestation=word, others=others)


def without_word(item: ItemView, actor: str, key: str = "") -> ItemView:
    """Return an item without the newest word of a key, or of an account; where it gave none, without the newest.

    Who shares an account and signs takes their own word back.
    """
    gone = word_to_withdraw(item, actor, key)
    left = [word for word in item.words if word is not gone]
    return replace(item, attestation=left[-1] if left else None, others=tuple(left[:-1]))


def word_to_withdraw(item: ItemView, actor: str, key: str = "") -> AttestationView | None:
    """Return the word that somebody who withdraws takes back, or None where there is none."""
    own = next((w for w in reversed(item.words) if key and w.key == key), None)
    return own or next((w for w in reversed(item.words) if w.actor == actor), item.attestation)


def signed_by(view: LaunchView, key: str, seq: int) -> LaunchView:
    """Return the view in which a key has signed an event; nothing is changed without a key."""
    return replace(view, signed=with_item(view.signed, key, seq)) if key else view


def excluded_by(view: LaunchView, item: ItemView, account: str, key: str = "") -> str:
    """Return what an account did that keeps it from signing an item, as ``ran production.migrate``; or nothing."""
    for deed in item.rule.excluded:
        verb, _, what = deed.partition(" ")
        if verb == "ran":
            done = [(run.actor, "") for run in view.operations if run.id == what]
        else:
            other = view.item(what)
            done = [(word.actor, word.key) for word in other.words] if other is not None else []
        if any(same_person(view, actor, account, signed, key) for actor, signed in done):
            return deed
    return ""


def go_problem(view: LaunchView, item: ItemView, account: str, key: str = "") -> str:
    """Return why somebody can't give a GO on an item, whatever they write with it; or nothing.

    ``key`` is the fingerprint of what signs. Without it, an account that several people share has a problem only
    where each of their keys has it.
    """
    told = [
        _go_problem(view, item, account, one) for one in ([key] if key else keys_of(view, account) or [""])
    ]
    return told[0] if all(told) else ""


def _go_problem(view: LaunchView, item: ItemView, account: str, key: str) -> str:
    if item.not_applicable:
        return (
            f"item {item.id} doesn't apply to this launch ({item.not_applicable}): only a NO-GO can be added"
        )
    if item.question is None:
        return f"{item.id} is automatic; you can only veto it (NO-GO)"
    roles = roles_of(view, account, key)
    if item.rule.role and item.rule.role not in roles:
        return f"item {item.id} is signed by {item.rule.role}, and {account} is not"
    if not item.rule.role and roles and not roles & ATTESTING:
        own, asked = ", ".join(sorted(roles)), " or ".join(sorted(ATTESTING))
        return f"item {item.id} is signed by {asked}, and {account} is {own}"
    if deed := excluded_by(view, item, account, key):
        return f"item {item.id} is signed by somebody else than who {deed}: that was {account}"
    return ""


def missing(item: ItemView, *, go: bool, given: Mapping[Need, str]) -> str:
    """Return what a word on an item still has to bring, in words; nothing where it is whole."""
    if not go:
        return "" if given.get(Need.COMMENT) else "say why it is NO-GO"
    lacking = [need.value for need in item.rule.needs if need in _WRITTEN and not given.get(need)]
    return f"a GO on {item.id} needs a {' and a '.join(lacking)}" if lacking else ""
