"""The notice that a mail could not be delivered (RFC 3461 section 6, RFC 3464). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.parser import BytesHeaderParser


def notice(host: str, queue_id: str, sender: str, mail: bytes, why: Mapping[str, str]) -> bytes:
    """The notice of `host` to `sender` about its `mail`; `why`: recipient → the reply that refused it.
    Its Message-ID is `queue_id` at the host, as bounce(8) makes it."""
    whole = MIMEMultipart("report", report_type="delivery-status")
    whole["From"] = f"Mail Delivery System <MAILER-DAEMON@{host}>"
    whole["To"] = sender
    whole["Subject"] = "Undelivered Mail Returned to Sender"
    whole["Auto-Submitted"] = "auto-replied"
    whole["Message-ID"] = f"<{queue_id}@{host}>"
    said = "".join(f"<{recipient}>: {reply}\n" for recipient, reply in why.items())
    whole.attach(MIMEText(f"This mail could not be delivered:\n\n{said}", "plain", "us-ascii"))
    whole.attach(_status(host, why))
    headers = MIMENonMultipart("text", "rfc822-headers")
    headers.set_payload(BytesHeaderParser().parsebytes(mail).as_string().partition("\n\n")[0])
    whole.attach(headers)
    return whole.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _status(host: str, why: Mapping[str, str]) -> Message:
    """message/delivery-status: a block for the host, then one for each recipient."""
    about = Message()
    about["Reporting-MTA"] = f"dns; {host}"
    blocks = [about]
    for recipient, reply in why.items():
        one = Message()
        one["Final-Recipient"] = f"rfc822; {recipient}"
        one["Action"] = "failed"
        one["Status"] = enhanced(reply)
        one["Diagnostic-Code"] = f"smtp; {reply}"
        blocks.append(one)
    status = MIMEBase("message", "delivery-status")
    for one in blocks:
        status.attach(one)
    return status


def enhanced(reply: str) -> str:
    """The code of RFC 3463 in `550 5.1.1 …`; one made of the first digit where there is none."""
    code, _, rest = reply.partition(" ")
    word = rest.partition(" ")[0]
    return word if word[:1] == code[:1] and word.count(".") == 2 else f"{code[:1]}.0.0"
