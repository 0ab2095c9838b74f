"""Whether a graph can come out as NaN or infinite, for finite data within ranges: intervals, operation by operation.

What is analysed is the graph that runs, value or gradient. An operation is in danger where its operands may lie
outside its `domain`, or its value may overflow float32. What a branch takes for granted (`where(x > 0, log(x), 0)`)
is believed inside that branch, entry by entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from lossdsl.analysis.ranges import inner_of, range_of
from lossdsl.interval import EVERYTHING, LARGEST, NO, SMALLEST, YES, Interval
from lossdsl.ir.node import CAST, INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops import OPERATORS, row
from lossdsl.ops.op import EVERYWHERE, Family
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression
from lossdsl.types import DType

MOST_ENTRIES = Interval(1.0, 2.0**24)
"""How many entries an axis of unknown size may have."""
MOST_SUBJECTS = 64
"""Values that conditions speak of; where there are more, conditions are not looked at."""
MOST_SHIFT = 80.0 * 2.0**23
"""Products up to here are rounded by less than what `exp` can bear: what a `shifted` operation can do with."""
NEVER = {"less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less"}
"""The comparison that holds where another does not."""

Facts = frozenset[tuple[Node, Interval]]
NOTHING: Facts = frozenset()


@dataclass(frozen=True, eq=False)
class Danger:
    """An operation that may give NaN or an infinity: where its operands and its value lie."""

    node: Node
    operands: tuple[Interval, ...]
    result: Interval
    outside: bool
    """Whether its operands may leave the domain; if not, the value overflows."""


class Finite:
    """Intervals of every value of a graph, under what the branches on the way to it take for granted."""

    def __init__(self, roots: Sequence[Node], inputs: Mapping[str, Interval]) -> None:
        self.inputs = inputs
        self.dangers: dict[Node, Danger] = {}
        self.found: dict[tuple[Node, Facts], Interval] = {}
        nodes = reachable(roots)
        self._subjects = _subjects(nodes)
        for root in roots:
            self._run(root)

    def interval(self, node: Node) -> Interval:
        """Where a value lies, in any branch that it was looked at in."""
        known = [interval for (other, _), interval in self.found.items() if other is node]
        return known[0].hull(*known[1:]) if known else EVERYTHING

    def _run(self, root: Node) -> None:
        stack = [(root, NOTHING)]
        while stack:
            key = stack[-1]
            if key in self.found:
                stack.pop()
                continue
            lacking = [wanted for wanted in self._operands(*key) if wanted not in self.found]
            if lacking:
                stack.extend(reversed(lacking))
                continue
            self.found[key] = self._settled(*key)
            stack.pop()

    def _under(self, node: Node, facts: Facts) -> tuple[Node, Facts]:
        """A value, and the facts that concern it."""
        known = self._subjects.get(node, frozenset())
        return node, frozenset(fact for fact in facts if fact[0] in known) if facts else NOTHING

    def _operands(self, node: Node, facts: Facts) -> Iterator[tuple[Node, Facts]]:
        """What has to be known first; of a choice the condition, then the branches that may be taken."""
        if node.op == "where":
            condition = self._under(node.inputs[0], facts)
            yield condition
            if condition in self.found:
                yield from (branch for branch in self._branches(node, facts) if branch is not None)
            return
        entrywise = node.op == CAST or (node.op not in STRUCTURAL and row(node.op).family is Family.ELEMENTWISE)
        for operand in node.inputs:
            yield self._under(operand, facts if entrywise else NOTHING)

    def _branches(self, node: Node, facts: Facts) -> list[tuple[Node, Facts] | None]:
        """Both branches of a choice, with what holds in them; None for one that is never taken."""
        condition, *values = node.inputs
        known = self.found[self._under(condition, facts)]
        found: list[tuple[Node, Facts] | None] = []
        for value, holds in zip(values, (True, False), strict=True):
            more = self._facts(condition, holds, facts)
            never = more is None or known == (NO if holds else YES)
            found.append(None if never else self._under(value, facts | (more or NOTHING)))
        return found

    def _facts(self, condition: Node, holds: bool, facts: Facts) -> Facts | None:
        """What follows from a condition, or from its contrary; None where it can't be."""
        found: set[tuple[Node, Interval]] = set()
        stack = [(condition, holds)]
        while stack:
            node, sense = stack.pop()
            if node.op == "logical_not":
                stack.append((node.inputs[0], not sense))
            elif node.op == ("logical_and" if sense else "logical_or"):
                stack.extend((operand, sense) for operand in node.inputs)
            elif node.op in NEVER:
                for subject, interval in self._compared(node.op if sense else NEVER[node.op], node, facts):
                    known = self.found.get(self._under(subject, facts), EVERYTHING)
                    within = known.meet(interval)
                    if within is None:
                        return None
                    found.add((subject, within))
            elif node.op == ("not_equal" if sense else "equal"):
                found |= set(self._nonzero(node, facts))
        return frozenset(found)

    def _compared(self, sign: str, node: Node, facts: Facts) -> Iterator[tuple[Node, Interval]]:
        left, right = node.inputs
        low, high = (self.found.get(self._under(x, facts), EVERYTHING) for x in node.inputs)
        if sign.startswith("greater"):
            left, right, low, high = right, left, high, low
        strict = not sign.endswith("equal")
        for subject, bound in ((left, Interval(-math.inf, high.hi)), (right, Interval(low.lo, math.inf))):
            if strict and subject is right and low.lo == 0.0:
                bound = Interval(SMALLEST, math.inf) if right.op == INPUT else bound
            if strict and subject is left and high.hi == 0.0:
                bound = Interval(-math.inf, -SMALLEST) if left.op == INPUT else bound
            if not subject.is_const:
                yield subject, bound
                if subject.op == "abs" and math.isfinite(bound.hi) and bound.hi >= 0.0:
                    yield subject.inputs[0], Interval(-bound.hi, bound.hi)

    def _nonzero(self, node: Node, facts: Facts) -> Iterator[tuple[Node, Interval]]:
        """`x != 0` of a value that is never negative; as everywhere, data hold no subnormal numbers."""
        for subject, other in (node.inputs, node.inputs[::-1]):
            known = self.found.get(self._under(subject, facts), EVERYTHING)
            if other.is_const and other.value == 0 and known.lo == 0.0 and known.hi >= SMALLEST:
                yield subject, Interval(SMALLEST, known.hi)

    def _settled(self, node: Node, facts: Facts) -> Interval:
        if node.op == INPUT:
            result = self.inputs[str(node.attr("name"))]
        elif node.op == "where":
            taken = [self.found[branch] for branch in self._branches(node, facts) if branch is not None]
            result = taken[0].hull(*taken[1:]) if taken else EVERYTHING
        else:
            operands = [self.found[wanted] for wanted in self._operands(node, facts)]
            result = self._ranged(node, operands)
            self._judge(node, operands, result)
        for subject, interval in facts:
            if subject is node:
                result = result.meet(interval) or result
        return result

    def _ranged(self, node: Node, operands: list[Interval]) -> Interval:
        if node.op == "subtract" and node.inputs[0] is node.inputs[1]:
            return NO
        return range_of(node, operands, MOST_ENTRIES)

    def _judge(self, node: Node, operands: list[Interval], result: Interval) -> None:
        if node in self.dangers or node.op in STRUCTURAL or node.type.dtype is not DType.FLOAT:
            return
        op = row(node.op)
        names = [a.name for a in op.signature.values]
        limited = op.domain != EVERYWHERE and op.family is not Family.INDEX  # places outside are the data's fault
        outside = limited and holds(op.domain, dict(zip(names, operands, strict=True))) is not True
        most = inner_of(node, operands, MOST_ENTRIES) or result
        if op.inner.shifted and self._computed(node.inputs[0], operands[0]) > MOST_SHIFT:
            most = EVERYTHING
        if outside or _overflows(most) or _overflows(result):
            self.dangers[node] = Danger(node, tuple(operands), result, outside)

    def _computed(self, node: Node, known: Interval) -> float:
        """How large the numbers are that arithmetic has made: not those of the data, nor what stands for nothing."""
        if node.op == "where":
            return max((self._computed(x, self.interval(x)) for x in node.inputs[1:]), default=0.0)
        return 0.0 if node.op == INPUT or node.is_const else known.magnitude


