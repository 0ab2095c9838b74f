"""Reverse mode over the graph, from the `grad` column of the table: a loop over the node list, no recursion.

What is differentiated is the graph that `lossdsl.guards` made of the formula: there an adjoint of 0 stays 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from lossdsl import ops
from lossdsl.analysis.reach import flows, reached
from lossdsl.guards import NoGradientError, Texts, guarded, parsed, selection
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CAST, INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops.op import BACKEND
from lossdsl.types import DType, State, Type

__all__ = ["NoGradientError", "upstream", "vjp"]


def vjp(builder: Builder, roots: Sequence[Node], upstreams: Sequence[Node], name: str = "y_pred") -> Node:
    """The adjoint of an input, given those of the roots. Raises NoGradientError."""
    return _Reverse(builder, guarded(builder, roots), name).run(upstreams)


class _Reverse:
    def __init__(self, builder: Builder, roots: tuple[Sequence[Node], dict[Node, Node]], name: str) -> None:
        self.builder = builder
        self.texts = Texts(builder)
        self.roots, self.originals = roots
        self.nodes = reachable(self.roots)
        self.reach = reached(self.nodes, name)
        self.name = name
        self.adjoints: dict[Node, Node] = {}

    def run(self, upstreams: Sequence[Node]) -> Node:
        for root, upstream in zip(self.roots, upstreams, strict=True):
            self._add(root, self._spread(upstream, root))
        inputs = (n for n in self.builder.graph.nodes if n.op == INPUT)
        wanted = next(n for n in inputs if n.attr("name") == self.name)
        for node in reversed(self.nodes):
            if node is not wanted and node in self.adjoints and self.reach[node]:
                self._backward(node, self.adjoints[node])
        return self._spread(self.adjoints.get(wanted, self.builder.graph.const(0.0)), wanted)

    def _backward(self, node: Node, adjoint: Node) -> None:
        if node.op in STRUCTURAL:
            if node.op == CAST and node.inputs[0].type.dtype is DType.FLOAT:
                self._add(node.inputs[0], adjoint)
            return
        row = ops.row(node.op)
        for i, operand in enumerate(node.inputs):
            if self.reach[operand] and flows(node, i):
                if row.grad[i] == BACKEND:
                    raise NoGradientError(node.op)
                self._contribute(operand, self._local(node, row.grad[i], adjoint))

    def _local(self, node: Node, text: str, adjoint: Node) -> Node:
        """A row's derivative at a node. What it selects by is asked of the formula as it was, which gives the same."""
        chosen = selection(text)
        if chosen is None:
            return self.texts.at(parsed(text), node, adjoint)
        condition = self.texts.at(chosen.condition, self.originals.get(node, node))
        known = self.texts.known(condition, node)
        zero = self.builder.graph.const(0.0)
        if known is not None:
            return self.texts.at(chosen.value, node, adjoint) if known is chosen.kept else zero
        pair = [self.texts.at(chosen.value, node, adjoint), zero]
        return self.builder.apply("where", [condition, *(pair if chosen.kept else reversed(pair))])

    def _contribute(self, operand: Node, local: Node) -> None:
        """Add to an operand's adjoint, summed over the axes along which the operand was spread."""
        gone = tuple(axis.id for axis in local.type.full if not operand.type.has(axis.id))
        if gone:
            local = self.builder.apply("sum", [local], {"axis": gone}, operand.span)
        self._add(operand, self._spread(local, operand))

    def _add(self, node: Node, adjoint: Node) -> None:
        before = self.adjoints.get(node)
        if before is not None:
            adjoint = self.builder.apply("add", [before, adjoint], span=node.span)
        self.adjoints[node] = adjoint

    def _spread(self, local: Node, like: Node) -> Node:
        """The adjoint with all the axes of its node."""
        if all(local.type.has(axis.id) for axis in like.type.full):
            return local
        return self.builder.apply("spread", [local, like], span=like.span)


def upstream(builder: Builder, root: Node, name: str) -> Node:
    """The input that brings the adjoint of a root: a number per sample, and per axis left standing."""
    axes = tuple(axis for axis in root.type.axes if axis.state is State.FULL)
    return builder.graph.add(INPUT, attrs={"name": name}, type=Type(DType.FLOAT, axes))
