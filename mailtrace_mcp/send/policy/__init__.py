"""Who may be sent what, how often; and what was done, written down. Deny by default (SAFETY.md 10, 11)."""

from __future__ import annotations

from mailtrace_mcp.send.policy.audit import Audit, AuditPen
from mailtrace_mcp.send.policy.quota import Quota, RateLimitedError, Reservation
from mailtrace_mcp.send.policy.rules import Decision
from mailtrace_mcp.send.policy.state import State, default_folder
from mailtrace_mcp.send.policy.turnstile import Turnstile

__all__ = [
    "Audit",
    "AuditPen",
    "Decision",
    "Quota",
    "RateLimitedError",
    "Reservation",
    "State",
    "Turnstile",
    "default_folder",
]
