"""Lines that any daemon may write, and those of the daemons that say nothing about a mail."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Notice

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
    "refreshing": ("the Postfix mail system", "reload"),
    "waiting": ("for the Postfix mail system to terminate", "stopped"),
    "the": ("Postfix mail system is ", "state"),
    "table": ("", "restart"),  # table T has changed -- restarting (main of most daemons)
    "using": ("backwards-compatible default setting ", "compatibility"),
    "To": ("disable backwards compatibility use ", "compatibility"),
    "Postfix": ("is running with backwards-compatible default settings", "compatibility"),
    "See": ("http", "compatibility"),
    "TLS": (
        "",
        "tls",
    ),  # tlsproxy/tlsproxy_state.c: TLS handshake failed for …; tls/tls_misc.c: TLS SNI …
    "TLSRPT:": ("", "tls"),  # tls/tlsrpt_wrapper.c
    "certificate": ("verification failed for ", "tls"),  # tls/tls_verify.c
    "Untrusted": ("certificate verification failed for ", "tls"),
}


def notice(word: str, text: str) -> Event | None:
    """Read a line that is known and says nothing about a mail; `word` is its first."""
    known = _NOTICES.get(word)
    if known is None or not text.startswith(known[0], len(word) + 1):
        return None
    return Notice(known[1], text)
