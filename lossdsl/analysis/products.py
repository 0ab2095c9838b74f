"""Products of several factors: in a graph TensorFlow multiplies them in any order.

Where their shapes differ it multiplies the small ones first, to have fewer large arrays, and then by the names of its
nodes: `2 * u * (a * b * x)` runs as `b * ((2 * u) * (a * x))`. What is left out of the way as it is written may
overflow then, or vanish. A quotient by a number or size is a product there as well, with its inverse.

Seen with TensorFlow 2.21 on a CPU: where `x` is the largest number and `b` is 0, that is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lossdsl.analysis.ranges import is_fixed
from lossdsl.interval import LARGEST, NO, SIGNED_UNIT, SMALLEST, YES, Interval
from lossdsl.ir.node import Node


def factors(node: Node, interval: Callable[[Node], Interval]) -> list[Interval]:
    """Where the factors of a product lie, those of products within it in place of these; none of what is no product."""
    found: list[Interval] = []
    stack = [node]
    while stack:
        part = stack.pop()
        if part.op == "multiply":
            stack.extend(part.inputs)
        elif part.op == "divide" and is_fixed(part.inputs[1]):
            found.append(YES / interval(part.inputs[1]))
            stack.append(part.inputs[0])
        elif part is not node:
            found.append(interval(part))
    return found


def may_overflow(parts: Sequence[Interval]) -> bool:
    """Whether some of the factors may overflow without the others."""
    return math.prod(max(1.0, x.magnitude) for x in parts) > LARGEST


def in_any_order(parts: Sequence[Interval], written: Interval) -> Interval:
    """Where their product lies, which lies in `written` as it is written: rounded otherwise, or 0 on the way."""
    if all(abs(math.frexp(end)[0]) in (0.0, 0.5) for x in parts for end in (x.lo, x.hi)):
        found = written  # nothing is rounded where they end
    else:
        found = written.widened(2.0 * len(parts))
        if all(x.magnitude <= 1.0 for x in parts):
            found = found.meet(SIGNED_UNIT) or found
    vanishes = math.prod(min(1.0, x.mignitude) for x in parts) < SMALLEST
    return found.hull(NO) if vanishes else found
