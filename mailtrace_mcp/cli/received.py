"""A received mail in a file: its header, for a trace."""

from __future__ import annotations

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.regular_file import open_regular

_LONGEST_HEADER = 1 << 18


def headers_of(path: str) -> str:
    """The header of the mail in `path`: all before the first empty line. Raises MailtraceError."""
    shown = visible(path, 200)
    try:
        with open_regular(path) as file:
            raw = file.read(_LONGEST_HEADER)
    except FileNotFoundError:
        raise MailtraceError(Code.FILE_NOT_FOUND, f"{shown}: there is no such file.") from None
    except PermissionError:
        raise MailtraceError(
            Code.FILE_DENIED, f"{shown}: it may not be read by this user."
        ) from None
    except (OSError, ValueError) as error:
        raise MailtraceError(Code.INVALID_ARGUMENT, f"{shown}: {error}.") from None
    text = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
    return text.decode("utf-8", "replace")
