"""A number with its noun, for the words of this room."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 recipient`, `3 recipients`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
