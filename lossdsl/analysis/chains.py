"""Products of several factors, and sums of several terms: in a graph TensorFlow groups them as it likes.

Where their shapes differ it takes the small ones first, to have fewer large arrays, and then goes by the names of its
nodes: `2 * u * (a * b * x)` runs as `b * ((2 * u) * (a * x))`. What is left out of the way as it is written may
overflow then, or vanish, or be rounded otherwise. A quotient by a number or size is a product there as well, with its
inverse; a difference is no sum.

Seen with TensorFlow 2.21 on a CPU: where `x` is the largest number and `b` is 0, that is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lossdsl.analysis.ranges import entries_of, is_fixed, vanishes
from lossdsl.interval import LARGEST, NO, SIGNED_UNIT, SMALLEST, ULP, YES, Interval, outward
from lossdsl.ir.node import Node

Intervals = Callable[[Node], Interval]
SINGLE = frozenset({"sum", "mean", "prod", "max", "min", "spread"})
"""Operations that leave one entry as it is."""


class Chain(NamedTuple):
    """What is to be known of operations that are grouped in any order."""

    parts: Callable[[Node, Intervals, bool], list[Interval]]
    """Where the parts lie, those of inner ones of the kind in place of these; none where it is of no such kind.

    With True reductions are seen through that may be of one entry: a graph leaves them out then.
    """
    may_overflow: Callable[[Sequence[Interval]], bool]
    """Whether some of the parts may overflow without the others."""
    may_be_nan: Callable[[Sequence[Interval]], bool]
    """Whether that may become NaN by the others."""
    in_any_order: Callable[[Sequence[Interval], Interval], Interval]
    """Where it lies in any order, as it is written in that interval."""


def _leaves(node: Node, inside: Callable[[Node], Sequence[Node]]) -> list[Node]:
    """What a node is made of where the insides of its kind are opened; nothing where it is of no such kind itself."""
    found, stack = [], list(inside(node))
    while stack:
        part = stack.pop()
        stack += (inner := inside(part))
        found += [] if inner else [part]
    return found


def _is_single(node: Node) -> bool:
    """Whether a reduction, or what spreads its operand, may be of one entry, which it leaves as it is."""
    return node.op in SINGLE and entries_of(node).lo <= 1.0


def factors(node: Node, interval: Intervals, through: bool = False) -> list[Interval]:
    """The factors of a product, and the inverses of what is fixed and divides it."""
    divisors: list[Node] = []

    def inside(part: Node) -> Sequence[Node]:
        if through and _is_single(part):
            return part.inputs[:1]
        if part.op == "divide" and is_fixed(part.inputs[1]):
            divisors.append(part.inputs[1])
            return part.inputs[:1]
        return part.inputs if part.op == "multiply" else ()

    found = [interval(part) for part in _leaves(node, inside)]
    for divisor in map(interval, divisors):
        found.append((YES / divisor).hull(NO) if vanishes(divisor) else YES / divisor)
    return found


def product_overflows(parts: Sequence[Interval]) -> bool:
    """Whether a product of some of the factors may be too large."""
    return math.prod(max(1.0, x.magnitude) for x in parts) > LARGEST


def product_in_any_order(parts: Sequence[Interval], written: Interval) -> Interval:
    """Where a product lies: rounded otherwise than as it is written, or 0 on the way."""
    if all(abs(math.frexp(end)[0]) in (0.0, 0.5) for x in parts for end in (x.lo, x.hi)):
        found = written  # nothing is rounded where they end
    else:
        found = written.widened(2.0 * len(parts))
        if all(x.magnitude <= 1.0 for x in parts):
            found = found.meet(SIGNED_UNIT) or found
    vanished = math.prod(min(1.0, x.mignitude) for x in parts) < SMALLEST
    return found.hull(NO) if vanished else found


def terms(node: Node, interval: Intervals, through: bool = False) -> list[Interval]:
    """The terms of a sum."""

    def inside(part: Node) -> Sequence[Node]:
        if through and _is_single(part):
            return part.inputs[:1]
        return part.inputs if part.op == "add" else ()

    return [interval(part) for part in _leaves(node, inside)]


def sum_overflows(parts: Sequence[Interval]) -> bool:
    """Whether a sum of some of the terms may be too large."""
    return any(_sides(parts))


def sum_may_be_nan(parts: Sequence[Interval]) -> bool:
    """Whether it may be so on either side, and infinities meet."""
    return all(_sides(parts))


def _sides(parts: Sequence[Interval]) -> list[bool]:
    """Whether what is above 0 of the terms may be too large, and what is below."""
    return [sum(max(end, 0.0) for end in ends) > LARGEST for ends in ([x.hi for x in parts], [-x.lo for x in parts])]


def sum_in_any_order(parts: Sequence[Interval], written: Interval) -> Interval:
    """Where a sum lies: what is known of parts of it as they are written holds to the rounding of the largest.

    But nothing goes below a sum of lower ends that all are at least 0, nor above one of upper ends at most 0.
    """
    slack = len(parts) * ULP * sum(x.magnitude for x in parts)
    if not math.isfinite(slack):
        return written
    found = outward(written.lo - slack, written.hi + slack)
    one_sided = min(x.lo for x in parts) >= 0.0 or max(x.hi for x in parts) <= 0.0
    plain = outward(sum(x.lo for x in parts), sum(x.hi for x in parts)).widened(float(len(parts)))
    return (found.meet(plain) or found) if one_sided else found


CHAINS: Mapping[str, Chain] = {
    **dict.fromkeys(
        ("multiply", "divide"),
        Chain(factors, product_overflows, lambda parts: any(0.0 in x for x in parts), product_in_any_order),
    ),
    "add": Chain(terms, sum_overflows, sum_may_be_nan, sum_in_any_order),
}
"""By the operation that is the last one."""
