"""The samples of whyscream/postfix-grok-patterns: their names come out equal under ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import pytest

from mailtrace_parsers import events
from mailtrace_parsers.entry import Entry
from mailtrace_parsers.postfix.delivery import delivery
from mailtrace_parsers.postfix.smtpd import about_process
from mailtrace_parsers.read import read
from tests.parsers.samples import CLOCK, LINES

CASES = [
    json.loads(line)
    for line in (LINES / "grok-patterns.jsonl").read_text("utf-8").split("\n")
    if line
]
LOGGED = [case for case in CASES if case["kind"] == "line"]
FRAGMENTS = [case for case in CASES if case["kind"] == "fragment"]
# Their lines must be understood as what they are, not kept as something unknown.
TYPED = set(
    "smtp lmtp local virtual pipe error discard smtpd cleanup qmgr bounce pickup postsuper postscreen verify".split()
)
# A name of theirs → how ours is found; None: told of in another name or in the text only.
EQUAL = {
    "queue_id", "to", "orig_to", "relay_host", "relay_ip", "relay_port", "relay_name", "relay_socket", "conn_use",
    "delay", "delays", "dsn", "status", "reply", "tls", "from", "size", "nrcpt", "client_host", "client_ip",
    "client_port", "sasl_method", "sasl_username", "message_id", "uid", "action", "milter_action", "smtp_stage",
    "status_code", "proto", "helo", "milter_data", "prepend_type", "prepend_trigger", "prepend_value",
    "notification_to", "notification_type", "notification_queue_id", "postsuper_action",
    "postsuper_summary_action", "postsuper_summary_count", "proxy_result", "proxy_smtp_stage", "proxy_message",
    "proxy_status_code", "proxy_status_code_enhanced", "postscreen_access", "postscreen_violation",
    "smtpd_lostconn_data", "message_level", "tls_trustlevel", "tls_version", "tls_cipher",
}  # fmt: skip
# In the line itself, which an answer shows as evidence; there is no field of ours for it.
TEXT_ONLY = {
    "status_data", "status_message", "message", "milter_message", "smtp_lostconn_data", "smtp_lostconn_reason",
    "client_ip_unknown", "command_counter_data", "discarded_ehlo_keywords", "pix_workaround", "tls_error",
    "tls_cipher_size", "tls_key_exchange", "tls_server_signature", "tls_server_signature_size",
    "tls_server_signature_curve", "tls_server_digest", "server_ip", "server_port", "postscreen_toobusy_data",
    "postscreen_violation_time", "postscreen_dnsbl_rank",
}  # fmt: skip
NO_MAIL = {"anvil", "scache", "dnsblog", "master", "tlsproxy", "verify", "postscreen_cache"}


def _entry(case: Mapping[str, Any]) -> Entry:
    # their samples end where Logstash cut them; one holds line breaks, which a log can not
    text = case["message"].replace("\n", "?")
    return read(f"Oct 26 18:13:50 mx1 {case['program']}[1]: {text}".encode(), CLOCK)


@pytest.mark.parametrize("case", LOGGED, ids=lambda case: str(case["id"]))
def test_sample(case: dict[str, Any]) -> None:
    entry = _entry(case)
    daemon = case["program"].rpartition("/")[2]
    expected = {name: value for name, value in case["expected"].items() if name in EQUAL}

    assert daemon not in TYPED or not isinstance(entry.event, events.Unrecognised)
    if daemon in ("anvil", "dnsblog"):  # an address in a statistic, no client of a mail
        expected = {}
    assert {**dict.fromkeys(expected), **_ours(entry, expected)} == expected


def test_no_name_of_theirs_is_left_out() -> None:
    names = {name for case in LOGGED for name in case["expected"]}
    prefixes = ("anvil_", "scache_", "dnsbl_", "verify_", "postscreen_cache_")
    of_no_mail = {name for name in names if name.startswith(prefixes)}

    of_no_mail |= {"service", "version", "config_path", "termination_signal"}
    assert names - of_no_mail <= EQUAL | TEXT_ONLY


def _ours(entry: Entry, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Our facts under their names, for the names asked for."""
    facts = _facts(entry.event, expected)
    facts["queue_id"] = "NOQUEUE" if entry.noqueue else entry.queue_id
    return {name: value for name, value in facts.items() if name in expected}


