"""Numbers that many entries share are multiplied in last, and once: for gradients, where one multiplies everything.

Every value is seen as `number * thin * core`: a constant, a value with fewer axes, and the rest. Products, quotients,
sums of parts with the same scale, choices and sums over axes leave both outside. What the formula's own value computes
already is taken as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lossdsl.ir.build import Builder
from lossdsl.ir.node import CONST, DIM, INPUT, STRUCTURAL, Node, reachable
from lossdsl.types import DType


class Scaled(NamedTuple):
    """`number * thin * core`; no thin factor is None."""

    number: float
    thin: Node | None
    core: Node


def gather_scales(builder: Builder, roots: Sequence[Node], kept: Sequence[Node]) -> dict[Node, Node]:
    """What each node of the roots becomes; `kept` are nodes that are computed anyhow."""
    work = _Scales(builder, set(reachable(kept)))
    return {node: work.visit(node) for node in reachable(roots)}


class _Scales:
    def __init__(self, builder: Builder, kept: set[Node]) -> None:
        self.builder = builder
        self.kept = kept
        self.parts: dict[Node, Scaled] = {}
        self.made: dict[Node, Node] = {}

    def visit(self, node: Node) -> Node:
        """Take a node apart, after its operands, and give it put together again."""
        found = self._apart(node)
        if found is None or not _alike(found.core, node):
            found = Scaled(1.0, None, self._again(node))
        self.parts[node] = found
        self.made[node] = node if found == (1.0, None, node) else self._together(found)
        return self.made[node]

    def _apart(self, node: Node) -> Scaled | None:
        if node.op in STRUCTURAL or node.type.dtype is not DType.FLOAT:
            return None
        if node in self.kept:
            return self._of_kept(node)
        match node.op:
            case "negative":
                number, thin, core = self.parts[node.inputs[0]]
                return Scaled(-number, thin, core)
            case "multiply":
                return self._product(node)
            case "divide" | "xdivy":
                return self._quotient(node)
            case "damped":
                return self._damped(node)
            case "add" | "subtract":
                return self._sum(node)
            case "where":
                return self._choice(node)
            case "sum":
                return self._sum_over_axes(node)
        return None

    def _again(self, node: Node) -> Node:
        if node in self.kept:
            return node
        inputs = [self.made[operand] for operand in node.inputs]
        if all(new is old for new, old in zip(inputs, node.inputs, strict=True)):
            return node
        return self.builder.graph.add(node.op, inputs, dict(node.attrs), type=node.type, span=node.span)

    def _together(self, scaled: Scaled) -> Node:
        number, thin, core = scaled
        if thin is None and _chooses_numbers(core):
            condition, *values = core.inputs
            consts = [self.builder.graph.const(number * float(value.value)) for value in values]
            return self._apply("where", condition, *consts)
        if thin is None and number in (1.0, -1.0):
            return core if number == 1.0 else self._apply("negative", core)
        factor = self.builder.graph.const(number)
        if thin is not None:
            factor = thin if number == 1.0 else self._apply("multiply", factor, thin)
        return self._apply("multiply", factor, core)

    def _of_kept(self, node: Node) -> Scaled:
        """A node of the value: a sign or a number in front of it costs nothing to take off again."""
        if node.op == "negative":
            number, thin, core = self.parts[node.inputs[0]]
            return Scaled(-number, thin, core)
        if node.op == "multiply":
            for factor, other in (node.inputs, node.inputs[::-1]):
                if factor.op == CONST and factor.value != 0 and other.op != CONST:
                    number, thin, core = self.parts[other]
                    return Scaled(number * float(factor.value), thin, core)
        if node.op == "divide" and node.inputs[1].op == CONST and node.inputs[0].op != CONST:
            number, thin, core = self.parts[node.inputs[0]]
            return Scaled(number / float(node.inputs[1].value), thin, core)
        return Scaled(1.0, None, node)

    def _factor(self, node: Node, whole: Node) -> Scaled:
        """An operand as a factor of a larger value: all of it is scale where it has fewer axes."""
        if node.op == CONST:
            return Scaled(float(node.value), None, self._one())
        number, thin, core = self.parts[node]
        if node.type.ids < whole.type.ids:
            return Scaled(number, self._times(thin, core), self._one())
        return Scaled(number, thin, core)

    def _product(self, node: Node) -> Scaled | None:
        a, b = (self._factor(operand, node) for operand in node.inputs)
        if self._is_one(a.core) and self._is_one(b.core):
            return None
        return Scaled(a.number * b.number, self._times(a.thin, b.thin), self._cores(a.core, b.core))

    def _cores(self, a: Node, b: Node) -> Node:
        """The product of two cores; a reciprocal divides."""
        for one, other in ((a, b), (b, a)):
            if self._is_one(one):
                return other
            if one.op == "divide" and self._is_one(one.inputs[0]):
                return self._apply("divide", other, one.inputs[1])
        return self._apply("multiply", a, b)

    def _quotient(self, node: Node) -> Scaled | None:
        above, below = (self._factor(operand, node) for operand in node.inputs)
        if below.number == 0:
            return None
        if node.op == "xdivy":  # 0 where what is above is 0: only what can't be 0 may leave
            if self._is_one(above.core) or above.number == 0 or not _never_zero(above.thin):
                return None
            core = self._apply("xdivy", above.core, self.made[node.inputs[1]])
            return Scaled(above.number, above.thin, core)
        core = above.core if self._is_one(below.core) else self._apply("divide", above.core, below.core)
        thin = above.thin
        if below.thin is not None:
            thin = self._apply("divide", self._one() if thin is None else thin, below.thin)
        return Scaled(above.number / below.number, thin, core)

    def _damped(self, node: Node) -> Scaled | None:
        """Only what is all scale: a core may be so small that it would vanish without its scale."""
        above = self._factor(node.inputs[0], node)
        if not self._is_one(above.core):
            return None
        return Scaled(above.number, above.thin, self._apply("damped", above.core, self.made[node.inputs[1]]))

    def _sum(self, node: Node) -> Scaled | None:
        a, b = (self._factor(operand, node) for operand in node.inputs)
        whole = a.number + b.number if node.op == "add" else a.number - b.number
        if a.thin is b.thin and a.core is b.core and whole != 0:
            return Scaled(whole, a.thin, a.core)
        if a.thin is not b.thin or a.number == 0 or (a.thin is None and abs(a.number) != abs(b.number)):
            return None
        if a.thin is None and (a.number == 1.0 or CONST in (x.op for x in node.inputs)):
            return None
        sign = 1 if node.op == "add" else -1
        if _chooses_numbers(a.core) and _chooses_numbers(b.core):
            pair = [self._together(Scaled(x, None, y)) for x, y in ((a.number, a.core), (sign * b.number, b.core))]
            return Scaled(1.0, a.thin, self._apply("add", *pair))
        ratio = sign * b.number / a.number
        if abs(ratio) == 1.0:
            core = self._apply("add" if ratio > 0 else "subtract", a.core, b.core)
        else:
            core = self._apply("add", a.core, self._together(Scaled(ratio, None, b.core)))
        return Scaled(a.number, a.thin, core)

    def _choice(self, node: Node) -> Scaled | None:
        condition, *operands = node.inputs
        a, b = (self._factor(operand, node) for operand in operands)
        zero = self.builder.graph.const(0.0)
        if a.number == 0 or b.number == 0:
            used = b if a.number == 0 else a
            if used.number == 0:
                return None
            pair = (zero, used.core) if used is b else (used.core, zero)
            return Scaled(used.number, used.thin, self._apply("where", condition, *pair))
        if a.thin is not b.thin:
            return None
        if a.number == b.number:
            return Scaled(a.number, a.thin, self._apply("where", condition, a.core, b.core))
        if a.thin is None:
            return None
        both = [self._together(Scaled(x.number, None, x.core)) for x in (a, b)]
        return Scaled(1.0, a.thin, self._apply("where", condition, *both))

    def _sum_over_axes(self, node: Node) -> Scaled | None:
        number, thin, core = self.parts[node.inputs[0]]
        if thin is not None and thin.type.ids & set(node.axes):
            return None
        attrs = dict(node.attrs)
        return Scaled(number, thin, self.builder.graph.add(node.op, [core], attrs, type=node.type, span=node.span))

    def _times(self, a: Node | None, b: Node | None) -> Node | None:
        """The product, in one order whichever way it is come by."""
        factors = sorted((x for x in (a, b) if x is not None and not self._is_one(x)), key=lambda x: x.number)
        if len(factors) < 2:
            return factors[0] if factors else None
        return self._apply("multiply", *factors)

    def _apply(self, name: str, *operands: Node) -> Node:
        return self.builder.apply(name, operands, span=operands[-1].span)

    def _one(self) -> Node:
        return self.builder.graph.const(1.0)

    def _is_one(self, node: Node) -> bool:
        return node.op == CONST and node.value == 1.0


def _chooses_numbers(node: Node) -> bool:
    return node.op == "where" and all(value.op == CONST for value in node.inputs[1:])


def _alike(core: Node, node: Node) -> bool:
    return core.type.dtype is node.type.dtype and [a.id for a in core.type.full] == [a.id for a in node.type.full]


def _never_zero(thin: Node | None) -> bool:
    """Whether a scale is a size or what one value counts, or made of such: never 0."""
    if thin is None:
        return True
    leaves = [node for node in reachable([thin]) if not node.inputs]
    steps = {node.op for node in reachable([thin]) if node.inputs}
    return steps <= {"multiply", "divide", "cast"} and all(
        node.op == DIM or (node.op == CONST and node.value != 0) or (node.op == INPUT and node.attr("name") == "scale")
        for node in leaves
    )
