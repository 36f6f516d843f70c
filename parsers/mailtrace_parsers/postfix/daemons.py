"""Lines that any daemon may write, and those of the daemons that say nothing about a mail."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Notice
from mailtrace_parsers.peer import peer

# By the first word of a line: how the line goes on, and what the notice is called.
_NOTICES = {
    "statistics:": ("", "statistics"),  # anvil/anvil.c, scache/scache.c
    "cache": ("", "cache"),  # util/dict_cache.c: cache NAME full cleanup: retained=…
    "addr": ("", "dnsbl"),  # dnsblog/dnsblog.c: addr A listed by domain D as R
    "daemon": ("started", "started"),  # master/master.c
    "reload": ("-- ", "reload"),
    "terminating": ("on signal ", "stopped"),  # master/master_sig.c
    "starting": ("the Postfix mail system", "started"),  # conf/postfix-script
    "stopping": ("the Postfix mail system", "stopped"),
    "aborting": ("the Postfix mail system", "stopped"),
    "refreshing": ("the Postfix mail system", "reload"),
    "waiting": ("for the Postfix mail system to terminate", "stopped"),
    "the": ("Postfix mail system is ", "state"),
    "table": ("", "restart"),  # table T has changed -- restarting (main of most daemons)
    "using": ("backwards-compatible default setting ", "compatibility"),
    "To": ("disable backwards compatibility use ", "compatibility"),
    "Postfix": ("is running with backwards-compatible default settings", "compatibility"),
    "See": ("http", "compatibility"),
    "SMTPS": ("wrappermode ", "configuration"),  # smtp/smtp_connect.c
    "skipping": ("", "lookup"),  # smtp/smtp_addr.c: skipping SRV lookup for …
    "Host": ("offered STARTTLS: ", "tls"),  # smtp/smtp_proto.c
    "initializing": ("the ", "tls"),  # tls/tls_client.c, tls_server.c, loglevel 2
    "setting": ("up TLS connection ", "tls"),
    "TLS": ("", "tls"),  # tlsproxy/tlsproxy_state.c: TLS handshake …; tls/tls_misc.c: TLS SNI …
    "TLSRPT:": ("", "tls"),  # tls/tlsrpt_wrapper.c
    "certificate": ("verification failed for ", "tls"),  # tls/tls_verify.c
    "Untrusted": ("certificate verification failed for ", "tls"),
}
_REMARKS = (
    ("subject_CN=", "tls"),  # tls/tls_client.c, tls_server.c
    ("Matched ", "tls"),
    ("matched ", "tls"),
    ("re-using session ", "tls"),
    ("Reusing old session", "tls"),
    ("raw public key fingerprint=", "tls"),
    ("TLS cipher list ", "tls"),
    ("SNI hostname: ", "tls"),
    ("depth=", "tls"),  # tls/tls_verify.c
    ("looking up session ", "tls"),
    ("save session ", "tls"),
    ("Issuing session ticket", "tls"),
    ("Decrypting session ticket", "tls"),
    ("replacing ", "replaced"),  # smtpd/smtpd.c, smtp/smtp_chat.c, postscreen/postscreen_smtpd.c
    ("discarding EHLO keywords: ", "keywords"),  # postscreen/postscreen_smtpd.c
)


def notice(word: str, text: str) -> Event | None:
    """Read a line that is known and says nothing about a mail; `word` is its first."""
    known = _NOTICES.get(word)
    if known is not None and text.startswith(known[0], len(word) + 1):
        return Notice(known[1], text)
    return _remark(text)


def _remark(text: str) -> Event | None:
    """`PEER: WORDS`: what a log level of 2 tells of a connection, and what a table replaced."""
    named, colon, words = text.partition(": ")
    for begin, what in _REMARKS:
        if words.startswith(begin):
            # postscreen forgets the colon of its `[ADDRESS]:PORT` before `discarding EHLO keywords`
            return Notice(what, text) if colon and (peer(named) or named[:1] == "[") else None
    return None
