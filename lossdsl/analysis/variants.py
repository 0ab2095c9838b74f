"""What a graph may be computed as: TensorFlow and XLA reorder sums and quotients, as if floats were numbers.

In a graph, TensorFlow moves a constant of a sum to one of the other parts: `(x - y) + 1e-7` runs as `x + (1e-7 - y)`,
which is 0 where x and y are equal and not small; it sorts operands by the names of its nodes. (What it does to
products is in `chains`.) XLA makes one quotient of several: `a / b / c` runs as `a / (b * c)`, and that product may
be 0. What is proved has to hold for all of that.

Seen with TensorFlow 2.21 on a CPU, eager calls beside graphs at numbers from 1e-35 to 1e35: constants moved through
sums and differences. Through no quotient: `c * (x / y)`, `c / (x * y)` and `(c / x) * y` ran as written. No common
factor was taken out of a sum of products, or of quotients.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from lossdsl.analysis.merged import Number, again, merged
from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node, reachable

Part = tuple[bool, Node]
"""A part of a sum, and whether it is added."""
LEVELS = 2
"""How far down a sum is told which part gets the constant; below, the same side again."""


def variants(builder: Builder, root: Node, number: Number = np.float32) -> list[Node]:
    """All that a root may be computed as, itself first."""
    (sums,) = merged(builder, [root], number)
    moved = [_constants_moved(builder, root, sides, number) for sides in product((True, False), repeat=LEVELS)]
    return list(dict.fromkeys([root, sums, *moved, _single_quotients(builder, sums)]))


# -- TensorFlow ---------------------------------------------------------------------------------------------------


def _constants_moved(builder: Builder, root: Node, last: Sequence[bool], number: Number) -> Node:
    """A root in which the constants of sums stand beside other parts: at each level the last or first."""
    made: dict[Node, Node] = {}
    for node in reachable([root]):
        made[node] = _constant_moved(builder, again(builder, node, [made[x] for x in node.inputs]), last, number)
    return made[root]


def _constant_moved(builder: Builder, node: Node, last: Sequence[bool], number: Number) -> Node:
    parts = _parts(node)
    if parts is None or not any(x.is_const for _, x in parts):
        return node
    constant, (sign, inner) = parts if parts[0][1].is_const else parts[::-1]
    outside: list[Part] = []
    while not inner.is_const and (pair := _parts(inner)) is not None:
        to_last = last[min(len(outside), LEVELS - 1)] or inner.op == "subtract"
        swapped = pair[0][1].is_const or not (pair[1][1].is_const or to_last)
        (first, x), (second, y) = pair[::-1] if swapped else pair
        outside.append((first == sign, x))
        sign, inner = second == sign, y
    if not outside:
        return node
    result = _sum(builder, constant, (sign, inner), number)
    for part in reversed(outside):
        result = _sum(builder, part, (True, result), number)
    return result


def _parts(node: Node) -> tuple[Part, Part] | None:
    if node.op not in ("add", "subtract"):
        return None
    return (True, node.inputs[0]), (node.op == "add", node.inputs[1])


def _sum(builder: Builder, left: Part, right: Part, number: Number) -> Node:
    (plus, a), (also, b) = left, right
    if a.is_const and b.is_const:
        sides = [number(x.value if sign else -x.value) for sign, x in (left, right)]
        return builder.graph.const(float(sides[0] + sides[1]))
    if plus == also:
        both = builder.apply("add", [a, b])
        return both if plus else builder.apply("subtract", [builder.graph.const(0.0), both])
    return builder.apply("subtract", [a, b] if plus else [b, a])


# -- XLA ----------------------------------------------------------------------------------------------------------


def _single_quotients(builder: Builder, root: Node) -> Node:
    """A root in which no quotient has another one above or below."""
    made: dict[Node, Node] = {}
    for node in reachable([root]):
        operands = [made[operand] for operand in node.inputs]
        made[node] = _joined(builder, node, operands) or again(builder, node, operands)
    return made[root]


def _joined(builder: Builder, node: Node, operands: Sequence[Node]) -> Node | None:
    """A quotient of quotients as one: `(a / b) / (c / d)` as `(a * d) / (b * c)`."""
    whole = _quotient(builder, node.op, operands)
    parts = [_quotient(builder, x.op, x.inputs) for x in whole or ()]
    if whole is None or not any(parts):
        return None
    (a, *b), (c, *d) = (part or (x,) for part, x in zip(parts, whole, strict=True))
    above, below = ([x for x in factors if not (x.is_const and x.value == 1)] for factors in ((a, *d), (*b, c)))
    sides = [_product(builder, factors) for factors in (above, below)]
    return builder.apply("divide", sides, span=node.span)


def _quotient(builder: Builder, name: str, operands: Sequence[Node]) -> tuple[Node, Node] | None:
    """What is divided by what."""
    if name == "reciprocal":
        return builder.graph.const(1.0), operands[0]
    return (operands[0], operands[1]) if name == "divide" else None


def _product(builder: Builder, factors: Sequence[Node]) -> Node:
    if len(factors) == 2:
        return builder.apply("multiply", factors)
    return factors[0] if factors else builder.graph.const(1.0)
