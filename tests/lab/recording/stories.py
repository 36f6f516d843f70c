"""The stories, read from stories.toml."""

import tomllib
from pathlib import Path
from typing import Any

from .mail import Mail

ACTS = "acts"


def _mail(story: str, fields: dict[str, Any]) -> Mail:
    # TOML has lists where a frozen mail has tuples.
    given: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()
    }
    return Mail(story, **given)


def _read() -> dict[str, dict[str, Mail]]:
    with Path(__file__).with_name("stories.toml").open("rb") as file:
        groups = tomllib.load(file)
    return {
        group: {story: _mail(story, fields) for story, fields in stories.items()}
        for group, stories in groups.items()
    }


GROUPS = _read()
# What has to wait for a retry begins before everything else.
FIRST = tuple(GROUPS["delayed"].values())
NEXT = tuple(
    mail
    for group, stories in GROUPS.items()
    if group not in ("delayed", ACTS)
    for mail in stories.values()
)
BY_HAND = tuple(GROUPS[ACTS].values())
ALL = (*FIRST, *BY_HAND, *NEXT)
