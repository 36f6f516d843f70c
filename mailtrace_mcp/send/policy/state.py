"""Where quota and audit lie: the XDG state folder, not the index's: a cache may be thrown away."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.policy.audit import Audit
from mailtrace_mcp.send.policy.quota import Quota


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """$XDG_STATE_HOME/mailtrace, or ~/.local/state/mailtrace. Raises NOT_ALLOWED for a user without a
    home."""
    base = environ.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    root = base if os.path.isabs(base) else os.path.expanduser("~/.local/state")
    if not os.path.isabs(root):
        words = (
            "this user has no home folder for quota and audit, so nothing is sent: set XDG_STATE_HOME "
            "to the absolute path of a folder."
        )
        raise MailtraceError(Code.NOT_ALLOWED, words)
    return Path(root) / "mailtrace"


@dataclass(frozen=True)
class State:
    """The folder of quota and audit, 0700."""

    folder: Path

    @classmethod
    def at(cls, folder: Path | None = None) -> State:
        """The state in `folder` (None: the default one), which is made. Raises NOT_ALLOWED where it
        cannot be: without quota and audit nothing is sent."""
        place = folder or default_folder()
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            words = f"the folder {visible(str(place), 200)} cannot be made, so nothing is sent."
            raise MailtraceError(Code.NOT_ALLOWED, words) from None
        return cls(place)

    @property
    def quota(self) -> Quota:
        return Quota(self.folder / "quota.sqlite")

    @property
    def audit(self) -> Audit:
        return Audit(self.folder / "audit.jsonl")
