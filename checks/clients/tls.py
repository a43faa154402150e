"""What a domain presents in a TLS handshake.

Whether it is trusted, and the facts of its certificate even where it isn't.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from checks.clients.errors import UntrustedError, Where, from_transport
from checks.clients.http import address_of
from checks.clients.wire import trust
from state.base.text import line

if TYPE_CHECKING:
    from state.runbook.environment import Domain, Environment


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The leaf certificate of a handshake."""

    host: str
    trusted: bool
    """Known authority, matching name, in date."""
    why_not: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_after: datetime
    serial: str
    protocol: str

    def covers(self, host: str) -> bool:
        """Return whether a name of the certificate fits a host; a wildcard stands for one label."""
        expected = host.lower()
        tail = expected.partition(".")[2]
        return any(name == expected or (name.startswith("*.") and name[2:] == tail) for name in self.names)


class TlsClient:
    """Handshakes with the domains of one environment."""

    def __init__(self, environment: Environment, *, timeout: float = 10.0) -> None:
        self._environment = environment
        self._timeout = timeout

    async def handshake(self, domain: Domain) -> CertificateFacts:
        """Return the facts of the certificate that a domain presents.

        Raises UnreachableError, TimedOutError or UntrustedError where there is no handshake at all.
        """
        where = Where(f"TLS of {domain.host}", self._environment.title)
        # Two handshakes: a failed verification yields no certificate, so read it unverified first.
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # believes everything, so it needs no authorities
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        der, protocol = await self._connect(domain, blind, where)
        why_not = ""
        try:
            await self._connect(domain, trust(where, self._environment.ca_file), where)
        except _NotTrustedError as error:
            why_not = str(error)
        return _facts(domain.host, der, protocol, why_not)

    async def _connect(self, domain: Domain, context: ssl.SSLContext, where: Where) -> tuple[bytes, str]:
        host, port = address_of(domain)
        expected = "a TLS handshake"
        try:
            async with asyncio.timeout(self._timeout):
                _, writer = await asyncio.open_connection(
                    host, port, ssl=context, server_hostname=domain.host
                )
                try:
                    secured = writer.get_extra_info("ssl_object")
                    der = secured.getpeercert(binary_form=True)
                    protocol = secured.version() or ""
                finally:
                    # No orderly close: nothing was sent, and some servers never answer a close_notify.
                    writer.transport.abort()
        except ssl.SSLCertVerificationError as error:
            raise _NotTrustedError(line(error.verify_message, 160)) from None
        except (OSError, TimeoutError) as error:
            address = f"{host}:{port}"
            raise from_transport(
                where, error, address=address, expected=expected, timeout=self._timeout
            ) from None
        if not der:
            raise UntrustedError(f"{where} presented no certificate; expected one")
        return der, protocol


class _NotTrustedError(Exception):
    """The certificate was seen and not believed."""


def _facts(host: str, der: bytes, protocol: str, why_not: str) -> CertificateFacts:
    from cryptography import x509

    leaf = x509.load_der_x509_certificate(der)
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = ()
    return CertificateFacts(
        host=host,
        trusted=not why_not,
        why_not=why_not,
        subject=line(leaf.subject.rfc4514_string(), 200),
        issuer=line(leaf.issuer.rfc4514_string(), 200),
        names=names,
        not_after=leaf.not_valid_after_utc,
        serial=f"{leaf.serial_number:x}",
        protocol=protocol,
    )
