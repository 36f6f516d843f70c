"""Any tree as indented lines, with the branches drawn."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Node:
    """One line of a tree and what hangs on it."""

    text: str
    children: list[Node] = field(default_factory=list)

    def add(self, text: str) -> Node:
        child = Node(text)
        self.children.append(child)
        return child


@dataclass(frozen=True)
class Branches:
    """The characters that branches are drawn with."""

    fork: str
    last: str
    through: str
    blank: str
    arrow: str


UNICODE = Branches("├─ ", "└─ ", "│  ", "   ", "→")
ASCII = Branches("|- ", "`- ", "|  ", "   ", "->")


def lines(root: Node, branches: Branches) -> list[str]:
    """The tree, a line for each node. Without recursion: a way may have 500 hops."""
    drawn: list[str] = []
    waiting: list[tuple[Node, str, str]] = [(root, "", "")]
    while waiting:
        node, before, below = waiting.pop()
        drawn.append(before + node.text)
        for place in range(len(node.children) - 1, -1, -1):
            last = place == len(node.children) - 1
            fork, through = (
                (branches.last, branches.blank) if last else (branches.fork, branches.through)
            )
            waiting.append((node.children[place], below + fork, below + through))
    return drawn
