"""A test mail goes out: composed, checked against the policy, sent, and told about (SAFETY.md 9–14).

Text of servers leaves this room masked (no secret of ours in it) and not cleaned: `Sent.account`,
`Sent.refused` and replies are for `answers` to clean. Nothing here logs or prints.
"""

from __future__ import annotations

from mailtrace_mcp.send.advice import NOTHING_FOUND
from mailtrace_mcp.send.attempts import Account, Refusal, SendOutcome
from mailtrace_mcp.send.effort import Effort
from mailtrace_mcp.send.extras import Attachment, Extras
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.policy import RateLimitedError, State
from mailtrace_mcp.send.probing import Probe, probe
from mailtrace_mcp.send.records import Record, exported, write_export
from mailtrace_mcp.send.request import OperatorWords, SendRequest
from mailtrace_mcp.send.routes import Server
from mailtrace_mcp.send.sending import DryRun, Sending, Sent, dry_run, send

__all__ = [
    "NOTHING_FOUND",
    "Account",
    "Attachment",
    "DryRun",
    "Effort",
    "Extras",
    "OperatorWords",
    "Probe",
    "RateLimitedError",
    "Record",
    "Refusal",
    "SendOutcome",
    "SendRequest",
    "Sending",
    "Sent",
    "Server",
    "SmtpError",
    "State",
    "dry_run",
    "exported",
    "probe",
    "send",
    "write_export",
]
