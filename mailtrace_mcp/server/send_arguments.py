"""The parameters of send_test_mail: their types, and what is said of them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from mailtrace_mcp.config.presets import Tls
from mailtrace_mcp.send.drafts import Notify
from mailtrace_mcp.server.arguments import Absent, parameter, words

To: TypeAlias = Annotated[
    list[str] | Absent,
    words,
    parameter(
        "Recipients, one address per element; each must be allowed by smtp.policy. group:NAME is a group "
        "of the configuration. Left out: the profile's own.",
        examples=[["bob@example.com"]],
    ),
]
Subject: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Subject, at most 200 characters. Left out: 'Test <time> – Mailtrace <id>', which is unique.",
        maxLength=200,
    ),
]
ProfileName: TypeAlias = Annotated[
    str | Absent, parameter("Profile of the configuration to send with. Left out: the default one.")
]
Sender: TypeAlias = Annotated[
    str | Absent, parameter("Sender: one of the profile's senders. Left out: its usual one.")
]
SslMode: TypeAlias = Annotated[
    Tls | Absent,
    parameter(
        "How to encrypt: starttls (ports 25, 587), smtps (465), none. Left out: as the profile says; "
        "what is less safe is refused."
    ),
]
Verify: TypeAlias = Annotated[
    bool | Absent,
    parameter(
        "Whether to verify the server's certificate. Left out: as the profile says; it cannot be "
        "switched off unless the profile allows it."
    ),
]
Auth: TypeAlias = Annotated[
    bool | Absent, parameter("Whether to log in, where the profile has credentials.", True)
]
Body: TypeAlias = Annotated[
    str | Absent,
    parameter("Plain text of the mail, if smtp.policy says content: text. Left out: a fixed text."),
]
Html: TypeAlias = Annotated[
    str | Absent,
    parameter("HTML text beside the plain one, if smtp.policy says content: text."),
]
Cc: TypeAlias = Annotated[
    list[str] | Absent, words, parameter("Further recipients, named in the header as copied.")
]
Bcc: TypeAlias = Annotated[
    list[str] | Absent, words, parameter("Further recipients that the header does not name.")
]
Dsn: TypeAlias = Annotated[
    list[Notify] | Absent,
    words,
    parameter("When the mail servers are to send a notice: success, failure, delay, or never."),
]
Rate: TypeAlias = Annotated[
    float | Absent, parameter("How many mails per second.", 1, exclusiveMinimum=0, maximum=100)
]
Duration: TypeAlias = Annotated[
    float | Absent,
    parameter(
        "Seconds to send for; rate 1 and duration 1 are exactly one mail. The quota counts every "
        "recipient of every mail.",
        1,
        exclusiveMinimum=0,
    ),
]
Follow: TypeAlias = Annotated[
    bool | Absent,
    parameter(
        "Follow the mail through the logs after sending; the answer then has a trace.", False
    ),
]
FollowFor: TypeAlias = Annotated[
    int | Absent,
    parameter("With follow: look for so many seconds until every outcome is final.", 25, minimum=0),
]
DryRun: TypeAlias = Annotated[
    bool | Absent,
    parameter(
        "Send nothing and connect nowhere: show the mail, the envelope and what the policy says.",
        False,
    ),
]
