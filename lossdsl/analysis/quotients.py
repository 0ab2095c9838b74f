"""Where a quotient of sums lies of which the lower one holds the upper one: means under a mask or weights, overlaps.

Of `sum(w * x) / maximum(sum(w), 1)` each product is at most so many times its weight as x is large; of
`2 * sum(t * p) / (sum(t) + sum(p))` no entry has more above than below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from lossdsl.analysis.forms import MOST_DEGREE, NONE, Factor, Forms, Monomial, Polynomial
from lossdsl.analysis.polynomials import MOST_VARIABLES, ROUNDED, Polynomials, at, variables_of
from lossdsl.interval import NO, SIGNED_UNIT, ULP, Interval, outward, point
from lossdsl.ir.node import INPUT, Node
from lossdsl.ops.reduction import SUM_ULPS
from lossdsl.types import DType

CANCELLED = 4.0
"""How many times as large as a sum its terms may be, so that their rounding is still one of the sum."""
SMALL = 1e-30
"""What vanishes in a product does not show beside a divisor above this."""
Intervals = Callable[[Node], Interval]


def quotient(above: Node, least: Node, divisor: Interval, forms: Forms, interval: Intervals) -> Iterator[Interval]:
    """Where a quotient lies that is defined, by a divisor that is never smaller than `least`."""
    times, product = _times_number(above)
    if divisor.lo >= SMALL and _are_lengths(product, least):
        yield (SIGNED_UNIT * point(times)).widened(4 * SUM_ULPS)
    upper, lower = forms.of[above], forms.of[least]
    if lower.plain is not None or not upper.parts.keys() <= lower.parts.keys():
        return
    variables = variables_of(*upper.parts.values(), *lower.parts.values())
    if not all(x in forms.ulps for x in variables):
        return
    parts = [(over, _Part(upper.parts.get(over, {}), part, interval)) for over, part in lower.parts.items()]
    found = [part.ends() for _, part in parts]
    ends = [each for each in found if each is not None]
    lost = sum(part.lost() * (1.0 if over is None else over.entries.hi) for over, part in parts)
    if len(ends) < len(found) or not (lost <= ULP * divisor.lo or all(part.loses_nothing() for _, part in parts)):
        return
    whole = NO.hull(*ends)
    ulps = 2 * SUM_ULPS + upper.steps + lower.steps + MOST_DEGREE * max(forms.ulps[x] for x in variables) + 4
    slack = 4.0 * CANCELLED * max(1.0, whole.magnitude) * ulps * ULP
    yield outward(whole.lo - slack, whole.hi + slack)


class _Part:
    """One sum above, and that below it which holds it."""

    def __init__(self, above: Polynomial, below: Polynomial, interval: Intervals) -> None:
        self.above, self.below = above, below
        self.polynomials = Polynomials(interval)

    def ends(self) -> Interval | None:
        """Between which multiples of what is below that which is above lies, in every entry."""
        ratios = list(self._ratios())
        positive = self.polynomials.is_positive
        if not ratios or not positive(self.below):
            return None
        low, high = min(ratios), max(ratios)
        # terms that cancel must not be so large that their rounding shows in the sum
        most = {monomial: Factor(CANCELLED * f.value, CANCELLED * f.size) for monomial, f in self.below.items()}
        size = max(1.0, abs(low), abs(high))
        sizes = [(self._sizes(self.above), size), (self._sizes(self.below), 1.0)]
        within = positive(_less(self.above, self.below, low)) and positive(
            _less(_times(self.below, high), self.above, 1.0)
        )
        bounded = all(positive(_less(_times(most, by), part, 1.0)) for part, by in sizes)
        return Interval(low, high) if within and bounded else None

    def lost(self) -> float:
        """More than what an entry loses where products vanish."""
        return self.polynomials.tiny(self.above) + self.polynomials.tiny(self.below)

    def loses_nothing(self) -> bool:
        """Whether no product is so small that it is rounded to the smallest floats, or to 0."""
        parts = [*self.above.items(), *self.below.items()]
        return all(abs(factor.value) >= 1.0 and _is_given(monomial) for monomial, factor in parts)

    def _ratios(self) -> Iterator[float]:
        """The quotients at corners."""
        variables = variables_of(self.above, self.below)
        if len(variables) > MOST_VARIABLES:
            return
        for corner in self.polynomials.corners(variables):
            (above, _), (below, size) = at(self.above, corner), at(self.below, corner)
            if below > ROUNDED * size and math.isfinite(above) and math.isfinite(below):
                yield above / below

    def _sizes(self, part: Polynomial) -> Polynomial:
        """How large all terms together are, at most."""
        found: dict[tuple[Node, ...], Factor] = {}
        for monomial, factor in part.items():
            size, rest = factor.size, []
            for x in monomial:
                box = self.polynomials.interval(x)
                if box.lo >= 0.0 or monomial.count(x) == 2:  # a square is not negative
                    rest.append(x)
                else:
                    size *= box.magnitude
            found[tuple(rest)] = found.get(tuple(rest), NONE).plus(Factor(size, size))
        return found


def _times(part: Polynomial, number: float) -> Polynomial:
    return {monomial: Factor(f.value * number, f.size * abs(number)) for monomial, f in part.items()}


def _less(part: Polynomial, other: Polynomial, number: float) -> Polynomial:
    """A polynomial less so many times another."""
    found = dict(part)
    for monomial, factor in _times(other, -number).items():
        found[monomial] = found.get(monomial, NONE).plus(factor)
    return found


def _is_given(monomial: Monomial) -> bool:
    """Whether a product is of no more than one number of the data, which are never smaller than normal ones."""
    numbers = [node for node in monomial if node.type.dtype is not DType.BOOL]
    return len(numbers) <= 1 and all(node.op == INPUT for node in numbers)


def _times_number(node: Node) -> tuple[float, Node]:
    """A number, and what is multiplied by it."""
    times = 1.0
    while node.op == "negative" or (node.op == "multiply" and any(x.is_const for x in node.inputs)):
        if node.op == "negative":
            times, node = -times, node.inputs[0]
        else:
            number, node = node.inputs if node.inputs[0].is_const else node.inputs[::-1]
            times *= float(number.value)
    return times, node


def _are_lengths(above: Node, below: Node) -> bool:
    """Whether a scalar product is divided by the lengths of both vectors."""
    vectors = scalar_product(above)
    if below.op != "multiply" or not vectors or not all(x.type.has(axis) for x in vectors for axis in above.axes):
        return False
    lengths = sorted((x.inputs[0].number, x.op, *sorted(x.axes)) for x in below.inputs if x.inputs)
    return lengths == sorted((x.number, "norm", *sorted(above.axes)) for x in vectors)


def scalar_product(node: Node) -> tuple[Node, ...]:
    """The two vectors whose entries are multiplied and added up; none where a node is no such sum."""
    if node.op == "contraction":
        return node.inputs
    return node.inputs[0].inputs if node.op == "sum" and node.inputs[0].op == "multiply" else ()