def _overflows(interval: Interval) -> bool:
    return not (abs(interval.lo) <= LARGEST and abs(interval.hi) <= LARGEST)


def _subjects(nodes: Sequence[Node]) -> dict[Node, frozenset[Node]]:
    """For each node those of its parts that a condition compares."""
    spoken = {
        part
        for node in nodes
        if node.op == "where"
        for inner in reachable([node.inputs[0]])
        if inner.op in NEVER or inner.op in ("equal", "not_equal")
        for operand in inner.inputs
        for part in (operand, *(operand.inputs if operand.op == "abs" else ()))
        if not part.is_const
    }
    if not spoken or len(spoken) > MOST_SUBJECTS:
        return {}
    found: dict[Node, frozenset[Node]] = {}
    for node in nodes:
        inside = frozenset().union(*(found[operand] for operand in node.inputs)) if node.inputs else frozenset()
        found[node] = inside | {node} if node in spoken else inside
    return found


# -- conditions of the table, over intervals ----------------------------------------------------------------


@cache
def _parsed(text: str) -> ast.Expr:
    return parse_expression(text)


def holds(text: str, arguments: Mapping[str, Interval]) -> bool | None:
    """Whether a condition of the table holds for all values in the intervals; None where that is not known."""
    return {YES: True, NO: False}.get(_valued(_parsed(text), arguments))


def _valued(tree: ast.Expr, arguments: Mapping[str, Interval]) -> Interval:
    match tree:
        case ast.Number():
            return Interval(float(tree.value), float(tree.value))
        case ast.Name():
            return arguments.get(tree.id, EVERYTHING)
        case ast.Unary():
            return row(OPERATORS[f"unary{tree.op}" if tree.op == "-" else tree.op]).range_of(
                _valued(tree.operand, arguments)
            )
        case ast.Binary():
            return row(OPERATORS[tree.op]).range_of(*(_valued(x, arguments) for x in (tree.left, tree.right)))
        case ast.Compare() if len(tree.ops) == 1:
            return row(OPERATORS[tree.ops[0]]).range_of(*(_valued(x, arguments) for x in tree.operands))
        case ast.Call() if tree.function != "size":
            return row(tree.function).range_of(*(_valued(x, arguments) for x in tree.args))
    return EVERYTHING
