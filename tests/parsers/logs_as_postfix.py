"""Lines as Postfix writes them, from parts that strangers choose: a model of the writers in its source.

Two forms of an address: `external` (quoted, since 3.5) and `internal` (as it is; before, or by choice).
"""

from __future__ import annotations

import re

from hypothesis import strategies as st

# What a stranger would put into an address or an answer to be taken for something else.
LIES = [
    ">", "<", '"', "\\", " ", ",", ";", ":", "@", "(", ")", "[", "]", "=", ">, relay=", "evil.test[6.6.6.6]:22",
    ">, orig_to=<", ", status=", "sent (250 2.0.0 Ok: queued as EVIL99", ", dsn=2.0.0", ", delay=1", "> to=<",
    "; from=<", " proto=ESMTP helo=<", ">: Relay access denied", " sasl_username=", ": ", "v@victim.test",
    "to=<", ">, size=1, nrcpt=9 (queue active)", "\u2028", "\u0085", "é",
]  # fmt: skip
_PLAIN = st.text("abcXYZ019._+-", min_size=1, max_size=12)
# util/msg_output.c: what cannot be printed is logged as `?`, so no control characters
_TEXT = st.lists(_PLAIN | st.sampled_from(LIES), max_size=8).map("".join)
HOSTS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}(\.[a-z0-9]{1,8}){0,2}", fullmatch=True)
ADDRESSES = st.ip_addresses().map(str)
WORDS = st.sampled_from(
    ["sent", "deferred", "bounced", "SOFTBOUNCE", "deliverable", "undeliverable"]
)
IDS = st.from_regex(r"[0-9A-F]{6,21}", fullmatch=True) | st.from_regex(
    r"[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{10}z[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{1,8}",
    fullmatch=True,
)
# format_tv: seconds with two significant digits
SECONDS = st.sampled_from(["0", "0.01", "0.3", "1.2", "45", "172800"])
SAID = _TEXT
LOCALS = _TEXT.filter(bool)
DOMAINS = HOSTS


def external(local: str, domain: str) -> str:
    """global/quote_822_local.c: a local part that is no dot-string is quoted."""
    if (
        re.fullmatch(r"[^\s()<>@,;:\\\"\[\].]+(\.[^\s()<>@,;:\\\"\[\].]+)*", local)
        and local.isprintable()
    ):
        return f"{local}@{domain}"
    quoted = re.sub(r'(["\\])', r"\\\1", local)
    return f'"{quoted}"@{domain}'


def internal(local: str, domain: str) -> str:
    """The address as Postfix keeps it."""
    return f"{local}@{domain}"


@st.composite
def middles(draw: st.DrawFn) -> str:
    """`, conn_use=N, delay=…, delays=…, tls=…, dsn=…`, the optional ones sometimes (global/log_adhoc.c)."""
    uses = draw(st.sampled_from(["", ", conn_use=2"]))
    tls = draw(st.sampled_from(["", ", tls=dane/!requiretls:nocertmatch"]))
    a, b, c, d, total = (draw(SECONDS) for _ in range(5))
    return f"{uses}, delay={total}, delays={a}/{b}/{c}/{d}{tls}, dsn=2.0.0"
