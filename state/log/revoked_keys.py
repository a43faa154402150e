"""Files of revoked keys, obeyed as ssh-keygen obeys them: a key revocation list (KRL), or public keys, one a line.

The rules are those of OpenSSH 9.2 (PROTOCOL.krl, ``krl.c``, ``authfile.c``), compared with stock ``ssh-keygen -Y
verify -r`` in a table of tests. What a list says of certificates is passed over, since nobody signs a log with one.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from state.attest.sshsig import SignatureError
from state.log.allowed_signers import read_key_file
from state.log.errors import LogError

_MAGIC = b"SSHKRL\n\0"
_HEADER = struct.Struct(">IQQQ")
"""Format, number of the list, when it was made, flags."""
_FORMAT = 1
_CERTIFICATES, _KEYS, _SHA1, _SIGNATURE, _SHA256 = 1, 2, 3, 4, 5
_SIZES = {_SHA1: 20, _SHA256: 32}
_PARTS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ssh-dss": 4,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
"""Types of keys, and of how many fields one is made after its type."""
_CERTIFICATE = "-cert-v01@openssh.com"
_ED25519 = 32
"""Bytes of such a key."""


@dataclass(frozen=True, slots=True)
class RevokedKeys:
    """What a file revokes: keys in SSH's own form, and digests of such."""

    keys: frozenset[bytes] = frozenset()
    sha1: frozenset[bytes] = frozenset()
    sha256: frozenset[bytes] = frozenset()

    def holds(self, key: bytes) -> bool:
        """Return whether a key is revoked, whenever it signed: ssh-keygen asks for no time either."""
        return (
            key in self.keys
            or hashlib.sha256(key).digest() in self.sha256
            or hashlib.sha1(key, usedforsecurity=False).digest() in self.sha1
        )


def read_revoked(path: Path) -> RevokedKeys:
    """Read a file of revoked keys: what ``ssh-keygen -k`` makes, or lines of ``.pub`` files.

    Raises LogError for a file that can't be read or is over 1 MiB, and for one that isn't understood whole: what
    it revokes isn't known then.
    """
    raw = read_key_file(path, "the keys that are revoked")
    try:
        if raw.startswith(_MAGIC):
            return _list(raw[len(_MAGIC) :])
        return RevokedKeys(keys=frozenset(_lines(raw)))
    except SignatureError as error:
        raise LogError(f"{path}: {error}") from None


def _lines(raw: bytes) -> Iterator[bytes]:
    for number, row in enumerate(raw.split(b"\n"), 1):
        text = row.lstrip(b" \t")
        if not text or text.startswith((b"#", b"\0")):
            continue
        kind, _, rest = text.replace(b"\t", b" ").partition(b" ")
        key = _key(kind.decode("ascii", "replace"), rest.lstrip(b" ").partition(b" ")[0].rstrip(b"\r"))
        if key is None:
            raise SignatureError(
                f"line {number} is no public key, and the file is no list of revoked keys (KRL)"
            )
        yield key


def _key(kind: str, coded: bytes) -> bytes | None:
    """Return the key of a line, None where it is none; of a certificate only its type is looked at."""
    try:
        key = base64.b64decode(coded, validate=True)
        name, *parts = _fields(key, None)
    except ValueError:
        return None
    sized = kind != "ssh-ed25519" or len(b"".join(parts)) == _ED25519
    known = kind.endswith(_CERTIFICATE) or (len(parts) == _PARTS.get(kind) and sized)
    return key if known and name == kind.encode() else None


def _list(raw: bytes) -> RevokedKeys:
    if len(raw) < _HEADER.size:
        raise SignatureError("the list of revoked keys is cut off")
    if _HEADER.unpack_from(raw)[0] != _FORMAT:
        raise SignatureError("the list of revoked keys is of another format than 1")
    at = _HEADER.size
    for _ in ("reserved", "comment"):
        _, at = _field(raw, at)
    found: dict[int, set[bytes]] = {_KEYS: set(), _SHA1: set(), _SHA256: set()}
    while at < len(raw):
        kind = raw[at]
        section, at = _field(raw, at + 1)
        if kind in found:
            found[kind] |= set(_fields(section, _SIZES.get(kind)))
        elif kind != _CERTIFICATES:
            what = "signed itself" if kind == _SIGNATURE else f"made with a section of the kind {kind}"
            raise SignatureError(f"the list of revoked keys is {what}, which can't be checked")
    return RevokedKeys(*map(frozenset, found.values()))


def _fields(section: bytes, size: int | None) -> Iterator[bytes]:
    at = 0
    while at < len(section):
        one, at = _field(section, at)
        if size is not None and len(one) != size:
            raise SignatureError(
                f"the list of revoked keys has a digest of {len(one)} bytes instead of {size}"
            )
        yield one


def _field(raw: bytes, at: int) -> tuple[bytes, int]:
    """Return the field that begins at a place, and where the next one begins."""
    begin = at + 4
    end = begin + (int.from_bytes(raw[at:begin]) if begin <= len(raw) else len(raw))
    if end > len(raw):
        raise SignatureError("the list of revoked keys is cut off")
    return raw[begin:end], end
