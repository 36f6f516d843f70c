"""Queue IDs, by the exact alphabets of Postfix's global/mail_queue.h."""

from __future__ import annotations

import re

# Short: microseconds as five upper-case hex digits, then the inode in hex (MQID_SH_*).
# Long: seconds (six or more) and microseconds (four) in base 52, which has no vowels, then `z` and the
# inode in base 51, which has no `z` (MQID_LG_*). An inode has at most 64 bits.
QUEUE_ID = (
    r"(?:[0-9A-F]{6,21}"
    r"|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,24}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{1,12})"
)
_WHOLE = re.compile(QUEUE_ID)


def is_queue_id(text: str) -> bool:
    """Tell whether the text is a Postfix queue ID: `connect`, `warning` and `NOQUEUE` are none."""
    return _WHOLE.fullmatch(text) is not None
