"""Where values lie that belong together in ways that the intervals of their operands don't show.

Every rule holds for floats, whatever order a framework computes in, and whether or not it multiplies and adds in one
step: by bounds on the rounding of all terms; or since rounding keeps order, of operands that are the same to the last
bit wherever they are computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from lossdsl.analysis.forms import MOST_DEGREE, Form, Forms, Monomial, Polynomial
from lossdsl.analysis.polynomials import TINY, Polynomials
from lossdsl.analysis.quotients import quotient, scalar_product
from lossdsl.analysis.ranges import entries_of
from lossdsl.interval import (
    NO,
    NONNEGATIVE,
    NONPOSITIVE,
    SIGNED_UNIT,
    SLACK,
    ULP,
    UNIT,
    Interval,
    outward,
)
from lossdsl.ir.node import CAST, Node
from lossdsl.ops.reduction import SUM_ULPS

SHARES = (SUM_ULPS + 2 * SLACK + 8) * ULP
"""How far the sum of a softmax may be off 1."""
MOST_STEPS = 16
"""How far order is looked for."""
EXACT_ENDS = frozenset({-1.0, 0.0, 1.0})
"""Ends that a mean of two values never oversteps, not by rounding either."""


class Relations:
    """Narrower intervals for nodes, given the intervals of others."""

    def __init__(self, forms: Forms, interval: Callable[[Node], Interval]) -> None:
        self.forms = forms
        self.interval = interval
        self.polynomials = Polynomials(interval)

    def narrowed(self, node: Node, known: Interval) -> Interval:
        """The interval of a node, with all that is known."""
        for found in self._found(node):
            known = known.meet(found) or known
        return known

    def _found(self, node: Node) -> Iterator[Interval]:
        if node.op in ("add", "subtract"):
            form = self.forms.of[node]
            shared = _shared(form)
            if shared and all(x in self.forms.ulps for x in shared):
                yield self._polynomials(form, MOST_DEGREE * max(self.forms.ulps[x] for x in shared))
        if node.op == "add":
            yield from self._between(node)
        elif node.op == "subtract":
            yield from self._ordered(node)
            yield from self._variance(node)
        elif node.op == "sum" and self._counts_largest(node):
            yield Interval(1.0, math.inf)
        elif node.op in ("sum", "contraction"):
            yield from self._shared_out(node)
            yield from _cosine(node)
        elif node.op == "cumsum" and (shares := self.forms.of[node.inputs[0]].plain) is not None:
            if shares and all(_shares(monomial, node.axes) for monomial in shares):
                yield self._sum_of_shares(shares).hull(NO).widened(entries_of(node, self.forms.entries).hi)
        elif node.op in ("divide", "xdivy"):
            yield from self._cancelled(node)
            yield from self._of_sums(node)

    # -- sums of products -----------------------------------------------------------------------------------------

    def _polynomials(self, form: Form, ulps: float) -> Interval:
        ulps += form.steps + 2 + (SUM_ULPS if any(form.parts) else 0)
        lo = hi = 0.0
        for over, part in form.parts.items():
            found = self.polynomials.range(part, ulps * ULP)
            entries = Interval(1.0, 1.0) if over is None or over.operation == "mean" else over.entries
            lo += min(found.lo * entries.lo, found.lo * entries.hi)
            hi += max(found.hi * entries.lo, found.hi * entries.hi)
        return outward(lo, hi)

    def _shared_out(self, node: Node) -> Iterator[Interval]:
        """A sum of products with a softmax along the same axes: no more entries count than one."""
        for over, part in self.forms.of[node].parts.items():
            if over is not None and over.operation == "sum" and all(_shares(m, over.axes) for m in part):
                found = self._sum_of_shares(part)
                if all(len(m) == 2 and m[0] is m[1] for m in part):  # as large as where all shares are equal
                    least = sum(factor.value for factor in part.values()) * (1.0 - SHARES) / over.entries.hi
                    found = found.meet(Interval(least, math.inf)) or found
                yield found

    def _sum_of_shares(self, part: Polynomial) -> Interval:
        terms, size = [], 0.0
        for monomial, factor in part.items():
            share = next(x for x in monomial if x.op == "softmax")
            rest = list(monomial)
            rest.remove(share)
            terms.append(self.polynomials.term(rest, factor.value))
            size += self.polynomials.term(rest, factor.size).magnitude
        found = Interval(sum(x.lo for x in terms), sum(x.hi for x in terms))
        if all(x.lo >= 0.0 for x in terms) and all(factor.value == factor.size for factor in part.values()):
            return found.widened(SHARES / ULP) + Interval(-TINY, 0.0)
        slack = SHARES * size + TINY
        return found + Interval(-slack, slack)

    # -- order ----------------------------------------------------------------------------------------------------

    def below(self, low: Node, high: Node) -> bool:
        """Whether one value is never larger than another."""
        return any(map(self.forms.exact, self._least(low) & self._most(high)))

    def _least(self, node: Node) -> set[Node]:
        """Values that a node is never larger than, itself among them."""
        found: set[Node] = set()
        stack = [node]
        while stack and len(found) < MOST_STEPS:
            part = stack.pop()
            found.add(part)
            match part.op:
                case "multiply":
                    for x, factor in (part.inputs, part.inputs[::-1]):
                        if UNIT.covers(self.interval(factor)) and self.interval(x).lo >= 0.0:
                            stack.append(x)
                case "square" if UNIT.covers(self.interval(part.inputs[0])):
                    stack.append(part.inputs[0])
                case "minimum":
                    stack += part.inputs
                case "subtract" if self.interval(part.inputs[1]).lo >= 0.0:
                    stack.append(part.inputs[0])
                case "add":
                    stack += [x for x, y in (part.inputs, part.inputs[::-1]) if self.interval(y).hi <= 0.0]
        return found

    def _most(self, node: Node) -> set[Node]:
        """Values that a node is never less than, itself among them."""
        found: set[Node] = set()
        stack = [node]
        while stack and len(found) < MOST_STEPS:
            part = stack.pop()
            found.add(part)
            match part.op:
                case "maximum":
                    stack += part.inputs
                case "add":
                    stack += [x for x, y in (part.inputs, part.inputs[::-1]) if self.interval(y).lo >= 0.0]
                case "subtract" if self.interval(part.inputs[1]).hi <= 0.0:
                    stack.append(part.inputs[0])
        return found

    def _ordered(self, node: Node) -> Iterator[Interval]:
        """A difference of values of which one is never larger."""
        left, right = node.inputs
        for low, high, found in ((right, left, NONNEGATIVE), (left, right, NONPOSITIVE)):
            between = self._least(low) & self._most(high)
            # a product that is a side of the difference may go into it without being rounded
            if any(self.forms.exact(x) and not (x in node.inputs and x in self.forms.products) for x in between):
                yield found

    def vanish_with(self, node: Node, other: Node) -> bool:
        """Whether a value is 0 where another is: itself, or a product of it."""
        found, stack = False, [node]
        while stack and not found:
            part = stack.pop()
            found = part is other
            if part.op in ("multiply", "negative", "square", CAST):
                stack += part.inputs
            elif part.op == "divide":
                stack.append(part.inputs[0])
        return found

    # -- values of one kind -----------------------------------------------------------------------------------------

    def _between(self, node: Node) -> Iterator[Interval]:
        """`t * x + (1 - t) * y` lies between x and y, for t from 0 to 1."""
        left, right = node.inputs
        if left.op != "multiply" or right.op != "multiply":
            return
        for (share, x), (rest, y) in product((left.inputs, left.inputs[::-1]), (right.inputs, right.inputs[::-1])):
            one = share if _is_rest(rest, share) else rest if _is_rest(share, rest) else None
            if one is None or one in self.forms.products or not self.forms.exact(one):
                continue
            if UNIT.covers(self.interval(one)):
                whole = self.interval(x).hull(self.interval(y))
                wide = whole.widened()
                yield Interval(
                    whole.lo if whole.lo in EXACT_ENDS else wide.lo, whole.hi if whole.hi in EXACT_ENDS else wide.hi
                )

    def _of_sums(self, node: Node) -> Iterator[Interval]:
        """A quotient of sums of which the lower one, or what it is never less than, holds the upper one."""
        above, below = node.inputs
        divisor = self.interval(below)
        while below.op == CAST:
            below = below.inputs[0]
        for least in self._most(below):
            yield from quotient(above, least, divisor, self.forms, self.interval)

    def _cancelled(self, node: Node) -> Iterator[Interval]:
        """`a * b / b` is a, or 0 where the product is too small; of a quotient that is defined."""
        above, below = node.inputs
        while above.op == "negative":
            above = above.inputs[0]
        if above.op == "multiply" and below in above.inputs and below in self.forms.ulps:
            other = self.interval(above.inputs[above.inputs[0] is below])
            yield other.hull(-other, NO).widened(self.forms.ulps[below] + 4.0)

    def _variance(self, node: Node) -> Iterator[Interval]:
        """`mean(x**2) - mean(x)**2` is not negative, but for rounding."""
        squares, mean = node.inputs
        if squares.op == "mean" and squares.inputs[0].op == "square" and mean.op == "square":
            x = squares.inputs[0].inputs[0]
            if mean.inputs[0].op == "mean" and mean.inputs[0].inputs[0] is x and mean.inputs[0].axes == squares.axes:
                ulps = 3 * SUM_ULPS + 8 + 4 * self.forms.ulps.get(x, math.inf)
                yield outward(-ulps * ULP * self.interval(x).square().hi - TINY, math.inf)

    def _counts_largest(self, node: Node) -> bool:
        """`sum(x == max(x))`: one at least is the largest."""
        counted = node.inputs[0]
        while counted.op == CAST:
            counted = counted.inputs[0]
        if counted.op == "where" and [x.is_const and x.value for x in counted.inputs[1:]] == [1, 0]:
            counted = counted.inputs[0]
        if counted.op != "equal":
            return False
        pairs = (counted.inputs, counted.inputs[::-1])
        return any(
            most.op in ("max", "min") and most.inputs[0] is x and most.axes == node.axes and self.forms.exact(x)
            for x, most in pairs
        )


def _cosine(node: Node) -> Iterator[Interval]:
    """The scalar product of two vectors of length 1, or of none, lies between -1 and 1."""
    vectors = scalar_product(node)
    if vectors and all(_is_direction(x, node.axes) for x in vectors):
        yield SIGNED_UNIT.widened(2 * SUM_ULPS)


def _is_direction(node: Node, axes: Sequence[str]) -> bool:
    """Whether a value holds vectors of length 1 along axes, with all of their entries."""
    while node.op in ("stop_gradient", "negative") or (node.op == "pairs" and not set(node.axes) & set(axes)):
        node = node.inputs[0]
    return node.op == "normalize" and sorted(node.axes) == sorted(axes) and all(map(node.type.has, axes))


def _shares(monomial: Monomial, axes: Sequence[str]) -> bool:
    """Whether a product is one of shares, of which the sum along axes is 1."""
    return any(x.op == "softmax" and sorted(x.axes) == sorted(axes) for x in monomial)


def _shared(form: Form) -> set[Node]:
    """The variables that stand in two terms, so that their intervals do not say all."""
    found: set[Node] = set()
    for part in form.parts.values():
        seen: set[Node] = set()
        for monomial in part:
            found |= seen.intersection(monomial)
            seen.update(monomial)
    return found


def _is_rest(node: Node, share: Node) -> bool:
    """Whether a node is `1 - share`."""
    return node.op == "subtract" and node.inputs[0].is_const and node.inputs[0].value == 1 and node.inputs[1] is share
