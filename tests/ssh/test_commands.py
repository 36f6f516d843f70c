"""The command lines that reach a server are fixed, whatever is searched for; how answers are framed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mailtrace_mcp.logs.journal import MATCHES, OPTIONS
from mailtrace_mcp.logs.ssh import commands, listing
from mailtrace_mcp.logs.ssh.commands import Form, line
from mailtrace_mcp.logs.ssh.marks import Mark, Marks, NoiseError

KEYS = some.lists(
    some.binary(min_size=1, max_size=50).filter(lambda key: not set(key) & {0, 10}),
    min_size=1,
    max_size=20,
)
INSTALLED = "mailtrace-read 1 grep /var/log/mail.log 5 100 fold"
INLINE = (
    f"timeout -k 2 120 sh -c '{commands.core()}' mailtrace-read grep /var/log/mail.log 5 100 fold"
)


@given(keys=KEYS)
def test_what_is_searched_for_stands_in_no_command_line(keys: list[bytes]) -> None:
    request = commands.grepping("/var/log/mail.log", 5, 100, keys, True)
    assert line("installed", request) == INSTALLED
    assert line("inline", request) == INLINE
    assert request.data == b"".join(key + b"\n" for key in keys)


@given(path=some.text(max_size=60))
def test_a_path_is_a_plain_word_or_refused(path: str) -> None:
    try:
        request = commands.reading(path, [(0, 1)])
    except ValueError:
        return
    words = shlex.split(line("inline", request))
    assert words[-3:] == [commands.remote(path), "0", "1"]
    assert line("installed", request).split(" ")[3:] == [commands.remote(path), "0", "1"]


@pytest.mark.parametrize("pattern", ["/var/log/mail.log*", "~/logs/*.log", "/v/[ab]?/x"])
@pytest.mark.parametrize("form", ["installed", "inline"])
def test_globs_are_quoted_where_a_shell_sees_them(pattern: str, form: Form) -> None:
    text = line(form, commands.listing([pattern]))
    words = shlex.split(text) if form == "inline" else text.split(" ")
    assert words[-1] == commands.remote(pattern)


@pytest.mark.parametrize("path", ["/x;id", "/x y", "x", "-f", "/$(id)", "/x\n", "/'", "/x*", ""])
def test_other_words_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        commands.reading(path, [(0, 1)])


@pytest.mark.parametrize("number", [-1, 10**15])
def test_numbers_have_bounds(number: int) -> None:
    with pytest.raises(ValueError, match="no offset"):
        commands.reading("/x", [(number, 1)])


def test_the_script_can_be_sent_in_one_line() -> None:
    core = commands.core()
    assert "\n" not in core and "'" not in core and not re.search(r"!\S", core)
    assert len(core) < 4000


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_the_script_is_plain_sh(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    for text in (commands.core(), commands._SCRIPT.read_text()):
        words = [program, "sh"] if shell == "busybox" else [program]
        done = subprocess.run([*words, "-n", "-c", text], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_script_asks_the_journal_as_this_program_does() -> None:
    core = commands.core()
    assert f'mail="{" ".join(MATCHES)}"' in core
    assert f"journalctl {' '.join(OPTIONS)} " in core


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/var/log/mail.log*", "/var/log/mail.log.1", True),
        ("/var/log/mail.log*", "/var/log/mail.log/x", False),
        ("/var/log/mail.log*", "/etc/passwd", False),
        ("/var/log/*/mail.log", "/var/log/../mail.log", False),
        ("/var/log/*/mail.log", "/var/log/a/mail.log", True),
        ("/var/log/*", "/var/log/.hidden", False),
        ("/var/log/.*", "/var/log/.hidden", True),
        ("/var/log/mail.log", "/var/log/mail.log", True),
        ("./x*", "./xy", True),
    ],
)
def test_only_names_that_were_meant_are_taken(pattern: str, path: str, expected: bool) -> None:
    assert listing.matches(pattern, path) is expected


N = b"0123456789abcdef"
ANSWER = b"motd\n\n%b begin\nabc\n%b part 7\n\n\n%b part 0\nrest\n%b end 3\nlogout" % (N, N, N, N)
PIECES = [b"abc", Mark("part", 7), b"\n", Mark("part", 0), b"rest", Mark("end", 3)]


@given(cuts=some.lists(some.integers(0, len(ANSWER)), max_size=12))
def test_an_answer_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    marks = Marks(N)
    places = [0, *sorted(cuts), len(ANSWER)]
    found: list[bytes | Mark] = []
    for begin, end in pairwise(places):
        for piece in marks.feed(ANSWER[begin:end]):
            if found and isinstance(piece, bytes) and isinstance(found[-1], bytes):
                found[-1] += piece
            else:
                found.append(piece)
    assert found == PIECES
    assert marks.ended


@given(data=some.binary(max_size=300), cut=some.integers(0, 300))
def test_any_bytes_go_through_a_frame(data: bytes, cut: int) -> None:
    framed = b"\n%b begin\n" % N + data + b"\n%b end 0\n" % N
    marks = Marks(N)
    pieces = [*marks.feed(framed[:cut]), *marks.feed(framed[cut:])]
    assert b"".join(one for one in pieces if isinstance(one, bytes)) == data


@pytest.mark.parametrize(
    "text",
    [b"\n%b part 0\n", b"\n%b begin\n\n%b begin\n", b"\n%b begin\n\n%b what is this, please?\n"],
)
def test_marks_that_make_no_sense(text: bytes) -> None:
    with pytest.raises(NoiseError):
        list(Marks(N).feed(text.replace(b"%b", N)))


def test_noise_has_an_end() -> None:
    marks = Marks(N)
    with pytest.raises(NoiseError):
        for _ in range(1000):
            list(marks.feed(b"x" * 1024))
