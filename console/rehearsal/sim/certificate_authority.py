"""A certificate authority of the rehearsal's own, and what the ingress presents.

Keys follow from the seed, so a trust file stays right over a restart; such an authority is only fit for
loopback. A certificate is valid at the injected clock's time and at the machine's, because TLS libraries ask
the machine.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from console.rehearsal.sim.seeded import digest
from state.base.clock import SECOND_US, Clock, SystemClock

ISSUER = "Rehearsal Issuing CA"
STAGING_ISSUER = "(STAGING) Fake LE Intermediate X1"
LIFETIME = timedelta(days=90)
SOON = timedelta(days=7)
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class CertificateFault(StrEnum):
    """What is wrong with the certificate that the ingress presents."""

    NONE = "none"
    EXPIRES_SOON = "expires-soon"
    EXPIRED = "expired"
    WITHOUT_SECOND_NAME = "without-second-name"
    WITHOUT_FIRST_NAME = "without-first-name"
    STAGING_ISSUER = "staging-issuer"
    """Issued by "(STAGING) Fake LE Intermediate X1", below a root that the client trusts."""
    SELF_SIGNED = "self-signed"
    FOREIGN_ROOT = "foreign-root"
    """Well formed, from an authority that the client does not know."""


@dataclass(frozen=True, slots=True)
class _Signer:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Rehearsal"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Authority:
    """Signs the certificates of all environments; ``folder`` has the files that TLS libraries want."""

    def __init__(self, seed: int, clock: Clock, folder: Path, machine: Clock | None = None) -> None:
        self._seed, self._clock, self._machine = seed, clock, machine or SystemClock()
        self._folder = folder
        self._issued: dict[tuple[tuple[str, ...], CertificateFault], bytes] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._root = self._signer("Rehearsal Root CA")
        self._foreign_root = self._signer("Some Other Root CA")
        self.ca_file = folder / "ca.pem"
        """What a client trusts."""
        self.ca_file.write_bytes(_pem(self._authority(self._root, self._root, path_length=1)))

    def _signer(self, common_name: str) -> _Signer:
        return _Signer(_name(common_name), self._key(common_name))

    def _key(self, label: str) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(digest(self._seed, "tls", label), "big") % (_P256_ORDER - 1) + 1
        return ec.derive_private_key(number, ec.SECP256R1())

    def _span(self, fault: CertificateFault) -> tuple[datetime, datetime]:
        wall, real = (
            datetime.fromtimestamp(clock.wall_us() / SECOND_US, UTC) for clock in (self._clock, self._machine)
        )
        day = timedelta(days=1)
        begin, end = min(wall, real) - day, max(wall, real) + LIFETIME
        if fault is CertificateFault.EXPIRED:
            begin, end = min(wall, real) - LIFETIME, min(wall, real) - day
        elif fault is CertificateFault.EXPIRES_SOON:
            end = wall + SOON if wall + SOON > real + day else real + SOON
        return begin.replace(microsecond=0), end.replace(microsecond=0)

    def _authority(self, subject: _Signer, issuer: _Signer, path_length: int) -> x509.Certificate:
        begin, end = self._span(CertificateFault.NONE)
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
        return (
            self._builder(subject.name, subject.key, issuer)
            .not_valid_before(begin)
            .not_valid_after(end + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(usage, critical=True)
            .sign(issuer.key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: _Signer
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
            )
        )

    def certificate(self, hosts: Sequence[str], fault: CertificateFault = CertificateFault.NONE) -> bytes:
        """Return the PEM chain for ``hosts``: the leaf, then its issuer.

        The same hosts and fault give the same certificate each time, as long as this object lives.
        """
        key = (tuple(hosts), fault)
        if key not in self._issued:
            self._issued[key] = self._issue(hosts, fault)
        return self._issued[key]

    def _issue(self, hosts: Sequence[str], fault: CertificateFault) -> bytes:
        names = list(hosts)
        if fault is CertificateFault.WITHOUT_SECOND_NAME:
            names = names[:1]
        elif fault is CertificateFault.WITHOUT_FIRST_NAME:
            names = names[1:]
        key = self._key(f"leaf {hosts[0]}")
        issuer = self._signer(STAGING_ISSUER if fault is CertificateFault.STAGING_ISSUER else ISSUER)
        root = self._foreign_root if fault is CertificateFault.FOREIGN_ROOT else self._root
        if fault is CertificateFault.SELF_SIGNED:
            issuer = _Signer(_name(names[0]), key)
        begin, end = self._span(fault)
        leaf = (
            self._builder(_name(names[0]), key, issuer)
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )
        if fault is CertificateFault.SELF_SIGNED:
            return _pem(leaf)
        return _pem(leaf) + _pem(self._authority(issuer, root, path_length=0))

    def private_key(self, hosts: Sequence[str]) -> bytes:
        """Return the PEM key that belongs to ``certificate(hosts)``."""
        return self._key(f"leaf {hosts[0]}").private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def context(
        self, hosts: Sequence[str], fault: CertificateFault = CertificateFault.NONE
    ) -> ssl.SSLContext:
        """Return a server's TLS context for ``hosts`` with a fixed ``fault``."""
        chain = self._folder / f"{hosts[0]}-{fault}.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(self.certificate(hosts, fault) + self.private_key(hosts))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain)
        return context

    def switching_context(
        self, hosts: Sequence[str], fault: Callable[[], CertificateFault], names: MutableMapping[object, str]
    ) -> ssl.SSLContext:
        """Return a TLS context that asks ``fault`` at every handshake: a certificate can be exchanged.

        The server name that a client asked for is kept in ``names``, by connection.
        """
        made: dict[CertificateFault, ssl.SSLContext] = {}

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            names[connection] = (name or "").lower()
            now = fault()
            if now not in made:
                made[now] = self.context(hosts, now)
            connection.context = made[now]

        front = self.context(hosts)
        made[CertificateFault.NONE] = front
        front.sni_callback = choose
        return front
