"""What can be typed: commands, options, and what a mistake is told."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn, get_args

from mailtrace_mcp.answers import Detail, Drawing
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.cli import checking, flowing, indexing
from mailtrace_mcp.cli.clients import CLIENTS
from mailtrace_mcp.cli.pages import add_html
from mailtrace_mcp.cli.send_options import EPILOG, add_follow, add_send
from mailtrace_mcp.errors import Code, MailtraceError, did_you_mean
from mailtrace_mcp.trace.matching import STATUS_WORDS, Role

PROG = "mailtrace-mcp"
_ENDS = """\
exit codes: 0 answered and found; 1 nothing found (trace --check: not all delivered); 2 wrong usage or
configuration; 3 incomplete, a host could not be read (3 beats 0 and 1)."""
_TIMES = """\
--time is the middle of the window, --time-range how far it reaches to both sides:
  now; '30 minutes ago'; 'yesterday 14:30'; '2026-01-27 15:00:00' in the configured time zone;
  '2026-01-27T15:00:00+08:00'.

"""


class _Parser(argparse.ArgumentParser):
    """Mistakes are MailtraceErrors, told like all others."""

    def error(self, message: str) -> NoReturn:
        raise MailtraceError(Code.INVALID_ARGUMENT, f"{clean(message)} (see {self.prog} --help)")


def parse(argv: Sequence[str], version: str) -> argparse.Namespace:
    """The command and its options. Raises MailtraceError for a mistake; --help and --version exit."""
    parser, commands = _parsers(version)
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        command = commands[options.command]
        raise MailtraceError(
            Code.INVALID_ARGUMENT, _unknown(unknown[0], command.prog, _names(command))
        )
    return options


def _unknown(word: str, prog: str, names: Iterable[str]) -> str:
    near = did_you_mean(word.partition("=")[0], names)
    kind = "option" if word.startswith("-") else "argument"
    return f"there is no {kind} '{clean(word, 80)}' here.{near} (see {prog} --help)"


def _names(parser: argparse.ArgumentParser) -> list[str]:
    return [name for action in parser._actions for name in action.option_strings]


def _parsers(version: str) -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(
        prog=PROG,
        description="Where is my mail? Follows mail through Postfix logs to how it ended.",
        epilog=_ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROG} {version}")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration (default: $MAILTRACE_CONFIG, ./config.yaml, "
        "~/.config/mailtrace/config.yaml)",
    )
    chosen = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands = {
        "query": _query(_command(chosen, "query", "list mails by address, domain, ID or host")),
        "trace": _trace(_command(chosen, "trace", "follow a mail from host to host to its end")),
        "send": _send(_command(chosen, "send", "send a test mail, and follow it")),
        "flow": _flow(_command(chosen, "flow", "check that a cluster's mail reached its ends")),
        "check": _check(_command(chosen, "check", "check hosts, mail servers and domains")),
        "index": _index(
            _command(chosen, "index", "index the logs, for quicker answers over long windows")
        ),
        "serve": _serve(_command(chosen, "serve", "run the MCP server over stdin and stdout")),
        "demo": _command(
            chosen, "demo", "send a mail through relays inside this program, and follow it"
        ),
        "print-config": _print_config(
            _command(chosen, "print-config", "print how to add the server to an MCP client")
        ),
    }
    return parser, commands


def _command(chosen: argparse._SubParsersAction[_Parser], name: str, summary: str) -> _Parser:
    own = {
        "send": EPILOG,
        "flow": flowing.EPILOG,
        "check": checking.EPILOG,
        "index": indexing.EPILOG,
    }
    epilog = own.get(name) or (_TIMES if name in ("query", "trace") else "") + _ENDS
    command = chosen.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # Also behind the command; SUPPRESS keeps what stood before it.
    command.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="configuration"
    )
    return command


def _query(command: _Parser) -> _Parser:
    command.add_argument(
        "keywords", nargs="*", metavar="KEYWORD",
        help="address, domain, queue ID, <message-id>, host or text; one mail must match all",
    )  # fmt: skip
    _where_and_when(command)
    command.add_argument("--role", choices=get_args(Role), default="any",
                         help="what addresses and domains are of (default: any)")  # fmt: skip
    command.add_argument("--status", choices=(*STATUS_WORDS, "any"), metavar="OUTCOME",
                         help=f"only mails that ended so: {', '.join(STATUS_WORDS)}")  # fmt: skip
    _how_much(command, limit=20, what="mails on one page (1 to 200)")
    command.add_argument("--cursor", help="next_cursor of the page before")
    add_html(command)
    return command


def _trace(command: _Parser) -> _Parser:
    command.add_argument(
        "keywords", nargs="*", metavar="KEYWORD",
        help="address, domain, <message-id> or text: traces the newest mails that match all",
    )  # fmt: skip
    command.add_argument("--queue-id", "--mail-id", metavar="ID", help="queue ID of the mail")
    command.add_argument("--message-id", metavar="ID", help="Message-ID, with or without <>")
    command.add_argument("--eml", metavar="FILE", help="a received mail, whose headers name it")
    _where_and_when(command)
    command.add_argument("--graph", choices=get_args(Drawing), default="text",
                         help="mermaid and dot print only the drawing (default: text)")  # fmt: skip
    _how_much(command, limit=5, what="mails to trace (1 to 20)")
    add_html(command)
    add_follow(command)
    command.add_argument("--check", action="store_true",
                         help="exit 1 unless every recipient's outcome is sent")  # fmt: skip
    return command


def _send(command: _Parser) -> _Parser:
    add_send(command)
    return command


def _flow(command: _Parser) -> _Parser:
    flowing.add_flow(command)
    return command


def _check(command: _Parser) -> _Parser:
    checking.add_check(command)
    return command


def _index(command: _Parser) -> _Parser:
    indexing.add_index(command)
    return command


def _serve(command: _Parser) -> _Parser:
    command.add_argument("--transport", choices=("stdio",), default="stdio",
                         help="how clients reach it (default: stdio)")  # fmt: skip
    command.add_argument("--read-only", action="store_true",
                         help="offer only tools that read (also: MAILTRACE_READ_ONLY=1)")  # fmt: skip
    command.add_argument("--tool-prefix", default="", metavar="P", type=_prefix,
                         help="before each tool's name, such as mailtrace_")  # fmt: skip
    return command


def _print_config(command: _Parser) -> _Parser:
    command.add_argument("client", choices=CLIENTS, help="the MCP client")
    return command


def _where_and_when(command: _Parser) -> None:
    command.add_argument("--host", help="host or cluster (default: all)")
    command.add_argument("--time", default="now", help="middle of the window (default: now)")
    command.add_argument("--time-range", default="1h", metavar="RANGE",
                         help="30m, 2h, 1d to both sides of the time (default: 1h)")  # fmt: skip


def _how_much(command: _Parser, limit: int, what: str) -> None:
    command.add_argument("--limit", type=int, default=limit, metavar="N",
                         help=f"most {what}; default: {limit}")  # fmt: skip
    command.add_argument("--detail", choices=get_args(Detail), default="concise",
                         help="full adds raw log lines (default: concise)")  # fmt: skip
    command.add_argument("--json", action="store_true",
                         help="print exactly what the tool's structuredContent holds")  # fmt: skip


def _prefix(text: str) -> str:
    if len(text) <= 32 and all(
        char.isascii() and (char.isalnum() or char in "_-") for char in text
    ):
        return text
    raise argparse.ArgumentTypeError("at most 32 letters, digits, _ and -")
