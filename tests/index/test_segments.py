"""Segments find what is in them, and notice when they are not what was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.logs.index.segments import (
    PAGE,
    BrokenSegmentError,
    encoded,
    in_file,
    in_memory,
    pairs_of,
    write,
)

BLOCKS = st.dictionaries(
    st.integers(0, 2**32 - 1), st.sets(st.sampled_from([b"a", b"b", b"c", b"dd"]))
)


@given(BLOCKS)
def test_each_key_is_found_in_its_blocks(blocks: dict[int, set[bytes]]) -> None:
    pairs = sorted(pair for number, keys in blocks.items() for pair in pairs_of(keys, number))
    segment = in_memory(encoded(pairs))
    assert segment.count == len(pairs)
    assert segment.pairs() == pairs
    for key in (b"a", b"b", b"c", b"dd", b"none"):
        assert segment.find(key) == sorted(number for number, keys in blocks.items() if key in keys)


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, PAGE + 1, 5 * PAGE])
def test_a_key_in_very_many_blocks_goes_over_pages(count: int) -> None:
    others = [pair for number in range(count) for pair in pairs_of([b"%d" % number], number)]
    pairs = sorted(others + [pair for number in range(count) for pair in pairs_of([b"x"], number)])
    segment = in_memory(encoded(pairs))
    assert segment.find(b"x") == list(range(count))
    assert segment.find(b"7") == [7]


def test_any_change_is_noticed(tmp_path: Path) -> None:
    pairs = sorted(
        pair for number in range(PAGE) for pair in pairs_of([b"x", b"%d" % number], number)
    )
    data = encoded(pairs)
    write(tmp_path, "one.keys", data)
    assert in_file(tmp_path / "one.keys").pairs() == pairs
    assert (tmp_path / "one.keys").stat().st_mode & 0o777 == 0o600
    for at in range(0, len(data), 501):
        spoiled = bytearray(data)
        spoiled[at] ^= 4
        with pytest.raises(BrokenSegmentError):
            in_memory(bytes(spoiled)).pairs()
    for cut in (data[:-1], data[:10], b"", data + b"\0"):
        with pytest.raises(BrokenSegmentError):
            in_memory(cut)
