"""Runs: schedules, connections, retries, fallbacks, and being interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import anyio

from mailtrace_mcp.send.attempts import Attempt, Peer
from mailtrace_mcp.send.channel import Way
from mailtrace_mcp.send.compose import Pattern
from mailtrace_mcp.send.policy import AuditPen
from mailtrace_mcp.send.records import outcome_of
from mailtrace_mcp.send.routes import Route, Timeouts
from mailtrace_mcp.send.schedule import Load, load
from mailtrace_mcp.send.traffic import Effort, Run

from .conftest import QUICK, plan, route
from .peers.scripted import HANG_UP, SILENCE, peer
from .peers.sink import Sink, sink

ONE_MAIL = load(1, 1)
SOON = 0.01  # the pause of retries


class Kept(Run):
    """A run that keeps its attempts."""

    def __init__(self, ways: Sequence[Way], asked: Load, effort: Effort) -> None:
        self.attempts: list[Attempt] = []
        super().__init__(ways, asked, effort, lambda: datetime.now(UTC), self._keep)

    def _keep(self, attempt: Attempt, peer: Peer | None) -> None:
        self.attempts.append(attempt)


def run_to(
    *routes: Route,
    to: Sequence[str] = ("a@lab.example",),
    asked: Load = ONE_MAIL,
    retries: int = 0,
    parallel: int = 1,
    deadline: float = inf,
    timeouts: Timeouts = QUICK,
) -> Kept:
    ways = [Way(one, Pattern(plan(*to))) for one in routes]
    return Kept(ways, asked, Effort(retries, SOON, parallel, deadline=deadline, timeouts=timeouts))


def test_one_and_one_is_one_mail() -> None:
    async def main() -> None:
        async with sink() as server:
            run = run_to(route(server.port))
            await run.go()
        assert len(server.mails) == 1
        (record,) = run.done.records
        assert record.queue_id == server.mails[0].queue_id
        assert [record.message_id] == server.message_ids
        assert (record.success, record.status_code) == (True, 250)
        assert run.done.account is not None
        assert run.done.account.stage == "quit"
        assert run.done.spent == 1

    anyio.run(main)


def test_a_rate_over_a_duration_uses_one_connection_again() -> None:
    async def main() -> None:
        told: list[tuple[int, int, str]] = []

        async def progress(done: int, total: int, words: str) -> None:
            told.append((done, total, words))

        async with sink() as server:
            run = run_to(
                route(server.port), to=("a@lab.example", "b@lab.example"), asked=load(40, 0.5)
            )
            began = anyio.current_time()
            await run.go(progress)
            took = anyio.current_time() - began
        assert len(server.mails) == 20
        assert len(run.done.records) == 40
        assert len(set(server.message_ids)) == 20
        assert server.connections == 1
        assert 0.4 < took < 3
        assert [done for done, _, _ in told] == list(range(1, 21))
        assert {total for _, total, _ in told} == {20}

    anyio.run(main)


def test_100_mails_on_a_connection_at_most() -> None:
    async def main() -> None:
        async with sink() as server:
            run = run_to(route(server.port), asked=load(100, 2.05))
            fast = Load(1e6, 1e6, 205e-6)
            run = run_to(route(server.port), asked=fast)
            await run.go()
        assert len(server.mails) == 205
        assert server.connections == 3

    anyio.run(main)


def test_parallel_connections_up_to_the_cap_of_the_host() -> None:
    async def main() -> None:
        async with peer(DOT=[0.05] * 60 + ["250 2.0.0 Ok: queued as 4F2A1B3C5D"]) as server:
            run = run_to(route(server.port), asked=Load(1e6, 1e6, 30e-6), parallel=20)
            await run.go()
        assert len(run.done.records) == 30
        assert server.connections == 10
        assert Effort(parallel=50, per_host=50).connections == 20

    anyio.run(main)


def test_4xx_is_tried_again_with_the_same_message_id() -> None:
    async def main() -> None:
        answers = ["451 4.7.1 later", "451 4.7.1 later", "250 2.1.5 Ok"]
        async with peer(RCPT=[*answers]) as server:
            run = run_to(route(server.port), retries=3)
            began = anyio.current_time()
            await run.go()
            assert anyio.current_time() - began >= SOON * 3  # 1 + 2 pauses
        assert [one.outcome for one in run.attempts] == ["refused", "refused", "accepted"]
        assert len({one.mail.message_id for one in run.attempts}) == 1
        assert [one.success for one in run.done.records] == [True]
        assert run.done.failure is None
        assert run.done.spent == 1
        assert server.connections == 1

    anyio.run(main)


def test_after_three_retries_it_is_over() -> None:
    async def main() -> None:
        async with peer(RCPT="451 4.7.1 later") as server:
            run = run_to(route(server.port), retries=3)
            await run.go()
        assert server.count("RCPT") == 4
        assert [(one.success, one.status_code) for one in run.done.records] == [(False, 451)]
        assert run.done.failure is not None
        assert run.done.failure.code == "SMTP_TEMPFAIL"

    anyio.run(main)


def test_only_those_who_were_refused_for_now_are_tried_again() -> None:
    async def main() -> None:
        answers = ["250 2.1.5 Ok", "451 4.2.0 full", "550 5.1.1 no", "250 2.1.5 Ok"]
        async with peer(RCPT=[*answers]) as server:
            to = ("a@lab.example", "b@lab.example", "c@lab.example")
            run = run_to(route(server.port), to=to, retries=3)
            await run.go()
        said = [line for line in server.heard if line.startswith("RCPT")]
        assert said[3:] == ["RCPT TO:<b@lab.example>"]
        found = {one.recipient: one.success for one in run.done.records}
        assert found == {"a@lab.example": True, "c@lab.example": False, "b@lab.example": True}
        assert outcome_of(run.done.records) == "partial"
        assert [one.recipient.spec for one in run.done.refused] == ["c@lab.example"]

    anyio.run(main)


def test_a_loss_before_the_final_dot_is_tried_again_and_one_after_it_never() -> None:
    async def main() -> None:
        async with peer(RCPT=[HANG_UP, "250 2.1.5 Ok"]) as server:
            run = run_to(route(server.port), retries=3)
            await run.go()
        assert [one.outcome for one in run.attempts] == ["refused", "accepted"]
        async with peer(DOT=HANG_UP) as server:
            run = run_to(route(server.port), retries=3)
            await run.go()
        assert [one.outcome for one in run.attempts] == ["unknown"]
        assert len(server.contents) == 1
        assert [one.success for one in run.done.records] == [None]
        assert outcome_of(run.done.records) == "unknown"

    anyio.run(main)


def test_5xx_and_a_refused_login_are_never_tried_again() -> None:
    async def main() -> None:
        async with peer(RCPT="550 5.1.1 no") as server:
            run = run_to(route(server.port), retries=3)
            await run.go()
        assert server.count("RCPT") == 1
        async with peer(BANNER="554 5.7.1 no") as server:
            run = run_to(route(server.port), retries=3, asked=Load(1e6, 1e6, 20e-6))
            await run.go()
        assert server.connections == 1
        assert len(run.done.records) == 1  # the others were not even begun
        assert run.done.spent == 0

    anyio.run(main)


def test_a_connection_that_the_server_ended_between_two_mails_costs_nothing() -> None:
    async def main() -> None:
        ok = "250 2.1.0 Ok"
        async with peer(MAIL=[ok, "421 4.4.2 timeout exceeded", ok, HANG_UP, ok]) as server:
            run = run_to(route(server.port), asked=Load(1e6, 1e6, 3e-6))
            await run.go()
        assert [one.success for one in run.done.records] == [True] * 3
        assert server.connections == 3

    anyio.run(main)


def test_a_server_that_is_not_there_is_replaced_by_the_fallback() -> None:
    async def main() -> None:
        async with peer() as gone:
            dead = gone.port
        async with sink() as server:
            run = run_to(route(dead), route(server.port), asked=Load(1e6, 1e6, 3e-6))
            await run.go()
            assert [one.success for one in run.done.records] == [True] * 3
        async with sink() as server, peer(BANNER="421 4.3.2 shutting down") as busy:
            run = run_to(route(busy.port), route(server.port))
            await run.go()
            assert len(server.mails) == 1
        async with sink() as server, peer(MAIL="451 4.3.0 no") as present:
            run = run_to(route(present.port), route(server.port))
            await run.go()
            assert server.mails == []  # a server that answers is the one that was meant

    anyio.run(main)


def test_a_server_without_tls_is_not_replaced() -> None:
    async def main() -> None:
        async with sink() as server, peer() as plain:
            run = run_to(route(plain.port, "starttls"), route(server.port))
            await run.go()
            assert server.mails == []
            assert run.done.failure is not None
            assert run.done.failure.code == "SMTP_TLS_REQUIRED"

    anyio.run(main)


def test_cancelling_keeps_what_was_done() -> None:
    async def main() -> None:
        accepted = ["250 2.0.0 Ok: queued as 4F2A1B3C5D"] * 3
        async with peer(DOT=[*accepted, SILENCE]) as server:
            run = run_to(route(server.port), asked=load(20, 60))
            with anyio.move_on_after(0.6):
                await run.go()
        assert [one.success for one in run.done.records] == [True, True, True, None]
        assert run.done.spent == 4

    anyio.run(main)


def test_a_run_ends_at_its_deadline() -> None:
    async def main() -> None:
        async with sink() as server:
            began = anyio.current_time()
            run = run_to(route(server.port), asked=load(10, 60), deadline=began + 0.5)
            await run.go()
            assert anyio.current_time() - began < 2
        assert 3 <= len(server.mails) <= 6
        assert run.done.failure is not None
        assert run.done.failure.code == "SMTP_TIMEOUT"

    anyio.run(main)


def test_nothing_is_sent_twice_and_nothing_lost() -> None:
    async def main() -> None:
        async with sink() as server:
            run = run_to(route(server.port), asked=Load(1e6, 1e6, 300e-6), parallel=5)
            await run.go()
        counted = Counter(server.message_ids)
        assert set(counted.values()) == {1}
        assert sorted(counted) == sorted(one.message_id for one in run.done.records)
        queue_ids = {one.message_id: one.queue_id for one in run.done.records}
        assert queue_ids == dict(zip(server.message_ids, _queue_ids(server), strict=True))

    anyio.run(main)


def _queue_ids(server: Sink) -> list[str]:
    return [one.queue_id for one in server.mails]


def test_cancelled_while_it_waits_for_a_retry_the_refusal_is_kept() -> None:
    async def main() -> None:
        async with peer(RCPT="451 4.7.1 later") as server:
            ways = [Way(route(server.port), Pattern(plan()))]
            run = Kept(ways, ONE_MAIL, Effort(3, 60.0, timeouts=QUICK))
            with anyio.move_on_after(0.4):
                await run.go()
        assert [(one.success, one.status_code) for one in run.done.records] == [(False, 451)]

    anyio.run(main)


def test_what_cannot_be_written_down_ends_the_run() -> None:
    async def main(pen: AuditPen) -> None:
        async with sink() as server:
            run = Run(
                [Way(route(server.port), Pattern(plan()))],
                Load(1e6, 1e6, 9e-6),
                Effort(timeouts=QUICK),
                lambda: datetime.now(UTC),
                lambda attempt, peer: pen.line({"what": attempt.outcome}),
            )
            await run.go()
        assert len(server.mails) == 1
        assert len(run.done.records) == 1
        assert run.done.failure is not None
        assert run.done.failure.code == "NOT_ALLOWED"

    full = Path("/dev/full")
    with full.open("wb", buffering=0) as file:
        anyio.run(main, AuditPen(file.fileno(), full))
