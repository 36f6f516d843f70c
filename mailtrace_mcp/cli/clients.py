"""How to add the server to an MCP client, in that client's own words."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

CLIENTS = ("claude-code", "claude-desktop", "vscode")
_NAME = "mailtrace"


def client_config(client: str, config: Path) -> str:
    """What to paste. Clients start the server with almost no environment and in any folder, so the
    interpreter and the configuration are named by their whole paths."""
    command = sys.executable
    arguments = ["-m", "mailtrace_mcp", "--config", str(config.resolve()), "serve"]
    match client:
        case "claude-code":
            return shlex.join(["claude", "mcp", "add", _NAME, "--", command, *arguments])
        case "vscode":
            server = {"type": "stdio", "command": command, "args": arguments}
            return json.dumps({"servers": {_NAME: server}}, indent=2)
        case _:
            server = {"command": command, "args": arguments}
            return json.dumps({"mcpServers": {_NAME: server}}, indent=2)


def where_to_put(client: str) -> str:
    """One line for the person who reads it."""
    places = {
        "claude-code": "Run this command:",
        "claude-desktop": "Put this into claude_desktop_config.json (Settings, Developer, Edit Config):",
        "vscode": "Put this into .vscode/mcp.json:",
    }
    return places[client]
