"""Files of allowed signers, obeyed as ssh-keygen obeys them: whose a key is, for what, and in which time.

The rules are those of OpenSSH 9.2 (``sshsig.c``, ``match.c``, ``misc.c``), compared with stock ``ssh-keygen -Y
verify`` in a table of tests. A line for a certificate authority is for certificates alone, which nobody signs a log
with: it never lets a key in.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from state.attest.sshsig import KEY_TYPES, SignatureError, public_key
from state.base.times import SECOND_US
from state.log.errors import LogError

LARGEST = 1 << 20
"""Bytes of a file of keys: some thousand of them."""
_OTHER_TYPES = re.compile(r"(?:ecdsa-sha2-|sk-|ssh-dss|[a-z0-9@.-]+-cert-v01@openssh\.com)")
_BLANK = " \t"
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(?:,|\Z)', re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(Z?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A line of an allowed_signers file: whose this key is, and its options."""

    principals: str
    """Patterns, as they stand there: ``ann,!root,*@example.org``."""
    key: bytes
    namespaces: str | None = None
    """Patterns of what it may sign; None: everything."""
    valid_after_us: int = 0
    valid_before_us: int = 0
    """0: at any time."""
    authority: bool = False

    def lets(self, account: str | None, namespace: str, at_us: int) -> bool:
        """Return whether an account may sign for a namespace with this key at a moment; None: whoever has the key."""
        if self.authority or (account is not None and not _listed(account, self.principals)):
            return False
        if self.namespaces is not None and not _listed(namespace, self.namespaces):
            return False
        at_s = at_us // SECOND_US
        after, before = self.valid_after_us // SECOND_US, self.valid_before_us // SECOND_US
        return not (after and at_s < after) and not (before and at_s > before)


def keys_for(allowed: Sequence[Allowed], account: str | None, namespace: str, at_us: int) -> frozenset[bytes]:
    """Return the keys with which an account may sign for a namespace at a moment."""
    return frozenset(one.key for one in allowed if one.lets(account, namespace, at_us))


def read_allowed(path: Path) -> list[Allowed]:
    """Read an allowed_signers file: ``ann ssh-ed25519 AAAA…``, a line each.

    Lines for keys of a type that no log is signed with are passed over. Raises LogError for a file that can't be
    read or is over 1 MiB, and for a line that ssh-keygen couldn't read either.
    """
    return [one for number, row in enumerate(_lines(path), 1) for one in _allowed(path, number, row)]


def _lines(path: Path) -> list[str]:
    # By newlines alone, as ssh-keygen does: other separators would make two lines of one.
    return read_key_file(path, "the keys that are allowed to sign").decode("utf-8", "replace").split("\n")


def read_key_file(path: Path, what: str) -> bytes:
    """Return a file of keys as it is; ``what`` says in an error which ones were expected in it.

    Raises LogError where it can't be read, is no regular file, or is over 1 MiB.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise LogError(f"{path} is not a regular file; expected one with {what}")
        if found.st_size > LARGEST:
            raise LogError(f"{path} has {found.st_size} bytes; a file of {what} has at most 1 MiB")
        return path.read_bytes()
    except OSError as error:
        raise LogError(f"{path} can't be read: {error.strerror}") from error


def _allowed(path: Path, number: int, row: str) -> Iterator[Allowed]:
    row = row.strip(_BLANK + "\r")
    if not row or row.startswith("#"):
        return
    try:
        principals, rest = _word(row)
        options = ""
        if not _is_key(rest):
            options, rest = _options_word(rest)
        kind, _, blob = rest.partition(" ")
        if kind not in KEY_TYPES and _OTHER_TYPES.match(kind):
            return
        key = public_key(f"{kind} {blob.strip().partition(' ')[0]}")
        yield _with_options(principals, key, options)
    except (SignatureError, ValueError) as error:
        raise LogError(f"{path}:{number}: {error}") from None


def _is_key(rest: str) -> bool:
    kind = rest.partition(" ")[0]
    return kind in KEY_TYPES or bool(_OTHER_TYPES.match(kind))


def _word(row: str) -> tuple[str, str]:
    """Return the first word, which may stand in quotes, and the rest with single blanks."""
    if row.startswith('"'):
        word, closed, rest = row[1:].partition('"')
        if not closed:
            raise SignatureError("its principals have no closing quote")
    else:
        word, rest = re.split("[ \t]+", row, maxsplit=1) if re.search("[ \t]", row) else (row, "")
    return word, rest.replace("\t", " ").strip(" ")


def _options_word(rest: str) -> tuple[str, str]:
    """Return the options, which reach to the first blank outside of quotes, and what follows."""
    quoted = False
    for at, sign in enumerate(rest):
        if sign == '"' and rest[at - 1 : at] != "\\":
            quoted = not quoted
        elif sign == " " and not quoted:
            return rest[:at], rest[at:].strip(" ")
    return rest, ""


def _with_options(principals: str, key: bytes, options: str) -> Allowed:
    given: dict[str, str | None] = {}
    at = 0
    while at < len(options):
        found = _OPTION.match(options, at)
        if found is None:
            raise SignatureError(f"its options can't be read: {options[:60]!r}")
        name, value, at = found[1].lower(), found[2], found.end()
        if name in given:
            raise SignatureError(f"the option {name} stands twice")
        if (value is None) != (name == "cert-authority"):
            raise SignatureError(f"the option {name[:40]!r} has to be written with its value in quotes")
        given[name] = None if value is None else value.replace('\\"', '"')
    if options.endswith(","):
        raise SignatureError("its options end with a comma")
    if strange := given.keys() - {"cert-authority", "namespaces", "valid-after", "valid-before"}:
        raise SignatureError(f"the option {min(strange)[:40]!r} is not known")
    after, before = _moment(given.get("valid-after")), _moment(given.get("valid-before"))
    if after and before and before <= after:
        raise SignatureError("its key is valid before it is valid")
    return Allowed(
        principals,
        key,
        namespaces=given.get("namespaces"),
        valid_after_us=after,
        valid_before_us=before,
        authority="cert-authority" in given,
    )


def _moment(value: str | None) -> int:
    """Return a moment in microseconds: ``YYYYMMDD[HHMM[SS]][Z]``, in this machine's time zone unless there is a Z."""
    if value is None:
        return 0
    found = _TIME.fullmatch(value)
    if found is None:
        raise SignatureError(f"{value[:20]!r} is no time such as 20261130 or 202611301530Z")
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        zone = UTC if found[7] else None
        there = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return int(there.timestamp()) * SECOND_US
    except (ValueError, OverflowError):
        raise SignatureError(f"{value[:20]!r} is no moment that there is") from None


def _listed(text: str, patterns: str) -> bool:
    """Return whether a list of patterns lets a text in: one matches, and none of those with ``!`` does."""
    found = False
    for one in patterns.split(","):
        if one.startswith("!"):
            if _matches(text, one[1:]):
                return False
        elif _matches(text, one):
            found = True
    return found


def _matches(text: str, pattern: str) -> bool:
    """Return whether a text is as a pattern says: ``*`` is anything, ``?`` is one character, the rest is itself."""
    parts = "".join(
        ".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", pattern)
    )
    return re.fullmatch(parts, text, re.DOTALL) is not None
