"""The configuration as a question needs it: clusters with the mail exchangers that belong to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError

if TYPE_CHECKING:
    from mailtrace_mcp.checks.lookups import Lookups

_KEPT = 60.0  # seconds; following looks at the same hosts again and again
_ONE_NAME = 2.0  # seconds
_known: dict[int, tuple[float, Config, Config, tuple[str, ...]]] = {}


async def whole(
    config: Config, host: str | None = None, lookups: Lookups | None = None
) -> tuple[Config, tuple[str, ...]]:
    """The configuration whose clusters have all their hosts, and what must be said of it (hints of ours).

    Where no cluster says `mx:DOMAIN` it is the same, and nobody is asked. Raises UNKNOWN_HOST if `host` is a
    cluster that stands for no host.
    """
    if not any(one.exchangers for one in config.clusters.values()):
        return config, ()
    found, notes = await _joined(config, lookups)
    if host is not None and not found.host_names(host):
        words = f"the cluster {host} stands for no configured host. {' '.join(notes)}"
        raise MailtraceError(Code.UNKNOWN_HOST, words)
    return found, notes


async def _joined(config: Config, lookups: Lookups | None) -> tuple[Config, tuple[str, ...]]:
    from mailtrace_mcp.checks.exchangers import joined
    from mailtrace_mcp.checks.lookups import Lookups

    now = time.monotonic()
    kept = _known.get(id(config))
    if kept is not None and kept[1] is config and now - kept[0] < _KEPT:
        return kept[2:]
    found, notes = await joined(config, lookups or Lookups(seconds=_ONE_NAME))
    _known.clear()
    _known[id(config)] = (now, config, found, notes)
    return found, notes
