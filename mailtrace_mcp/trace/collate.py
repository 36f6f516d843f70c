"""Entries into transactions: which life a line belongs to (TRACING.md §2).

What Postfix's own collate.pl does with text, done with values. One pass over each host's entries in
the order of their stamps, with a memory of the lives under each queue ID and of what each process
said last.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction
from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import (
    Action,
    AttemptStep,
    Client,
    ClientLost,
    Delivery,
    MessageId,
    Pickup,
    Postsuper,
    PostsuperSummary,
    ProxyVerdict,
    Removed,
    Session,
    Tls,
)

# A delivery agent's line may reach the log just after qmgr's `removed`; later ones are another life.
LATE_LINE = timedelta(seconds=5)
SAME_COMMAND, SAME_SESSION = timedelta(seconds=2), timedelta(minutes=5)

# Each of them may cost a look at what its process said next.
MOST_DECISIONS = 50

REFUSALS = ("reject", "milter-reject", "proxy-reject")


@dataclass(frozen=True)
class Collated:
    """All lives, oldest first, the lines of bulk deletions that name no queue ID, and the NOQUEUE
    decisions (hold, discard, filter, redirect) whose mail was not found among the lines, newest first.
    """

    transactions: tuple[Transaction, ...]
    bulk: tuple[Entry, ...]
    undecided: tuple[Entry, ...]


def collate(entries: Iterable[Entry]) -> Collated:
    """Sort entries into transactions. Entries may come in any order, each at most once."""
    hosts: dict[str, _HostLog] = {}
    ordered = _in_order(entries)
    for entry in ordered:
        hosts.setdefault(entry.host, _HostLog(entry.host))
    for name, labels in _apart(ordered).items():
        hosts[name].apart(labels)
    for entry in ordered:
        hosts[entry.host].take(entry)
    lives = [life for host in hosts.values() for life in host.lives]
    lives.sort(key=lambda life: (life.started or _NEVER, life.key.host, life.key.generation))
    bulk = tuple(line for host in hosts.values() for line in host.bulk)
    return Collated(tuple(lives), bulk, _undecided(ordered, lives))


_NEVER = datetime.min.replace(tzinfo=UTC)


def _undecided(ordered: list[Entry], lives: list[Transaction]) -> tuple[Entry, ...]:
    """Of the newest decisions those that belong to no life: never more, however many lines came."""
    decided = [one for one in reversed(ordered) if _decides_what_comes(one)][:MOST_DECISIONS]
    told = {(one.host, one.order) for life in lives for one in life.context} if decided else ()
    return tuple(one for one in decided if (one.host, one.order) not in told)


def _decides_what_comes(entry: Entry) -> bool:
    event = entry.event
    return entry.noqueue and isinstance(event, Action) and event.action not in REFUSALS


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    """By stamp; where stamps are equal, and where a line has none, by place in its host's log."""
    dated: list[tuple[datetime, int, Entry]] = []
    last: dict[str, datetime] = {}
    for entry in sorted(entries, key=lambda one: one.order):
        at = entry.frame.at or last.get(entry.host, _NEVER)
        last[entry.host] = at
        dated.append((at, entry.order, entry))
    dated.sort(key=lambda one: one[:2])
    return [entry for _, _, entry in dated]


@dataclass
class _Process:
    """What one process has said that explains its next line."""

    steps: list[Entry] = field(default_factory=list)
    steps_told: str | None = None  # the queue ID whose delivery line has had these steps
    tls: Tls | None = None
    decisions: list[Entry] = field(default_factory=list)
    life: Transaction | None = None
    refusal: Transaction | None = None


class _HostLog:
    def __init__(self, host: str) -> None:
        self.host = host
        self.lives: list[Transaction] = []
        self.bulk: list[Entry] = []
        self._by_id: dict[tuple[str, str | None], list[Transaction]] = defaultdict(list)
        self._generations: Counter[str] = Counter()
        self._postsupers: Counter[int | None] = (
            Counter()
        )  # queue IDs that each postsuper run has named
        self._apart: frozenset[tuple[str, str | None]] = frozenset()
        self._processes: dict[tuple[str | None, str | None, int | None], _Process] = {}

    def apart(self, labels: frozenset[tuple[str, str | None]]) -> None:
        """Queue IDs that two instances of Postfix use at once, with the label roots of both."""
        self._apart = labels

    def take(self, entry: Entry) -> None:
        frame = entry.frame
        process = self._processes.setdefault((frame.instance, frame.daemon, frame.pid), _Process())
        if entry.queue_id is None:
            self._without_id(entry, process)
            return
        life = self._life(entry)
        life.entries.append(entry)
        self._with_id(entry, life, process)

    def _life(self, entry: Entry) -> Transaction:
        queue_id = entry.queue_id or ""
        label = (queue_id, _root(entry))
        lives = self._by_id[label if label in self._apart else (queue_id, None)]
        if not lives or _begins_another(entry, lives[-1]):
            self._generations[queue_id] += 1
            life = Transaction(Key(self.host, entry.queue_id, self._generations[queue_id]))
            lives.append(life)
            self.lives.append(life)
        return lives[-1]

    def _with_id(self, entry: Entry, life: Transaction, process: _Process) -> None:
        match entry.event:
            case Client() as client:
                life.context.extend(_decided_for(client, entry, process.decisions))
                process.decisions = []
                process.life, process.refusal = life, None
            case AttemptStep():
                _remember_step(entry, process)
            case Delivery() as delivery:
                if process.steps_told not in (None, entry.queue_id):
                    process.steps, process.tls = [], None
                process.steps_told = entry.queue_id
                life.attempts.append(Attempt(entry, delivery, tuple(process.steps), process.tls))
            case ClientLost():
                process.life = None
            case Postsuper():
                self._postsupers[entry.frame.pid] += 1
            case _:
                pass

    def _without_id(self, entry: Entry, process: _Process) -> None:
        match entry.event:
            case AttemptStep():
                _remember_step(entry, process)
            case Tls(direction="to") as tls:
                _forget_told(process)
                process.tls = tls
            case PostsuperSummary() as summary:
                if summary.count > self._postsupers[entry.frame.pid]:
                    self.bulk.append(entry)
            case Session(what="connect" | "disconnect"):
                if process.life is not None and entry.event.what == "disconnect":
                    process.life.context.append(entry)
                process.decisions, process.life, process.refusal = [], None, None
            case ClientLost() as lost:
                client = process.life.client if process.life else None
                if process.life is not None and client and client.peer == lost.peer:
                    process.life.context.append(entry)
            case Client(before_queue=True):
                process.life = self._nameless(entry)
                process.life.context.extend(process.decisions)
                process.decisions = []
            case ProxyVerdict():
                life = process.life or self._nameless(entry)
                if entry not in life.entries:
                    life.entries.append(entry)
            case Action() as action if action.action in REFUSALS:
                self._refused(entry, action, process)
            case _ if _decides_what_comes(entry):
                process.decisions.append(entry)
            case _:
                pass

    def _refused(self, entry: Entry, action: Action, process: _Process) -> None:
        """One refusal a sender and session: a client that tries ten recipients sends one mail."""
        known = process.refusal
        if known is not None:
            first = known.entries[0].event
            if isinstance(first, Action) and (first.sender, first.client) == (
                action.sender,
                action.client,
            ):
                known.entries.append(entry)
                return
        process.refusal = self._nameless(entry)

    def _nameless(self, entry: Entry) -> Transaction:
        life = Transaction(Key(self.host, None, entry.order), [entry])
        self.lives.append(life)
        return life


