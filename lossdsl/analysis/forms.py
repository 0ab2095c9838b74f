"""What can be read off a graph alone: values as polynomials of others, and values that are the same wherever they are
computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lossdsl.analysis.ranges import entries_of
from lossdsl.interval import SLACK, Interval
from lossdsl.ir.axes import Constraint
from lossdsl.ir.node import CAST, STRUCTURAL, Node
from lossdsl.ops import row
from lossdsl.ops.op import Family, RangeRule
from lossdsl.types import Dim, DType

MOST_TERMS, MOST_DEGREE = 12, 3
"""Larger polynomials are not looked at."""

Monomial = tuple[Node, ...]


class Factor(NamedTuple):
    """What a product counts in a sum, and the size of all that was added up to it: of `a - a`, 0 and 2."""

    value: float
    size: float

    def times(self, other: Factor) -> Factor:
        """The factor of a product."""
        return Factor(self.value * other.value, self.size * other.size)

    def plus(self, other: Factor) -> Factor:
        """The factor of a sum."""
        return Factor(self.value + other.value, self.size + other.size)


NONE = Factor(0.0, 0.0)
Polynomial = Mapping[Monomial, Factor]
EXACT = frozenset(
    {"add", "subtract", "multiply", "divide", "negative", "abs", "square", "maximum", "minimum", "clip", "where",
     "relu", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or",
     "logical_not", "index"}
)  # fmt: skip
"""Operations that every framework rounds alike."""
RELATIVE = frozenset({"multiply", "divide", "square", "negative", "abs", "sqrt", "rsqrt", "reciprocal", "where"})
"""Operations that make no relative error larger than the sum of those of their operands, and their own."""
PRODUCTS = frozenset({"multiply", "square", "divide"})
"""Operations that may be computed in one step with a sum that they stand in."""
PASSED = frozenset({"negative", "where", "relu", "kept_apart", CAST})
"""Operations that such a step sees through."""


class Over(NamedTuple):
    """What is summed up, or averaged: so many entries along axes."""

    operation: str
    axes: tuple[str, ...]
    entries: Interval
    sizes: tuple[Dim, ...]
    """How long each axis is: of a slice or of windows an axis is shorter, and another sum."""


class Form(NamedTuple):
    """A value as a sum of polynomials, each of them summed over axes, or (None) as it is; in so many steps."""

    parts: Mapping[Over | None, Polynomial]
    steps: int

    @property
    def plain(self) -> Polynomial | None:
        """The polynomial, where there is no other."""
        return self.parts[None] if self.parts.keys() == {None} else None

    @property
    def is_finite(self) -> bool:
        """Whether all factors are finite: of `x * 1e200 * 1e200` nothing is known."""
        return all(math.isfinite(factor.size) for part in self.parts.values() for factor in part.values())

    @property
    def number(self) -> float | None:
        """The number that it is, if it is one."""
        plain = self.plain
        return plain[()].value if plain is not None and plain.keys() == {()} else None


class Forms:
    """The form of every node, and how far it may differ from itself where it is computed anew.

    XLA computes a value again in every part of a program that needs it: with one rounding less where a product goes
    into a sum, or functions on numbers side by side.
    """

    def __init__(self, nodes: Iterable[Node], entries: Interval, known: Iterable[Constraint] = ()) -> None:
        """`entries` is how long an axis of unknown size may be; of sizes that are `known` to be equal sums are one."""
        self.entries = entries
        self.sizes = _equal(known)
        self.of: dict[Node, Form] = {}
        self.ulps: dict[Node, float] = {}
        """Units in the last place by which two computations of a value may differ; what is not here, by anything."""
        self.products: set[Node] = set()
        for node in nodes:
            self._classify(node)
            form = self._form(node)
            self.of[node] = form if form is not None and form.is_finite else _atom(node)

    def _classify(self, node: Node) -> None:
        if node.op in PRODUCTS or (node.op in PASSED and any(x in self.products for x in node.inputs)):
            self.products.add(node)
        if all(x in self.ulps for x in node.inputs):
            ulps = self._difference(node, [self.ulps[x] for x in node.inputs])
            if ulps is not None:
                self.ulps[node] = ulps

    def _difference(self, node: Node, known: list[float]) -> float | None:
        exact = not any(known)
        if node.op in STRUCTURAL:
            return sum(known)
        if node.op in EXACT and exact:
            contracted = node.op in ("add", "subtract") and any(x in self.products for x in node.inputs)
            return None if contracted else 0.0
        if node.op in RELATIVE:
            return sum(known) + 1.0
        op = row(node.op)
        if op.range is RangeRule.HULL and op.family is not Family.ELEMENTWISE:
            return max(known)
        function = op.family is Family.ELEMENTWISE and op.range is RangeRule.FROM_MONOTONE
        return 2.0 * SLACK if function and exact else None

    def exact(self, node: Node) -> bool:
        """Whether a value comes out the same to the last bit wherever it is computed."""
        return self.ulps.get(node) == 0.0

    def _form(self, node: Node) -> Form | None:
        if node.is_const:
            return Form({None: {(): _number(float(node.value))}}, 0)
        known = [self.of[x] for x in node.inputs]
        steps = max((form.steps for form in known), default=0) + 1
        match node.op:
            case "negative":
                return _scaled(known[0], -1.0, steps)
            case "kept_apart":
                return known[0]
            case "cast" if node.type.dtype is DType.FLOAT or node.inputs[0].type.dtype is DType.BOOL:
                return known[0]
            case "where" if known[2].number == 0.0:
                return _product(known[0], known[1])
            case "add" | "subtract":
                return _sum(known[0], _scaled(known[1], 1.0 if node.op == "add" else -1.0, steps), steps)
            case "multiply":
                return _product(known[0], known[1])
            case "square":
                return _product(known[0], known[0])
            case "divide" if known[1].number:
                return _scaled(known[0], 1.0 / known[1].number, steps)
            case "sum" | "mean" if known[0].plain is not None:
                return Form({self._over(node.op, node): known[0].plain}, steps)
            case "contraction":
                inner = _product(known[0], known[1])
                if inner is not None and inner.plain is not None:
                    return Form({self._over("sum", node): inner.plain}, inner.steps + 1)
        return None

    def _over(self, operation: str, node: Node) -> Over:
        axes = {axis.id: axis.size for operand in node.inputs for axis in operand.type.axes if axis.id in node.axes}
        sizes = tuple(self.sizes.get(axes[axis], axes[axis]) for axis in sorted(axes))
        return Over(operation, tuple(sorted(node.axes)), entries_of(node, self.entries), sizes)


def _equal(known: Iterable[Constraint]) -> dict[Dim, Dim]:
    """For each size the one that stands for all that are equal to it."""
    found: dict[Dim, Dim] = {}
    for constraint in known:
        if constraint.relation == "==":
            old, new = (found.get(size, size) for size in (constraint.left, constraint.right))
            found |= {size: new for size in (*found, constraint.left, old) if found.get(size, size) == old}
    return found


def _atom(node: Node) -> Form:
    return Form({None: {(node,): _number(1.0)}}, 0)


def _number(value: float) -> Factor:
    return Factor(value, abs(value))


def _scaled(form: Form, factor: float, steps: int) -> Form:
    by = _number(factor)
    return Form({key: {m: c.times(by) for m, c in part.items()} for key, part in form.parts.items()}, steps)


def _sum(a: Form, b: Form, steps: int) -> Form | None:
    parts = {key: dict(part) for key, part in a.parts.items()}
    for key, part in b.parts.items():
        into = parts.setdefault(key, {})
        for monomial, factor in part.items():
            into[monomial] = into.get(monomial, NONE).plus(factor)
    return Form(parts, steps) if sum(map(len, parts.values())) <= MOST_TERMS else None


def _product(a: Form, b: Form) -> Form | None:
    steps = a.steps + b.steps + 1
    if (number := b.number) is not None:
        return _scaled(a, number, steps)
    if (number := a.number) is not None:
        return _scaled(b, number, steps)
    if a.plain is None or b.plain is None or len(a.plain) * len(b.plain) > MOST_TERMS:
        return None
    found: dict[Monomial, Factor] = {}
    for left, x in a.plain.items():
        for right, y in b.plain.items():
            monomial = tuple(sorted((*left, *right), key=lambda node: node.number))
            if len(monomial) > MOST_DEGREE:
                return None
            found[monomial] = found.get(monomial, NONE).plus(x.times(y))
    return Form({None: found}, steps)
