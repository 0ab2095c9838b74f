"""Where each value of a formula is used, and the same formula with what is not used made harmless.

A branch that is not taken may hold an infinity or NaN, and neither may reach the gradient, at first or second order.
So every value gets a guard, the condition under which it is used, and is computed anew from operands that are set to
a safe point elsewhere. What is differentiated then has finite derivatives wherever its adjoint is 0, whoever
differentiates it. Where nothing is selected, nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from lossdsl import ops
from lossdsl.analysis.ranges import ranges
from lossdsl.analysis.reach import flows, reached
from lossdsl.analysis.undefined import is_defined
from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.scope import ABSENT, Scope, SettledAxes, Value
from lossdsl.interval import NO, YES, Interval
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CAST, INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops.op import NO_LIMITS, Family
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression
from lossdsl.types import DType

parsed = cache(parse_expression)
Guard = Node | None
"""None: always used."""

ALL_MOVE = frozenset({"sort", "flip", "pairs", "unpairs", "expand_dims"})
"""Operations that use every entry of their operand, elsewhere."""
MOVES = ALL_MOVE | {"select", "slice", "take", "take_along_axis", "top_k", "windows"}
"""Operations whose `grad` text says where each entry came from, so that it takes a guard there too."""
BY_PLACE = (MOVES - {"sort", "top_k"}) | {"where"}
"""Operations that choose or move entries without looking at their values."""
PICKS = frozenset({"select", "take_along_axis", "top_k"})
"""Operations that take at least one entry of every line along their axis."""
LINEAR = MOVES | {"add", "subtract", "negative", "where", "sum", "mean", "spread", "cumsum", "matmul", "abs", "relu",
                  "leaky_relu", "rfft_real", "rfft_imag", "maximum", "minimum", "clip", "max", "min"}  # fmt: skip
"""Operations with a derivative that stays finite whatever is put in, and values no larger than a sum of those."""
SAFE = 1.0
"""A point at which every operation without limits is harmless."""
WILD, DATA, CALM = 0, 1, 2
"""What a value may be where it is not used: anything; as finite as the data; a fixed number."""


class NoGradientError(Exception):
    """The table has no derivative to give here, and the backend's own must do."""


class Inserted(NamedTuple):
    """A guard that went in: where `used` does not hold, the operation gets `point` in place of an operand."""

    node: Node
    operand: Node
    used: Node
    point: float


def guarded(builder: Builder, roots: Sequence[Node]) -> tuple[list[Node], dict[Node, Node]]:
    """The roots, equal in value, from operands that are harmless where they are not used.

    With them, for each node made anew, the one whose place it takes: it has the same value wherever that is used.
    """
    work = _Guards(builder, roots)
    work.find()
    if all(guard is None for guard in work.guards.values()):
        return list(roots), {}
    made = work.rebuilt()
    return made, {new: old for old, new in work.made.items() if new is not old}


def inserted(builder: Builder, roots: Sequence[Node]) -> list[Inserted]:
    """The guards with which `guarded` keeps the gradient finite; they change no value that is used."""
    work = _Guards(builder, roots)
    work.find()
    work.rebuilt()
    return work.inserted


class Texts:
    """Evaluates texts of the operation table at a node."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.elaborator = Elaborator(builder, uses={}, epsilon=0.0)
        self.ranges: dict[Node, Interval] = {}

    def at(self, text: ast.Expr, node: Node, adjoint: Node | None = None) -> Node:
        """The value of a text in which the arguments of a node's row stand for its operands."""
        row = ops.row(node.op)
        values: dict[str, Value] = {a.name: x for a, x in zip(row.signature.values, node.inputs, strict=True)}
        for attribute in row.signature.attributes:
            values[attribute.name] = self._attribute(node.attr(attribute.name))
        values |= {"out": node} if adjoint is None else {"out": node, "g": adjoint}
        result = self.elaborator.expression(text, Scope(values=values, internal=True, at=node.span))
        if self.elaborator.diagnostics:
            # a constant of the user's at which the derivative is no number, as in `xlogy(x, 0)`
            raise NoGradientError(self.elaborator.diagnostics[0].message)
        assert isinstance(result, Node)
        return result

    def known(self, condition: Node, node: Node) -> bool | None:
        """Whether a condition that a node's derivative has holds, where that is the same whatever the data.

        Of a choice, it is the formula's own, and what it compares may be NaN.
        """
        if condition.is_const:
            return bool(condition.value)
        self.ranges = ranges(reachable([condition]), self.ranges)
        known = {YES: True, NO: False}.get(self.ranges[condition])
        return None if known is not None and node.op == "where" and not is_defined(condition) else known

    def _attribute(self, value: object) -> Value:
        if isinstance(value, tuple):
            return SettledAxes(value)
        return self.builder.graph.const(value) if isinstance(value, (int, float)) else ABSENT


