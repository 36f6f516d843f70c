"""What a configuration says, and what its parts must say about each other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailtrace_mcp.config import load, packaged_config
from mailtrace_mcp.errors import MailtraceError

from .conftest import Load, Refuse

TOOLS_MD = """
timezone: Asia/Taipei
hosts:
  csmail1: {address: 10.0.0.11, aliases: [csmail1.example.edu, "2001:db8::11"], timezone: UTC,
            logs: {at: ssh, kind: files, files: [/var/log/mail.log*]},
            ssh: {user: mailtrace, port: 22, key: ~/.ssh/id_ed25519}}
  csmail2: {address: [10.0.0.12, mail2.example.edu], logs: {at: ssh, kind: journald}}
  csmx1:   {logs: {at: loghost1, kind: files, files: [/srv/logs/mail.log*]}}
  csmx2:   {logs: {at: loghost1}}
  loghost1: {logs: {kind: files, files: [logs/mail.log*]}}
clusters: {smtp-cluster: [csmail1, csmail2], mx-cluster: {hosts: [csmx1, csmx2], aliases: [mx.example.edu, 10.0.0.20]}}
ssh: {known_hosts: ~/.ssh/known_hosts, connect_timeout: 10, command_timeout: 30}
limits: {window: 7d, bytes_per_host: 64MB, answer_chars: 40000, deadline: 45}
index: {path: ~/.cache/mailtrace, retention: 7d}
groups: {seeds: [probe@one.example, probe@two.example]}
smtp:
  policy: {recipients: [probe@one.example], recipient_domains: ["two.example"], max_recipients: 10, per_minute: 6, per_day: 200, content: template}
  default: lab
  profiles: {lab: {host: mail.one.example, port: 587, tls: starttls, verify: true, min_tls: "1.2", ca_file: ca.pem, cert: c.pem, key: k.pem, user: u, password: ${SMTP_PASSWORD}, auth: auto,
                   from: probe@one.example, senders: [probe@one.example], to: [probe@one.example], fallback: other, allow_insecure: false, dkim_selector: s1},
             other: {preset: gmail, user: u, password_command: "pass show 'my mail'"}}
