"""The words of commands, out of a mail and what the server offers. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from ipaddress import IPv6Address, ip_address
from socket import gethostname

from mailtrace_mcp.errors import Code
from mailtrace_mcp.send import failures
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.routes import Mechanism

_HOST_NAME = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,9}", re.ASCII)
# Over TLS the password itself is as safe as a digest of it, and every server knows PLAIN; in the open
# only the digest may be heard.
_ENCRYPTED, _OPEN = ("plain", "login", "cram-md5"), ("cram-md5", "plain", "login")


def mail_options(mail: Mail, offered: Mapping[str, str], server: str) -> list[bytes]:
    """The parameters of MAIL: SIZE (RFC 1870), BODY (6152), SMTPUTF8 (6531), RET and ENVID (3461).

    Raises SmtpError SMTP_UTF8 or SMTP_PROTOCOL where the mail needs what is not offered.
    """
    options = []
    if "size" in offered:
        options.append(b"SIZE=%d" % len(mail.data))
    if mail.utf8:
        if "smtputf8" not in offered:
            what = "addresses or headers that are not ASCII (no SMTPUTF8)"
            raise failures.not_supported(Code.SMTP_UTF8, server, what)
        options.append(b"SMTPUTF8")
    if mail.eight_bit:
        if "8bitmime" not in offered:
            what = "8-bit content (no 8BITMIME)"
            raise failures.not_supported(Code.SMTP_PROTOCOL, server, what)
        options.append(b"BODY=8BITMIME")
    if mail.dsn and "dsn" in offered:
        options += [b"RET=HDRS", b"ENVID=" + mail.unique.encode()]
    return options


def rcpt_options(mail: Mail, offered: Mapping[str, str]) -> list[bytes]:
    """The parameter of RCPT: NOTIFY (RFC 3461 4.1), where it is wanted and offered."""
    if not mail.dsn or "dsn" not in offered:
        return []
    return [b"NOTIFY=" + ",".join(mail.dsn).upper().encode()]


def warnings(mail: Mail, offered: Mapping[str, str]) -> list[str]:
    """What the mail asked for and does not get."""
    if mail.dsn and "dsn" not in offered:
        return ["The server does not offer DSN: no delivery status notification was asked for."]
    return []


def chosen(wanted: Mechanism, offered: Collection[str], encrypted: bool) -> str | None:
    """The one mechanism to log in by, or None."""
    order = _ENCRYPTED if encrypted else _OPEN
    allowed = order if wanted == "auto" else (wanted,)
    return next((one for one in allowed if one in offered), None)


def dotted(data: bytes) -> bytes:
    """The content as it goes over the wire: dots doubled at line starts, and the dot that ends it
    (RFC 5321 4.5.2). `data` has CRLF line ends only, and one at its end."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return (b"." if data.startswith(b".") else b"") + stuffed + b".\r\n"


def own_name(address: str) -> str:
    """What to say in EHLO: this machine's full name, or its address on this connection (RFC 5321 4.1.3).
    DNS is not asked: an answer could take long, and be wrong behind NAT."""
    name = gethostname()
    if _HOST_NAME.fullmatch(name):
        return name
    bare = address.partition("%")[0]
    return f"[IPv6:{bare}]" if isinstance(ip_address(bare), IPv6Address) else f"[{bare}]"


def peer_name(host: str, address: tuple[str, int]) -> str:
    """`host[address]:port`, as Postfix writes the other end of a connection."""
    return f"{host}[{address[0]}]:{address[1]}"
