"""The form of a graph that is printed: after all else, of a value and its gradient alike.

What stands here loses fewer digits, or is shared by a value and its gradient, but is no form to derive from: what is
differentiated is the plain one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable, uses
from lossdsl.rewrite.apart import keep_apart
from lossdsl.rewrite.passes import follow, rewrite
from lossdsl.rewrite.rules import PRINTED
from lossdsl.types import DType

Made = dict[Node, Node]
LENGTHS = {"normalize": "norm", "rms_normalize": "root_mean_square"}
"""What is divided by its length, and that length."""


def for_print(builder: Builder, roots: Sequence[Node], named: Collection[Node]) -> Made:
    """What each node becomes; what is `named` is to be seen under its name."""
    work = _Printed(builder, named)
    made = {node: node for node in reachable(roots)}

    def now() -> list[Node]:
        return [made[root] for root in roots]

    made = follow(made, work.all(now(), work.difference))
    made = follow(made, rewrite(builder, now(), PRINTED)[0])
    for better in (work.distance, work.direction, work.product):
        made = follow(made, work.all(now(), better))
    return follow(made, keep_apart(builder, now()))


class _Printed:
    def __init__(self, builder: Builder, named: Collection[Node]) -> None:
        self.builder = builder
        self.named = named
        self.counts: dict[Node, int] = {}
        self.lengths: set[tuple[object, ...]] = set()

    def all(self, roots: Sequence[Node], better: Callable[[Node], Node | None]) -> Made:
        """Every node, its operands first, in the better form if it has one."""
        nodes = reachable(roots)
        self.counts = uses(nodes)
        self.lengths = {(node.op, *node.inputs, node.axes) for node in nodes if node.op in LENGTHS.values()}
        made: Made = {}
        for node in nodes:
            operands = [made[operand] for operand in node.inputs]
            same = all(new is old for new, old in zip(operands, node.inputs, strict=True))
            attrs = dict(node.attrs)
            here = node if same else self.builder.graph.add(node.op, operands, attrs, type=node.type, span=node.span)
            made[node] = better(here) or here
        return made

    # -- differences ------------------------------------------------------------------------------------------

    def difference(self, node: Node) -> Node | None:
        """Of two sums of squares or lengths, by the difference of what is squared; of two squares there is a rule."""
        if node.op != "subtract" or node.inputs[0].op != node.inputs[1].op or not _alike(*node.inputs):
            return None
        one, other = node.inputs
        match one.op:
            case "sum" | "mean" if one.inputs[0].op == other.inputs[0].op == "square":
                x, y = one.inputs[0].inputs[0], other.inputs[0].inputs[0]
                if _alike(x, y) and one.axes == other.axes:
                    products = self._apply("multiply", self._apart(x, y), self._apply("add", x, y))
                    return self._reduced(one, products)
            case "norm":
                x, y = one.inputs[0], other.inputs[0]
                if _alike(x, y) and one.axes == other.axes:
                    whole = self._apply("nonzero", self._apply("add", one, other))
                    middle = self._apply("divide", self._apply("add", x, y), whole)
                    products = self._apply("multiply", self._apart(x, y), middle)
                    return self.builder.graph.add("sum", [products], {"axis": one.axes}, type=one.type, span=one.span)
        return None

    def _apart(self, x: Node, y: Node) -> Node:
        """x - y; what is subtracted from the same thing in both is left out of it."""
        if x.op == y.op == "subtract":
            (a, b), (c, d) = x.inputs, y.inputs
            if a is c and _alike(b, d, x):
                return self._apply("subtract", d, b)
            if b is d and _alike(a, c, x):
                return self._apply("subtract", a, c)
        return self._apply("subtract", x, y)

    def _reduced(self, like: Node, node: Node) -> Node:
        return self.builder.graph.add(like.op, [node], dict(like.attrs), type=like.type, span=like.span)

    def distance(self, node: Node) -> Node | None:
        """The distance of two directions, by those that are there anyhow."""
        if node.op != "cosine_distance" or not any(("norm", x, node.axes) in self.lengths for x in node.inputs):
            return None
        attrs = {"axis": node.axes}
        lengths, directions = (
            [self.builder.apply(name, [x], attrs, node.span) for x in node.inputs] for name in ("norm", "normalize")
        )
        squares = self._apply("square", self._apply("subtract", *directions))
        half = self._apply("divide", self.builder.apply("sum", [squares], attrs, node.span), self._const(2.0))
        none = self._apply("logical_or", *(self._apply("equal", length, self._const(0.0)) for length in lengths))
        return self._apply("where", none, self._const(1.0), half)

    def direction(self, node: Node) -> Node | None:
        """By a length that is there anyhow."""
        length = LENGTHS.get(node.op)
        if length is None or (length, *node.inputs, node.axes) not in self.lengths:
            return None
        there = self.builder.apply(length, node.inputs, {"axis": node.axes}, node.span)
        return self._apply("divide", *node.inputs, self._apply("nonzero", there))

    # -- products ---------------------------------------------------------------------------------------------

    def product(self, node: Node) -> Node | None:
        """A square that is weighed, one factor after the other: no square is larger than the whole, or inf times 0."""
        if node.op == "multiply":
            for square, weight in (node.inputs, node.inputs[::-1]):
                if self._may_be_apart(square, weight):
                    return self._apply("multiply", self._apply("multiply", weight, *square.inputs), *square.inputs)
        if node.op == "divide" and self._may_be_apart(*node.inputs):
            (x,) = node.inputs[0].inputs
            return self._apply("multiply", self._apply("divide", x, node.inputs[1]), x)
        return None

    def _may_be_apart(self, square: Node, weight: Node) -> bool:
        """Whether that costs nothing."""
        if square.op != "square" or square.type.dtype is not DType.FLOAT or self.counts.get(square, 1) > 1:
            return False
        # by a number hardly anything is won
        data = any(leaf.op == INPUT for leaf in reachable([weight]))
        return data and square not in self.named and weight.type.ids <= square.type.ids

    def _const(self, value: float) -> Node:
        return self.builder.graph.const(value)

    def _apply(self, name: str, *operands: Node) -> Node:
        return self.builder.apply(name, operands, span=operands[0].span)


def _alike(*nodes: Node) -> bool:
    """Whether values have the same axes, and are floats."""
    return all(node.type.dtype is DType.FLOAT for node in nodes) and len({node.type.ids for node in nodes}) == 1
