"""The root of a formula as a sum of terms, and what each does with weights and masks.

A term that is a default-axis mean or sum takes weights inside it, position by position, so far as what is inside does
not couple the positions that the weights tell apart (research: the value never depends on the form of the root).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lossdsl.analysis.coupling import coupled_axes
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CAST, Node, reachable
from lossdsl.types import BATCH, DType, State, Type


@dataclass(frozen=True, slots=True)
class RootTerm:
    """One term: how its values are reduced, the node to reduce, and the highest rank of weights that it takes."""

    name: str | None
    kind: str
    """`mean`, `sum`: unreduced over positions; `plain`: positions left standing; `sample`; `batch`."""
    node: Node
    rank: int


def root_terms(builder: Builder, root: Node, names: Mapping[Node, str], pred: Type) -> list[RootTerm]:
    """The terms of the root, in order."""
    found: list[RootTerm] = []
    if not root.type.has(BATCH):
        return [RootTerm(names.get(root), "batch", root, 0)]
    for coefficient, node, name in _linear(builder, root, names):
        kind, inner = _kind(node)
        values = _scaled(builder, coefficient, inner)
        found.append(RootTerm(name, kind, values, _rank(kind, inner, pred)))
    return found


def _scaled(builder: Builder, coefficient: Node | None, node: Node) -> Node:
    if coefficient is None:
        return node
    if coefficient.is_const and coefficient.value == -1:
        return builder.apply("negative", [node], span=node.span)
    return builder.apply("multiply", [coefficient, node], span=node.span)


def couples(root: Node) -> str:
    """`none`, `rows` (a value per sample that depends on others) or `batch` (one value for the batch)."""
    nodes = reachable([root])
    if BATCH not in coupled_axes(nodes)[root]:
        return "none"
    return "rows" if root.type.has(BATCH) else "batch"


def _linear(builder: Builder, root: Node, names: Mapping[Node, str]) -> list[tuple[Node | None, Node, str | None]]:
    """`c * node` for each term; a coefficient has no axes at all, None is 1."""
    found: list[tuple[Node | None, Node, str | None]] = []
    stack: list[tuple[Node | None, Node, str | None]] = [(None, root, None)]
    while stack:
        factor, node, name = stack.pop()
        name = names.get(node, name)
        parts = _split(builder, factor, node)
        if parts is None:
            found.append((factor, node, name))
        else:
            stack.extend((f, n, name) for f, n in reversed(parts))
    return found


def _split(builder: Builder, factor: Node | None, node: Node) -> list[tuple[Node | None, Node]] | None:
    if node.op == CAST and node.inputs[0].type.dtype is DType.FLOAT:
        return [(factor, node.inputs[0])]
    if node.op in ("add", "subtract"):
        left, right = node.inputs
        if not _same_place(node, left) or not _same_place(node, right):
            return None
        return [(factor, left), (_times(builder, factor, -1) if node.op == "subtract" else factor, right)]
    if node.op == "negative":
        return [(_times(builder, factor, -1), node.inputs[0])]
    if node.op == "multiply":
        for scalar, other in (node.inputs, node.inputs[::-1]):
            if _is_scalar(scalar) and not _is_scalar(other):
                return [(_product(builder, factor, scalar), other)]
    if node.op == "divide" and _is_scalar(node.inputs[1]) and not _is_scalar(node.inputs[0]):
        one = builder.graph.const(1)
        inverse = builder.apply("divide", [one, node.inputs[1]], span=node.span)
        return [(_product(builder, factor, inverse), node.inputs[0])]
    return None


def _same_place(node: Node, part: Node) -> bool:
    """Whether a term stands along the same axes as the sum: `mean(a) + b` with positions in `b` is no sum of terms."""
    return part.type.ids == node.type.ids


def _is_scalar(node: Node) -> bool:
    """Whether a value is the same for every entry of every axis, whatever the data: a number or a size."""
    return not node.type.axes


def _times(builder: Builder, factor: Node | None, by: int) -> Node:
    return _product(builder, factor, builder.graph.const(by))


def _product(builder: Builder, factor: Node | None, other: Node) -> Node:
    return other if factor is None else builder.apply("multiply", [factor, other], span=other.span)


def _kind(node: Node) -> tuple[str, Node]:
    if node.op in ("mean", "sum") and node.attr("default") and node.inputs[0].type.has(BATCH):
        return node.op, node.inputs[0]
    if len(node.type.full) > 1:
        return "plain", node
    return ("plain" if _no_positions(node) else "sample"), node


def _no_positions(node: Node) -> bool:
    """Whether there never was an axis besides batch, so that the sample is its only position."""
    return all(axis.id == BATCH or axis.state is State.SELECTED for axis in node.type.axes)


def _rank(kind: str, node: Node, pred: Type) -> int:
    """The highest rank of weights: along the axes of `y_pred` from the left that stand and are not coupled."""
    if kind == "sample":
        return 1
    coupled: frozenset[str] = coupled_axes(reachable([node]))[node]
    rank = 1
    for axis in pred.axes[1:]:
        if not node.type.has(axis.id) or axis.id in coupled:
            break
        rank += 1
    return rank
