"""Values kept out of sight of optimisers that would lose digits.

Constants and what would swallow them: in `(1 - p) + 1e-8` TensorFlow's and XLA's optimisers add up the constants, and
float32 has no `1 + 1e-8`: what was added to keep a logarithm from 0 is gone. In a graph TensorFlow also moves a
constant to the last part of a sum: `(x - y) + 1e-8` runs as `x + (1e-8 - y)`, and where x and y are equal and not
small, nothing is left of it. A value that is bounded by the lowest float, and so is not changed, lies between them:
everywhere in the first case, in the second where the sum has to keep to a domain.

Quotients of quotients: XLA makes `a / (b * c)` of `a / b / c`, and `a * c / b` of `a / (b / c)`, and those products may
be too large, or too small. The same lies between them.

Products of which the largest is taken off: XLA multiplies and subtracts in one step, without rounding the product, and
the largest less itself would not be 0. A bound by the largest float lies between those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossdsl.analysis.merged import again, constants, vanishes
from lossdsl.analysis.ranges import ranges
from lossdsl.interval import LARGEST, SMALLEST, Interval
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CAST, INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops import row
from lossdsl.ops.op import EVERYWHERE

SEEN_THROUGH = frozenset({"negative", "select", "slice", "take_along_axis", "pairs", "unpairs", "flip", "expand_dims",
                          "spread", CAST})  # fmt: skip
"""Operations that leave a product one, or next to one; as does a choice that is the same along the axes."""
NO_PRODUCTS = frozenset({"add", "subtract", "where", "rounded", "maximum", "minimum", "clip", "relu", "abs", "sum",
                         "max", "min", "sort", "cumsum", "matmul", "exp", "log", "tanh", "sigmoid", "softplus",
                         "log_sigmoid", "log_softmax", "logsumexp", "kept_apart"})  # fmt: skip
"""Operations that do not end in a multiplication."""

MODEST = 1e6
"""A number up to this, or down to one over it, is no danger beside another."""
SUMS = ("add", "subtract")
THROUGH = frozenset({*SUMS, "multiply", "where", "sqrt", "negative", CAST})
"""Operations that keep to a domain if what they are made of does."""


def keep_apart(builder: Builder, roots: Sequence[Node]) -> dict[Node, Node]:
    """What each node becomes."""
    nodes = reachable(roots)
    limited = _limited(nodes)
    made: dict[Node, Node] = {}
    known: dict[Node, Interval] = {}
    for node in nodes:
        operands = [made[operand] for operand in node.inputs]
        if node.op in SUMS:
            pairs = zip(operands, reversed(operands), strict=True)
            operands = [_apart(builder, x, y, node in limited) for x, y in pairs]
        if node.op not in STRUCTURAL and row(node.op).inner.shifted and _is_product(operands[0], node.axes):
            operands[0] = builder.apply("rounded", [operands[0]], span=node.span)
        if node.op == "divide":
            known = ranges(reachable(operands), known)
            operands = _quotients_apart(builder, operands, known)
        made[node] = again(builder, node, operands)
    return made


def _limited(nodes: Sequence[Node]) -> set[Node]:
    """Values that have to keep to a domain."""
    found: set[Node] = set()
    for node in reversed(nodes):
        if node in found and node.op in THROUGH:
            found.update(node.inputs)
        elif node.op not in STRUCTURAL and row(node.op).domain != EVERYWHERE:
            op = row(node.op)
            found.update(x for x, a in zip(node.inputs, op.signature.values, strict=True) if a.name == op.guarded)
    return found


def _apart(builder: Builder, node: Node, other: Node, limited: bool) -> Node:
    """A sum beside a constant that would vanish in it, or it in that."""
    if not other.is_const or node.is_const:
        return node
    swallowed = any(vanishes(own, float(other.value)) for own in constants(node))
    if not swallowed and not (limited and node.op in SUMS and _cancels(node)):
        return node
    return _kept(builder, node)


def _quotients_apart(builder: Builder, operands: list[Node], known: Mapping[Node, Interval]) -> list[Node]:
    """The operands of a quotient, with what has quotients for factors itself kept apart from the other."""
    above, below = operands
    return [
        _kept(builder, above) if any(_far_out(known, divisor, below) for divisor in _divisors(above)) else above,
        _kept(builder, below) if any(_far_out(known, above, divisor) for divisor in _divisors(below)) else below,
    ]


def _divisors(node: Node) -> list[Node]:
    """What the factors of a product are divided by."""
    found, stack = [], [node]
    while stack:
        factor = stack.pop()
        if factor.op in ("multiply", "negative"):
            stack.extend(factor.inputs)
        elif factor.op == "divide":
            found.append(factor.inputs[1])
    return found


def _far_out(known: Mapping[Node, Interval], *factors: Node) -> bool:
    """Whether the product of two factors may be too large, or too small, as far as ranges tell."""
    if any(_is_modest(factor) for factor in factors):
        return False
    lies = known[factors[0]] * known[factors[1]]
    return not (lies.mignitude >= SMALLEST and lies.magnitude <= LARGEST)


def _is_modest(node: Node) -> bool:
    """Whether this is made of sizes, or is a number that is neither large nor small."""
    if node.is_const:
        return bool(1.0 / MODEST <= abs(node.value) <= MODEST)
    return all(leaf.op != INPUT for leaf in reachable([node]))


def _kept(builder: Builder, node: Node) -> Node:
    return builder.apply("kept_apart", [node], span=node.span)


def _is_product(node: Node, axes: Sequence[str]) -> bool:
    """Whether a value may be one that a difference along axes would compute anew."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if part.op in SEEN_THROUGH:
            waiting.append(part.inputs[0])
        elif part.op == "where" and not {axis.id for axis in part.inputs[0].type.full}.issuperset(axes):
            waiting += part.inputs[1:]
        elif part.op not in STRUCTURAL and part.op not in NO_PRODUCTS:
            return True
    return False


def _cancels(node: Node) -> bool:
    """Whether a sum may have parts of either sign; a constant in it would meet the other."""
    if any(part.is_const for part in node.inputs):
        return False
    known = ranges(reachable([node]))
    stack, ends = [(True, node)], []
    while stack:
        plus, part = stack.pop()
        if part.op in SUMS:
            stack += [(plus, part.inputs[0]), (plus == (part.op == "add"), part.inputs[1])]
        else:
            ends.append(known[part] if plus else -known[part])
    return any(x.lo < 0.0 for x in ends) and any(x.hi > 0.0 for x in ends)
