"""The syslog daemon of a host: which form its stamps have, and in which zone."""

from .hosts import Host
from .machine import Machine

# rsyslog's names for the forms; a journald-like one would be a template of ours here.
TEMPLATES = {"rfc3339": "RSYSLOG_FileFormat", "bsd": "RSYSLOG_TraditionalFileFormat"}

# No imklog: the kernel's log is the outer machine's. No rate limit: every line counts.
CONFIGURATION = """\
module(load="imuxsock" SysSock.RateLimit.Interval="0")
global(workDirectory="/var/spool/rsyslog")
mail.* action(type="omfile" file="/var/log/mail.log" template="{template}"
              fileOwner="root" fileGroup="adm" fileCreateMode="0640")
"""


def start(machine: Machine, host: Host) -> None:
    """Set the host's zone, then start logging; before Postfix, or its first lines are lost."""
    machine.run("ln", "-sfn", f"/usr/share/zoneinfo/{host.zone}", "/etc/localtime")
    machine.write("/etc/timezone", host.zone + "\n")
    machine.write("/etc/rsyslog.conf", CONFIGURATION.format(template=TEMPLATES[host.log_format]))
    machine.run("mkdir", "-p", "/var/spool/rsyslog")
    # In the foreground, because to go to the background costs it a second.
    machine.spawn("rsyslogd", "-n", log="/var/log/rsyslogd.out")
    machine.wait_for("/dev/log")


def rotate(machine: Machine) -> None:
    """What logrotate does to mail.log: rename it, tell rsyslogd, compress the old one."""
    script = (
        "mv /var/log/mail.log /var/log/mail.log.1 && kill -HUP $(cat /run/rsyslogd.pid) && sleep 1"
        " && gzip -n /var/log/mail.log.1"
    )
    machine.run("/bin/sh", "-c", script)
