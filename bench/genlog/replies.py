"""What other servers answer, in the forms that are common; `{h}` is the server, `{d}` its domain, `{r}` the
recipient, `{f}` the sender, `{c}` and `{ip}` our client."""

from __future__ import annotations

from bench.genlog.people import People

DEFERRED = (
    "host {h} said: 451 4.7.1 Greylisting in action, please come back later (in reply to RCPT TO command)",
    "connect to {h}:25: Connection timed out",
    "host {h} said: 421-4.7.28 An unusual rate of unsolicited mail comes from your IP address. 421-4.7.28 To"
    " protect our users, mail sent from your IP address has been temporarily rate limited. 421-4.7.28 See"
    " https://support.bigmail.example/mail/?p=UnsolicitedRateLimitError 421 4.7.28 and our guidelines for"
    " those who send much. d2e1a72fcca58-6b (in reply to end of DATA command)",
    "lost connection with {h} while receiving the initial server greeting",
    "host {h} said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)",
)
BOUNCED = (
    "host {h} said: 550-5.1.1 The email account that you tried to reach does not exist. 550-5.1.1 Please try"
    " double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. 550 5.1.1 See"
    " https://support.bigmail.example/mail/?p=NoSuchUser (in reply to RCPT TO command)",
    "host {h} said: 550 5.7.1 Message rejected as spam by Content Filtering."
    " (in reply to end of DATA command)",
    "Host or domain name not found. Name service error for name={d} type=AAAA: Host not found",
    "host {h} said: 554 5.7.1 <{r}>: Relay access denied (in reply to RCPT TO command)",
)
REJECTED = (
    "554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.blocklist.example;"
    " https://www.blocklist.example/query/ip/{ip}",
    "450 4.1.8 <{f}>: Sender address rejected: Domain not found",
    "550 5.1.1 <{r}>: Recipient address rejected: User unknown in virtual mailbox table",
    "450 4.2.0 <{r}>: Recipient address rejected: Greylisted, see http://postgrey.example/help",
)
TLS = (
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519"
    " server-signature RSA-PSS (2048 bits) server-digest SHA256",
    "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    "TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits) key-exchange ECDHE (P-256)"
    " server-signature ECDSA (P-256) server-digest SHA256",
)


def accepted(people: People, second: float, domain: str) -> str:
    """A server takes the mail: as Gmail, as Postfix or as Exchange says it."""
    bits = people.bits
    form = bits(2)
    if form == 0:
        token = f"{bits(48):012x}-{bits(40):010x}si{bits(22)}ed.{bits(9)}"
        return f"250 2.0.0 OK  {1_700_000_000 + int(second)} {token} - gsmtp"
    if form < 3:
        return f"250 2.0.0 Ok: queued as {people.queue_id(second)}"
    host = f"{people.word(2).upper()}PR0{bits(3)}MB{bits(13)}.prod.outmail.example"
    return (
        f"250 2.6.0 <{bits(48):x}@{domain}> [InternalId={bits(44)}, Hostname={host}] {bits(15)} bytes in"
        f" 0.{bits(9)}, {bits(7)}.{bits(9)} KB/sec Queued mail for delivery -> 250 2.1.5"
    )
