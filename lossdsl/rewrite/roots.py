"""Sums of squares by their roots, wherever it is a root, a logarithm, a power or a quotient of them that is asked for.

A square overflows beyond 2e19, and vanishes below 1e-19, though the length that it is made for is a number like any
other. Where ranges prove that no square gets near the ends of floats, all stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lossdsl.ir.build import Builder
from lossdsl.ir.node import CONST, Node, reachable
from lossdsl.rewrite.lengths import Lengths
from lossdsl.rewrite.passes import Applied
from lossdsl.rewrite.rules import Rule

_COSINE = "sum(normalize(x, axis=axis) * normalize(y, axis=axis), axis=axis)"
BY_ROOTS = {
    rule.name: rule
    for rule in (
        Rule("root-of-squares", "sqrt(square(x) + square(y))", "hypot(x, y)"),
        Rule("inverse-root-of-squares", "rsqrt(square(x) + square(y))", "1.0 / hypot(x, y)"),
        Rule("logarithm-of-squares", "log(sum(square(x), axis=axis))", "2.0 * log(norm(x, axis=axis))"),
        Rule("logarithms-of-squares", "log_difference(square(x), square(y))", "2.0 * log_difference(abs(x), abs(y))"),
        Rule("xlogy-of-squares", "xlogy(y, square(x) + 1)", "xlogy(y * 2.0, hypot(x, 1.0))"),
        Rule("log1p-of-square", "log1p(4 * square(x))", "log1p_square(x, 2.0)"),
        Rule("xlog1py-of-square", "xlog1py(y, square(x))", "y * log1p_square(x, 1.0)"),
        Rule("power-of-squares", "(square(x) + 1) ** 0.3", "hypot(x, 1.0) ** 0.6"),
        Rule("quotient-of-squares", "square(x) / (square(y) + square(x))", "square(x / hypot(y, x))"),
        Rule("share-of-square", "square(x) / (4 + square(x))", "square_share(0.5 * x)"),
        Rule("damped-by-square", "x / (1 + square(x))", "serpentine(x, 1.0)"),
        Rule("inverse-of-square", "1 / (1 + square(x))", "damped(1.0, x)"),
        Rule("hypot-less", "hypot(x, 2) - 2", "2.0 * hypotm1(0.5 * x)"),
        Rule("one-less-cosine", f"1 - {_COSINE}", "cosine_distance(x, y, axis=axis)"),
        Rule("one-less-mean-cosine", f"1 - mean({_COSINE})", "mean(cosine_distance(x, y, axis=axis))"),
    )
}
"""What is done, each by an example: the record of rewriting shows it, and the tests try it."""

Found = tuple[str, Node] | None
"""The name of what was done, and what came of it."""


def take_roots(builder: Builder, roots: Sequence[Node]) -> tuple[dict[Node, Node], list[Applied]]:
    """What each node becomes, and what was done."""
    work = _Roots(builder)
    for node in reachable(roots):
        work.visit(node)
    return work.made, work.applied


class _Roots:
    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.lengths = Lengths(builder)
        self.made: dict[Node, Node] = {}
        self.applied: list[Applied] = []
        self.forms: dict[str, Callable[..., Found]] = {
            "sqrt": self._sqrt,
            "rsqrt": self._rsqrt,
            **dict.fromkeys(("log", "log2", "log10"), self._logarithm),
            "log_difference": self._logarithms,
            "xlogy": self._xlogy,
            "log1p": self._log1p,
            "xlog1py": self._xlog1py,
            "power": self._power,
            "divide": self._quotient,
            "subtract": self._difference,
        }

    def visit(self, node: Node) -> None:
        """What a node becomes, its operands first."""
        operands = [self.made[operand] for operand in node.inputs]
        same = all(new is old for new, old in zip(operands, node.inputs, strict=True))
        attrs = dict(node.attrs)
        here = node if same else self.builder.graph.add(node.op, operands, attrs, type=node.type, span=node.span)
        found = self.forms[node.op](here) if node.op in self.forms else None
        if found is not None and [a.id for a in found[1].type.full] == [a.id for a in node.type.full]:
            self.applied.append(Applied(BY_ROOTS[found[0]], node.span, node, found[1]))
            here = found[1]
        self.made[node] = here

    # -- functions of sums of squares -------------------------------------------------------------------------

    def _length(self, node: Node) -> Node | None:
        found = self.lengths.risky(node)
        return None if found is None else self.lengths.positive(found)

    def _sqrt(self, node: Node) -> Found:
        length = self._length(node.inputs[0])
        return None if length is None else ("root-of-squares", length)

    def _rsqrt(self, node: Node) -> Found:
        length = self._length(node.inputs[0])
        return None if length is None else ("inverse-root-of-squares", self._apply("divide", self._const(1.0), length))

    def _logarithm(self, node: Node) -> Found:
        length = self._length(node.inputs[0])
        return None if length is None else ("logarithm-of-squares", self._times(2.0, self._apply(node.op, length)))

    def _logarithms(self, node: Node) -> Found:
        """Both by lengths, if one of them has to be: a number's root is a length too."""
        roots = [self.lengths.of(x) for x in node.inputs]
        if None in roots or not any(self.lengths.risky(x) for x in node.inputs):
            return None
        lengths = [self.lengths.positive(root) for root in roots if root is not None]
        return "logarithms-of-squares", self._times(2.0, self._apply(node.op, *lengths))

    def _xlogy(self, node: Node) -> Found:
        length = self._length(node.inputs[1])
        twice = self._apply("multiply", node.inputs[0], self._const(2.0))
        return None if length is None else ("xlogy-of-squares", self._apply("xlogy", twice, length))

    def _log1p(self, node: Node) -> Found:
        """A constant factor stays apart, so that it is not rounded twice."""
        factor, squares = _factor(node.inputs[-1])
        found = self.lengths.risky(squares)
        if found is None or factor <= 0:
            return None
        return "log1p-of-square", self._apply("log1p_square", found.node, self._const(math.sqrt(factor)))

    def _xlog1py(self, node: Node) -> Found:
        logarithm = self._log1p(node)
        return (
            None if logarithm is None else ("xlog1py-of-square", self._apply("multiply", node.inputs[0], logarithm[1]))
        )

    def _power(self, node: Node) -> Found:
        base, exponent = node.inputs
        length = self._length(base)
        if length is None or exponent.op != CONST or float(exponent.value).is_integer():
            return None
        return "power-of-squares", self._apply("power", length, self._const(2.0 * float(exponent.value)))

    # -- quotients --------------------------------------------------------------------------------------------

    def _quotient(self, node: Node) -> Found:
        (factor, above), below = _factor(node.inputs[0]), node.inputs[1]
        bottom = self.lengths.risky(below)
        if bottom is None:
            return None
        share = self._share(factor, above, below)
        top = self.lengths.of(above)
        if share is not None or top is None:
            return share
        square = self._apply("square", self._apply("divide", top.node, bottom.node))
        return "quotient-of-squares", self._times(factor, square)

    def _share(self, factor: float, above: Node, below: Node) -> Found:
        """S / (c + S), x / (c + S) and k / (c + S), where S is the square of x."""
        if below.op != "add" or CONST not in (x.op for x in below.inputs):
            return None
        number, squares = sorted(below.inputs, key=lambda x: x.op != CONST)
        root, c = self.lengths.of(squares), float(number.value)
        if root is None or c <= 0:
            return None
        inverse = 1.0 / math.sqrt(c)
        if above is squares:
            share = self._apply("square_share", self._times(inverse, root.node))
            return "share-of-square", self._times(factor, share)
        if above is root.node:
            bent = self._apply("serpentine", above, self._const(inverse))
            return "damped-by-square", self._times(factor / c, bent)
        if above.op == CONST:
            one = self._apply("damped", self._const(1.0), self._times(inverse, root.node))
            return "inverse-of-square", self._times(factor * float(above.value) / c, one)
        return None

    # -- differences ------------------------------------------------------------------------------------------

    def _difference(self, node: Node) -> Found:
        one, other = node.inputs
        if one.op == CONST and one.value == 1:
            return self._one_less_cosine(other)
        if one.op == "hypot" and other.op == CONST and one.inputs[1].op == CONST:
            c = float(other.value)
            if c == float(one.inputs[1].value):
                rise = self._apply("hypotm1", self._times(1.0 / c, one.inputs[0]))
                return "hypot-less", self._times(c, rise)
        return None

    def _one_less_cosine(self, rest: Node) -> Found:
        """Of vectors laid out alike: of all pairs of samples, the differences would take too much memory."""
        cosine = rest.inputs[0] if rest.op == "mean" else rest
        if cosine.op != "sum" or cosine.inputs[0].op != "multiply":
            return None
        x, y = cosine.inputs[0].inputs
        alike = x.op == y.op == "normalize" and x.axes == y.axes == cosine.axes and x.type.ids == y.type.ids
        if not alike or x is y:
            return None
        attrs = {"axis": cosine.axes}
        distance = self.builder.apply("cosine_distance", [x.inputs[0], y.inputs[0]], attrs, cosine.span)
        if rest is cosine:
            return "one-less-cosine", distance
        return "one-less-mean-cosine", self.builder.apply("mean", [distance], {"axis": rest.axes}, rest.span)

    def _times(self, number: float, node: Node) -> Node:
        return node if number == 1.0 else self._apply("multiply", self._const(number), node)

    def _const(self, value: float) -> Node:
        return self.builder.graph.const(value)

    def _apply(self, name: str, *operands: Node) -> Node:
        return self.builder.apply(name, operands, span=operands[0].span)


def _factor(node: Node) -> tuple[float, Node]:
    """A value as a number times the rest."""
    if node.op == "multiply" and CONST in (x.op for x in node.inputs):
        number, rest = sorted(node.inputs, key=lambda x: x.op != CONST)
        return float(number.value), rest
    if node.op == "divide" and node.inputs[1].op == CONST and node.inputs[1].value != 0:
        return 1.0 / float(node.inputs[1].value), node.inputs[0]
    return 1.0, node
