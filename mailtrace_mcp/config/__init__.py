"""config.yaml: which hosts there are, where their logs lie, what is allowed (TOOLS.md)."""

from __future__ import annotations

from mailtrace_mcp.config.loading import load, packaged_config
from mailtrace_mcp.config.model import Cluster, Config, Host, Logs, Ssh

__all__ = ["Cluster", "Config", "Host", "Logs", "Ssh", "load", "packaged_config"]
