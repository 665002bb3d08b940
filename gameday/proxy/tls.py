"""Certificates for proxies that terminate TLS: good ones, and ones that clients must not accept.

Needs ``cryptography`` (the extra ``[tls]``), which is imported only here and only when a proxy asks for it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from gameday.proxy.attributes import Attributes, attribute, one_of

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CERTIFICATES = ("expired", "not_yet_valid", "other_name", "untrusted")
OTHER_NAME = "another-host.invalid"
"""Whom the certificate is for that is for somebody else."""
_DAY = timedelta(days=1)


class TlsError(Exception):
    """TLS was asked for and cannot be had; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsCertificate(Attributes):
    """New handshakes get a certificate that a careful client refuses; connections that are open go on."""

    TYPE: ClassVar[str] = "tls_certificate"
    certificate: str = attribute(one_of(CERTIFICATES), "expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """How a proxy speaks TLS."""

    names: tuple[str, ...]
    """Names and IP addresses that its certificate is for."""
    ca_cert: str = ""
    ca_key: str = ""
    """PEM files of an authority that clients trust already; without them one is made for this process."""
    ca_file: str = ""
    """Where to write the certificate of the authority, for clients to trust."""
    upstream: bool = False
    """Whether the dependency is spoken to over TLS, too."""
    upstream_ca: str = ""
    """PEM file of the authorities that the dependency's certificate is checked with; default: the system's."""
    upstream_name: str = ""
    """The name that it is checked for; default: the upstream's host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One certificate, ready to be served."""

    context: ssl.SSLContext
    fingerprint: str
    """SHA-256 of its DER form, in hexadecimal."""


class Terminal:
    """The server side of TLS for one proxy, and the client side where the dependency wants it."""

    def __init__(self, settings: TlsSettings) -> None:
        """Make every certificate now, so that a fault is a swap of something that is there; raises TlsError."""
        self.settings = settings
        authority, stranger = _authority(settings), Authority.new("gameday untrusted authority")
        names, now = settings.names, datetime.now(UTC)
        good = (now - _DAY, now + 365 * _DAY)
        self.ca_pem = authority.pem
        self.good = authority.serve(names, *good)
        self.bad = {
            "expired": authority.serve(names, now - 30 * _DAY, now - _DAY),
            "not_yet_valid": authority.serve(names, now + 30 * _DAY, now + 60 * _DAY),
            "other_name": authority.serve((OTHER_NAME,), *good),
            "untrusted": stranger.serve(names, *good),
        }
        self.client = _client_context(settings) if settings.upstream else None
        if settings.ca_file:
            _write(settings.ca_file, self.ca_pem)

    def close(self) -> None:
        """Take the authority's certificate away again: nobody holds its key any more."""
        if self.settings.ca_file:
            with contextlib.suppress(OSError):
                Path(self.settings.ca_file).unlink()


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and the key that signs others."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @classmethod
    def new(cls, name: str) -> Authority:
        """Make one; raises TlsError without the extra ``[tls]``."""
        try:
            from cryptography import x509  # noqa: PLC0415 - an extra
            from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - an extra
            from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise TlsError("TLS needs the extra [tls]: pip install 'gameday-runner[tls]'") from error
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
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
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 365 * _DAY)
            .not_valid_after(now + 365 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def load(cls, certificate: str, key: str) -> Authority:
        """Read one from PEM files; raises TlsError."""
        try:
            from cryptography import x509  # noqa: PLC0415 - an extra
            from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as Ec  # noqa: PLC0415
            from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
        except ImportError as error:
            raise TlsError("TLS needs the extra [tls]: pip install 'gameday-runner[tls]'") from error
        try:
            found = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
            secret = load_pem_private_key(Path(key).read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise TlsError(f"cannot read the authority in {certificate} and {key}: {error}") from error
        if not isinstance(secret, Ec):
            raise TlsError(f"the key in {key} is not an elliptic-curve key")
        return cls(found, secret)

    @property
    def pem(self) -> str:
        """The certificate."""
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - an extra

        return self.certificate.public_bytes(Encoding.PEM).decode()

    def serve(self, names: tuple[str, ...], since: datetime, until: datetime) -> Served:
        """Sign a certificate for ``names``, and return what serves it."""
        from cryptography import x509  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - an extra
            Encoding,
            NoEncryption,
            PrivateFormat,
        )
        from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - an extra

        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0][:64])]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        context = _server_context(certificate.public_bytes(Encoding.PEM) + secret)
        return Served(context=context, fingerprint=certificate.fingerprint(hashes.SHA256()).hex())


def _authority(settings: TlsSettings) -> Authority:
    if settings.ca_cert or settings.ca_key:
        return Authority.load(settings.ca_cert, settings.ca_key)
    return Authority.new("gameday fault proxy authority")


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509  # noqa: PLC0415 - an extra

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _server_context(pem: bytes) -> ssl.SSLContext:
    """Return a context that serves this certificate; the standard library reads keys from files only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    handle, path = tempfile.mkstemp()  # readable by us alone
    try:
        os.write(handle, pem)
        os.close(handle)
        context.load_cert_chain(path)
    finally:
        Path(path).unlink()
    return context


def _client_context(settings: TlsSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.upstream_ca or None)
    except OSError as error:
        raise TlsError(f"cannot read the authorities in {settings.upstream_ca}: {error}") from error


def _write(path: str, pem: str) -> None:
    """Write it where everybody may read it, and never through a link that somebody has put there."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "w") as file:
            file.write(pem)
    except OSError as error:
        raise TlsError(f"cannot write {path}: {error.strerror}") from error
