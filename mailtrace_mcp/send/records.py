"""One record per mail and recipient, in the exact form of the workflow's record export (TOOLS.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.addresses import Address
from mailtrace_mcp.send.attempts import Attempt, SendOutcome


@dataclass(frozen=True, slots=True)
class Record:
    """One mail for one recipient. `success` is None where nobody can tell (lost after the final dot);
    `status_code` the reply code that decided, None without a reply. No angle brackets in the ids."""

    timestamp: datetime
    message_id: str
    queue_id: str | None
    subject: str
    sender: str
    recipient: str
    success: bool | None
    status_code: int | None

    def as_json(self) -> dict[str, Any]:
        """Exactly the keys of the export, in its order."""
        return {
            "timestamp": self.timestamp.isoformat(timespec="seconds"),
            "message_id": self.message_id,
            "queue_id": self.queue_id,
            "subject": self.subject,
            "from": self.sender,
            "to": self.recipient,
            "success": self.success,
            "status_code": self.status_code,
        }


def record(attempt: Attempt, recipient: Address) -> Record:
    """What an attempt was for one of its recipients."""
    mail, success = attempt.mail, attempt.success_for(recipient)
    return Record(
        timestamp=mail.at,
        message_id=mail.message_id,
        queue_id=attempt.queue_id if success else None,
        subject=mail.subject,
        sender=mail.sender.spec,
        recipient=recipient.spec,
        success=success,
        status_code=attempt.code_for(recipient),
    )


def outcome_of(records: Sequence[Record]) -> SendOutcome:
    """One word for all: partial as soon as some were accepted and others not, or not certainly."""
    said = {one.success for one in records}
    if said == {True}:
        return "accepted"
    if True in said:
        return "partial"
    return "unknown" if None in said else "refused"


def exported(records: Sequence[Record]) -> str:
    """The text of an export: a JSON array of records, readable as lines too."""
    lines = ",\n".join("  " + json.dumps(one.as_json(), ensure_ascii=False) for one in records)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def write_export(records: Sequence[Record], path: Path) -> None:
    """Write the export, readable by this user only. Raises FILE_DENIED where it cannot be written."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600)

    try:
        with open(path, "w", encoding="utf-8", opener=opener) as file:
            file.write(exported(records))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        words = f"{visible(str(path), 200)} cannot be written: {why}."
        raise MailtraceError(Code.FILE_DENIED, words) from None
