"""Reverse mode over the graph, from the `grad` column of the table: a loop over the node list, no recursion.

Every adjoint has a guard: the condition under which it is used. A branch that is not taken may hold an infinity or
NaN, and neither may reach the gradient, at first or second order; so an operation whose derivative can break is
differentiated at `where(guard, x, safe)`, and what is not used is set to 0 before it is added to anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from lossdsl.analysis.reach import reached
from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.scope import ABSENT, Scope, SettledAxes, Value
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CAST, INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops.op import BACKEND, NO_LIMITS, STOPPED, ZERO, Family, Op
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression
from lossdsl.types import DType, State, Type

PERMUTES = frozenset({"sort", "flip", "pairs", "unpairs", "expand_dims"})
"""Operations that use every entry of their operand, elsewhere."""
PICKS = frozenset({"select", "slice", "top_k", "take", "pad_select", "pad_slice"})
"""Operations that leave entries of their operand out by place; `where`-like ones say so in their `grad`."""

LINEAR = PERMUTES | PICKS | {
    "add", "subtract", "negative", "where", "sum", "mean", "spread", "maximum", "minimum", "clip", "relu",
    "leaky_relu", "max", "min", "take_along_axis",
}  # fmt: skip
"""Operations through which a 0 of the adjoint stays 0, whatever the operands are: NaN times 0 is not 0."""

_parsed = cache(parse_expression)
Guard = Node | None
"""None: always used."""


@dataclass(frozen=True, slots=True)
class Adjoint:
    """The adjoint of a node, the condition under which it is used, and whether it is surely 0 elsewhere."""

    node: Node
    guard: Guard
    clean: bool


class NoGradientError(Exception):
    """The table has no derivative to give here, and the backend's own must do."""


def vjp(builder: Builder, roots: Sequence[Node], upstreams: Sequence[Node], name: str = "y_pred") -> Node:
    """The adjoint of an input, given those of the roots. Raises NoGradientError."""
    return _Reverse(builder, roots, name).run(upstreams)


