"""The machine on which something was measured."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def described() -> str:
    """Cores, processor, Python and system in one sentence."""
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = os.getloadavg()[0]
    cores = f"{os.cpu_count()} cores ({_processor()})"
    return f"Machine: {cores}, {python}, {system}; load at the start {load:.1f}."


def _processor() -> str:
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    for line in about.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
