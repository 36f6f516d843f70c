"""The page in a real browser: what is drawn of five stories, what a click shows, what it never does."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import pytest

from mailtrace_mcp.answers import TraceAnswer, as_json
from mailtrace_mcp.answers.parts import MailOutcome, Place
from mailtrace_mcp.answers.trace_types import Hop, HopLink, Trace
from mailtrace_mcp.views import steps
from mailtrace_mcp.views.page import app, page
from tests.answers.found import FULL, TWO_HOPS, listed, two_hops
from tests.trace.plain import graph

from .chromium import Page
from .conftest import Show
from .looking import CONTRAST, EDGES, ENDS, OVERLAPS, SIDEWAYS, SMALLEST, TIMELINE

LETTERS = {"sent": "S", "deferred": "D", "bounced": "B"}


def the_mail(answer: TraceAnswer) -> Trace:
    [trace] = answer.traces
    return trace


def hop_at(trace: Trace, host: str, queue_id: str | None) -> Hop:
    return next(one for one in trace.hops if (one.host, one.queue_id) == (host, queue_id))


def ends_of(trace: Trace) -> list[list[str]]:
    """Letter and title of each end: recipients that ended alike at one place, and notices."""
    alike = {
        (one.host, one.queue_id, one.outcome, one.end, one.relay, one.dsn, one.reason)
        for one in trace.recipients
    }
    told = [[LETTERS[key[2]], f"{key[2]} {key[5]}"] for key in alike]
    return sorted(told + [[LETTERS[one.outcome], one.outcome] for one in trace.notices])


def label_of(trace: Trace, link: HopLink) -> Iterator[str]:
    """The words at an edge: queue ID, recipients, kind and delay, evidence and confidence."""
    assert link.target is not None
    source = hop_at(trace, link.source.host, link.source.queue_id)
    yield link.target.queue_id or ""
    names = {source.attempts[n].recipient for n in link.attempts or ()} or {
        one.to for one in trace.notices if one.queue_id == link.target.queue_id
    }
    yield names.pop() or "" if len(names) == 1 else f"{len(names)} recipients"
    yield " ".join(filter(None, (link.kind, steps.after(steps.handed_on(source, link)))))
    yield f"{link.evidence}, {link.confidence}"


def test_every_hop_end_and_link_is_drawn_with_its_label(
    show: Show, story_answer: TraceAnswer
) -> None:
    shown, trace = show(story_answer), the_mail(story_answer)
    titles = shown.run(
        "return [...document.querySelectorAll('.node.hop .title')].map(t => t.textContent)"
    )
    assert sorted(titles) == sorted(hop.queue_id or "" for hop in trace.hops)
    assert sorted(shown.run(ENDS)) == ends_of(trace)
    edges = shown.run(EDGES)
    sure = [link for link in trace.links if link.confidence == "proven"]
    assert len(sure) == len(trace.links) - sum(
        link.confidence == "possible" for link in trace.links
    )
    for link in sure:
        words = list(label_of(trace, link))
        [drawn] = [one for one in edges if one["words"] == words]
        assert drawn["dashed"] == (link.target in [p for n in trace.notices for p in n.path])
    assert trace.sender is not None
    [came] = [one for one in edges if one["words"][:1] == ["from"]]
    assert came["words"][1] == trace.sender
    lanes = shown.run(
        "return [...document.querySelectorAll('.lane-names span')].map(s => s.textContent)"
    )
    outside = ["outside, not ours"] if any(e.end == "outside" for e in trace.recipients) else []
    assert sorted(lanes) == sorted({hop.host for hop in trace.hops} | set(outside))


def test_nothing_leaves_the_page_and_nobody_complains(
    show: Show, story_answer: TraceAnswer
) -> None:
    shown = show(story_answer)
    shown.run("for (const one of document.querySelectorAll('details')) one.open = true")
    shown.size(400)
    shown.settle()
    [asked] = shown.requests
    assert asked.startswith("file://")
    assert shown.complaints == []


@pytest.mark.parametrize("width", [1280, 400, 320])
def test_it_is_readable_at_any_width(
    show: Show, story_answer: TraceAnswer, tmp_path: Path, width: int
) -> None:
    shown = show(story_answer)
    shown.size(width)
    shown.settle()
    shown.screenshot(tmp_path / f"{width}.png")
    assert (tmp_path / f"{width}.png").stat().st_size > 20_000
    assert shown.run(SIDEWAYS) <= 0
    assert shown.run(OVERLAPS) == []
    assert shown.run(SMALLEST) >= 11
    shown.run("for (const one of document.querySelectorAll('details')) one.open = true")
    shown.settle()
    assert shown.run(SIDEWAYS) <= 0


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_readable_in_the_light_and_in_the_dark(
    show: Show, story_answer: TraceAnswer, dark: bool
) -> None:
    shown = show(story_answer)
    shown.dark(dark)
    shown.run("for (const one of document.querySelectorAll('details')) one.open = true")
    shown.settle()
    ground = shown.run("return getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(22, 25, 29)" if dark else "rgb(255, 255, 255)")
    poor = shown.run(CONTRAST)  # WCAG 2.2, 1.4.3
    assert poor == []


def test_a_click_on_a_hop_shows_its_raw_lines(show: Show, story_answer: TraceAnswer) -> None:
    shown, trace = show(story_answer), the_mail(story_answer)
    hop = trace.hops[0]
    where = f"line, {hop.host} {hop.queue_id}"
    lines = [one.text for one in trace.untrusted if one.where == where]
    assert lines
    assert shown.run("return document.querySelectorAll('.lines li').length") == 0
    shown.click(*middle_of(shown, hop.queue_id or ""))
    assert opened_lines(shown) == lines


@pytest.mark.parametrize("key", ["Enter", " "])
def test_the_keys_do_what_the_mouse_does(show: Show, story_answer: TraceAnswer, key: str) -> None:
    shown = show(story_answer)
    shown.run("document.querySelector('.graph').focus()")
    shown.press("Tab")
    assert shown.run("return document.activeElement.classList.contains('node')")
    shown.press(key)
    assert opened_lines(shown)


def middle_of(shown: Page, title: str) -> tuple[float, float]:
    x, y = shown.run(
        f"""const node = [...document.querySelectorAll('.node.hop')].find(
              n => n.querySelector('.title').textContent === {json.dumps(title)});
            node.scrollIntoView({{block: 'center', inline: 'center'}});
            const box = node.querySelector('rect').getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]"""
    )
    return x, y


def opened_lines(shown: Page) -> Any:
    return shown.run(
        "return [...document.querySelectorAll('details[open] .lines li')].map(l => l.textContent)"
    )


def test_the_timeline_has_a_bar_for_each_hop_and_a_letter_for_each_try(
    show: Show, story_answer: TraceAnswer
) -> None:
    shown, trace = show(story_answer), the_mail(story_answer)
    drawn = {one["name"]: one for one in shown.run(TIMELINE)}
    assert set(drawn) == {f"{hop.host} {hop.queue_id}" for hop in trace.hops}
    for hop in trace.hops:
        tries = {(one.at, one.status): LETTERS[one.status or ""] for one in hop.attempts}
        assert sorted(drawn[f"{hop.host} {hop.queue_id}"]["letters"]) == sorted(tries.values())
    follows = {(link.source.host, link.source.queue_id): link.target for link in trace.links
               if link.confidence == "proven" and link.target}  # fmt: skip
    for (host, queue_id), later in follows.items():
        first, then = drawn[f"{host} {queue_id}"], drawn[f"{later.host} {later.queue_id}"]
        assert first["start"] <= then["start"] + 0.5


def test_what_was_not_seen_is_told_with_its_reason(show: Show, story_answer: TraceAnswer) -> None:
    open_ended = story_answer.model_copy(
        update={
            "traces": tuple(
                one.model_copy(update={"complete": False}) for one in story_answer.traces
            )
        }
    )
    shown = show(open_ended)
    told = shown.run("return document.querySelector('.unseen').innerText")
    for host in story_answer.coverage.hosts:
        assert host.state == "partial"
        assert f"{host.host} partial: {host.reason}" in told
    assert "not complete" in shown.run("return document.querySelector('.mail header').innerText")
    text = shown.run("return document.body.innerText")
    assert all(hint in text for hint in story_answer.hints)
    assert story_answer.summary == shown.run("return document.title")


def test_the_answer_in_the_page_is_the_answer(story_answer: TraceAnswer) -> None:
    text = page(story_answer)
    _, _, rest = text.partition('id="answer">')
    held, _, _ = rest.partition("</script>")
    assert "<" not in held
    assert held.isascii()
    assert json.loads(held) == as_json(story_answer)
    assert text.replace(held, "") == app()


def test_the_page_names_no_other_place() -> None:
    text = app()
    assert re.findall(r"https?://[^\"'\s]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", text
    )
    assert not re.search(r"\b(src|href|style|on[a-z]+)=", text)
    assert len(text) < 100_000


def test_the_policy_allows_this_script_and_this_style_alone() -> None:
    text = app()
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert rules == {
        "default-src": "'none'",
        "script-src": hash_of(script),
        "style-src": hash_of(style),
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_a_listing_tells_every_mail_and_by_a_click_its_lines(show: Show, tmp_path: Path) -> None:
    answer = listed(graph(**TWO_HOPS), FULL)
    shown = show(answer)
    rows = shown.run("return [...document.querySelectorAll('.row')].map(row => row.innerText)")
    assert len(rows) == len(answer.mails) == 3
    for mail, row in zip(answer.mails, rows, strict=True):
        words = [mail.queue_id, mail.host, f"from {mail.sender or '<>'}"]
        words += [one.recipient for one in mail.recipients]
        words += [f"{LETTERS[one.outcome]} {one.outcome} {one.dsn}" for one in mail.recipients]
        assert all(word in row for word in words if word), (words, row)
    assert shown.run("return document.querySelectorAll('.groups li').length") == 2
    shown.run("document.querySelector('.row summary').click()")
    shown.settle()
    assert opened_lines(shown) == [
        one.text for one in answer.mails[0].untrusted if "line, " in one.where
    ]
    for width in (1280, 400):
        shown.size(width)
        shown.settle()
        shown.screenshot(tmp_path / f"{width}.png")
        assert shown.run(SIDEWAYS) <= 0
        assert shown.run(CONTRAST) == []
    assert shown.complaints == []


def test_a_mail_to_thousands_is_drawn_in_part(show: Show) -> None:
    [mail] = two_hops().traces
    [sent] = [end for end in mail.recipients if end.outcome == "sent"]
    many = tuple(sent.model_copy(update={"recipient": f"u{n}@example.test"}) for n in range(3000))
    shown = show(of_one(mail.model_copy(update={"recipients": many})))
    assert "and 2996 more" in shown.run("return document.querySelector('.node.end').textContent")
    assert shown.run("return document.querySelectorAll('.card').length") < 210
    assert "And 2800 more." in shown.run("return document.body.innerText")
    assert shown.run(OVERLAPS) == []
    assert shown.complaints == []


@pytest.mark.parametrize("chain", [True, False])
def test_as_many_hops_as_a_trace_may_have(show: Show, chain: bool) -> None:
    """One after the other, and all after the first."""
    [mail] = two_hops().traces
    hops = tuple(
        mail.hops[0].model_copy(update={"host": f"host{n % 7}", "queue_id": f"A{n:05}"})
        for n in range(500)
    )
    places = [Place(host=hop.host, queue_id=hop.queue_id) for hop in hops]
    links = tuple(
        HopLink(
            source=places[n - 1 if chain else 0], target=places[n], kind="relay",
            evidence="queued_as", confidence="proven",
        )
        for n in range(1, 500)
    )  # fmt: skip
    shown = show(of_one(mail.model_copy(update={"hops": hops, "links": links, "notices": ()})))
    assert shown.run("return document.querySelectorAll('.node.hop').length") >= 500
    assert shown.run(SIDEWAYS) <= 0
    assert shown.complaints == []


def test_ways_that_are_not_certain_are_dotted_and_never_a_circle(show: Show) -> None:
    [mail] = two_hops().traces
    first, then, last = (Place(host=hop.host, queue_id=hop.queue_id) for hop in mail.hops)
    guess = HopLink(
        source=then, target=None, kind="relay", evidence="message_id+time", confidence="possible",
        candidates=(first, last),
    )  # fmt: skip
    named = HopLink(
        source=first, target=None, kind="forward", evidence="forwarded_as", confidence="likely", named="4ABCDEFABC",
    )  # fmt: skip
    shown = show(of_one(mail.model_copy(update={"links": (guess, *mail.links, named)})))
    dotted = "return [...document.querySelectorAll('.edge.dotted')].map(e => e.textContent)"
    [to_last, to_named] = sorted(shown.run(dotted), reverse=True)
    assert "message_id+time, one of several that fit" in to_last
    assert "4ABCDEFABC" in to_named
    assert "forwarded_as, likely" in to_named
    ghost = shown.run("return document.querySelector('.node.ghost').textContent")
    assert "no line of it found" in ghost


def of_one(mail: Trace) -> TraceAnswer:
    return two_hops().model_copy(update={"traces": (mail,)})


def test_every_outcome_has_a_letter_of_its_own_that_the_docs_name() -> None:
    letters = dict(re.findall(r'\["([a-z]+)", \["([A-Z])", "[a-z]+"\]\]', app()))
    assert set(letters) == set(get_args(MailOutcome)) - {"unknown"}
    assert len(set(letters.values())) == len(letters)
    docs = (Path(__file__).parents[2] / "docs" / "page.md").read_text()
    assert all(f"{letter} {outcome}" in docs for outcome, letter in letters.items())
