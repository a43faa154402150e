"""Signatures of stock ssh-keygen, checked in Python; both must agree on every one."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
