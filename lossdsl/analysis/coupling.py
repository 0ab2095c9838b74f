"""Which axes a value is coupled along: whether an entry depends on other entries of the same axis."""

from __future__ import annotations

from collections.abc import Iterable

from lossdsl.ir.node import Node
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import Family

UNCOUPLED = frozenset({"index", "one_hot", "expand_dims", "spread"})
"""Operations of an index family that move nothing along the axis that they name."""


def coupled_axes(nodes: Iterable[Node]) -> dict[Node, frozenset[str]]:
    """For each node (operands first) the axes along which its entries depend on one another."""
    found: dict[Node, frozenset[str]] = {}
    for node in nodes:
        own: frozenset[str] = frozenset()
        row = OPS.get(node.op) or INTERNAL.get(node.op)
        if row is not None and row.family is not Family.ELEMENTWISE and node.op not in UNCOUPLED:
            own = frozenset(node.axes)
        found[node] = own.union(*(found[operand] for operand in node.inputs))
    return found
