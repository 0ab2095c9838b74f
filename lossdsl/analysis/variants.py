"""What a graph may be computed as: TensorFlow and XLA reorder sums and products, as if floats were numbers.

In a graph, TensorFlow moves a constant of a sum or product to one of the other parts: `(x - y) + 1e-7` runs as
`x + (1e-7 - y)`, which is 0 where x and y are equal and not small, and `c * (x * y)` as `x * (c * y)` or as
`y * (c * x)`: it sorts operands by the names of its nodes. XLA makes one quotient of several: `a / b / c` runs as
`a / (b * c)`, and that product may be 0. What is proved has to hold for all of that.

Seen with TensorFlow 2.21 on a CPU, eager calls beside graphs at numbers from 1e-35 to 1e35: constants moved through
sums, differences and products, and one that divides a product moved as its inverse. Through no quotient: `c * (x / y)`,
`c / (x * y)` and `(c / x) * y` ran as written. No common factor was taken out of a sum of products, or of quotients.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from lossdsl.analysis.merged import Number, again, merged
from lossdsl.interval import LARGEST
from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node, reachable

SUMS, PRODUCTS = ("add", "subtract"), ("multiply",)
Part = tuple[bool, Node]
"""A part of a sum or product, and whether it is added; what is multiplied counts as added."""
LEVELS = 2
"""How far down a sum or product is told which part gets the constant; below, the same side again."""


def variants(builder: Builder, root: Node, number: Number = np.float32) -> list[Node]:
    """All that a root may be computed as, itself first."""
    (sums,) = merged(builder, [root], number)
    moved = [_constants_moved(builder, root, sides, number) for sides in product((True, False), repeat=LEVELS)]
    return list(dict.fromkeys([root, sums, *moved, _single_quotients(builder, sums)]))


# -- TensorFlow ---------------------------------------------------------------------------------------------------


def _constants_moved(builder: Builder, root: Node, last: Sequence[bool], number: Number) -> Node:
    """A root in which the constants of sums and products stand beside other parts: at each level the last or first."""
    made: dict[Node, Node] = {}
    for node in reachable([root]):
        made[node] = _constant_moved(builder, again(builder, node, [made[x] for x in node.inputs]), last, number)
    return made[root]


def _constant_moved(builder: Builder, node: Node, last: Sequence[bool], number: Number) -> Node:
    whole = _as_product(builder, node)
    group = next((group for group in (SUMS, PRODUCTS) if whole.op in group), None)
    parts = _parts(whole, group) if group is not None else None
    if group is None or parts is None or not any(x.is_const for _, x in parts):
        return node
    constant, (sign, inner) = parts if parts[0][1].is_const else parts[::-1]
    outside: list[Part] = []
    while not inner.is_const and (pair := _parts(inner, group)) is not None:
        to_last = last[min(len(outside), LEVELS - 1)] or inner.op == "subtract"
        swapped = pair[0][1].is_const or not (pair[1][1].is_const or to_last)
        (first, x), (second, y) = pair[::-1] if swapped else pair
        outside.append((first == sign, x))
        sign, inner = second == sign, y
    if not outside:
        return node
    result = _combined(builder, group, constant, (sign, inner), number)
    for part in reversed(outside):
        result = _combined(builder, group, part, (True, result), number)
    return result


def _as_product(builder: Builder, node: Node) -> Node:
    """A quotient by a number as a product with its inverse, where floats have that."""
    if node.op == "divide" and node.inputs[1].is_const and abs(node.inputs[1].value) * LARGEST >= 1.0:
        return builder.apply("multiply", [node.inputs[0], builder.graph.const(1.0 / node.inputs[1].value)])
    return node


def _parts(node: Node, group: Sequence[str]) -> tuple[Part, Part] | None:
    if node.op not in group:
        return None
    return (True, node.inputs[0]), (node.op == group[0], node.inputs[1])


def _combined(builder: Builder, group: Sequence[str], left: Part, right: Part, number: Number) -> Node:
    (plus, a), (also, b) = left, right
    if a.is_const and b.is_const and group is SUMS:
        sides = [number(x.value if sign else -x.value) for sign, x in (left, right)]
        return builder.graph.const(float(sides[0] + sides[1]))
    if plus == also:
        both = builder.apply(group[0], [a, b])
        return both if plus else builder.apply(group[1], [builder.graph.const(0.0), both])
    return builder.apply(group[1], [a, b] if plus else [b, a])


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
