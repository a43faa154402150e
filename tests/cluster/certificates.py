"""The control plane's certificates: its authority, the server's, and one for whoever shall be somebody."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVICE_IP = "10.96.0.1"
_YEAR = timedelta(days=365)
_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


class Authority:
    """Signs for one control plane. In ``folder``: ``ca.pem``, ``ca.key``, and ``NAME.pem`` with ``NAME.key``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ca = folder / "ca.pem"
        self._key_file = folder / "ca.key"
        if not self.ca.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._begin()
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(self.ca.read_bytes())

    def serving(self, name: str) -> tuple[Path, Path]:
        """Return certificate and key of a server on loopback."""
        addresses = [x509.IPAddress(IPv4Address(one)) for one in ("127.0.0.1", SERVICE_IP)]
        names = x509.SubjectAlternativeName([*addresses, *map(x509.DNSName, _NAMES)])
        return self._leaf(name, _subject(name, ()), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, user: str, groups: Sequence[str] = ()) -> tuple[Path, Path]:
        """Return certificate and key by which the API server knows a user and its groups."""
        name = (
            f"client-{user.replace(':', '-')}-{os.getpid()}"  # two workers may ask for the same one at once
        )
        return self._leaf(name, _subject(user, groups), ExtendedKeyUsageOID.CLIENT_AUTH)

    def signing_key(self, name: str) -> Path:
        """Return a private key of its own: the one that service accounts' tokens are signed with."""
        return self._private(name, ec.generate_private_key(ec.SECP256R1()))

    def signing_key_file(self, name: str) -> Path:
        """Return where that key is."""
        return self._folder / f"{name}.key"

    def _begin(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject("tests' cluster", ())
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(subject, subject, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        self._private("ca", key)
        self.ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _leaf(
        self,
        name: str,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None = None,
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        identity = self._certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identity)
        builder = (
            _builder(subject, self._certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(issuer, critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = self._folder / f"{name}.pem"
        certificate.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return certificate, self._private(name, key)

    def _private(self, name: str, key: ec.EllipticCurvePrivateKey) -> Path:
        file = self._folder / f"{name}.key"
        file.touch(0o600)
        # The traditional form: the API server takes "EC PRIVATE KEY" for service accounts' tokens everywhere.
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        return file


def _subject(name: str, groups: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    return x509.Name([*parts, *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _YEAR)
    )
