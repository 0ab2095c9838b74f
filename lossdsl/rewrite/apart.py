"""Constants of one sum kept apart where one would vanish in the other.

In `(1 - p) + 1e-8` TensorFlow's and XLA's optimisers add up the constants, and float32 has no `1 + 1e-8`: what was
added to keep a logarithm from 0 is gone. A value that is bounded by the lowest float, and so is not changed, lies
between them.
"""

from __future__ import annotations

from collections.abc import Sequence

from lossdsl.analysis.merged import constants, vanishes
from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node, reachable


def keep_apart(builder: Builder, roots: Sequence[Node]) -> dict[Node, Node]:
    """What each node becomes."""
    made: dict[Node, Node] = {}
    for node in reachable(roots):
        operands = [made[operand] for operand in node.inputs]
        if node.op in ("add", "subtract"):
            operands = [_apart(builder, x, y) for x, y in zip(operands, reversed(operands), strict=True)]
        same = all(new is old for new, old in zip(operands, node.inputs, strict=True))
        made[node] = (
            node if same else builder.graph.add(node.op, operands, dict(node.attrs), type=node.type, span=node.span)
        )
    return made


def _apart(builder: Builder, node: Node, other: Node) -> Node:
    """A sum beside a constant that would vanish in the sum's own, or it in that."""
    if not other.is_const or not any(vanishes(own, float(other.value)) for own in constants(node)):
        return node
    return builder.apply("kept_apart", [node], span=node.span)
