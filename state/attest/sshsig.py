"""SSH signatures as ``ssh-keygen -Y sign`` makes them, read and checked in this process.

The format is OpenSSH's PROTOCOL.sshsig. Keys: Ed25519, ECDSA on P-256, RSA (with SHA-512 or SHA-256), and the first
two in a security key that was touched (PROTOCOL.u2f). Loads ``cryptography`` only to check a signature.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

ATTESTATION = "attestation@launch-console"
REDACTION = "redaction@launch-console"
"""Namespaces: a signature for one can't be used for the other."""

TOUCHED = "sk-"
"""How the types of keys begin that live in a security key, and want a touch for every signature."""
_SK_ED25519, _SK_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
KEY_TYPES = frozenset({"ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", _SK_ED25519, _SK_ECDSA})
_PRESENT = 0x01
"""The flag of a security key's signature that says that somebody touched it."""
_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_LARGEST = 16 * 1024
_SMALLEST_RSA_BITS = 2048


class SignatureError(ValueError):
    """A key or signature is malformed, or doesn't sign what it should; one line says why."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The parts of a signature."""

    key: bytes
    """The public key that made it, in SSH's own form."""
    namespace: str
    hash_name: str
    algorithm: str
    raw: bytes
    counted: bytes = b""
    """Flags and counter of a security key's signature."""

    @property
    def fingerprint(self) -> str:
        """The key's name: ``SHA256:…``."""
        return fingerprint(self.key)


def public_key(text: str) -> bytes:
    """Return the key of a line such as ``ssh-ed25519 AAAA… comment``, as ``.pub`` files hold it.

    Raises SignatureError.
    """
    words = text.split()
    if len(words) < 2 or words[0] not in KEY_TYPES:
        raise SignatureError(f"a public key begins with one of {', '.join(sorted(KEY_TYPES))}")
    try:
        blob = base64.b64decode(words[1], validate=True)
    except ValueError:
        raise SignatureError("the public key is not base64") from None
    if _Reader(blob).text() != words[0]:
        raise SignatureError(f"the public key is not of the type {words[0]}")
    return blob


def fingerprint(key: bytes) -> str:
    """Return a key's name as ``ssh-keygen -l`` prints it: ``SHA256:…``."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def parse(armored: str) -> Signature:
    """Return the parts of an armored signature.

    Raises SignatureError.
    """
    text = armored.strip()
    if not (text.startswith(_BEGIN) and text.endswith(_END)) or len(text) > _LARGEST:
        raise SignatureError("it is no SSH signature")
    try:
        blob = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    except ValueError:
        raise SignatureError("it is no SSH signature: not base64") from None
    if not blob.startswith(_MAGIC):
        raise SignatureError("it is no SSH signature: it begins otherwise")
    reader = _Reader(blob[len(_MAGIC) :])
    if reader.number() != 1:
        raise SignatureError("it is an SSH signature of another version")
    key, namespace, reserved, hash_name = reader.string(), reader.text(), reader.string(), reader.text()
    inner = _Reader(reader.string())
    found = Signature(key, namespace, hash_name, inner.text(), inner.string(), inner.rest())
    if reserved or reader.rest() or len(found.counted) != (5 if found.algorithm.startswith(TOUCHED) else 0):
        raise SignatureError("it holds more than a signature")
    return found


def check(armored: str, message: bytes, namespace: str) -> Signature:
    """Check that a signature signs a message for a namespace, and return its parts.

    Who may sign is the caller's question. Raises SignatureError.
    """
    found = parse(armored)
    if found.namespace != namespace:
        raise SignatureError(f"it was made for {found.namespace[:60]!r}, not for {namespace!r}")
    hashed = _HASHES.get(found.hash_name)
    if hashed is None:
        raise SignatureError(f"it uses the hash {found.hash_name[:20]!r}")
    signed = b"".join(
        (
            _MAGIC,
            *map(_string, (namespace.encode(), b"", found.hash_name.encode(), hashed(message).digest())),
        )
    )
    _check_raw(found, signed)
    return found


def _check_raw(found: Signature, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

    reader = _Reader(found.key)
    kind = reader.text()
    try:
        if kind == "ssh-ed25519" and found.algorithm == kind:
            ed25519.Ed25519PublicKey.from_public_bytes(reader.string()).verify(found.raw, signed)
        elif kind == _SK_ED25519 and found.algorithm == kind:
            public = ed25519.Ed25519PublicKey.from_public_bytes(reader.string())
            public.verify(found.raw, _touched(found, reader, signed))
        elif kind in {"ecdsa-sha2-nistp256", _SK_ECDSA} and found.algorithm == kind:
            if reader.text() != "nistp256":
                raise SignatureError("its key is of another curve")
            point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), reader.string())
            signed = _touched(found, reader, signed) if kind == _SK_ECDSA else signed
            both = _Reader(found.raw)
            pair = utils.encode_dss_signature(both.mpint(), both.mpint())
            point.verify(pair, signed, ec.ECDSA(hashes.SHA256()))
        elif kind == "ssh-rsa" and (digest := _rsa_hash(found.algorithm)) is not None:
            exponent, modulus = reader.mpint(), reader.mpint()
            if modulus.bit_length() < _SMALLEST_RSA_BITS:
                raise SignatureError(f"an RSA key of {modulus.bit_length()} bits is too short")
            key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
            key.verify(found.raw, signed, padding.PKCS1v15(), digest)
        else:
            raise SignatureError(
                f"keys of the type {kind[:40]!r} ({found.algorithm[:40]!r}) can't be checked"
            )
    except InvalidSignature:
        raise SignatureError("it doesn't sign this text with this key") from None
    except (UnsupportedAlgorithm, ValueError) as error:
        if isinstance(error, SignatureError):
            raise
        raise SignatureError("its key or signature is malformed") from None


def _touched(found: Signature, key: _Reader, signed: bytes) -> bytes:
    """Return what a security key signs for a text: its application, flags and counter, and the text's digest.

    Raises SignatureError where nobody touched it.
    """
    if not found.counted[0] & _PRESENT:
        raise SignatureError("nobody touched the security key that made it")
    application = hashlib.sha256(key.string()).digest()
    return application + found.counted + hashlib.sha256(signed).digest()


def _rsa_hash(algorithm: str) -> HashAlgorithm | None:
    from cryptography.hazmat.primitives import hashes

    return {"rsa-sha2-512": hashes.SHA512(), "rsa-sha2-256": hashes.SHA256()}.get(algorithm)


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


class _Reader:
    """Reads SSH's length-prefixed fields."""

    def __init__(self, blob: bytes) -> None:
        self._blob, self._at = blob, 0

    def number(self) -> int:
        if self._at + 4 > len(self._blob):
            raise SignatureError("it is cut off")
        (value,) = struct.unpack_from(">I", self._blob, self._at)
        self._at += 4
        return int(value)

    def string(self) -> bytes:
        size = self.number()
        if self._at + size > len(self._blob):
            raise SignatureError("it is cut off")
        self._at += size
        return self._blob[self._at - size : self._at]

    def rest(self) -> bytes:
        return self._blob[self._at :]

    def text(self) -> str:
        return self.string().decode("ascii", "replace")

    def mpint(self) -> int:
        return int.from_bytes(self.string(), "big")