http: {tokens: [{env: T, scopes: [mail:read, mail:send]}]}
"""


def test_the_example_of_the_contract_loads(config_of: Load, tmp_path: Path) -> None:
    config = config_of(TOOLS_MD, {"SMTP_PASSWORD": "x"})
    one, two, mx1, mx2, loghost = config.hosts.values()
    assert (one.addresses, one.zone, two.zone) == (
        ("10.0.0.11",),
        ZoneInfo("UTC"),
        ZoneInfo("Asia/Taipei"),
    )
    assert (one.ssh.user, one.ssh.port, two.ssh.user, two.ssh.connect_timeout) == (
        "mailtrace",
        22,
        None,
        10.0,
    )
    assert (one.logs.place, two.logs.kind, two.logs.files) == ("csmail1", "journald", ())
    assert (mx1.logs.place, mx1.logs.elsewhere, loghost.logs.elsewhere) == ("local", True, False)
    assert mx2.logs.files == loghost.logs.files == (f"{tmp_path}/logs/mail.log*",)
    assert config.limits.window == timedelta(days=7)
    assert config.limits.bytes_per_host == 64 * 1024 * 1024
    assert config.smtp.profiles["other"].host == "smtp.gmail.com"
    assert config.smtp.profiles["other"].password_command == ("pass", "show", "my mail")
    assert config.groups["seeds"] == ("probe@one.example", "probe@two.example")


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("csmail1", "csmail1"),
        ("CSMAIL1.Example.EDU.", "csmail1"),
        ("10.0.0.11", "csmail1"),
        ("[10.0.0.11]", "csmail1"),
        ("::ffff:10.0.0.11", "csmail1"),
        ("2001:DB8:0:0::11", "csmail1"),
        ("[IPv6:2001:db8::11]", "csmail1"),
        ("mail2.example.edu", "csmail2"),
        ("csmail1.example.com", None),
        ("example.edu", None),
        ("mail2", None),
        ("10.0.0.1", None),
        ("mx.example.edu", None),
        ("", None),
    ],
)
def test_a_host_is_known_by_its_exact_names_only(
    name: str, owner: str | None, config_of: Load
) -> None:
    assert config_of(TOOLS_MD, {"SMTP_PASSWORD": "x"}).owner_of(name) == owner


def test_a_cluster_is_known_by_its_aliases(config_of: Load) -> None:
    config = config_of(TOOLS_MD, {"SMTP_PASSWORD": "x"})
    cluster = config.cluster_of("MX.example.edu.")
    assert cluster is not None
    assert cluster.hosts == ("csmx1", "csmx2")
    assert config.cluster_of("10.0.0.20") == cluster
    assert config.cluster_of("mx-cluster") is None
    assert config.cluster_of("csmx1") is None


def test_a_selector_is_a_host_a_cluster_or_all(config_of: Load) -> None:
    config = config_of(TOOLS_MD, {"SMTP_PASSWORD": "x"})
    assert config.host_names("CsMail1") == ("csmail1",)
    assert config.host_names("SMTP-cluster") == ("csmail1", "csmail2")
    assert config.host_names() == config.host_names("ALL") == tuple(config.hosts)


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("csmail9", "no host or cluster 'csmail9' is configured. Hosts: csmail1, csmail2, csmx1"),
        ("csmаil1", r"'csm\u{430}il1'"),
        ("csmail1\u202e\n", r"'csmail1\u{202e}\u{a}'"),
        ("csmail1.example.edu", "It is a name of csmail1: use that."),
        ("", "no host or cluster ''"),
        ("x" * 100_000, "x" * 80 + "…'"),
    ],
)
def test_an_unknown_host_is_told_with_the_known_ones(
    selector: str, says: str, config_of: Load
) -> None:
    config = config_of(TOOLS_MD, {"SMTP_PASSWORD": "x"})
    with pytest.raises(MailtraceError) as caught:
        config.host_names(selector)
    assert caught.value.code == "UNKNOWN_HOST"
    assert says in caught.value.message
    assert "Clusters: smtp-cluster, mx-cluster." in caught.value.message


def _hosts(*parts: str) -> str:
    return "hosts:\n" + "".join(f"  {part}\n" for part in parts)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_hosts("a: {logs: {at: b, files: [x]}}"), r"hosts\.a\.logs\.at \(line 2\) names no host: 'b'"),
        (_hosts("a: {logs: {at: a, files: [x]}}"), r"hosts\.a\.logs\.at \(line 2\) leads in a circle"),
        (
            _hosts("a: {logs: {at: b, files: [x]}}", "b: {logs: {at: a, files: [x]}}"),
            r"hosts\.a\.logs\.at \(line 2\) leads in a circle.*hosts\.b\.logs\.at \(line 3\)",
        ),
        (_hosts("a: {logs: {at: local}}"), r"hosts\.a\.logs \(line 2\) has no files"),
        (_hosts("a: {address: x}"), r"hosts\.a\.logs \(line 2\) is missing"),
        (_hosts("a: {logs: {kind: journald, files: [x]}}"), r"files \(line 2\) and kind: journald"),
        (_hosts("a: {logs: {at: ssh, files: [x]}}"), r"files \(line 2\) must be absolute"),
        (_hosts("a: {logs: {files: []}}"), r"hosts\.a\.logs\.files \(line 2\) must not be empty"),
        (_hosts("a: {logs: {files: [x]}}", "A: {logs: {files: [x]}}"), "in case only"),
        (_hosts("local: {logs: {files: [x]}}"), r"hosts\.local \(line 2\) is a word of its own"),
        (_hosts("'a b': {logs: {files: [x]}}"), r"hosts\.a b \(line 2\) is no name"),
        (
            _hosts("a: {address: m.example, logs: {files: [x]}}", "b: {aliases: [M.example.], logs: {files: [x]}}"),
            r"hosts\.b\.aliases \(line 3\) has 'm\.example', which already names a$",
        ),
        (
            _hosts('a: {address: "2001:db8:0::1", logs: {files: [x]}}', 'b: {address: "2001:DB8::1", logs: {files: [x]}}'),
            r"hosts\.b\.address \(line 3\) has '2001:db8::1', which already names a$",
        ),
        (
            _hosts("a: {logs: {files: [x]}}") + "clusters: {a: [a]}\n",
            r"clusters\.a \(line 3\) is also a name of a",
        ),
        (
            _hosts("a: {aliases: [vip.example], logs: {files: [x]}}")
            + "clusters: {c: {hosts: [a], aliases: [vip.example]}}\n",
            r"clusters\.c\.aliases \(line 3\) has 'vip\.example', which already names a$",
        ),
        (_hosts("a: {logs: {files: [x]}}") + "clusters: {c: []}\n", r"clusters\.c.* must not be empty"),
        (_hosts("a: {logs: {files: [x]}}") + "clusters: {all: [a]}\n", r"clusters\.all \(line 3\)"),
        ("timzone: UTC\n", r"timzone \(line 1\) is an unknown key\. Did you mean 'timezone'\?"),
        ("limits: {windows: 7d}\n", r"limits\.windows .* Did you mean 'window'\?"),
        (
            "hosts: {a: {logs: {files: [x]}, ssh: {known_hosts: k}}}\n",
            r"hosts\.a\.ssh\.known_hosts \(line 1\) .* belongs elsewhere: ssh\.known_hosts",
        ),
        ("limits: {window: 7}\n", r"limits\.window \(line 1\) must be a span"),
        ("limits: {bytes_per_host: 64 MB}\n", r"limits\.bytes_per_host \(line 1\) must be a size"),
        ("timezone: ../../etc/passwd\n", r"timezone \(line 1\) is no time zone"),
        ("groups: {seeds: [a@x, 'b@x, c@y']}\n", r"groups\.seeds\[2\] \(line 1\) must be one mail"),
        ("- a\n", "line 1: it must be a mapping"),
        ("a: &x b\n", "line 1: anchors"),
        ("timezone: UTC\n---\ntimezone: UTC\n", "line 2: a second document"),
        ("smtp: {policy: {max_recipients: 3}}\n", r"smtp\.policy \(line 1\) must name someone"),
        ("smtp: {profiles: {lab: {host: h, user: u, password: ''}}}\n", r"password .* not be empty"),
        ("smtp: {default: x, profiles: {lab: {host: h}}}\n", r"smtp\.default .* names no profile: 'x'"),
        ("smtp: {profiles: {lab: {port: 25}}}\n", r"smtp\.profiles\.lab \(line 1\) must have a host"),
        ("smtp: {profiles: {a: {host: h, fallback: b}, b: {host: h, fallback: a}}}\n", "circle"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_line(text: str, says: str, refusal_of: Refuse) -> None:
    assert re.search(says, refusal_of(text))


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file(refusal_of: Refuse) -> None:
    words = refusal_of("zone: a\nlimits: {window: 1}\nssh: {port: 0}\n")
    assert re.search(r"zone \(line 1\).*limits\.window \(line 2\).*ssh\.port \(line 3\)", words)


def test_loopback_addresses_name_no_host(config_of: Load) -> None:
    hosts = _hosts(
        "a: {address: 127.0.0.1, ssh: {port: 2201}, logs: {at: ssh, files: [/x]}}",
        "b: {address: 127.0.0.1, ssh: {port: 2202}, logs: {at: ssh, files: [/x]}}",
    )
    config = config_of(hosts)
    assert config.owner_of("127.0.0.1") is None
    assert config.hosts["b"].addresses == ("127.0.0.1",)


def test_variables_come_from_the_environment_before_dotenv(config_of: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# mine\nexport ZONE='Europe/Paris'\nPORT=2222 # ssh\nUSER_=one\n"
    )
    text = _hosts("a: {logs: {at: ssh, files: [/x]}}") + (
        "timezone: ${ZONE}\nssh: {port: '${PORT}', user: 'x-${USER_}-$${y}'}\n"
    )
    config = config_of(text, {"USER_": "two"})
    ssh = config.hosts["a"].ssh
    assert (str(config.zone), ssh.port, ssh.user) == ("Europe/Paris", 2222, "x-two-${y}")


def test_a_missing_variable_is_named(refusal_of: Refuse) -> None:
    words = refusal_of("timezone: UTC\nssh:\n  user: ${NOBODY}\n")
    assert "ssh.user (line 3) needs the variable NOBODY" in words


def test_a_secret_of_a_dotenv_that_others_read_is_refused(
    config_of: Load, refusal_of: Refuse, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PW=x\n")
    (tmp_path / ".env").chmod(0o644)
    text = "smtp: {profiles: {lab: {host: h, user: u, password: '${PW}'}}}\n"
    assert "chmod 600 .env" in refusal_of(text)
    (tmp_path / ".env").chmod(0o600)
    assert config_of(text).smtp.default == "lab"


def test_exchangers_of_a_domain_may_be_members_of_a_cluster(
    config_of: Load, refusal_of: Refuse
) -> None:
    hosts = "hosts: {a: {logs: {files: [x]}}}\n"
    cluster = config_of(hosts + "clusters: {mx: ['mx:Example.COM.', a]}\n").clusters["mx"]
    assert (cluster.hosts, cluster.exchangers) == (("a",), ("example.com",))
    only = config_of(hosts + "clusters: {mx: ['mx:example.com']}\n").clusters["mx"]
    assert (only.hosts, only.exchangers) == ((), ("example.com",))
    for wrong in ("mx:", "mx:localhost", "mx:192.0.2.1", "mx:a b.example"):
        assert "mx:example.com" in refusal_of(hosts + f"clusters: {{mx: ['{wrong}']}}\n")


def test_a_zone_that_nobody_configured_is_marked_as_assumed(config_of: Load) -> None:
    text = _hosts("a: {logs: {files: [x]}}", "b: {timezone: Asia/Taipei, logs: {files: [x]}}")
    config = config_of(text)
    assert [host.zone_assumed for host in config.hosts.values()] == [True, False]
    # The zone in which times are typed is the next best guess, and no more.
    host = config_of("timezone: Asia/Tokyo\n" + text).hosts["a"]
    assert (str(host.zone), host.zone_assumed) == ("Asia/Tokyo", True)


PROVIDERS = """
version: "1.0"
providers:
  main: {name: Main, description: d, provider: email, enabled: true,
         config: {platform: smtp, host: m.example, port: 465, user: u, pass: p, from: a@m.example}}
  second: {provider: email.smtp, config: {platform: smtp, host: m.example, tls_skip_verify: true}}
  off: {provider: email, enabled: false, config: {host: "${NOT_SET}"}}
  chat: {provider: chat.room, config: {token: "${NOT_SET}"}}
