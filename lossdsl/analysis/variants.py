"""What a graph may be computed as: TensorFlow and XLA reorder sums and products, as if floats were numbers.

In a graph, TensorFlow moves a constant to the last part of a sum or product: `(x - y) + 1e-7` runs as `x + (1e-7 - y)`,
which is 0 where x and y are equal and not small, and `c * (x / y)` as `x * (c / y)`; and they take out common factors.
XLA makes one quotient of several: `a / b / c` runs as `a / (b * c)`, and that product may be 0. What is proved has to
hold for all of that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lossdsl.analysis.merged import Number, again, merged
from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node, reachable

SUMS, PRODUCTS = ("add", "subtract"), ("multiply", "divide")
Part = tuple[bool, Node]
"""A part of a sum, and whether it is added; of a product, and whether it is multiplied."""


def variants(builder: Builder, root: Node, number: Number = np.float32) -> list[Node]:
    """All that a root may be computed as, itself first."""
    (sums,) = merged(builder, [root], number)
    return list(dict.fromkeys([root, sums, _constants_last(builder, root, number), _single_quotients(builder, sums)]))


# -- TensorFlow ---------------------------------------------------------------------------------------------------


def _constants_last(builder: Builder, root: Node, number: Number) -> Node:
    """A root in which the constants of sums and products stand beside the last part, and common factors outside."""
    made: dict[Node, Node] = {}
    for node in reachable([root]):
        new = again(builder, node, [made[operand] for operand in node.inputs])
        made[node] = _constant_last(builder, _factored(builder, new), number)
    return made[root]


def _constant_last(builder: Builder, node: Node, number: Number) -> Node:
    group = next((group for group in (SUMS, PRODUCTS) if node.op in group), None)
    parts = _parts(node, group) if group is not None else None
    if group is None or parts is None or not any(x.is_const for _, x in parts):
        return node
    constant, (sign, inner) = parts if parts[0][1].is_const else parts[::-1]
    outside: list[Part] = []
    while not inner.is_const and (pair := _parts(inner, group)) is not None:
        (first, x), (second, y) = pair if not pair[0][1].is_const else pair[::-1]
        outside.append((first == sign, x))
        sign, inner = second == sign, y
    if not outside:
        return node
    result = _combined(builder, group, constant, (sign, inner), number)
    for part in reversed(outside):
        result = _combined(builder, group, part, (True, result), number)
    return result


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
        nothing = builder.graph.const(0.0 if group is SUMS else 1.0)
        return both if plus else builder.apply(group[1], [nothing, both])
    return builder.apply(group[1], [a, b] if plus else [b, a])


def _factored(builder: Builder, node: Node) -> Node:
    """`a * b + a * c` as `a * (b + c)`."""
    if node.op == "add" and all(x.op == "multiply" for x in node.inputs):
        left, right = (x.inputs for x in node.inputs)
        for a, b in (left, left[::-1]):
            if a in right:
                c = right[right[0] is a]
                return builder.apply("multiply", [a, builder.apply("add", [b, c])])
    return node


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
