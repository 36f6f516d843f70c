"""Which release of the program this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The installed version; `0` in a work tree that is not installed."""
    try:
        return metadata.version("mailtrace-mcp")
    except metadata.PackageNotFoundError:
        return "0"
