"""Files of revoked keys, one by one beside stock ``ssh-keygen -Y verify -r``: both refuse the same keys."""

from __future__ import annotations

import base64
import hashlib
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from state.attest.sshsig import ATTESTATION, public_key
from state.log.errors import LogError
from state.log.revoked_keys import read_revoked
from tests.state.attest.test_sshsig import MESSAGE, keygen, signed

pytestmark = pytest.mark.needs("ssh-keygen")


@dataclass(frozen=True, slots=True)
class Made:
    """Keys, and what the first of them signed."""

    folder: Path
    key: Path
    armored: str

    def public(self, name: str = "") -> str:
        path = self.folder / name if name else self.key
        return " ".join(path.with_suffix(".pub").read_text().split()[:2])

    def krl(self, spec: str, *words: str) -> bytes:
        """Return the list that ssh-keygen makes of a specification."""
        (self.folder / "spec").write_text(
            spec.replace("KEY", self.public()).replace("OTHER", self.public("ecdsa256"))
        )
        path = self.folder / "made.krl"
        path.unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-k", "-f", str(path), *words, str(self.folder / "spec")]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder)
        return path.read_bytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("keys")
    key = keygen(folder, "ed25519")
    for kind, bits in (("ecdsa", 256), ("ecdsa", 384), ("rsa", 2048)):
        keygen(folder, kind, bits)
    return Made(folder, key, signed(key))


def section(kind: int, *fields: bytes) -> bytes:
    inner = b"".join(struct.pack(">I", len(one)) + one for one in fields)
    return struct.pack(">BI", kind, len(inner)) + inner


def crafted(*sections: bytes, form: int = 1, magic: bytes = b"SSHKRL\n\0") -> bytes:
    return magic + struct.pack(">IQQQII", form, 1, 1, 0, 0, 0) + b"".join(sections)


def blob(made: Made) -> bytes:
    return public_key(made.public())


FILES: Mapping[str, tuple[Callable[[Made], bytes], bool]] = {
    "a list of the key": (lambda m: m.krl("KEY\n"), True),
    "a list of another": (lambda m: m.krl("OTHER\n"), False),
    "a list of both": (lambda m: m.krl("OTHER\nKEY\n"), True),
    "an empty list": (lambda m: m.krl(""), False),
    "by its key": (lambda m: m.krl("key: KEY\n"), True),
    "by its SHA-1": (lambda m: m.krl("sha1: KEY\n"), True),
    "by its SHA-256": (lambda m: m.krl("sha256: KEY\n"), True),
    "by a SHA-256 in words": (lambda m: m.krl(f"hash: {told(m)}\n"), True),
    "another's SHA-1 and SHA-256": (lambda m: m.krl("sha1: OTHER\nsha256: OTHER\n"), False),
    "certificates by number": (lambda m: m.krl("serial: 1-99\n", "-s", "rsa2048.pub"), False),
    "certificates by name, and the key": (lambda m: m.krl("id: ann\nKEY\n", "-s", "rsa2048.pub"), True),
    "numbered": (lambda m: m.krl("KEY\n", "-z", "18446744073709551615"), True),
    "crafted": (lambda m: crafted(section(2, blob(m))), True),
    "crafted, two sections": (lambda m: crafted(section(2, b"x"), section(2, blob(m))), True),
    "crafted, a digest that is too short": (
        lambda m: crafted(section(5, hashlib.sha256(blob(m)).digest()[:20])),
        True,
    ),
    "of another format": (lambda m: crafted(section(2), form=2), True),
    "with a section that nobody knows": (lambda _: crafted(section(9, b"x")), True),
    "signed by nobody": (lambda _: crafted(section(4, b"key"), section(4, b"signature")), True),
    "cut in its header": (lambda m: m.krl("OTHER\n")[:30], True),
    "cut in a section": (lambda m: m.krl("OTHER\n")[:-3], True),
    "with a byte too many": (lambda m: m.krl("OTHER\n") + b"\2", True),
    "of another magic": (lambda m: crafted(section(2, blob(m)), magic=b"SSHKRL\n\1"), True),
    "nothing": (lambda _: b"", False),
    "a line with the key": (lambda m: m.public().encode(), True),
    "a line with a comment": (lambda m: m.public().encode() + b" ann @ work\n", True),
    "a line with blanks before": (lambda m: b" \t" + m.public().encode() + b"\n", True),
    "a line with tabs between": (lambda m: m.public().replace(" ", "\t").encode() + b"\n", True),
    "a line that ends as on Windows": (lambda m: m.public().encode() + b"\r\n", True),
    "another's line": (lambda m: m.public("ecdsa256").encode() + b"\n", False),
    "lines of all types": (
        lambda m: "\n".join(m.public(n) for n in ("ecdsa384", "rsa2048", "ecdsa256", "")).encode(),
        True,
    ),
    "lines of all types but it": (
        lambda m: "\n".join(("# old", "", m.public("ecdsa384"), m.public("rsa2048"), "")).encode(),
        False,
    ),
    "a comment": (lambda m: b"# " + m.public().encode() + b"\n", False),
    "a line with options": (lambda m: b"restrict " + m.public().encode() + b"\n", True),
    "a line of words": (lambda _: b"these keys are revoked:\n", True),
    "a type without a key": (lambda _: b"ssh-ed25519\n", True),
    "a key of another type than it says": (
        lambda m: m.public("ecdsa256").replace("ecdsa-sha2-nistp256 ", "ssh-ed25519 ").encode(),
        True,
    ),
    "a key that is cut": (lambda m: m.public()[:-24].encode() + b"\n", True),
    "a key with more behind it": (
        lambda m: b"ssh-ed25519 " + base64.b64encode(blob(m) + b"abc") + b"\n",
        True,
    ),
    "words behind another's key": (lambda m: m.public("ecdsa256").encode() + b"\nand more\n", True),
}


