"""The configuration cases of data/bad_inputs.jsonl, each under its id, in the keys of TOOLS.md.

CF048 (no secret shows) is in test_secrets.py.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pytest

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.errors import MailtraceError

from .conftest import Load, Refuse

HOST = "hosts: {mx1: {address: mx1.lab, logs: {files: [mail.log]}}}\n"
POLICY = "smtp: {policy: {recipients: [a@one.example]}, profiles: {lab: "

REFUSED = [
    # id, text, what the refusal must say
    ("CF001", "", r"line 1: it is empty"),
    (
        "CF003",
        HOST + HOST,
        r"line 2: the key 'hosts' stands here a second time \(first on line 1\)",
    ),
    ("CF004", HOST + "known_host: /x\n", r"known_host \(line 2\) .*'known_hosts'"),
    ("CF005", HOST + 'ssh: {known_hosts: ""}\n', r"ssh\.known_hosts \(line 2\) must not be empty"),
    ("CF006", HOST + "ssh: {known_hosts: false}\n", r"ssh\.known_hosts \(line 2\) must be text"),
    (
        "CF008",
        HOST + "ssh: {connect_timeout: ten}\n",
        r"ssh\.connect_timeout \(line 2\) must be a number",
    ),
    ("CF009", HOST + "ssh: {connect_timeout: -1}\n", r"ssh\.connect_timeout \(line 2\) must be"),
    ("CF011", HOST + "ssh: {connect_timeout: .inf}\n", r"ssh\.connect_timeout \(line 2\) must be"),
    ("CF012", HOST + "ssh: {port: 70000}\n", r"ssh\.port \(line 2\) must be .*65535"),
    (
        "CF014",
        'hosts: {mx1: {logs: {files: ["/var/log/mail.log; id"]}}}\n',
        r"hosts\.mx1\.logs\.files\[1\] \(line 1\) must be a path or glob",
    ),
    ("CF022", POLICY + '{host: h, password: "${SMTP_PW"}}}\n', r"password \(line 1\) .*not closed"),
    ("CF026", POLICY + "{host: h, user: u, password: 12345}}}\n", r"password .*put it in quotes"),
    (
        "CF028",
        POLICY + '{host: h, tls: none, user: u, password: "p"}}}\n',
        r"smtp\.profiles\.lab \(line 1\) .*unencrypted.*allow_insecure: true",
    ),
    ("CF032", 'x: !!python/object/apply:os.system ["touch pwned_marker"]\n', r"line 1: tags"),
    ("CF034", "[" * 20000, r"line 1: nested too deeply"),
    ("CF034", "a: " + "{a: " * 20000, r"line 1: nested too deeply"),
    ("CF036", b"\xff\xfea\n", r"it is not UTF-8 text"),
    ("CF036", "\ufeffhosts: {}\n", r"hosts \(line 1\) must not be empty"),
    (
        "CF045",
        HOST + "clusters: {c: [mx9]}\n",
        r"clusters\.c \(line 2\) has the unknown host 'mx9'",
    ),
    (
        "CF046",
        HOST + 'clusters: {c: ["mx:192.0.2.1"]}\n',
        r"clusters\.c \(line 2\) has 'mx:192.0.2.1', which is no domain",
    ),
    (
        "CF047",
        "hosts: {mx1: {timezone: Mars/Base, logs: {files: [mail.log]}}}\n",
        r"hosts\.mx1\.timezone \(line 1\) is no time zone",
    ),
]


@pytest.mark.parametrize(("case", "text", "says"), REFUSED)
def test_is_refused_with_its_key_and_line(
    case: str, text: str, says: str, refusal_of: Refuse, tmp_path: Path
) -> None:
    assert re.search(says, refusal_of(text)), case
    assert sorted(os.listdir(tmp_path)) == ["config.yaml"]


def test_cf007_a_known_hosts_file_that_is_not_there_switches_nothing_off(config_of: Load) -> None:
    config = config_of(HOST + "ssh: {known_hosts: /does/not/exist}\n")
    assert config.hosts["mx1"].ssh.known_hosts == "/does/not/exist"


def test_cf013_a_leading_zero_is_no_octal(config_of: Load) -> None:
    assert config_of(HOST + "ssh: {port: 022}\n").hosts["mx1"].ssh.port == 22


def test_cf016_a_glob_over_a_whole_folder_is_kept_as_a_glob(config_of: Load) -> None:
    config = config_of('hosts: {mx1: {logs: {at: ssh, files: ["/var/log/*"]}}}\n')
    assert config.hosts["mx1"].logs.files == ("/var/log/*",)


def test_cf019_no_and_on_are_names(config_of: Load) -> None:
    config = config_of("hosts: {no: {logs: {files: [a]}}, on: {logs: {files: [b]}}}\n")
    assert list(config.hosts) == ["no", "on"]


def test_cf025_the_value_of_a_variable_is_not_looked_through_again(config_of: Load) -> None:
    text = POLICY + '{host: h, user: u, password: "${A}"}}}\n'
    config = config_of(text, {"A": "${B}", "B": "x"})
    password = config.smtp.profiles["lab"].password
    assert password is not None
    assert password.get_secret_value() == "${B}"


def test_cf031_a_quota_of_nothing_is_kept_as_nothing(config_of: Load) -> None:
    config = config_of("smtp: {policy: {recipients: [a@one.example], per_minute: 0}}\n")
    assert config.smtp.policy is not None
    assert config.smtp.policy.per_minute == 0


def test_cf035_a_file_over_1_mb_is_not_read(refusal_of: Refuse, tmp_path: Path) -> None:
    big = tmp_path / "big.config.yaml"
    with big.open("wb") as file:
        file.truncate(200 << 20)
    assert "larger than 1 MB" in _refused(big)
    assert "larger than 1 MB" in refusal_of("a: " + "x" * (1 << 20))


def test_cf038_a_parse_error_shows_line_and_column_and_no_text(refusal_of: Refuse) -> None:
    words = refusal_of("password: S3CRET\na: [\n")
    assert re.search(r"line 3: this is not valid YAML \(column 1\)", words)
    assert "S3CRET" not in words


@pytest.mark.parametrize(
    "broken",
    ["S3CRET: [a", "a: 'S3CRET", "a: *S3CRET", "a: &S3CRET b", "a: !S3CRET b", "%S3CRET x\n---\na: b",
     "a: !S3CRET!x b", "a: S3CRET\x00", "a: @S3CRET", "a: S3CRET: b", "? {S3CRET: a}\n: b", "S3CRET",
     "- S3CRET", "a: b\n---\nS3CRET: b", "a: \"\\S3CRET\"", "a: |S3CRET\n b"],
)  # fmt: skip
def test_cf038_whatever_is_broken_the_text_is_not_quoted(broken: str, refusal_of: Refuse) -> None:
    assert "S3CRET" not in refusal_of(broken)


def test_cf039_a_password_in_a_file_that_others_can_read_is_refused(
    config_of: Load, refusal_of: Refuse
) -> None:
    text = POLICY + "{host: h, user: u, password: literal}}}\n"
    assert "chmod 600" in refusal_of(text, mode=0o644)
    assert config_of(text, mode=0o640).smtp.profiles["lab"].password is not None
    assert config_of(text.replace("literal", "${PW}"), {"PW": "x"}, mode=0o644)


def test_cf042_a_device_is_no_configuration() -> None:
    assert "it is a device, not a regular file" in _refused(Path("/dev/zero"))


def test_cf043_a_fifo_is_no_configuration_and_is_not_waited_on(tmp_path: Path) -> None:
    fifo = tmp_path / "config.yaml"
    os.mkfifo(fifo)
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(_refused(fifo)), daemon=True)
    asking.start()
    asking.join(timeout=5)
    assert answers
    assert "it is a FIFO" in answers[0]


def test_cf044_a_host_named_three_times_is_asked_once(config_of: Load) -> None:
    config: Config = config_of(HOST + "clusters: {c: [mx1, mx1, MX1]}\n")
    assert config.host_names("c") == ("mx1",)


def _refused(file: Path) -> str:
    with pytest.raises(MailtraceError) as caught:
        load(file, {})
    assert caught.value.code == "CONFIG_INVALID"
    return caught.value.message