class Selection(NamedTuple):
    """A text that gives `value` where the condition holds, or, where that is not `kept`, where it does not; else 0."""

    condition: ast.Expr
    kept: bool
    value: ast.Expr


@cache
def selection(text: str) -> Selection | None:
    """`where(C, A, 0)` or `where(C, 0, A)`; None for other texts."""
    tree = parsed(text)
    if isinstance(tree, ast.Call) and tree.function == "where" and len(tree.args) == 3:
        condition, first, second = tree.args
        if isinstance(second, ast.Number) and second.value == 0:
            return Selection(condition, True, first)
        if isinstance(first, ast.Number) and first.value == 0:
            return Selection(condition, False, second)
    return None


class _Guards:
    def __init__(self, builder: Builder, roots: Sequence[Node]) -> None:
        self.builder = builder
        self.texts = Texts(builder)
        self.roots = roots
        self.nodes = reachable(roots)
        by_true, by_pred = (reached(self.nodes, name) for name in ("y_true", "y_pred"))
        self.reached = {node for node in self.nodes if by_true[node] or by_pred[node]}
        self.guards: dict[Node, Guard] = {}
        self.made: dict[Node, Node] = {}
        self.somewhere: dict[Node, set[str]] = {}
        """Guards that hold for some entry of every line along these axes."""
        self.levels: dict[Node, int] = {}
        self.inserted: list[Inserted] = []
        self._missing: dict[Node, bool] = {}

    # -- where values are used --------------------------------------------------------------------------------

    def find(self) -> None:
        """The guard of every value that a gradient reaches."""
        self.guards = dict.fromkeys(self.roots)
        for node in reversed(self.nodes):
            if node not in self.guards or node.op in STRUCTURAL - {CAST}:
                continue
            for i, operand in enumerate(node.inputs):
                if operand in self.reached and flows(node, i):
                    used, guard = self._of_operand(node, i)
                    if used:
                        self._widen(operand, guard)

    def _widen(self, operand: Node, guard: Guard) -> None:
        if operand in self.guards and guard is not self.guards[operand]:
            before = self.guards[operand]
            if guard is not None:
                anywhere = before is None or _opposite(before, guard)
                guard = None if anywhere or before is None else self._apply("logical_or", before, guard)
        self.guards[operand] = guard

    def _of_operand(self, node: Node, index: int) -> tuple[bool, Guard]:
        """Whether an operand is used at all, and where."""
        guard, operand = self.guards[node], node.inputs[index]
        if node.op == CAST:
            return True, guard
        row = ops.row(node.op)
        chosen = selection(row.grad[index])
        if chosen is not None:
            condition = self.texts.at(chosen.condition, node)
            known = self.texts.known(condition, node)
            if known is not None:
                return known is chosen.kept, guard
            condition = condition if chosen.kept else self._apply("logical_not", condition)
            guard = condition if guard in (None, condition) else self._apply("logical_and", guard, condition)
        if node.op in MOVES and (guard is not None or node.op not in ALL_MOVE):
            moved = guard if chosen is not None and guard is not None else self._moved(node, index, guard)
            if self.guards[node] is None and node.op in PICKS:
                self.somewhere[moved] = set(node.axes)
            return True, moved
        if guard is None:
            return True, None
        lost = set(guard.type.ids - operand.type.ids)
        if row.family in (Family.ALONG, Family.ORDER):
            lost |= {axis for axis in node.axes if guard.type.has(axis)}
        elif row.family is Family.INDEX and node.op not in MOVES:
            lost |= guard.type.ids - {"batch"}
        return True, self._any(guard, lost)

    def _moved(self, node: Node, index: int, guard: Guard) -> Node:
        """Which entries of an operand come out, and are used there."""
        one, zero = self.builder.graph.const(1.0), self.builder.graph.const(0.0)
        used = one if guard is None else self._apply("where", guard, one, zero)
        if not all(used.type.has(axis.id) for axis in node.type.full):
            used = self._apply("spread", used, node)
        row = ops.row(node.op)
        return self._apply("greater", self.texts.at(parsed(row.grad[index]), node, used), zero)

    def _any(self, guard: Node, axes: set[str]) -> Guard:
        if not axes:
            return guard
        if self.somewhere.get(guard, {""}) <= axes:
            return None
        ordered = tuple(axis.id for axis in guard.type.full if axis.id in axes)
        return self.builder.apply("any", [guard], {"axis": ordered})

    def _apply(self, name: str, *operands: Node) -> Node:
        return self.builder.apply(name, operands)

    # -- the same values, harmless elsewhere ------------------------------------------------------------------

    def rebuilt(self) -> list[Node]:
        """The roots from guarded operands."""
        for node in self.nodes:
            self.made[node] = self._rebuilt(node) if node in self.guards else node
            if node not in self.guards:
                self.levels[node] = self._level_of_data(node)
        return [self.made[root] for root in self.roots]

    def _level_of_data(self, node: Node) -> int:
        if node.op in STRUCTURAL - {INPUT, CAST} or node.type.dtype is not DType.FLOAT:
            return CALM
        if node.op == INPUT:
            return DATA
        return min(self.levels[x] for x in node.inputs) if node.op == CAST or self._linear(node) else WILD

    def _linear(self, node: Node) -> bool:
        if node.op == "multiply":
            return any(x.is_const for x in node.inputs)
        if node.op == "divide":
            return node.inputs[1].op in ("const", "dim")
        return node.op in LINEAR

    def _rebuilt(self, node: Node) -> Node:
        if node.op in STRUCTURAL - {CAST}:
            self.levels[node] = self._level_of_data(node)
            return node
        guard = self.guards[node]
        linear, row = (
            node.op == CAST or self._linear(node),
            None if node.op == CAST else ops.row(node.op),
        )
        limited = row is not None and row.safe != NO_LIMITS and not linear and not _polynomial(node)
        operands, levels = [], []
        for i, operand in enumerate(node.inputs):
            made, level = self._operand(node, i)
            wild = level == WILD or (level == DATA and self._is_missing(guard))
            limits = limited and row is not None and row.safe[i] is not None
            if guard is not None and not operand.is_const and not linear and (limits or wild):
                made, level = self._safe(node, made, i), CALM
            operands.append(made)
            levels.append(level)
        if linear:
            self.levels[node] = min(levels)
        else:
            self.levels[node] = CALM if guard is not None and min(levels) == CALM else WILD
        if all(new is old for new, old in zip(operands, node.inputs, strict=True)):
            return node
        return self.builder.graph.add(node.op, operands, dict(node.attrs), type=node.type, span=node.span)

    def _operand(self, node: Node, index: int) -> tuple[Node, int]:
        """An operand, exact wherever the node is used, and what it may be elsewhere."""
        operand = node.inputs[index]
        if operand not in self.guards or not (node.op == CAST or flows(node, index)):
            return operand, self.levels[operand]
        made, guard = self.made[operand], self.guards[operand]
        if made is operand or guard is self.guards[node] or guard is None or node.op in BY_PLACE:
            same = guard is self.guards[node]
            return made, self.levels[operand] if same else min(self.levels[operand], DATA)
        # it looks at values to choose among them: they must be the true ones, wherever they come from
        true = self._apply("stop_gradient", operand)
        return self._apply("where", guard, made, true), WILD

    def _safe(self, node: Node, made: Node, index: int) -> Node:
        """An operand, set to a safe point where no entry that is made of it is used."""
        guard, row = self.guards[node], ops.row(node.op)
        assert guard is not None
        lost = set(guard.type.ids - made.type.ids)
        if row.family in (Family.ALONG, Family.ORDER):
            lost |= {axis for axis in node.axes if guard.type.has(axis)}
        point = SAFE if isinstance(row.safe, str) else row.safe[index]
        point = SAFE if point is None else float(point)
        anywhere = self._any(guard, lost)
        if anywhere is None:
            return made
        self.inserted.append(Inserted(node, node.inputs[index], anywhere, point))
        return self._apply("where", anywhere, made, self.builder.graph.const(point))

    def _is_missing(self, guard: Guard) -> bool:
        """Whether a guard asks for missing data: then the data themselves are not to be trusted elsewhere."""
        if guard is None:
            return False
        if guard not in self._missing:
            self._missing[guard] = any(
                x.op in ("isnan", "isfinite") or (x.op in ("equal", "not_equal") and x.inputs[0] is x.inputs[1])
                for x in reachable([guard])
            )
        return self._missing[guard]


def _opposite(one: Node, other: Node) -> bool:
    """Whether one of two conditions holds where the other does not: between them, everywhere."""
    return any(x.op == "logical_not" and x.inputs[0] is y for x, y in ((one, other), (other, one)))


def _polynomial(node: Node) -> bool:
    """Whether this is a whole power, which has no limits."""
    if node.op != "power" or not node.inputs[1].is_const:
        return False
    exponent = float(node.inputs[1].value)
    return exponent >= 1 and exponent.is_integer()
