"""The ways to read a host give the same: commands sent along, the forced command, SFTP, both."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Sequence

import pytest

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.rotation import Trouble
from mailtrace_mcp.logs.ssh.command_store import CommandStore
from mailtrace_mcp.logs.store import Found, StoreError
from mailtrace_mcp.logs.unpack import CorruptError

from .conftest import MOST, Place, Stores, go_on

WAYS = ("inline", "installed", "sftp", "both")
TEXT = b"first line\nAAAA111: to=<Bob@Example.com>\nnul \0 BBBB222\n\xff\xfe no utf-8 AAAA111\nlast"


@pytest.mark.parametrize("way", WAYS)
def test_files_are_listed_oldest_first(way: str, place: Place, stores: Stores) -> None:
    place.write("mail.log.listed.2.gz", b"old\n")
    place.write("mail.log.listed.1", b"older\n")
    place.write("mail.log.listed", b"newest\n")
    found, troubles = stores(way).listed(["/var/log/mail.log.listed*"], go_on)
    assert [one.path for one in found] == [
        f"/var/log/mail.log.listed{end}" for end in (".2.gz", ".1", "")
    ]
    assert found[2].size == 7
    local = LocalStore().listed([str(place.box.log / "mail.log.listed*")], go_on)[0]
    assert [one.size for one in found] == [one.size for one in local]
    assert [int(one.written) for one in found] == [int(one.written) for one in local]
    assert len({one.identity for one in found}) == 3
    assert not troubles


@pytest.mark.parametrize("way", WAYS)
def test_a_file_keeps_its_identity_when_it_is_renamed(
    way: str, place: Place, stores: Stores
) -> None:
    (place.box.log / "mail.log.turned.1").unlink(missing_ok=True)
    place.write("mail.log.turned", b"line one\nline two\n")
    store = stores(way)
    (before,), _ = store.listed(["/var/log/mail.log.turned*"], go_on)
    (place.box.log / "mail.log.turned").rename(place.box.log / "mail.log.turned.1")
    place.write("mail.log.turned", b"another first line\n")
    (old, new), _ = store.listed(["/var/log/mail.log.turned*"], go_on)
    assert old.identity == before.identity != new.identity
    # What a path led to before the listing is not read under its name after it.
    assert store.spans("/var/log/mail.log.turned", [(0, 7)], go_on) == [b"another"]


@pytest.mark.parametrize("way", WAYS)
def test_spans(way: str, place: Place, stores: Stores) -> None:
    path = place.write("mail.log.spans", TEXT)
    spans = [(0, 5), (11, 7), (len(TEXT) - 4, 100), (len(TEXT) + 10, 5), (0, 0), (0, 1 << 20)]
    assert stores(way).spans(path, spans, go_on) == [TEXT[at : at + size] for at, size in spans]


@pytest.mark.parametrize("way", WAYS)
def test_many_spans_and_long_ones(way: str, place: Place, stores: Stores) -> None:
    data = random.Random(4).randbytes(3 << 20)
    path = place.write("mail.log.big", data)
    spans = [(number * 30_000, 4096) for number in range(60)] + [(1000, 2 << 20)]
    assert stores(way).spans(path, spans, go_on) == [data[at : at + size] for at, size in spans]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("start", [0, 1, 100_000])
def test_chunks_of_plain_and_packed_files(
    way: str, start: int, place: Place, stores: Stores
) -> None:
    text = b"".join(b"line %d of the log\n" % number for number in range(5_000))
    store = stores(way)
    for name, packing, data in (
        ("mail.log.c", "plain", text),
        ("mail.log.c.1.gz", "gzip", text),
        ("mail.log.c.2.bz2", "bzip2", bz2.compress(text)),
        ("mail.log.c.3.xz", "xz", lzma.compress(text)),
    ):
        path = place.write(name, data)
        assert b"".join(store.chunks(path, packing, start, go_on)) == text[start:]  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_packed_file_gives_what_is_there(way: str, place: Place, stores: Stores) -> None:
    whole = gzip.compress(random.Random(1).randbytes(1_000_000))
    path = place.write("mail.log.cut", whole[: len(whole) // 2])
    given = 0
    with pytest.raises(CorruptError):
        for chunk in stores(way).chunks(path, "gzip", 0, go_on):
            given += len(chunk)
    assert given > 90_000


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("start", "end", "keys", "fold"),
    [
        (0, 10_000, [b"AAAA111"], False),
        (0, 10_000, [b"aaaa111"], False),
        (0, 10_000, [b"bob@example.com"], True),
        (0, 10_000, [b"BBBB222", b"last"], False),
        (11, len(TEXT) - 4, [b"AAAA111", b"last"], False),
        (0, 0, [b"AAAA111"], False),
        (0, 10_000, [b"-v", b"--help", b"$(id)", b"`id`", b"';id"], False),
        (0, 10_000, [b"\xff\xfe"], False),
        (0, 10_000, [b"AAAA%03d" % number for number in range(5000)], False),
    ],
)
def test_grep_is_the_same_as_here(
    way: str, start: int, end: int, keys: Sequence[bytes], fold: bool, place: Place, stores: Stores
) -> None:
    path = place.write("mail.log.grep", TEXT)
    here = place.box.log / "mail.log.grep"
    expected = list(LocalStore().grep(str(here), start, end, keys, fold, go_on))
    assert list(stores(way).grep(path, start, end, keys, fold, go_on)) == expected


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", [b"", b"a\nb", b"a\0b"])
def test_a_key_that_would_match_everything_is_refused(
    way: str, key: bytes, place: Place, stores: Stores
) -> None:
    path = place.write("mail.log.keys", TEXT)
    with pytest.raises(ValueError, match="a key is empty"):
        list(stores(way).grep(path, 0, 100, [b"AAAA111", key], False, go_on))


@pytest.mark.parametrize("way", ["inline", "installed"])
@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz"])
def test_packed_files_are_searched_there(
    way: str, packing: str, place: Place, stores: Stores
) -> None:
    ends = {
        "gzip": (".gz", TEXT),
        "bzip2": (".bz2", bz2.compress(TEXT)),
        "xz": (".xz", lzma.compress(TEXT)),
    }
    end, data = ends[packing]
    path = place.write("mail.log.sift" + end, data)
    store = stores(way)
    assert isinstance(store, CommandStore)
    found = list(store.sift(path, packing, [b"BBBB222", b"last"], False, go_on))  # type: ignore[arg-type]
    assert found == [Found(41, b"nul \0 BBBB222"), Found(len(TEXT) - 4, b"last")]
    place.write("mail.log.sift" + end, b"" if packing == "gzip" else data[:-6])
    if packing != "gzip":
        with pytest.raises(OSError, match="cannot be unpacked"):
            list(store.sift(path, packing, [b"BBBB222"], False, go_on))  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_wrong_with_files_is_told(way: str, place: Place, stores: Stores) -> None:
    (place.box.log / "mail.log.closed").mkdir(exist_ok=True)
    (place.box.log / "mail.log.closed").chmod(0o700)
    (place.box.log / "mail.log.folder").mkdir(exist_ok=True)
    patterns = [
        "/var/log/mail.log.none*",
        "/var/log/mail.log.none",
        "/var/log/mail.log.closed/mail.log*",
        "/var/log/mail.log.folder",
    ]
    found, troubles = stores(way).listed(patterns, go_on)
    assert not found
    denied = Code.FILE_DENIED
    # Where the forced command does not name a folder, nothing in it may be looked for either.
    assert [(one.code, one.path) for one in troubles] == [
        (Code.FILE_NOT_FOUND, patterns[0]),
        (Code.FILE_NOT_FOUND, patterns[1]),
        (denied, patterns[2]),
        (denied, patterns[3]),
    ]
    assert troubles[0].words == "matches no file"
    assert troubles[1].words == "is not there"


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_may_not_be_read(way: str, place: Place, stores: Stores) -> None:
    path = place.write("mail.log.mine", b"x\n")
    (place.box.log / "mail.log.mine").chmod(0o600)
    store = stores(way)
    assert [one.path for one in store.listed([path], go_on)[0]] == [path]
    for read in (
        lambda: store.spans(path, [(0, 5)], go_on),
        lambda: list(store.chunks(path, "plain", 0, go_on)),
        lambda: list(store.grep(path, 0, 5, [b"key"], False, go_on)),
    ):
        with pytest.raises(PermissionError):
            read()
    (place.box.log / "mail.log.mine").unlink()
    with pytest.raises((FileNotFoundError, PermissionError)):
        store.spans("/var/log/mail.log.gone", [(0, 5)], go_on)


@pytest.mark.parametrize("way", WAYS)
def test_a_fifo_is_not_waited_on(way: str, place: Place, stores: Stores) -> None:
    place.box.run("rm -f /var/log/mail.log.fifo; mkfifo -m 0644 /var/log/mail.log.fifo")
    found, troubles = stores(way).listed(["/var/log/mail.log.fifo"], go_on)
    path = "/var/log/mail.log.fifo"
    assert (found, troubles) == ([], [Trouble(Code.FILE_DENIED, path, "is not a regular file")])


@pytest.mark.parametrize("way", ["inline", "sftp"])
def test_the_home_of_the_user(way: str, place: Place, stores: Stores) -> None:
    place.box.run("echo hello > /home/reader/own.log")
    store = stores(way)
    (one,), _ = store.listed(["~/own.lo*"], go_on)
    assert one.path == "~/own.log"
    assert store.spans(one.path, [(0, 5)], go_on) == [b"hello"]


@pytest.mark.parametrize("way", WAYS)
def test_more_than_the_limit_is_not_fetched(way: str, place: Place, stores: Stores) -> None:
    line = b"x" * 999 + b"\n"
    path = place.write("mail.log.long", line * 5000)
    store = stores(way)
    store._most = 1 << 20
    for found in (
        store.chunks(path, "plain", 0, go_on),
        (one.line for one in store.grep(path, 0, 1 << 40, [b"xxx"], False, go_on)),
    ):
        given = 0
        with pytest.raises(StoreError, match="More than 1 MB") as caught:
            for data in found:
                given += len(data)
        assert caught.value.code == Code.RANGE_TOO_WIDE
        assert 0 < given <= 5 << 20
    store._most = MOST


@pytest.mark.parametrize("way", WAYS)
def test_long_lines_are_cut(way: str, place: Place, stores: Stores) -> None:
    path = place.write("mail.log.wide", b"a\n" + b"AAAA111" * 300_000 + b"\nAAAA111 b\n")
    found = list(stores(way).grep(path, 0, 1 << 40, [b"AAAA111"], False, go_on))
    assert [one.offset for one in found] == [2, 2_100_003]
    assert len(found[0].line) == 64 * 1024


def test_the_chroot_has_its_own_paths(place: Place, stores: Stores) -> None:
    place.write("mail.log.chroot", TEXT)
    store = stores("chroot")
    found, troubles = store.listed(["/log/mail.log.chroot*"], go_on)
    assert [one.path for one in found] == ["/log/mail.log.chroot"] and not troubles
    lines = list(store.grep("/log/mail.log.chroot", 0, 1000, [b"BBBB222"], False, go_on))
    assert lines == [Found(41, b"nul \0 BBBB222")]


def test_who_may_do_nothing_is_told(stores: Stores) -> None:
    with pytest.raises(StoreError, match="neither commands nor SFTP") as caught:
        stores("nothing").listed(["/var/log/mail.log"], go_on)
    assert caught.value.code == Code.REMOTE_COMMAND_FAILED
