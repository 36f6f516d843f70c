"""Long queue IDs (global/mail_queue.h, MQID_LG_*): the time of arrival and a number. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# No vowels, so that no ID is a word; `z` stands before the inode and nowhere in it.
_DIGITS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def queue_id(at: datetime, inode: int) -> str:
    """Seconds (six digits) and microseconds (four) of `at` in base 52, `z`, the inode in base 51."""
    since = at - _EPOCH
    seconds = since // timedelta(seconds=1)
    return (
        f"{_written(seconds, 52, 6)}{_written(since.microseconds, 52, 4)}z{_written(inode, 51, 1)}"
    )


def _written(number: int, base: int, width: int) -> str:
    digits = ""
    while number or len(digits) < width:
        number, digit = divmod(number, base)
        digits = _DIGITS[digit] + digits
    return digits
