"""What the machine must have for the lab, told in words when it is missing; and `lab install`."""

import os
import shutil
import subprocess
from pathlib import Path

from .errors import LabError

PACKAGES = (
    *("postfix", "postfix-pcre", "rsyslog", "dnsmasq-base", "openssh-server", "openssh-client"),
    *("iproute2", "util-linux", "python3"),
)
COMMANDS = ("postfix", "rsyslogd", "dnsmasq", "sshd", "ssh-keygen", "ip", "unshare", "nsenter")
POLICY = Path("/usr/sbin/policy-rc.d")


def check() -> None:
    """LabError unless this is root, with the packages, on a kernel that lets it make namespaces."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes network, mount, UTS, IPC and PID namespaces")
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [each for each in COMMANDS if shutil.which(each, path=path) is None]
    if missing:
        raise LabError(
            f"not installed: {', '.join(missing)}; `lab install` installs them (Debian, apt-get)"
        )
    _check_namespaces()


def _check_namespaces() -> None:
    unshare = ["unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "true"]
    done = subprocess.run(unshare, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"this kernel or container forbids namespaces: {done.stderr.strip()}")
    if "overlay" not in Path("/proc/filesystems").read_text():
        raise LabError("this kernel has no overlayfs (try `modprobe overlay`)")


def install() -> None:
    """Install the packages without starting a single service on the outer machine."""
    if os.geteuid() != 0:
        raise LabError("installing packages needs root")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
    # Without this the package asks which kind of mail server it is to be, and configures one.
    preseed = "postfix postfix/main_mailer_type select No configuration\n"
    subprocess.run(["debconf-set-selections"], input=preseed, text=True, check=True)
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
        subprocess.run(command, check=True, env=quiet)
    finally:
        if ours:
            POLICY.unlink()
