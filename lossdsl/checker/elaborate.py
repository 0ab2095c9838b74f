"""Syntax to graph: one explicit stack of tasks, whatever the nesting; every error is collected, and said once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lossdsl.budgets import current
from lossdsl.checker import axes, calls, names
from lossdsl.checker.scope import POISON, AxisArgument, Poison, Scope, SettledAxes, Value
from lossdsl.errors import Diagnostic, LossError, diagnostic, fail
from lossdsl.ir.build import Builder
from lossdsl.ir.node import Node
from lossdsl.ops import OPERATORS
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import BATCH, DType, State

Task = tuple[Any, ...]
"""A method and its arguments."""


class Elaborator:
    """Builds the graph of one formula, for one signature."""

    def __init__(self, builder: Builder, *, uses: Mapping[str, str], epsilon: float, alive: bool = False) -> None:
        self.builder = builder
        self.uses = uses
        """Definitions of library losses that came with the formula; the rest is today's library."""
        self.used: dict[str, str] = {}
        self.epsilon = epsilon
        self.alive = alive
        """Whether some samples may be dead and must be left out of whatever couples samples."""
        self._said: dict[Diagnostic, None] = {}
        self.names: dict[Node, str] = {}
        """The user's own names of nodes."""
        self.terms: list[tuple[str, Value]] = []
        self.library: dict[Node, str] = {}
        """Values of library losses."""
        self.of_probabilities: list[tuple[Span, str]] = []
        """Library losses that take the predictions for probabilities."""
        self._tasks: list[Task] = []
        self._values: list[Value] = []
        self.steps = 0
        """Tasks done: what the budget counts."""
        self._place: Span | None = None
        """Where the expression at hand stands."""
        self._paths = 0

    # -- the machine ------------------------------------------------------------------------------------------

    def run(self, formula: ast.Formula, scope: Scope) -> Value:
        """The value of a formula: of its last expression, or the sum of its terms."""
        self.push((self._formula, formula, scope))
        return self._loop()

    def expression(self, expr: ast.Expr, scope: Scope) -> Value:
        """The value of one expression."""
        self.push((self._expr, expr, scope))
        return self._loop()

    def _loop(self) -> Value:
        budget = current()
        while self._tasks:
            self.steps += 1
            method, *args = self._tasks.pop()
            if self.steps > budget.expansion_steps:
                raise fail("too-many-steps", self._place, limit=budget.expansion_steps)
            try:
                method(*args)
            except LossError as error:
                self.report(*error.diagnostics)
                self._values.append(POISON)
                if error.diagnostics[-1].code == "too-many-nodes":
                    raise
                if len(self._said) >= budget.errors:
                    raise fail("too-many-errors", self._place, limit=budget.errors) from None
        return self._values.pop()

    def push(self, *tasks: Task) -> None:
        """Tasks to do next, in this order; each leaves at most one value."""
        self._tasks.extend(reversed(tasks))

    def give(self, value: Value) -> None:
        """The value of the task at hand."""
        self._values.append(value)

    def report(self, *found: Diagnostic) -> None:
        """Remember what is wrong; the same thing at the same place is said once."""
        self._said.update(dict.fromkeys(found))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was said so far."""
        return tuple(self._said)

    def note_library(self, name: str) -> None:
        """Remember that the value just given is that of a library loss."""
        value = self._values[-1]
        if isinstance(value, Node):
            self.library[value] = name

    def path(self) -> str:
        """A name for one more expansion, so that its vectors are told apart."""
        self._paths += 1
        return f"{self._paths}."

    def evaluate(self, exprs: Sequence[ast.Expr], scope: Scope, then: Callable[..., Any]) -> None:
        """Evaluate, then call `then(*nodes)`, which gives a node or, having pushed tasks, None."""
        self.push(*((self._expr, expr, scope) for expr in exprs), (self._combine, len(exprs), then))

    def _combine(self, count: int, then: Callable[..., Any]) -> None:
        values = self._values[len(self._values) - count :]
        del self._values[len(self._values) - count :]
        if any(isinstance(value, Poison) for value in values):
            self.give(POISON)
            return
        result = then(*values)
        if result is not None:
            self.give(result)

    # -- statements -------------------------------------------------------------------------------------------

    def _formula(self, formula: ast.Formula, scope: Scope) -> None:
        tasks: list[Task] = [(self._statement, s, scope) for s in formula.statements]
        if formula.result is not None:
            tasks.append((self._expr, formula.result, scope))
        else:
            tasks.append((self._sum_of_terms, formula, scope))
        self.push(*tasks)

    def _statement(self, statement: ast.Statement, scope: Scope) -> None:
        if isinstance(statement, ast.Definition):
            names.define(self, statement, scope)
        elif isinstance(statement, (ast.Binding, ast.Term)):
            problem = names.taken(statement.name, scope)
            if problem is not None:
                self.report(diagnostic(problem, statement.name_span, name=statement.name))
            self.push((self._expr, statement.value, scope), (self._bind, statement, scope))

    def _bind(self, statement: ast.Binding | ast.Term, scope: Scope) -> None:
        value = self._values.pop()
        scope.values.setdefault(statement.name, value)
        if isinstance(value, Node) and value.inputs and not scope.at:
            self.names.setdefault(value, statement.name)
        if isinstance(statement, ast.Term) and scope.parent is None:
            scope.used.add(statement.name)
            self.terms.append((statement.name, value))

    def _sum_of_terms(self, formula: ast.Formula, scope: Scope) -> None:
        found = [scope.values[s.name] for s in formula.statements if isinstance(s, ast.Term)]
        if not found:
            raise fail("no-loss", scope.span(formula))
        nodes = [value for value in found if isinstance(value, Node)]
        if len(nodes) < len(found):
            self.give(POISON)
            return
        total = nodes[0]
        for node in nodes[1:]:
            total = self.builder.apply("add", [total, node], span=scope.span(formula))
        self.give(total)

    # -- expressions ------------------------------------------------------------------------------------------

    def _expr(self, expr: ast.Expr, scope: Scope) -> None:
        self._place = scope.span(expr)
        _EXPRESSIONS[type(expr)](self, expr, scope)

    def _number(self, expr: ast.Number, scope: Scope) -> None:
        self.give(self.builder.graph.const(expr.value, scope.span(expr)))

    def _boolean(self, expr: ast.Boolean, scope: Scope) -> None:
        self.give(self.builder.graph.const(expr.value, scope.span(expr)))

    def _name(self, expr: ast.Name, scope: Scope) -> None:
        self.give(names.lookup(self, expr, scope))

    def _tuple(self, expr: ast.Tuple, scope: Scope) -> None:
        raise fail("tuple-only-axis", scope.span(expr))

    def _vector(self, expr: ast.Vector, scope: Scope) -> None:
        rows = expr.items if any(isinstance(item, ast.Vector) for item in expr.items) else ()
        for row in rows:
            if not isinstance(row, ast.Vector) or any(isinstance(item, ast.Vector) for item in row.items):
                raise fail("ragged-matrix", scope.span(row))
        vectors = [row for row in rows if isinstance(row, ast.Vector)]
        items = [item for row in vectors for item in row.items] if rows else expr.items
        span = scope.span(expr)
        key = f"{next((s.path for s in scope.chain()), '')}{expr.span.start}"

        def build(*nodes: Node) -> Node:
            for node, item in zip(nodes, items, strict=True):
                if not node.is_const:
                    raise fail("vector-of-constants", scope.span(item))
            numbers = iter([float(node.value) for node in nodes])
            if rows:
                lines = tuple(tuple(next(numbers) for _ in row.items) for row in vectors)
                return names.matrix(self.builder, key, lines, span)
            return self.builder.vector(key, tuple(numbers), None, span)

        self.evaluate(items, scope, build)

    def _unary(self, expr: ast.Unary, scope: Scope) -> None:
        if expr.op == "+":
            self.push((self._expr, expr.operand, scope))
        else:
            self._operator(f"unary{expr.op}" if expr.op == "-" else expr.op, [expr.operand], expr, scope)

    def _binary(self, expr: ast.Binary, scope: Scope) -> None:
        self._operator(expr.op, [expr.left, expr.right], expr, scope)

    def _operator(self, sign: str, operands: list[ast.Expr], expr: ast.Expr, scope: Scope) -> None:
        span = scope.span(expr)
        name = OPERATORS[sign]
        places = [scope.span(operand) for operand in operands]
        self.evaluate(operands, scope, lambda *nodes: self.builder.apply(name, nodes, span=span, spans=places))

    def _compare(self, expr: ast.Compare, scope: Scope) -> None:
        span = scope.span(expr)
        places = [scope.span(operand) for operand in expr.operands]

        def build(*nodes: Node) -> Node:
            whole: Node | None = None
            for i, sign in enumerate(expr.ops):
                pair = slice(i, i + 2)
                one = self.builder.apply(OPERATORS[sign], nodes[pair], span=span, spans=places[pair])
                both = OPERATORS["and"]
                whole = one if whole is None else self.builder.apply(both, [whole, one], span=span)
            assert whole is not None
            return whole

        self.evaluate(expr.operands, scope, build)

    def _if_else(self, expr: ast.IfElse, scope: Scope) -> None:
        span = scope.span(expr)

        def choose(condition: Node) -> Node | None:
            if condition.is_const and condition.type.dtype is DType.BOOL:
                taken, dropped = (expr.body, expr.orelse) if condition.value else (expr.orelse, expr.body)
                names.mark_used(dropped, scope)
                self.push((self._expr, taken, scope))
                return None
            places = [scope.span(piece) for piece in (expr.condition, expr.body, expr.orelse)]
            self.evaluate(
                [expr.body, expr.orelse],
                scope,
                lambda *both: self.builder.apply("where", [condition, *both], span=span, spans=places),
            )
            return None

        self.evaluate([expr.condition], scope, choose)

    def _call(self, expr: ast.Call, scope: Scope) -> None:
        calls.call(self, expr, scope)

    def _subscript(self, expr: ast.Subscript, scope: Scope) -> None:
        def build(operand: Node, *numbers: Node) -> Node:
            return axes.subscript(self.builder, expr, operand, numbers, scope)

        self.evaluate([expr.operand, *axes.index_bounds(expr)], scope, build)

    # -- reductions that couple samples -----------------------------------------------------------------------

    def alive_on(self, node: Node, gone: tuple[str, ...], span: Span) -> Node | None:
        """The condition under which entries count, where `gone` holds the batch or its pairs; else None."""
        if not self.alive:
            return None
        alive = self.alive_input()
        found = None
        for axis in node.type.axes:
            if axis.state is not State.FULL or axis.id not in gone:
                continue
            if axis.id == BATCH:
                one = alive
            elif axis.id == "pairs":
                one = self.builder.apply("pairs", [alive], {"axis": (BATCH,)}, span)
            else:
                continue
            found = one if found is None else self.builder.apply("logical_and", [found, one], span=span)
        return found

    def alive_input(self) -> Node:
        """The samples that count."""
        return names.alive(self.builder)


_EXPRESSIONS: dict[type, Callable[[Elaborator, Any, Scope], None]] = {
    ast.Number: Elaborator._number,
    ast.Boolean: Elaborator._boolean,
    ast.Name: Elaborator._name,
    ast.Tuple: Elaborator._tuple,
    ast.Vector: Elaborator._vector,
    ast.Unary: Elaborator._unary,
    ast.Binary: Elaborator._binary,
    ast.Compare: Elaborator._compare,
    ast.IfElse: Elaborator._if_else,
    ast.Call: Elaborator._call,
    ast.Subscript: Elaborator._subscript,
}

__all__ = ["AxisArgument", "Elaborator", "SettledAxes"]
