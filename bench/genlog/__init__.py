"""Logs of Postfix hosts as large as is wanted: the same bytes for the same seed.

who there is            people.py
what a mail leaves      mails.py, replies.py; planted.py: one mail that is known, over several hosts
lines into a file       writing.py

Names are of `.example` and `.test`, addresses of the network for benchmarks (RFC 2544: 198.18.0.0/15).
"""

from __future__ import annotations

from bench.genlog.planted import Planted, planted
from bench.genlog.writing import START, Log, Stamps, write

__all__ = ["START", "Log", "Planted", "Stamps", "planted", "write"]
