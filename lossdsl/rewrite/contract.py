"""Sums of products that would be larger than both factors become contractions, and are never laid out in memory."""

from __future__ import annotations

from collections.abc import Sequence

from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node, reachable, uses


def contract(builder: Builder, roots: Sequence[Node]) -> dict[Node, Node]:
    """What each node becomes where every `sum(a * b)` and `mean(a * b)` that pays is one node."""
    nodes = reachable(roots)
    counts = uses(nodes)
    made: dict[Node, Node] = {}
    for node in nodes:
        inputs = [made[operand] for operand in node.inputs]
        if _pays(node, counts):
            made[node] = _contraction(builder, node, made)
        elif all(new is old for new, old in zip(inputs, node.inputs, strict=True)):
            made[node] = node
        else:
            made[node] = builder.graph.add(node.op, inputs, dict(node.attrs), type=node.type, span=node.span)
    return made


def _pays(node: Node, counts: dict[Node, int]) -> bool:
    if node.op not in ("sum", "mean") or node.inputs[0].op != "multiply":
        return False
    product = node.inputs[0]
    smaller = all(factor.type.ids < product.type.ids for factor in product.inputs)
    return smaller and counts[product] == 1


def _contraction(builder: Builder, node: Node, made: dict[Node, Node]) -> Node:
    product = node.inputs[0]
    factors = [made[factor] for factor in product.inputs]
    attrs: dict[str, object] = {"axis": node.axes}
    result = builder.graph.add("contraction", factors, attrs, type=node.type, span=node.span)
    if node.op == "mean":
        for axis in product.type.full:
            if axis.id in node.axes:
                size = builder.graph.dim(axis.size, node.span)
                result = builder.apply("divide", [result, size], span=node.span)
    return result
