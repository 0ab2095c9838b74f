"""The square roots of sums of squares, made of lengths: no square is left in them.

What has a root is made of squares by sums, means, products, quotients, choices and bounds, and of constants, sizes and
counts; its root is made of lengths in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lossdsl.analysis.ranges import ranges
from lossdsl.analysis.reach import reached
from lossdsl.interval import LARGEST, SMALLEST, Interval
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CONST, Node, reachable

DATA = ("y_true", "y_pred")
MARGIN = 1e3
"""How far from the ends of floats squares must stay to be left alone."""


class Root(NamedTuple):
    """A number whose square is meant: of either sign or not, and of `real` squares or of constants alone."""

    node: Node
    signed: bool
    real: bool


class Lengths:
    """Finds the roots of the values of one graph."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.known: dict[Node, Root | None] = {}
        self.ranges: dict[Node, Interval] = {}

    def of(self, node: Node) -> Root | None:
        """The root of a value that has one."""
        stack = [] if node in self.known else [node]
        while stack:  # operands first, without recursion
            lacking = [x for x in _parts(stack[-1]) if x not in self.known]
            if lacking:
                stack += lacking
            else:
                last = stack.pop()
                self.known[last] = self._made(last)
        return self.known[node]

    def risky(self, node: Node) -> Root | None:
        """The root of something with squares in it that may leave the range of floats."""
        found = self.of(node)
        if found is None or not found.real:
            return None
        lies = self._range(node)
        return None if lies.lo >= SMALLEST * MARGIN and lies.hi <= LARGEST / MARGIN else found

    def positive(self, root: Root) -> Node:
        """The root itself, where its sign is not all the same."""
        return self._apply("abs", root.node) if root.signed else root.node

    def _made(self, node: Node) -> Root | None:
        parts = [self.known[x] for x in _parts(node)]
        found = [part for part in parts if part is not None]
        if node.op == "square":
            return Root(node.inputs[0], True, True)
        if node.op == "var":
            return Root(self._apply("std", *node.inputs, axis=node.axes), False, True)
        if len(found) < len(parts) or not any(part.real for part in found):
            return self._given(node)
        root, signed = self._combined(node, found)
        return Root(root, signed, True)

    def _combined(self, node: Node, parts: list[Root]) -> tuple[Node, bool]:
        """The root of what an operation makes of squares, and whether it may be negative."""
        signed, roots = any(part.signed for part in parts), [part.node for part in parts]
        match node.op:
            case "sum":
                return self._apply("norm", *roots, axis=node.axes), False
            case "mean":
                return self._apply("root_mean_square", *roots, axis=node.axes), False
            case "add":
                return self._apply("hypot", *sorted(roots, key=lambda x: x.op == CONST)), False
            case "where":
                return self._apply("where", node.inputs[0], *roots), signed
            case "maximum" | "minimum" | "clip":
                return self._apply(node.op, *map(self.positive, parts)), False
        return self._apply(node.op, *roots), signed

    def _given(self, node: Node) -> Root | None:
        """The root of a number that no gradient goes to, as a constant, a size or a count."""
        free = not any(reached(reachable([node]), name)[node] for name in DATA)
        return Root(self._apply("sqrt", node), False, False) if free and self._range(node).lo >= 0 else None

    def _range(self, node: Node) -> Interval:
        self.ranges = ranges(reachable([node]), self.ranges)
        return self.ranges[node]

    def _apply(self, name: str, *operands: Node, axis: tuple[str, ...] | None = None) -> Node:
        attrs = None if axis is None else {"axis": axis}
        return self.builder.apply(name, operands, attrs, span=operands[0].span)


_ROOTED: dict[str, Callable[[Node], Sequence[Node]]] = {
    **dict.fromkeys(
        ("sum", "mean", "multiply", "divide", "add", "maximum", "minimum", "clip", "stop_gradient"),
        lambda node: node.inputs,
    ),
    "where": lambda node: node.inputs[1:],
}
"""Operations that have a root where these of their operands have one."""


def _parts(node: Node) -> Sequence[Node]:
    """The operands whose roots the root of a node is made of."""
    return _ROOTED[node.op](node) if node.op in _ROOTED else ()
