"""TLS for a route: the context with its rules, and what came of a handshake."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.certificate import validity
from mailtrace_mcp.send.routes import Route

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True)
class TlsFacts:
    """An encrypted connection. `peer` is `host[address]:port`, as Postfix writes it; `verified` whether
    the certificate is of a known CA and the host's; `fingerprint` its SHA-256 in hex, and `valid` its
    first and last moment."""

    version: str
    cipher: str
    peer: str
    verified: bool
    fingerprint: str | None = None
    valid: tuple[datetime, datetime] | None = None


def context(route: Route) -> ssl.SSLContext:
    """The context for a route: verifying unless it says not to, TLS 1.2 or newer (RFC 8314 4.1).

    Blocks for some milliseconds: files are read. Raises CONFIG_INVALID, naming the key, for a file that
    cannot be used.
    """
    made = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    made.minimum_version = _VERSIONS[route.min_tls]
    if not route.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if route.ca_file is not None:
        try:
            made.load_verify_locations(cafile=route.ca_file)
        except (OSError, ssl.SSLError):
            raise _unusable(route, "ca_file", route.ca_file) from None
    if route.cert is not None:
        try:
            # An empty passphrase: OpenSSL would ask for one on the terminal.
            made.load_cert_chain(route.cert, route.key, password=lambda: b"")
        except (OSError, ssl.SSLError, ValueError):
            raise _unusable(route, "cert (or key)", route.cert) from None
    return made


def tell_handshake(made: ssl.SSLContext, done: Callable[[], None]) -> None:
    """Have `done` called when a handshake with this context is over, so that it can be timed."""

    class Told(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            done()

    made.sslobject_class = Told


def facts(tls: ssl.SSLObject, route: Route, peer: str) -> TlsFacts:
    """What the handshake agreed on."""
    cipher = tls.cipher()
    certificate = tls.getpeercert(binary_form=True)
    return TlsFacts(
        version=tls.version() or "unknown",
        cipher=cipher[0] if cipher else "unknown",
        peer=peer,
        verified=route.verify,
        fingerprint=hashlib.sha256(certificate).hexdigest() if certificate else None,
        valid=validity(certificate) if certificate else None,
    )


def _unusable(route: Route, key: str, path: Path) -> MailtraceError:
    return MailtraceError(
        Code.CONFIG_INVALID,
        f"smtp.profiles.{route.name}: {key} {visible(str(path), 200)} cannot be used: it must be a "
        "readable PEM file, a key without a passphrase.",
    )
