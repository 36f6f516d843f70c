"""What grep is given stands in every line that a term matches; a store's grep gives all of those."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtrace_mcp.logs import Term, TermKind
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.match import Matcher
from mailtrace_mcp.logs.plan.needles import needles
from tests.logs.conftest import DAY

KINDS: list[TermKind] = ["address", "domain", "queue_id", "message_id", "process", "literal"]
PIECES = ["bob", "@", "ex.com", "EX.COM", "ö", "Ö", "K", "4F2A1B", "postfix/smtp", "[12]", " 12 ", "<", ">", " ", "ſ", "."]  # fmt: skip
ASKED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
TEXTS = st.lists(st.sampled_from([*PIECES, "\n"]), max_size=12).map("".join)


@settings(max_examples=600, deadline=None)
@given(TEXTS, ASKED, TEXTS, st.sampled_from(KINDS))
def test_grep_gives_whatever_a_term_matches(
    tmp_path_factory: pytest.TempPathFactory, before: str, asked: str, after: str, kind: TermKind
) -> None:
    term = Term(kind, asked, DAY)
    data = (before + asked + after).encode()
    wanted = needles([term])
    if wanted is None or not wanted.keys:
        return
    path = tmp_path_factory.getbasetemp() / "needles.log"
    path.write_bytes(data)
    found = LocalStore().grep(str(path), 0, len(data), wanted.keys, wanted.fold, lambda: False)
    offsets = {one.offset for one in found}
    assert {hit.start for hit in Matcher([term]).hits(data)} <= offsets


def test_what_cannot_be_searched_for_is_read() -> None:
    assert needles([Term("everything", "", DAY)]) is None
    assert needles([Term("address", "ö@ö", DAY)]) is None
    assert needles([Term("literal", "ab", DAY)]) is None
    assert needles([Term("literal", "a\nb", DAY)]) == ((), False)


def test_only_the_asked_for_part_of_a_file_is_searched(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines = [b"line %d end" % number for number in range(50)]
    path.write_bytes(b"\n".join(lines))
    start, end = 11 * 10, 11 * 10 + 12 * 20
    found = list(LocalStore().grep(str(path), start, end, [b"end"], False, lambda: False))
    assert found[0].offset >= start
    assert all(path.read_bytes()[one.offset :].startswith(one.line) for one in found)
    assert all(one.offset < end for one in found)
