"""The graph as TensorFlow's and XLA's own optimisers leave it: the constants of a sum merged to one.

`(1 - p) + 1e-8` runs as `p`'s distance from `1 + 1e-8`, which is 1 in float32: the guard is gone. What is proved has
to hold for that as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node, reachable


def merged(builder: Builder, roots: Sequence[Node]) -> list[Node]:
    """The roots with the constants of every sum of three and more parts added up, in float32."""
    made: dict[Node, Node] = {}
    for node in reachable(roots):
        operands = [made[operand] for operand in node.inputs]
        made[node] = node
        if any(new is not old for new, old in zip(operands, node.inputs, strict=True)):
            made[node] = builder.graph.add(node.op, operands, dict(node.attrs), type=node.type, span=node.span)
        if node.op in ("add", "subtract"):
            made[node] = _summed(builder, made[node])
    return [made[root] for root in roots]


def _summed(builder: Builder, node: Node) -> Node:
    """A sum with one constant where it had several."""
    parts: list[tuple[bool, Node]] = []
    stack = [(True, node)]
    while stack:
        plus, part = stack.pop()
        if part.op in ("add", "subtract"):
            left, right = part.inputs
            stack += [(plus == (part.op == "add"), right), (plus, left)]
        else:
            parts.append((plus, part))
    numbers = [(plus, part) for plus, part in parts if part.is_const]
    rest = [(plus, part) for plus, part in parts if not part.is_const]
    if len(numbers) < 2 or not rest:
        return node
    total = np.float32(0.0)
    for plus, part in numbers:
        total += np.float32(part.value if plus else -part.value)
    result = builder.graph.const(float(total))
    for plus, part in sorted(rest, key=lambda each: not each[0]):
        result = builder.apply("add" if plus else "subtract", [result, part], span=node.span)
    return result
