"""Signatures of stock ssh-keygen, checked in Python; both must agree on every one."""

from __future__ import annotations

import base64
import hashlib
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.client.signing import key_words
from state.attest.sshsig import ATTESTATION, REDACTION, SignatureError, check, fingerprint, parse, public_key

MESSAGE = '{"item":"3.2","kind":"attestation","text":"Übergabe ✓"}'.encode()
KINDS = (("ed25519", 0), ("ecdsa", 256), ("rsa", 2048))


def keygen(folder: Path, kind: str, bits: int = 0) -> Path:
    path = folder / f"{kind}{bits}"
    size = ("-b", str(bits)) if bits else ()
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "ann", "-f", str(path)], check=True
    )
    return path


def signed(key: Path, message: bytes = MESSAGE, namespace: str = ATTESTATION) -> str:
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace]
    return subprocess.run(words, input=message, check=True, capture_output=True).stdout.decode()


def stock_says(folder: Path, key: Path, armored: str, message: bytes) -> bool:
    signers, signature = folder / "allowed", folder / "signature"
    signers.write_text(f"ann {key.with_suffix('.pub').read_text()}")
    signature.write_text(armored)
    words = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "ann", "-n", ATTESTATION]
    done = subprocess.run([*words, "-s", str(signature)], input=message, check=False, capture_output=True)
    return done.returncode == 0


@pytest.mark.needs("ssh-keygen")
@pytest.mark.parametrize(("kind", "bits"), KINDS)
def test_what_ssh_keygen_signs_is_good_here_and_there(kind: str, bits: int, tmp_path: Path) -> None:
    key = keygen(tmp_path, kind, bits)
    armored = signed(key)
    found = check(armored, MESSAGE, ATTESTATION)
    public = public_key(key.with_suffix(".pub").read_text())
    assert found.key == public
    told = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], check=True, capture_output=True, text=True)
    assert fingerprint(public) == told.stdout.split()[1] == found.fingerprint
    assert stock_says(tmp_path, key, armored, MESSAGE)
    with pytest.raises(SignatureError, match="doesn't sign this text"):
        check(armored, MESSAGE + b" ", ATTESTATION)
    assert not stock_says(tmp_path, key, armored, MESSAGE + b" ")
    with pytest.raises(SignatureError, match="was made for"):
        check(armored, MESSAGE, REDACTION)


@pytest.mark.needs("ssh-keygen")
def test_a_key_of_another_kind_is_named(tmp_path: Path) -> None:
    key = keygen(tmp_path, "ecdsa", 384)
    with pytest.raises(SignatureError, match="a public key begins with one of"):
        public_key(key.with_suffix(".pub").read_text())
    with pytest.raises(SignatureError, match="can't be checked"):
        check(signed(key), MESSAGE, ATTESTATION)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("keys")
    found = [signed(keygen(folder, kind, bits)) for kind, bits in KINDS[:2]]
    return "\0".join(found).encode()


@pytest.mark.needs("ssh-keygen")
@settings(max_examples=150)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7), which=st.integers(0, 1))
def test_no_changed_bit_is_ever_believed(good: bytes, at: int, bit: int, which: int) -> None:
    rows = good.decode().split("\0")[which].strip().split("\n")
    blob = bytearray(base64.b64decode("".join(rows[1:-1])))
    blob[at % len(blob)] ^= 1 << bit
    armored = "\n".join((rows[0], base64.b64encode(blob).decode(), rows[-1]))
    with pytest.raises(SignatureError):
        check(armored, MESSAGE, ATTESTATION)


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA=="]
)
def test_a_text_that_is_no_key(text: str) -> None:
    with pytest.raises(SignatureError):
        public_key(text)


@given(st.text(max_size=60), st.binary(max_size=60))
def test_nothing_made_up_parses(words: str, blob: bytes) -> None:
    begin, end = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
    for told in (words, begin + words + end, begin + base64.b64encode(b"SSHSIG" + blob).decode() + end):
        with pytest.raises(SignatureError):
            parse(told)


def security_key(folder: Path, kind: str, flags: int = 1) -> tuple[str, str]:
    """Return the public line of a key in a made-up security key, and a signature of it for MESSAGE."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

    def string(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    def mpint(value: int) -> bytes:
        return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))

    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    counted = bytes([flags]) + struct.pack(">I", 7)
    digest = hashlib.sha512(MESSAGE).digest()
    text = b"SSHSIG" + string(ATTESTATION.encode()) + string(b"") + string(b"sha512") + string(digest)
    said = hashlib.sha256(b"ssh:").digest() + counted + hashlib.sha256(text).digest()
    if kind.startswith("sk-ssh"):
        own = ed25519.Ed25519PrivateKey.generate()
        key = string(kind.encode()) + string(own.public_key().public_bytes(*raw))
        made = own.sign(said)
    else:
        private = ec.generate_private_key(ec.SECP256R1())
        point = private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        key = string(kind.encode()) + string(b"nistp256") + string(point)
        r, s = utils.decode_dss_signature(private.sign(said, ec.ECDSA(hashes.SHA256())))
        made = mpint(r) + mpint(s)
    key += string(b"ssh:")
    inner = string(string(kind.encode()) + string(made) + counted)
    blob = b"SSHSIG" + struct.pack(">I", 1) + string(key) + string(ATTESTATION.encode()) + string(b"")
    blob += string(b"sha512") + inner
    rows = base64.encodebytes(blob).decode()
    armored = f"-----BEGIN SSH SIGNATURE-----\n{rows}-----END SSH SIGNATURE-----\n"
    public = f"{kind} {base64.b64encode(key).decode()} ann"
    (folder / "sk.pub").write_text(public)
    return public, armored


@pytest.mark.needs("ssh-keygen")
@pytest.mark.parametrize("kind", ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"])
def test_a_security_key_counts_where_it_was_touched(kind: str, tmp_path: Path) -> None:
    public, armored = security_key(tmp_path, kind)
    found = check(armored, MESSAGE, ATTESTATION)
    assert found.key == public_key(public)
    assert stock_says(tmp_path, tmp_path / "sk", armored, MESSAGE)
    with pytest.raises(SignatureError, match="doesn't sign"):
        check(armored, MESSAGE + b"!", ATTESTATION)
    _, untouched = security_key(tmp_path, kind, flags=0)
    with pytest.raises(SignatureError, match="nobody touched"):
        check(untouched, MESSAGE, ATTESTATION)
    assert key_words(public).startswith("touch your security key now: SHA256:")