def followed_within(decision: Entry) -> timedelta:
    """How long after a NOQUEUE decision the client line of its mail may come: one at RCPT is logged
    while the same command is answered, an earlier one as far back as the client takes to go on."""
    at_rcpt = isinstance(decision.event, Action) and decision.event.stage == "RCPT"
    return SAME_COMMAND if at_rcpt else SAME_SESSION


def _decided_for(client: Client, entry: Entry, decisions: list[Entry]) -> list[Entry]:
    """The NOQUEUE decisions that this client line follows: of the same client, and just before it.

    The lines of the process in between may not have been asked for, so "the next client" alone could
    be another mail's.
    """
    found = []
    for decision in decisions:
        action, then, now = decision.event, decision.frame.at, entry.frame.at
        if not isinstance(action, Action) or then is None or now is None:
            continue
        if action.client == client.peer and now - then <= followed_within(decision):
            found.append(decision)
    return found


def _remember_step(entry: Entry, process: _Process) -> None:
    _forget_told(process)
    if process.steps and process.steps[-1].queue_id not in (None, entry.queue_id):
        process.steps = []
    process.steps.append(entry)


def _forget_told(process: _Process) -> None:
    if process.steps_told is not None:
        process.steps, process.tls, process.steps_told = [], None, None


def _root(entry: Entry) -> str | None:
    """The first part of a label: `postfix-out` of `postfix-out/submission`."""
    return entry.frame.instance.partition("/")[0] if entry.frame.instance else None


def _apart(entries: Iterable[Entry]) -> dict[str, frozenset[tuple[str, str | None]]]:
    """Host → queue IDs under label roots that each have qmgr and cleanup lines for that ID: two
    instances. A label alone is no identity: one transport may have its own."""
    daemons: dict[str, dict[str, dict[str | None, set[str]]]] = {}
    for entry in entries:
        if entry.queue_id is not None and entry.frame.daemon in ("qmgr", "cleanup"):
            roots = daemons.setdefault(entry.host, {}).setdefault(entry.queue_id, {})
            roots.setdefault(_root(entry), set()).add(entry.frame.daemon)
    found = {}
    for host, by_id in daemons.items():
        labels: set[tuple[str, str | None]] = set()
        for queue_id, roots in by_id.items():
            whole = [root for root, seen in roots.items() if len(seen) == 2]
            if len(whole) > 1:
                labels.update((queue_id, root) for root in whole)
        found[host] = frozenset(labels)
    return found


def _begins_another(entry: Entry, life: Transaction) -> bool:
    """Whether this line starts a new generation of its queue ID rather than going on with `life`."""
    end = next((one for one in reversed(life.entries) if _ends(one)), None)
    match entry.event:
        case Client() | Pickup():
            arrivals = [o for o in life.entries if isinstance(o.event, Client | Pickup)]
            again = any(o.frame.at != entry.frame.at for o in arrivals)
            # An arrival is the first line of a life: what lies well before it is another's.
            return end is not None or again or _long_after(entry, life.entries[0])
        case MessageId(resent=False):
            told = [o for o in life.entries if isinstance(o.event, MessageId)]
            return end is not None or any(_long_after(entry, one) for one in told)
        case _:
            return end is not None and _long_after(entry, end)


def _ends(entry: Entry) -> bool:
    return isinstance(entry.event, Removed) or (
        isinstance(entry.event, Postsuper) and entry.event.action in ("requeued", "removed")
    )


def _long_after(entry: Entry, end: Entry) -> bool:
    """The lines of another life whose beginning was not seen."""
    if entry.frame.at is None or end.frame.at is None:
        return False
    return entry.frame.at - end.frame.at > LATE_LINE