def told(made: Made) -> str:
    printed = subprocess.run(["ssh-keygen", "-l", "-f", made.key], check=True, capture_output=True, text=True)
    return printed.stdout.split()[1]


def refused(folder: Path, made: Made, revoked: Path) -> bool:
    """Return whether stock ssh-keygen refuses what the key signed."""
    (folder / "signers").write_text(f"ann {made.public()}\n")
    (folder / "signature").write_text(made.armored)
    words = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "ann", "-n", ATTESTATION, "-s", "signature"]
    done = subprocess.run(
        [*words, "-r", revoked], input=MESSAGE, check=False, capture_output=True, cwd=folder
    )
    return done.returncode != 0


def refuses(made: Made, revoked: Path) -> bool:
    try:
        return read_revoked(revoked).holds(blob(made))
    except LogError:  # then nothing that is signed is taken
        return True


@pytest.mark.parametrize("name", FILES)
def test_a_file_refuses_whom_ssh_keygen_refuses(name: str, made: Made, tmp_path: Path) -> None:
    build, revokes = FILES[name]
    file = tmp_path / "revoked"
    file.write_bytes(build(made))
    assert refused(tmp_path, made, file) is revokes
    assert refuses(made, file) is revokes


def test_a_file_that_is_none_refuses_everybody(made: Made, tmp_path: Path) -> None:
    missing, large = tmp_path / "missing", tmp_path / "large"
    large.write_bytes(b"#\n" * (1 << 20))
    for file in (missing, tmp_path, large):
        with pytest.raises(LogError, match=str(file)):
            read_revoked(file)
    assert refused(tmp_path, made, missing)


def test_a_list_that_is_cut_anywhere_refuses_everybody_as_ssh_keygen_does(made: Made, tmp_path: Path) -> None:
    whole = made.krl("sha1: OTHER\nsha256: OTHER\nOTHER\n")
    file = tmp_path / "revoked"
    for size in range(8, len(whole), 5):
        file.write_bytes(whole[:size])
        assert refuses(made, file) == refused(tmp_path, made, file), f"cut at {size} of {len(whole)}"
