"""known_hosts and ~/.ssh/config as texts; what ssh-keygen says of the same is the measure."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from mailtrace_mcp.config import Host, load
from mailtrace_mcp.logs.ssh.known_hosts import (
    Verdict,
    entries,
    fingerprint,
    known_kinds,
    verdict,
)
from mailtrace_mcp.logs.ssh.login import login
from mailtrace_mcp.logs.ssh.user_config import options

from .box import keypair, missing

A, B = base64.b64encode(b"key a").decode(), base64.b64encode(b"key b").decode()
ED = "ssh-ed25519"


@pytest.mark.parametrize(
    ("text", "names", "port", "expected"),
    [
        (f"mx1 {ED} {A}", ["mx1"], 22, "known"),
        (f"MX1,10.0.0.1 {ED} {A} comment", ["mx1"], 22, "known"),
        (f"mx1 {ED} {A}", ["Mx1"], 22, "known"),
        (f"mx1 {ED} {B}", ["mx1"], 22, "changed"),
        (f"mx1 {ED} {B}\nmx1 {ED} {A}", ["mx1"], 22, "known"),
        (f"mx1 ssh-rsa {B}", ["mx1"], 22, "changed"),
        (f"mx2 {ED} {A}", ["mx1"], 22, "unknown"),
        ("", ["mx1"], 22, "unknown"),
        (f"# mx1 {ED} {A}", ["mx1"], 22, "unknown"),
        (f"mx1 {ED}", ["mx1"], 22, "unknown"),
        (f"mx1 {ED} *not*base64*", ["mx1"], 22, "unknown"),
        (f"[mx1]:2222 {ED} {A}", ["mx1"], 2222, "known"),
        (f"mx1 {ED} {A}", ["mx1"], 2222, "unknown"),
        (f"[2001:db8::1]:2222 {ED} {A}", ["2001:db8::1"], 2222, "known"),
        (f"*.example.com {ED} {A}", ["mx1.example.com"], 22, "known"),
        (f"*.example.com,!mx1.example.com {ED} {A}", ["mx1.example.com"], 22, "unknown"),
        (f"mx? {ED} {A}", ["mx1"], 22, "known"),
        (f"@revoked mx1 {ED} {A}\nmx1 {ED} {A}", ["mx1"], 22, "revoked"),
        (f"@revoked * {ED} {A}", ["mx1"], 22, "revoked"),
        (f"@revoked * {ED} {B}\nmx1 {ED} {A}", ["mx1"], 22, "known"),
        (f"@cert-authority mx1 {ED} {A}", ["mx1"], 22, "unknown"),
        # The first name that is there decides: an old line cannot vouch for a new key.
        (f"10.0.0.1 {ED} {B}\nmx1 {ED} {A}", ["10.0.0.1", "mx1"], 22, "changed"),
        (f"mx1 {ED} {A}", ["10.0.0.1", "mx1"], 22, "known"),
    ],
)
def test_verdicts(text: str, names: list[str], port: int, expected: Verdict) -> None:
    assert verdict(list(entries(text)), names, port, b"key a") == expected


def test_kinds_that_are_known() -> None:
    text = f"mx1 ssh-rsa {A}\nmx1 {ED} {A}\n@revoked mx1 ecdsa-sha2-nistp256 {A}\nmx2 x {A}"
    assert known_kinds(entries(text), ["mx1"], 22) == ["ssh-rsa", ED]


@pytest.mark.skipif(bool(missing("ssh-keygen")), reason="no ssh-keygen: openssh-client")
def test_hashed_names_and_fingerprints_as_ssh_keygen_makes_them(tmp_path: Path) -> None:
    key = keypair(tmp_path / "key").with_suffix(".pub")
    kind, blob = key.read_text().split()[:2]
    file = tmp_path / "known_hosts"
    file.write_text(f"mx1 {kind} {blob}\n[mx1]:2222 {kind} {blob}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    known = list(entries(file.read_text()))
    assert "mx1" not in file.read_text()
    raw = base64.b64decode(blob)
    assert verdict(known, ["mx1"], 22, raw) == verdict(known, ["mx1"], 2222, raw) == "known"
    assert verdict(known, ["mx2"], 22, raw) == "unknown"
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", key], check=True, capture_output=True, text=True
    )
    assert fingerprint(raw) in shown.stdout


USER_CONFIG = """
# comment
Include more
Host mx1 mx2 !mx9
    HostName %h.example.com
    User = first
    IdentityFile ~/one
    IdentityFile "~/with blank"
Host other
    User never
Match exec "touch PWNED"
    User wrong
Match host mx1.example.com
    Port 2222
Match user x
    Port 1
Host *
    User second
    IdentityFile ~/two
    ProxyJump admin@jump:2200
    ProxyCommand touch PWNED
    Port nonsense
    A broken "line
"""


def test_options_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(USER_CONFIG.replace("PWNED", str(tmp_path / "pwned")))
    (tmp_path / "more").write_text("Host mx1\n  HostKeyAlias alias\nInclude more config\n")
    found = options(file, "mx1")
    assert found.hostname == "mx1.example.com"
    assert (found.user, found.port) == ("first", 2222)
    assert found.identity_files[:3] == ["~/one", "~/with blank", "~/two"]
    assert found.proxy_jump == "admin@jump:2200"
    assert found.host_key_alias == "alias"
    assert found.commanded
    assert options(file, "mx9").user == "second"
    assert options(tmp_path / "none", "mx1").user is None
    assert not (tmp_path / "pwned").exists()


def _host(tmp_path: Path, ssh: str) -> Host:
    file = tmp_path / "config.yaml"
    file.write_text(
        f"hosts: {{mx1: {{address: 10.0.0.1, logs: {{at: ssh, files: [/x]}}, ssh: {ssh}}}}}\n"
        f"ssh: {{known_hosts: {tmp_path}/known_hosts, connect_timeout: 3, command_timeout: 4}}\n"
    )
    return load(file, {}).hosts["mx1"]


def test_the_configuration_wins_over_the_user_s(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        "Host mx1\n HostName elsewhere\n Port 1\n User u\n IdentityFile /k1\n ProxyJump a,b@c:9\n"
        "Host c\n HostName real-c\n IdentityFile /k2\n"
    )
    found = login(_host(tmp_path, "{user: mailtrace, port: 22, key: /mine}"), file)
    assert (found.address, found.port, found.user, found.keys) == (
        "10.0.0.1",
        22,
        "mailtrace",
        ("/mine",),
    )
    assert (found.connect_timeout, found.command_timeout) == (3, 4)
    assert found.known_as == ("10.0.0.1", "mx1")
    through = found.jump
    assert through is not None and through.jump is not None
    assert (through.address, through.port, through.user, through.keys) == (
        "real-c",
        9,
        "b",
        ("/k2",),
    )
    assert (through.jump.address, through.jump.keys) == ("a", ("/mine",))
    silent = login(_host(tmp_path, "{}"), file)
    assert (silent.port, silent.user, silent.keys) == (1, "u", ("/k1",))
    assert not silent.allow_agent


def test_sh009_keys_are_looked_for_only_where_the_host_says_so(tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert login(_host(tmp_path, "{user: u}"), none).keys == ()
    looked = login(_host(tmp_path, "{user: u, look_for_keys: true}"), none).keys
    assert [Path(one).name for one in looked] == ["id_ed25519", "id_ecdsa", "id_rsa"]
