"""Mails arrive: what postscreen, smtpd, cleanup and a content filter log, and other programs beside them."""

from __future__ import annotations

import math

from bench.genlog.people import DOMAIN, People
from bench.genlog.queue import Queue, Queued
from bench.genlog.replies import REJECTED, TLS

_POSTSCREEN, _OPENDKIM, _AMAVIS = 1, 2, 3  # the processes


class Mails:
    """The mails that come to a host, and go into its queue."""

    def __init__(self, people: People, queue: Queue) -> None:
        self._people = people
        self._queue = queue

    def arrive(self, at: float) -> None:
        """One client with one mail, from outside or from a user of ours."""
        people, bits = self._people, self._people.bits
        chance = people.random.random()
        name, address = people.client()
        if bits(1) and not self._screened(at, name, address, chance):
            return
        inbound = people.random.random() < 0.55
        smtpd = f"postfix/smtpd[{people.pid()}]"
        entry = smtpd if inbound else smtpd.replace("/", "/submission/")
        client = f"{name}[{address}]"
        self._queue.line(at + 0.02, f"{entry}: connect from {client}")
        if bits(4):
            tls = f"Anonymous TLS connection established from {client}: {TLS[bits(4) % 3]}"
            self._queue.line(at + 0.05, f"{entry}: {tls}")
        if inbound and 0.10 < chance < 0.25:
            self._rejected(at, entry, name, address)
            return
        if chance > 0.985:
            words = (
                f"hostname {name} does not resolve to address {address}: Name or service not known"
            )
            self._queue.line(at + 0.2, f"{entry}: warning: {words}")
        self._taken(at, entry, client, inbound)

    def _screened(self, at: float, name: str, address: str, chance: float) -> bool:
        """postscreen(8) has a look; whether the client passes."""
        people, bits = self._people, self._people.bits
        daemon = f"postfix/postscreen[{people.pid(_POSTSCREEN)}]"
        peer = f"[{address}]:{people.port()}"
        self._queue.line(at, f"{daemon}: CONNECT from {peer} to [10.0.0.1]:25")
        if chance >= 0.10:
            self._queue.line(at + 0.01, f"{daemon}: PASS {'OLD' if bits(2) else 'NEW'} {peer}")
            return True
        listed = f"addr {address} listed by domain zen.blocklist.example as 127.0.0.{2 + bits(3)}"
        self._queue.line(at + 0.1, f"postfix/dnsblog[{people.pid()}]: {listed}")
        self._queue.line(
            at + 6,
            f"{daemon}: NOQUEUE: reject: RCPT from {peer}: 550 5.7.1 Service unavailable; client [{address}]"
            f" blocked using zen.blocklist.example; from=<{people.stranger()}>, to=<{people.own()}>,"
            f" proto=ESMTP, helo=<{name}>",
        )
        self._queue.line(at + 6.1, f"{daemon}: DISCONNECT {peer}")
        return False

    def _rejected(self, at: float, entry: str, name: str, address: str) -> None:
        sender, recipient = self._people.stranger(), self._people.own()
        reply = REJECTED[self._people.bits(2)].format(ip=address, f=sender, r=recipient)
        context = f"from=<{sender}> to=<{recipient}> proto=ESMTP helo=<{name}>"
        reject = f"NOQUEUE: reject: RCPT from {name}[{address}]: {reply}; {context}"
        self._queue.line(at + 0.3, f"{entry}: {reject}")
        counts = "ehlo=2 starttls=1 mail=1 rcpt=0/1 data=0/1 quit=1 commands=5/7"
        self._queue.line(at + 0.4, f"{entry}: disconnect from {name}[{address}] {counts}")

    def _taken(self, at: float, entry: str, client: str, inbound: bool) -> None:
        """A mail gets into the queue, perhaps through a content filter."""
        people, bits = self._people, self._people.bits
        count = self._count()
        if inbound:
            sender, recipients = people.stranger(), [people.own() for _ in range(count)]
            if not bits(4):
                verp = recipients[0].replace("@", "=")
                sender = f"bounces+{bits(24)}-{bits(16):x}-{verp}@em{bits(12)}.{people.stranger_domain()}"
        else:
            sender, recipients = people.own(), [people.stranger() for _ in range(count)]
        queued = Queued(at + 0.4, people.queue_id(at), sender, recipients, self._size())
        login = "" if inbound else f", sasl_method=PLAIN, sasl_username={sender}"
        self._queue.line(at + 0.25, f"{entry}: {queued.queue_id}: client={client}{login}")
        message_id = self._message_id(at, sender, client)
        self._queue.cleaned(at + 0.35, queued.queue_id, message_id)
        if bits(1):
            signed = f"DKIM-Signature field added (s=mail, d={DOMAIN})"
            said = f"{client.replace('[', ' [')} not internal" if inbound else signed
            self._queue.line(
                at + 0.36, f"opendkim[{people.pid(_OPENDKIM)}]: {queued.queue_id}: {said}"
            )
        auth = "" if inbound else "auth=1 "
        counts = f"ehlo=2 starttls=1 {auth}mail=1 rcpt={count} data=1 quit=1 commands={6 + count}"
        self._queue.line(at + 0.6, f"{entry}: disconnect from {client} {counts}")
        if inbound and people.random.random() < 0.7:
            queued = self._filtered(at, queued, client, message_id)
        self._queue.run(queued)
        if inbound and not bits(4):
            login = (
                f"Login: user=<{recipients[0]}>, method=PLAIN, rip={people.address()}, lip=10.0.0.1"
            )
            session = f"mpid={people.pid()}, TLS, session=<{people.word(3)}{bits(32):x}>"
            self._queue.line(at + 9, f"dovecot: imap-login: {login}, {session}")

    def _filtered(self, at: float, queued: Queued, client: str, message_id: str) -> Queued:
        """amavis takes the mail and gives it back under another queue ID."""
        people, bits = self._people, self._people.bits
        back = people.queue_id(at + 1.5)
        then = at + 0.7 + people.random.random() * 2
        smtpd = f"postfix/smtpd[{people.pid()}]"
        self._queue.active(at + 0.4, queued)
        self._queue.line(then, f"{smtpd}: connect from localhost[127.0.0.1]")
        self._queue.line(then + 0.01, f"{smtpd}: {back}: client=localhost[127.0.0.1]")
        self._queue.cleaned(then + 0.02, back, message_id)
        amavis, peer = people.pid(_AMAVIS), client.rpartition("[")[2]
        to = ",".join(f"<{one}>" for one in queued.recipients)
        self._queue.line(
            then + 0.04,
            f"amavis[{amavis}]: ({amavis}-{bits(7)}) Passed {'CLEAN' if bits(4) else 'SPAMMY'}"
            f" {{RelayedInbound}}, [{peer}:{people.port()} [{peer} <{queued.sender}> -> {to}, Queue-ID:"
            f" {queued.queue_id}, Message-ID: {message_id}, mail_id: {people.word(3)}{bits(20):x}, Hits:"
            f" {people.random.random() * 9 - 3:.3f}, size: {queued.size}, queued_as: {back},"
            f" {int((then - at) * 1000)} ms",
        )
        reply = f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {back}"
        for one in queued.recipients:
            relay = "127.0.0.1[127.0.0.1]:10024"
            self._queue.delivery(
                then + 0.05, "smtp", queued, one, relay, then - at, "2.0.0", f"sent ({reply})"
            )
        self._queue.removed(then + 0.06, queued)
        count = len(queued.recipients)
        ended = f"disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt={count} data=1 commands={3 + count}"
        self._queue.line(then + 0.07, f"{smtpd}: {ended}")
        return Queued(then + 0.08, back, queued.sender, queued.recipients, queued.size + 500)

    def _count(self) -> int:
        """Most mails have one recipient."""
        chance = self._people.bits(4)
        if chance < 12:
            return 1
        return 2 + self._people.bits(1 if chance < 15 else 4)

    def _size(self) -> int:
        return int(1500 * math.exp(self._people.random.random() * 5))

    def _message_id(self, at: float, sender: str, client: str) -> str:
        people, bits = self._people, self._people.bits
        if bits(1):
            return f"<{bits(64):016x}{bits(32):08x}@{sender.rpartition('@')[2]}>"
        host = client.partition("[")[0]
        return f"<{20261120000000 + int(at)}.{bits(32)}.{people.word(2)}@{host}>"
