"""Spreads moved outward until something covers their axes, so that nothing is laid out larger than it must be."""

from __future__ import annotations

from collections.abc import Sequence

from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import Family


def float_spreads(builder: Builder, roots: Sequence[Node]) -> dict[Node, Node]:
    """What each node becomes where spreads inside elementwise operations and sums are resolved."""
    nodes = reachable(roots)
    inputs = [node for node in nodes if node.op == INPUT]
    made: dict[Node, Node] = {}
    for node in nodes:
        operands = [made[operand] for operand in node.inputs]
        made[node] = _resolved(builder, node, operands, inputs)
    return made


def _resolved(builder: Builder, node: Node, operands: list[Node], inputs: Sequence[Node]) -> Node:
    row = OPS.get(node.op) or INTERNAL.get(node.op)
    spread = [x for x in operands if x.op == "spread"]
    if node.op == "spread":
        return _spread(builder, operands[0], operands[1], inputs)
    if row is not None and spread and row.family is Family.ELEMENTWISE:
        thin = [x.inputs[0] if x.op == "spread" else x for x in operands]
        result = builder.apply(node.op, thin, dict(node.attrs), node.span)
        lacking = [a.id for a in node.type.full if not result.type.has(a.id)]
        if not lacking:
            return result
        like = next((x.inputs[1] for x in spread if _covers(x.inputs[1], node)), None)
        if like is not None:
            return _spread(builder, result, like, inputs)
    if node.op == "sum" and spread:
        return _sum(builder, node, operands[0])
    if all(new is old for new, old in zip(operands, node.inputs, strict=True)):
        return node
    return builder.graph.add(node.op, operands, dict(node.attrs), type=node.type, span=node.span)


def _covers(like: Node, node: Node) -> bool:
    return like.type.ids == node.type.ids


def _spread(builder: Builder, node: Node, like: Node, inputs: Sequence[Node]) -> Node:
    """A spread, modelled on an input where one has just these axes, so that nothing is computed for its shape alone."""
    if node.op == "spread":
        node = node.inputs[0]
    if all(node.type.has(axis.id) for axis in like.type.full):
        return node
    model = next((x for x in inputs if _covers(x, like) and x.type.full == like.type.full), like)
    return builder.apply("spread", [node, model], span=node.span)


def _sum(builder: Builder, node: Node, spread: Node) -> Node:
    """The sum of equal entries: one of them times their number."""
    inner, like = spread.inputs
    gone = [axis for axis in like.type.full if axis.id in node.axes]
    result = inner
    kept = tuple(axis.id for axis in gone if inner.type.has(axis.id))
    if kept:
        result = builder.apply("sum", [result], {"axis": kept}, node.span)
    for axis in gone:
        if not inner.type.has(axis.id):
            result = builder.apply("multiply", [result, builder.graph.dim(axis.size)], span=node.span)
    if all(result.type.has(axis.id) for axis in node.type.full):
        return result
    return builder.graph.add(node.op, [spread], dict(node.attrs), type=node.type, span=node.span)