workflows: [{whatever: "${NOT_SET}"}]
"""


def test_a_provider_file_gives_profiles(config_of: Load) -> None:
    profiles = config_of(PROVIDERS).smtp.profiles
    assert list(profiles) == ["main", "second"]
    main, second = profiles.values()
    assert (main.tls, main.port, main.sender, main.verify) == ("smtps", 465, "a@m.example", True)
    assert (second.tls, second.port, second.verify) == ("starttls", 587, False)


def test_a_missing_configuration_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(MailtraceError) as caught:
        load(None, {})
    for place in (
        "--config",
        "MAILTRACE_CONFIG",
        "./config.yaml",
        "~/.config/mailtrace/config.yaml",
    ):
        assert place in caught.value.message
    (tmp_path / ".config/mailtrace").mkdir(parents=True)
    (tmp_path / ".config/mailtrace/config.yaml").write_text("timezone: Asia/Tokyo\n")
    assert str(load(None, {}).zone) == "Asia/Tokyo"
    (tmp_path / "config.yaml").write_text("timezone: Asia/Seoul\n")
    assert str(load(None, {}).zone) == "Asia/Seoul"
    (tmp_path / "other.yaml").write_text("timezone: Asia/Dubai\n")
    assert str(load(None, {"MAILTRACE_CONFIG": "other.yaml"}).zone) == "Asia/Dubai"
    with pytest.raises(MailtraceError, match="no such file"):
        load("nowhere.yaml", {})


HOMELESS = """
import os
os.environ.clear()
from mailtrace_mcp.config import load
os.setreuid(54321, 0)  # files stay readable
for path in (None, "~/config.yaml"):
    try:
        load(path)
    except Exception as error:
        print(type(error).__name__, str(error)[:50])
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody who is not known")
def test_a_user_without_a_home_has_no_configuration_there(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HOMELESS], capture_output=True, text=True, cwd=tmp_path
    )
    first, second = ran.stdout.splitlines()
    assert first.startswith("MailtraceError CONFIG_INVALID: there is no configuration"), ran.stderr
    assert second.startswith("MailtraceError CONFIG_INVALID: ~/config.yaml: there is no")


def test_the_configuration_of_the_repository_loads() -> None:
    config = load(packaged_config(), {})
    assert str(config.zone) == "Asia/Taipei"
    assert config.hosts
