"""Where polynomials lie whose variables are values of a graph, rounding included."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

from lossdsl.analysis.forms import Polynomial
from lossdsl.interval import EVERYTHING, SMALLEST, Interval, point
from lossdsl.ir.node import Node

TINY = 1e-28
"""More than what an entry loses where numbers are so small that products, or functions, leave nothing of them."""
MOST_VARIABLES = 5
ROUNDED = 1e-12
"""The share by which corners may be off that are computed in float64."""


class Polynomials:
    """Intervals of polynomials, given those of their variables."""

    def __init__(self, interval: Callable[[Node], Interval]) -> None:
        self.interval = interval

    def range(self, part: Polynomial, error: float) -> Interval:
        """All values: where it is linear in every variable, those at corners; each term off by such a share of it."""
        return self._range(part, error, self.tiny(part))

    def is_positive(self, part: Polynomial) -> bool:
        """Whether it is never negative, of numbers that nothing rounds: at each corner, to what float64 loses there."""
        variables = variables_of(part)
        if not is_linear(part) or len(variables) > MOST_VARIABLES:
            return self._range(part, 0.0, 0.0).lo >= 0.0
        return all(value >= -ROUNDED * size for value, size in (at(part, place) for place in self.corners(variables)))

    def _range(self, part: Polynomial, error: float, tiny: float) -> Interval:
        variables = variables_of(part)
        boxes = [self.interval(x) for x in variables]
        linear = is_linear(part)
        if len(variables) == 1 and not linear:
            return _of_one(part, boxes[0], error, tiny)
        if not linear or len(variables) > MOST_VARIABLES or not all(math.isfinite(x.magnitude) for x in boxes):
            return self._squares(part, error, tiny)
        signed = any(x.lo < 0.0 for x in boxes)
        values = [at(part, corner) for corner in self.corners(variables)]
        if not all(math.isfinite(size) for _, size in values):
            return EVERYTHING
        slack = max(size for _, size in values) if signed else 0.0
        return Interval(
            min(value - error * (slack or size) for value, size in values) - tiny,
            max(value + error * (slack or size) for value, size in values) + tiny,
        )

    def corners(self, variables: Sequence[Node]) -> list[dict[Node, float]]:
        """All that variables are where each is at an end of its interval."""
        boxes = [self.interval(x) for x in variables]
        return [dict(zip(variables, place, strict=True)) for place in product(*((x.lo, x.hi) for x in boxes))]

    def _squares(self, part: Polynomial, error: float, tiny: float) -> Interval:
        """The same, term by term, but for `a**2 - 2 * a * b + b**2` and what else can't be negative."""
        left = dict(part)
        for monomial, factor in part.items():
            if len(monomial) == 2 and monomial[0] is not monomial[1]:
                a, b = ((x, x) for x in monomial)
                both = left[a].value * left[b].value if a in left and b in left else 0.0
                if both > 0.0 and left[a].value > 0.0 and factor.value**2 <= 4.0 * both:
                    del left[monomial], left[a], left[b]
        terms = {monomial: self.term(monomial, factor.value) for monomial, factor in part.items()}
        size = sum(self.term(monomial, factor.size).magnitude for monomial, factor in part.items())
        if not math.isfinite(size):
            return EVERYTHING
        low = sum(terms[monomial].lo for monomial in left)
        return Interval(low - error * size - tiny, sum(term.hi for term in terms.values()) + error * size + tiny)

    def tiny(self, part: Polynomial) -> float:
        """More than what is lost where a product vanishes, and is then multiplied by the rest of its term."""
        sizes = [
            factor.size * math.prod(max(1.0, self.interval(x).magnitude) for x in monomial)
            for monomial, factor in part.items()
        ]
        return max(TINY, 2.0 * SMALLEST * sum(sizes))

    def term(self, monomial: Sequence[Node], factor: float) -> Interval:
        """A product of variables, so many times."""
        found = Interval(factor, factor)
        for node in dict.fromkeys(monomial):
            found = found * self.interval(node) ** point(float(monomial.count(node)))
        return found


def variables_of(*parts: Polynomial) -> list[Node]:
    """The variables of polynomials, each once."""
    return list(dict.fromkeys(node for part in parts for monomial in part for node in monomial))


def is_linear(part: Polynomial) -> bool:
    """Whether a polynomial is linear in each of its variables."""
    return all(len(set(monomial)) == len(monomial) for monomial in part)


def at(part: Polynomial, place: dict[Node, float]) -> tuple[float, float]:
    """The value of a polynomial, and the sum of the sizes of its terms; where that is infinite no value is known."""
    products = [(factor, math.prod(place[x] for x in monomial)) for monomial, factor in part.items()]
    size = sum(f.size * abs(x) for f, x in products)
    if not math.isfinite(size):
        return math.nan, math.inf
    return math.fsum(f.value * x for f, x in products), size


def _of_one(part: Polynomial, box: Interval, error: float, tiny: float) -> Interval:
    """A polynomial of one variable, of degree 2: its values at the ends, and where it turns."""
    if not math.isfinite(box.magnitude) or any(len(monomial) > 2 for monomial in part):
        return EVERYTHING
    factors = {len(monomial): factor.value for monomial, factor in part.items()}
    places = [box.lo, box.hi]
    if factors.get(2):
        turn = -factors.get(1, 0.0) / (2.0 * factors[2])
        places += [turn] if turn in box else []
    node = next(x for monomial in part for x in monomial)
    values = [at(part, {node: place})[0] for place in places]
    size = at(part, {node: box.magnitude})[1]
    if not math.isfinite(size):
        return EVERYTHING
    return Interval(min(values) - error * size - tiny, max(values) + error * size + tiny)
