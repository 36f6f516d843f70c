"""The parameters of the tools: their types, what is said of them, and what a wrong one is told.

No MCP here: types, words, and a pydantic model of arguments in, a sentence out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from mailtrace_mcp.answers import Detail, Drawing
from mailtrace_mcp.answers.parts import Outcome
from mailtrace_mcp.errors import Code, MailtraceError, did_you_mean, visible
from mailtrace_mcp.questions.asking import MOST_KEYWORDS
from mailtrace_mcp.questions.querying import MOST_MAILS
from mailtrace_mcp.questions.tracing import MOST_TRACES
from mailtrace_mcp.trace.matching import Role

Absent = SkipJsonSchema[None]  # null equals absent; the schema shows one plain type
_MOST_TOLD = 3


def parameter(description: str, default: Any = None, **said: Any) -> Any:
    """A parameter that may be left out; the schema shows the default that holds then.

    `said` are keywords of JSON Schema: clients are told the limits here, and questions keep them, so
    that both faces refuse in the same words.
    """

    def shown(schema: dict[str, Any]) -> None:
        schema.pop("title", None)
        schema.pop("default", None)
        schema.update(said)
        if default is not None:
            schema["default"] = default

    return Field(description=description, json_schema_extra=shown)


def _as_list(value: Any) -> Any:
    """A bare string stands for a list of one."""
    return [value] if isinstance(value, str) else value


words = BeforeValidator(_as_list)
Status: TypeAlias = Literal[Outcome, "any"]

LogKeywords: TypeAlias = Annotated[
    list[str] | Absent,
    words,
    parameter(
        "What to look for; one mail must match all. Addresses, domains (example.com: of the sender or "
        "a recipient), queue IDs, message-ids, configured hosts, or any text of 3 characters and "
        "more. No wildcards. For an outcome use status, not a keyword.",
        maxItems=MOST_KEYWORDS,
        examples=[["bob@example.com"]],
    ),
]
MailKeywords: TypeAlias = Annotated[
    list[str] | Absent,
    words,
    parameter(
        "Trace the newest mails that match all of these: addresses, domains, message-ids, texts, as "
        "for query_logs.",
        maxItems=MOST_KEYWORDS,
        examples=[["bob@example.com"]],
    ),
]
LogHost: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Host or cluster to search, as mailtrace://clusters names them. Left out: all of them.",
        examples=["csmail1", "smtp-cluster"],
    ),
]
StartHost: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Host or cluster where the trace starts; it is followed to the others from there. Left out: "
        "all of them.",
        examples=["csmail1", "smtp-cluster"],
    ),
]
Time: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Middle of the window that is searched: 'YYYY-MM-DD HH:MM[:SS]' in the configured time zone, "
        "ISO 8601 with an offset or Z, 'now', '30 minutes ago', 'yesterday 14:30'.",
        default="now",
        examples=["2026-01-27 15:00:00"],
    ),
]
TimeRange: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "How far the window reaches before and after time: a number and s, m, h or d.",
        default="1h",
        pattern=r"^[1-9][0-9]{0,3}[smhd]$",
        examples=["30m", "2h"],
    ),
]
SearchRole: TypeAlias = Annotated[
    Role | Absent,
    parameter("Whether addresses and domains are of the sender or a recipient.", "any"),
]
SearchStatus: TypeAlias = Annotated[
    Status | Absent, parameter("Only mails that ended so for at least one recipient.", "any")
]
LogLimit: TypeAlias = Annotated[
    int | Absent, parameter("Most mails on one page.", 20, minimum=1, maximum=MOST_MAILS)
]
TraceLimit: TypeAlias = Annotated[
    int | Absent, parameter("Most mails that are traced.", 5, minimum=1, maximum=MOST_TRACES)
]
PageCursor: TypeAlias = Annotated[
    str | Absent, parameter("next_cursor of the page before, with the same question.")
]
HowMuch: TypeAlias = Annotated[
    Detail | Absent, parameter("full adds raw log lines, every reply and HELO names.", "concise")
]
QueueId: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Queue ID of the mail, from query_logs or a server's answer. Give exactly one of queue_id, "
        "message_id, keywords, headers.",
        examples=["4F2A1B3C5D", "3Pt2mN2VXxznjll"],
    ),
]
MailId: TypeAlias = Annotated[str | Absent, parameter("Another name of queue_id.")]
MessageId: TypeAlias = Annotated[
    str | Absent,
    parameter("Message-ID of the mail, with or without <>.", examples=["<20260127.1@example.com>"]),
]
Headers: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Header of a received mail, pasted whole: its Message-ID and Received lines are used."
    ),
]
FollowSeconds: TypeAlias = Annotated[
    int | Absent,
    parameter(
        "Look again for so many seconds until every recipient's outcome is final.", 0, minimum=0
    ),
]
Graph: TypeAlias = Annotated[
    Drawing | Absent, parameter("Language of the drawing in each trace.", "text")
]


def given(**arguments: Any) -> dict[str, Any]:
    """The arguments that were given: without the null ones, lists as tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in arguments.items()
        if value is not None
    }


def one_queue_id(queue_id: str | None, mail_id: str | None) -> str | None:
    """The queue ID under either of its names; raises INVALID_ARGUMENT where they differ."""
    if queue_id is not None and mail_id is not None and queue_id != mail_id:
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            "mail_id is another name of queue_id, and the two differ: give one.",
        )
    return queue_id if queue_id is not None else mail_id


def refusal(
    tool: str,
    known: Iterable[str],
    arguments: Mapping[str, Any],
    validate: Callable[[dict[str, Any]], object],
) -> MailtraceError | None:
    """Why these arguments of a tool are refused, or None: an unknown name, or a value that is not
    what the schema says. Values are not quoted."""
    names = list(known)
    for name in arguments:
        if name not in names:
            near = did_you_mean(name, names) or f" It takes {', '.join(names)}."
            said = f"{tool} has no argument '{visible(name)}'.{near}"
            return MailtraceError(Code.INVALID_ARGUMENT, said)
    try:
        validate(dict(arguments))
    except ValidationError as error:
        return MailtraceError(Code.INVALID_ARGUMENT, _told(error, names))
    return None


def _told(error: ValidationError, names: list[str]) -> str:
    wrong: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        name = next((str(part) for part in one["loc"] if part in names), "arguments")
        wrong.setdefault(name, one["msg"][:1].lower() + one["msg"][1:])
    told = [f"{name}: {message}" for name, message in wrong.items()]
    more = f" ({len(told) - _MOST_TOLD} more)" if len(told) > _MOST_TOLD else ""
    return "; ".join(told[:_MOST_TOLD]) + more + "."
