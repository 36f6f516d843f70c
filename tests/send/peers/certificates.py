"""A CA of the tests' own, and certificates that are good, expired, self-signed or another host's."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, each in a PEM file."""

    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """For a server that shows this certificate."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(self.cert, self.key)
        return made


class Authority:
    """A CA whose certificates name 127.0.0.1; `file` is its own, for ca_file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Test CA")
        built = _builder(self._name, self._name, self._key, NOW + timedelta(days=1))
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        made = built.sign(self._key, hashes.SHA256())
        self.file = folder / "ca.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def pair(self, name: str, ends: timedelta = timedelta(days=1), host: str = "127.0.0.1") -> Pair:
        """A certificate of this CA for the address `host`."""
        return self._write(name, self._name, self._key, ends, host)

    def self_signed(self, name: str) -> Pair:
        """A certificate that nobody vouches for."""
        return self._write(name, None, None, timedelta(days=1), "127.0.0.1")

    def _write(
        self,
        name: str,
        issuer: x509.Name | None,
        signer: ec.EllipticCurvePrivateKey | None,
        ends: timedelta,
        host: str,
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        built = _builder(subject, issuer or subject, key, NOW + ends)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        made = built.add_extension(names, critical=False).sign(signer or key, hashes.SHA256())
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return pair


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(ends)
    )
