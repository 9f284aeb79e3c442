"""Restriction classes that lead to themselves.

smtpd does not look for them when it starts. A class that is evaluated within itself makes a real
one crash, or answer 451 4.3.5 after a hundred levels where a table's answer is in between; here
it is always the latter, and found when the policy is loaded, as far as no table is involved.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from maysend.restrictions.node import Node

Classes = Mapping[str, tuple[Node, ...]]


def with_loops_found(classes: Classes) -> dict[str, tuple[Node, ...]]:
    """The classes, in which every node that closes a loop has that as its finding."""
    closing = {}
    for name in classes:
        for path, node in _ways_back(name, classes):
            # Of a loop of several classes only one way round is told: from its first class.
            if name == min(path, key=list(classes).index):
                loop = " → ".join([*path, name])
                closing[id(node)] = f"restriction class loop: {loop}: smtpd would crash here"
    return {
        name: tuple(replace(node, finding=closing.get(id(node), node.finding)) for node in nodes)
        for name, nodes in classes.items()
    }


def _ways_back(start: str, classes: Classes) -> Iterator[tuple[list[str], Node]]:
    """Each first way from a class back to itself: the classes on it, and its last node."""
    seen = {start}
    paths = [[start]]
    while paths:
        path = paths.pop()
        for node in classes[path[-1]]:
            if node.written == start:
                yield path, node
            elif node.written in classes and node.written not in seen:
                seen.add(node.written)
                paths.append([*path, node.written])
