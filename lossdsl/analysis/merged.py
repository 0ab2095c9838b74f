"""The graph as TensorFlow's and XLA's own optimisers leave it: the constants of a sum merged to one.

`(1 - p) + 1e-8` runs as `p`'s distance from `1 + 1e-8`, which is 1 in float32: the guard is gone. What is proved has
to hold for that as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossdsl.ir.build import Builder
from lossdsl.ir.node import CAST, STRUCTURAL, Node, reachable
from lossdsl.ops import row
from lossdsl.ops.op import Family

Number = type[np.floating[Any]]
"""The type in which the numbers are added."""


def merged(builder: Builder, roots: Sequence[Node], number: Number = np.float32) -> list[Node]:
    """The roots with the constants of every sum of three and more parts added up."""
    made: dict[Node, Node] = {}
    numbered: set[Node] = set()  # sums with a constant among their parts
    for node in reachable(roots):
        operands = [made[operand] for operand in node.inputs]
        made[node] = again(builder, node, operands)
        if node.op in ("add", "subtract"):
            if any(x.is_const or x in numbered for x in made[node].inputs):
                numbered.add(made[node])
            made[node] = _without(builder, _summed(builder, made[node], numbered, number), number)
            if any(part.is_const or part in numbered for part in made[node].inputs):
                numbered.add(made[node])
    return [made[root] for root in roots]


def again(builder: Builder, node: Node, operands: Sequence[Node]) -> Node:
    """A node of the same kind, on other operands."""
    if all(new is old for new, old in zip(operands, node.inputs, strict=True)):
        return node
    return builder.graph.add(node.op, operands, dict(node.attrs), type=node.type, span=node.span)


def constants(node: Node) -> list[float]:
    """The constants of a sum, those also that optimisers see through what only moves, or adds up, its entries.

    A sum over one entry, a flip, an index: XLA drops or exchanges them, and then the constants meet.
    """
    found, stack = [], [node]
    while stack:
        part = stack.pop()
        if part.is_const:
            found.append(float(part.value))
        elif part.op in ("add", "subtract", "negative", CAST) or (
            part.op not in STRUCTURAL and row(part.op).family is not Family.ELEMENTWISE
        ):
            stack.extend(part.inputs)
    return found if not node.is_const else []


def vanishes(one: float, other: float, number: Number = np.float32) -> bool:
    """Whether a type has no sum of two numbers but one of them."""
    if one == 0.0 or other == 0.0:
        return False
    with np.errstate(over="ignore"):
        sums = {number(one + sign * other) for sign in (1.0, -1.0)}
        return bool(sums & {number(sign * x) for sign in (1.0, -1.0) for x in (one, other)})


def _without(builder: Builder, node: Node, kind: Number) -> Node:
    """A sum whose constant may vanish in one that is hidden in the other operand: without it."""
    if node.op not in ("add", "subtract"):
        return node
    left, right = node.inputs
    for value, number in ((left, right), (right, left)):
        if number.is_const and any(vanishes(own, float(number.value), kind) for own in constants(value)):
            return builder.apply("negative", [right]) if value is right and node.op == "subtract" else value
    return node


def _summed(builder: Builder, node: Node, numbered: set[Node], number: Number) -> Node:
    """A sum with one constant where it had several; sums that have none in them stay as they are."""
    parts: list[tuple[bool, Node]] = []
    stack = [(True, node)]
    while stack:
        plus, part = stack.pop()
        if part.op in ("add", "subtract") and part in numbered:
            left, right = part.inputs
            stack += [(plus == (part.op == "add"), right), (plus, left)]
        else:
            parts.append((plus, part))
    numbers = [(plus, part) for plus, part in parts if part.is_const]
    rest = [(plus, part) for plus, part in parts if not part.is_const]
    if len(numbers) < 2 or not rest:
        return node
    total = number(0.0)
    for plus, part in numbers:
        total += number(part.value if plus else -part.value)
    result = builder.graph.const(float(total))
    for plus, part in sorted(rest, key=lambda each: not each[0]):
        result = builder.apply("add" if plus else "subtract", [result, part], span=node.span)
    return result
