"""What can be typed behind `send`, and what it means: the question, and the operator's own words."""

from __future__ import annotations

import argparse
import math
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from mailtrace_mcp.config.presets import Tls
from mailtrace_mcp.config.values import Secret, is_host_word
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.questions import SendQuestion
from mailtrace_mcp.regular_file import open_regular
from mailtrace_mcp.send import Attachment, Extras, OperatorWords, Server
from mailtrace_mcp.send.drafts import Notify
from mailtrace_mcp.send.effort import USUAL_PER_HOST
from mailtrace_mcp.send.extras import LARGEST

USER, PASSWORD = "MAILTRACE_SMTP_USER", "MAILTRACE_SMTP_PASSWORD"
EPILOG = f"""\
Policy, quota and audit of the configuration hold here too. A server that is named here gets no
credentials but {USER} and {PASSWORD} of the environment.

exit codes: 0 accepted; 1 refused, for some or for all; 2 wrong usage, configuration or not allowed; 3
unknown (lost after the final dot), or --follow could not read a host; 130 interrupted: what was done is
told and written all the same."""


def add_send(command: argparse.ArgumentParser) -> None:
    """Add the options of `send`."""
    _mail(command)
    _connection(command)
    add = command.add_argument
    add("--rate", default="1", metavar="N|A-B",
        help="mails per second, or rising from A to B (default: 1)")  # fmt: skip
    add("--duration", type=float, default=1, metavar="S",
        help="seconds; rate 1 and duration 1 are exactly one mail (default: 1)")  # fmt: skip
    add(
        "--parallel",
        type=int,
        default=1,
        metavar="N",
        help="connections at once, 1 to 20 (default: 1)",
    )
    add("--per-host", type=int, default=USUAL_PER_HOST, metavar="N",
        help=f"of these, how many one host gets at most (default: {USUAL_PER_HOST})")  # fmt: skip
    add("--export-records", type=Path, metavar="FILE",
        help="write one record for each mail and recipient, as JSON")  # fmt: skip
    add_follow(command)
    add("--dry-run", action="store_true",
        help="connect nowhere: show the mail and what the policy says")  # fmt: skip
    add("--json", action="store_true",
        help="print exactly what the tool's structuredContent holds")  # fmt: skip


def add_follow(command: argparse.ArgumentParser) -> None:
    """`--follow [SECONDS]`, of send and trace."""
    command.add_argument(
        "--follow", nargs="?", type=_seconds, const=math.inf, metavar="SECONDS",
        help="look again until every outcome is final, or for so many seconds, or until Ctrl-C",
    )  # fmt: skip


def _mail(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--to", action="append", metavar="ADDRESS", help="recipient, or group:NAME (again for more); "
        "default: the profile's")  # fmt: skip
    add("--cc", action="append", default=[], metavar="ADDRESS", help="recipient of a copy")
    add(
        "--bcc", action="append", default=[], metavar="ADDRESS", help="the same, named in no header"
    )
    add("--sender", metavar="ADDRESS", help="one of the profile's senders")
    add("--mail-subject", "--subject", metavar="TEXT", help="default: one with the time and an id")
    add("--body", metavar="TEXT", help="plain text (smtp.policy content: text)")
    add("--html", metavar="TEXT", help="HTML beside it")
    add("--attach", action="append", default=[], metavar="FILE", help="attach a file")
    add("--header", action="append", default=[], metavar="'NAME: VALUE'", help="add a header")
    add(
        "--eml",
        metavar="FILE",
        help="send this saved mail instead of subject, text and attachments",
    )
    add("--dsn", action="append", default=[], choices=get_args(Notify),
        help="when a notice is wanted")  # fmt: skip


def _connection(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--profile", metavar="NAME", help="profile of the configuration; default: smtp.default")
    add("--ssl-mode", choices=get_args(Tls), help="default: the profile's")
    add("--no-ssl-verify", action="store_true", help="do not verify the server's certificate")
    add("--no-auth", action="store_true", help="do not log in")
    add("--server-host", metavar="HOST", help="another server than the profile's")
    add("--server-port", type=int, metavar="PORT", help="another port")


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        why = f"{visible(text)!r} is no number of seconds; put a bare --follow behind the rest"
        raise argparse.ArgumentTypeError(why) from None


def question(options: argparse.Namespace) -> SendQuestion:
    """What is asked."""
    asked: dict[str, Any] = {
        "to": tuple(options.to) if options.to is not None else None,
        "cc": tuple(options.cc),
        "bcc": tuple(options.bcc),
        "subject": options.mail_subject,
        "profile": options.profile,
        "sender": options.sender,
        "ssl_mode": options.ssl_mode,
        "verify": False if options.no_ssl_verify else None,
        "auth": not options.no_auth,
        "body": options.body,
        "html": options.html,
        "dsn": tuple(options.dsn),
        "rate": options.rate,
        "duration": options.duration,
        "dry_run": options.dry_run,
    }
    if options.follow is not None:
        asked |= {"follow": True, "follow_seconds": options.follow}
    return SendQuestion(**asked)


def operator_words(options: argparse.Namespace, environ: Mapping[str, str]) -> OperatorWords:
    """What only the command line can say; `environ` has the credentials for another server. Raises
    MailtraceError for a file that cannot be read, and for options that do not go together."""
    _check_saved(options)
    user, password = environ.get(USER), environ.get(PASSWORD)
    elsewhere = options.server_host is not None or options.server_port is not None
    server = Server(
        host=_host(options.server_host),
        port=_port(options.server_port),
        user=user if elsewhere and not options.no_auth else None,
        password=Secret(password) if elsewhere and password and not options.no_auth else None,
    )
    extras = Extras(
        attachments=tuple(map(_attachment, options.attach)),
        headers=tuple(map(_header, options.header)),
        saved=_content(options.eml) if options.eml is not None else None,
    )
    return OperatorWords(server, extras, options.parallel, options.per_host)


def _host(host: str | None) -> str | None:
    if host is not None and not is_host_word(host):
        words = f"--server-host '{visible(host)}' must be a host name or an IP address."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    return host


def _port(port: int | None) -> int | None:
    if port is not None and not 0 < port < 65536:
        raise MailtraceError(Code.INVALID_ARGUMENT, f"--server-port {port} is not in 1 to 65535.")
    return port


def _check_saved(options: argparse.Namespace) -> None:
    """A saved mail is sent as it is: what would be composed has no place in it."""
    composed = {"--mail-subject": options.mail_subject, "--body": options.body, "--html": options.html,
                "--attach": options.attach, "--header": options.header}  # fmt: skip
    given = [name for name, value in composed.items() if value]
    if options.eml is not None and given:
        words = f"--eml is sent as it is: leave out {', '.join(given)}, or write it without --eml."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)


def _attachment(path: str) -> Attachment:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Attachment(Path(path).name, kind, _content(path))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        words = f"--header '{visible(text)}' must be like 'X-Test: one'."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    return name.strip(" "), value.strip(" ")


def _content(path: str) -> bytes:
    shown = visible(path, 200)
    try:
        with open_regular(path) as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise MailtraceError(Code.FILE_NOT_FOUND, f"{shown}: there is no such file.") from None
    except PermissionError:
        words = f"{shown}: it may not be read by this user."
        raise MailtraceError(Code.FILE_DENIED, words) from None
    except (OSError, ValueError) as error:
        raise MailtraceError(Code.INVALID_ARGUMENT, f"{shown}: {error}.") from None