@singledispatch
def _facts(event: object, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _peer(peer: events.Peer | None, of: str) -> dict[str, Any]:
    if peer is None:
        return {}
    host = {"relay": "relay_host", "client": "client_host"}[of]
    return {
        host: peer.name,
        f"{of}_ip": peer.address,
        f"{of}_port": peer.port,
        f"{of}_socket": peer.socket,
        f"{of}_name": peer.name,
    }


@_facts.register
def _(event: events.Delivery, expected: Mapping[str, Any]) -> dict[str, Any]:
    return _peer(event.relay, "relay") | {
        "to": event.recipient,
        "orig_to": event.original_recipient,
        "conn_use": event.conn_use,
        "delay": event.delay,
        "delays": list(event.delays) if event.delays else None,
        "tls": event.tls,
        "dsn": event.dsn,
        "status": event.status,
        "reply": event.text,
    }


@_facts.register
def _(event: events.AttemptStep, expected: Mapping[str, Any]) -> dict[str, Any]:
    facts = _peer(event.peer, "relay")
    if event.reply is not None:
        facts |= {"reply": event.reply.text, "smtp_stage": event.reply.stage}
    return facts


@_facts.register
def _(event: events.Client, expected: Mapping[str, Any]) -> dict[str, Any]:
    return _peer(event.peer, "client") | {
        "sasl_method": event.sasl_method,
        "sasl_username": event.sasl_username,
    }


@_facts.register
def _(event: events.Session, expected: Mapping[str, Any]) -> dict[str, Any]:
    return _peer(event.peer, "client") | {
        "postscreen_access": event.what,
        "postscreen_violation": event.what,
        "smtpd_lostconn_data": event.what,
        "smtp_stage": event.stage,
    }


@_facts.register
def _(event: events.ClientLost, expected: Mapping[str, Any]) -> dict[str, Any]:
    return _peer(event.peer, "client") | {
        "smtpd_lostconn_data": event.what,
        "smtp_stage": event.stage,
    }


@_facts.register
def _(event: events.Action, expected: Mapping[str, Any]) -> dict[str, Any]:
    return _peer(event.client, "client") | {
        "action": event.action,
        "milter_action": event.action.removeprefix("milter-"),
        "message_level": event.action,
        "prepend_type": event.stage,
        "prepend_trigger": event.text,
        "prepend_value": event.data,
        "milter_data": event.data,
        "smtp_stage": event.stage,
        "status_code": event.code,
        "dsn": event.enhanced,
        "from": event.sender,
        "to": event.recipient,
        "proto": event.proto,
        "helo": event.helo,
    }


@_facts.register
def _(event: events.ProxyVerdict, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "proxy_result": "accept" if event.accepted else "reject",
        "proxy_smtp_stage": event.stage,
        "proxy_message": event.reply.text,
        "proxy_status_code": event.reply.code,
        "proxy_status_code_enhanced": event.reply.enhanced,
        "from": event.sender,
        "to": event.recipient,
        "proto": event.proto,
        "helo": event.helo,
    }


@_facts.register
def _(event: events.Tls, expected: Mapping[str, Any]) -> dict[str, Any]:
    return _peer(event.peer, "relay" if event.direction == "to" else "client") | {
        "tls_trustlevel": event.level,
        "tls_version": event.version,
        "tls_cipher": event.cipher,
    }


@_facts.register
def _(event: events.Diagnostic, expected: Mapping[str, Any]) -> dict[str, Any]:
    # `warning: NAME[ADDRESS]: SASL LOGIN authentication failed` is a text, and no fact about a mail
    client = {name: expected[name] for name in ("client_host", "client_ip") if name in expected}
    return {"message_level": event.level} | client


@_facts.register
def _(event: events.MessageId, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"message_id": event.message_id}


@_facts.register
def _(event: events.QueueActive, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"from": event.sender, "size": event.size, "nrcpt": event.nrcpt}


@_facts.register
def _(event: events.Expired, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"from": event.sender, "status": "force-expired" if event.forced else "expired"}


@_facts.register
def _(event: events.Pickup, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"uid": event.uid, "from": event.sender}


@_facts.register
def _(event: events.Notification, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "notification_to": event.to,
        "notification_type": event.about,
        "notification_queue_id": event.queue_id,
    }


@_facts.register
def _(event: events.Postsuper, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"postsuper_action": event.action}


@_facts.register
def _(event: events.PostsuperSummary, expected: Mapping[str, Any]) -> dict[str, Any]:
    return {"postsuper_summary_action": event.action, "postsuper_summary_count": event.count}


@pytest.mark.parametrize("case", FRAGMENTS, ids=lambda case: str(case["id"]))
def test_fragment(case: dict[str, Any]) -> None:
    """A part of a line: delays, a relay, counters of a session, the TLS summary."""
    text = case["message"]
    if case["id"].startswith("command_counter"):
        session = about_process(f"disconnect from a[192.0.2.1] {text}")
        assert isinstance(session, events.Session)
        assert session.commands is not None
        _assert_counters(session.commands, case["expected"])
        return
    parts = {"delays": "0/0/0/0", "relay": "none", "tls": "may"}
    parts[case["id"].partition("_")[0]] = text
    line = (
        "to=<a@b>, relay={relay}, delay=0, delays={delays}, tls={tls}, dsn=2.0.0, status=sent (x)"
    )
    found = delivery("smtp", line.format(**parts))
    assert found is not None
    assert found.relay is not None
    assert found.delays is not None
    assert found.tls == parts["tls"]
    assert [str(f"{each:g}") for each in found.delays] == parts["delays"].split("/")
    if "relay_host" in case["expected"]:
        assert found.relay == events.Peer(
            case["expected"]["relay_host"], None, None, case["expected"]["relay_service"]
        )


def _assert_counters(commands: Mapping[str, tuple[int, int]], expected: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        command = name.removeprefix("cmd_")
        accepted = command.endswith("_accepted")
        command = command.removesuffix("_accepted").replace("count", "commands")
        assert commands[command][0 if accepted else 1] == value