class _Reverse:
    def __init__(self, builder: Builder, roots: Sequence[Node], name: str) -> None:
        self.builder = builder
        self.elaborator = Elaborator(builder, uses={}, epsilon=0.0)
        self.roots = roots
        self.nodes = reachable(roots)
        self.reach = reached(self.nodes, name)
        self.name = name
        self.adjoints: dict[Node, Adjoint] = {}

    def run(self, upstreams: Sequence[Node]) -> Node:
        for root, upstream in zip(self.roots, upstreams, strict=True):
            self._add(root, Adjoint(upstream, None, True))
        inputs = (n for n in self.builder.graph.nodes if n.op == INPUT)
        wanted = next(n for n in inputs if n.attr("name") == self.name)
        for node in reversed(self.nodes):
            if node is not wanted and node in self.adjoints and self.reach[node]:
                self._backward(node, self.adjoints[node])
        if wanted not in self.adjoints:
            return self._spread(self.builder.graph.const(0.0), wanted)
        return self._spread(self._clean(self.adjoints[wanted]), wanted)

    # -- one node ---------------------------------------------------------------------------------------------

    def _backward(self, node: Node, adjoint: Adjoint) -> None:
        if node.op == CAST:
            if node.inputs[0].type.dtype is DType.FLOAT:
                self._add(node.inputs[0], adjoint)
            return
        if node.op in STRUCTURAL:
            return
        row = self.builder.row(node.op)
        if row.family is not Family.ELEMENTWISE:
            adjoint = replace(adjoint, node=self._clean(adjoint), clean=True)
        for i, operand in enumerate(node.inputs):
            if self.reach[operand] and row.grad[i] not in (ZERO, STOPPED):
                if row.grad[i] == BACKEND:
                    raise NoGradientError(node.op)
                self._operand(node, row, i, adjoint)

    def _operand(self, node: Node, row: Op, index: int, adjoint: Adjoint) -> None:
        condition, kept, text = _selection(row.grad[index])
        if condition is not None:
            selected = self._evaluate(condition, self._scope(node, row, adjoint.node, None))
            if selected.is_const:
                if bool(selected.value) is not kept:
                    return
            else:
                if not kept:
                    selected = self.builder.apply("logical_not", [selected], span=node.span)
                chosen = self._clean(Adjoint(adjoint.node, selected, False))
                both = self._both(adjoint.guard, selected)
                adjoint = Adjoint(chosen, both, adjoint.clean or adjoint.guard is None)
        local = self._evaluate(text, self._scope(node, row, adjoint.node, adjoint.guard))
        clean = adjoint.clean and (self._keeps_zero(node) or row.safe != NO_LIMITS)
        guard = self._guard_of(node, row, index, adjoint.guard)
        self._contribute(node.inputs[index], Adjoint(local, guard, clean))

    def _keeps_zero(self, node: Node) -> bool:
        """Whether a 0 of the adjoint stays 0 on the way to the operands."""
        scaled = node.op in ("multiply", "divide") and any(not x.type.axes for x in node.inputs)
        return node.op in LINEAR or scaled

    def _contribute(self, operand: Node, adjoint: Adjoint) -> None:
        """Add to an operand's adjoint, summed over the axes along which the operand was spread."""
        local, guard = adjoint.node, adjoint.guard
        gone = tuple(a.id for a in local.type.full if not operand.type.has(a.id))
        if gone:
            local = self.builder.apply("sum", [self._clean(adjoint)], {"axis": gone}, operand.span)
            adjoint = replace(adjoint, clean=True)
        if guard is not None:
            wide = tuple(a.id for a in guard.type.full if not operand.type.has(a.id))
            if wide:
                guard = self.builder.apply("any", [guard], {"axis": wide}, operand.span)
        self._add(operand, Adjoint(self._spread(local, operand), guard, adjoint.clean))

    def _add(self, node: Node, adjoint: Adjoint) -> None:
        before = self.adjoints.get(node)
        if before is None:
            self.adjoints[node] = adjoint
            return
        total = self.builder.apply("add", [self._clean(before), self._clean(adjoint)], span=node.span)
        either = None
        if before.guard is not None and adjoint.guard is not None:
            either = self.builder.apply("logical_or", [before.guard, adjoint.guard])
        self.adjoints[node] = Adjoint(total, either, True)

    # -- guards -----------------------------------------------------------------------------------------------

    def _guard_of(self, node: Node, row: Op, index: int, guard: Guard) -> Guard:
        """The condition under which entries of an operand are used."""
        if node.op in PICKS:
            ones = self.builder.graph.const(1.0)
            used = self._spread(ones, node)
            if guard is not None:
                used = self.builder.apply("where", [guard, used, self.builder.graph.const(0.0)])
            local = self._evaluate(_parsed(row.grad[index]), self._scope(node, row, used, None))
            return self.builder.apply("greater", [local, self.builder.graph.const(0)])
        if guard is None:
            return None
        if node.op in PERMUTES:
            used = self.builder.apply("where", [guard, self.builder.graph.const(1.0), self.builder.graph.const(0.0)])
            local = self._evaluate(
                _parsed(row.grad[index]), self._scope(node, row, self._spread(used, node), None)
            )
            return self.builder.apply("greater", [local, self.builder.graph.const(0)])
        along = tuple(axis for axis in node.axes if guard.type.has(axis))
        if along and row.family in (Family.ALONG, Family.ORDER):
            return self.builder.apply("any", [guard], {"axis": along}, node.span)
        return guard

    def _both(self, left: Guard, right: Node) -> Node:
        return right if left is None else self.builder.apply("logical_and", [left, right])

    def _clean(self, adjoint: Adjoint) -> Node:
        """The adjoint where it is used, 0 elsewhere."""
        if adjoint.guard is None or adjoint.clean:
            return adjoint.node
        zero = self.builder.graph.const(0.0)
        return self.builder.apply("where", [adjoint.guard, adjoint.node, zero], span=adjoint.node.span)

    def _spread(self, local: Node, like: Node) -> Node:
        """The adjoint with all the axes of its node."""
        if all(local.type.has(axis.id) for axis in like.type.full):
            return local
        return self.builder.apply("spread", [local, like], span=like.span)

    # -- texts ------------------------------------------------------------------------------------------------

    def _scope(self, node: Node, row: Op, adjoint: Node, guard: Guard) -> Scope:
        """What the names of a `grad` text stand for; operands are guarded where their derivative could break."""
        operands = list(node.inputs)
        out = node
        if guard is not None and row.safe != NO_LIMITS:
            safe = [self.builder.graph.const(float(point)) for point in row.safe]
            operands = [
                self._guarded(x, guard, point) for x, point in zip(operands, safe, strict=True)
            ]
            out = self.builder.apply(node.op, operands, dict(node.attrs), node.span)
        values: dict[str, Value] = {a.name: x for a, x in zip(row.signature.values, operands, strict=True)}
        for attribute in row.signature.attributes:
            values[attribute.name] = self._attribute(node.attr(attribute.name))
        values |= {"g": adjoint, "out": out}
        return Scope(values=values, internal=True, at=node.span)

    def _guarded(self, operand: Node, guard: Node, safe: Node) -> Node:
        if operand.is_const or not operand.type.full:
            return operand
        wide = tuple(a.id for a in guard.type.full if not operand.type.has(a.id))
        if wide:
            guard = self.builder.apply("any", [guard], {"axis": wide})
        return self.builder.apply("where", [guard, operand, safe], span=operand.span)

    def _attribute(self, value: object) -> Value:
        if isinstance(value, tuple):
            return SettledAxes(value)
        if isinstance(value, (int, float)):
            return self.builder.graph.const(value)
        return ABSENT

    def _evaluate(self, text: ast.Expr, scope: Scope) -> Node:
        value = self.elaborator.expression(text, scope)
        if self.elaborator.diagnostics:
            # a constant of the user's at which the derivative is no number, as in `xlogy(x, 0)`
            raise NoGradientError(self.elaborator.diagnostics[0].message)
        assert isinstance(value, Node)
        return value


@cache
def _selection(text: str) -> tuple[ast.Expr | None, bool, ast.Expr]:
    """`where(C, A, 0)` selects: its condition, whether A is kept where C holds, and A; else no condition."""
    tree = _parsed(text)
    if isinstance(tree, ast.Call) and tree.function == "where" and len(tree.args) == 3:
        condition, first, second = tree.args
        if isinstance(second, ast.Number) and second.value == 0:
            return condition, True, first
        if isinstance(first, ast.Number) and first.value == 0:
            return condition, False, second
    return None, True, tree


def upstream(builder: Builder, root: Node, name: str) -> Node:
    """The input that brings the adjoint of a root: a number per sample, and per axis left standing."""
    axes = tuple(axis for axis in root.type.axes if axis.state is State.FULL)
    return builder.graph.add(INPUT, attrs={"name": name}, type=Type(DType.FLOAT, axes))
