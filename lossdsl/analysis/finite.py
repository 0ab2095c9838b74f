"""Whether a graph can come out as NaN or infinite, for finite data within ranges: intervals, operation by operation.

What is analysed is the graph that runs, value or gradient. An operation is in danger where its operands may lie
outside its `domain`, or its value may overflow float32. What a branch takes for granted (`where(x > 0, log(x), 0)`)
is believed inside that branch, entry by entry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lossdsl.analysis.chains import CHAINS
from lossdsl.analysis.conditions import asks_for_order, holds
from lossdsl.analysis.forms import Forms
from lossdsl.analysis.ranges import inner_of, range_of
from lossdsl.analysis.relations import Relations
from lossdsl.analysis.undefined import overflows, undefined
from lossdsl.interval import EVERYTHING, LARGEST, NO, SMALLEST, ULP, YES, Interval, outward
from lossdsl.ir.node import CAST, DIM, INPUT, STRUCTURAL, Node, reachable
from lossdsl.ops import row
from lossdsl.ops.op import EVERYWHERE, Family, RangeRule
from lossdsl.types import DType

MOST_ENTRIES = Interval(1.0, 2.0**24)
"""How many entries an axis of unknown size may have, where nothing says that there are more."""
MOST_SUBJECTS = 64
"""Values that conditions speak of; where there are more, conditions are not looked at."""
MOST_SHIFT = 80.0 * 2.0**23
"""Products up to here are rounded by less than what `exp` can bear: what a `shifted` operation can do with."""
ROUNDED = frozenset({"add", "subtract", "negative", "abs", "relu", "clip"})
"""Operations that are not products, though products may be inside."""
MOST_INT = 2.0**31 - 1.0
"""The largest whole number of 32 bits."""
MOST_IN_ARRAY = 2.0**31 - 128.0
"""No array has more entries: the largest float32 below that number."""
FACT_ULPS = 4.0
"""Units in the last place by which a value may be another where it is used than where it was compared."""
AVERAGED = frozenset({"mean", "var"})
"""Reductions that end in a product."""
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

    def __init__(
        self,
        roots: Sequence[Node],
        inputs: Mapping[str, Interval],
        forms: Forms | None = None,
        most: float = LARGEST,
    ) -> None:
        """`most` is the largest number of the type that the roots are stored in."""
        self.inputs = inputs
        nodes = reachable(roots)
        forms = forms or Forms(nodes, MOST_ENTRIES)
        self.entries = forms.entries
        self.relations = Relations(forms, self.interval)
        self.dangers: dict[Node, Danger] = {}
        self.overflows: dict[Node, Danger] = {}
        """Operations that may overflow, to what does no harm so far: `exp(-inf)` is 0."""
        self.found: dict[tuple[Node, Facts], Interval] = {}
        self.hulls: dict[Node, Interval] = {}
        self._subjects = _subjects(nodes)
        self._paired = any(node.op == "pairs" for node in nodes)
        for root in roots:
            self._run(root)
            if overflows(self.found[root, NOTHING], most):
                operands = tuple(map(self.interval, root.inputs))
                self._blame(Danger(root, operands, self.found[root, NOTHING], False))

    def interval(self, node: Node) -> Interval:
        """Where a value lies, in any branch that it was looked at in."""
        return self.hulls.get(node, EVERYTHING)

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
            self.found[key] = found = self._settled(*key)
            known = self.hulls.get(key[0])
            self.hulls[key[0]] = found if known is None else known.hull(found)
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
        for value, sense in zip(values, (True, False), strict=True):
            more = self._as_used(self._facts(condition, sense, facts))
            never = more is None or known == (NO if sense else YES)
            found.append(None if never else self._under(value, facts | (more or NOTHING)))
        return found

    def _as_used(self, facts: Facts | None) -> Facts | None:
        """What was found of values, where a choice uses them: XLA may compute them anew there, rounded otherwise.

        It does where the choice spreads along an axis, or a condition is computed with other values; seen of products,
        which go into a sum without being rounded, and of sums that hold such products.
        """
        if facts is None:
            return None
        forms, found = self.relations.forms, set()
        for subject, interval in facts:
            if subject.op in AVERAGED or subject in forms.products:
                interval = interval.widened(FACT_ULPS)
            elif subject.op in ("add", "subtract") and not forms.exact(subject):
                slack = FACT_ULPS * ULP * max(self.interval(x).magnitude for x in subject.inputs)
                interval = outward(interval.lo - slack, interval.hi + slack)
            found.add((subject, interval))
        return frozenset(found)

    def _facts(self, condition: Node, sense: bool, facts: Facts) -> Facts | None:
        """What follows from a condition, or from its contrary; None where it can't be."""
        found: set[tuple[Node, Interval]] = set()
        for part, holds_here in _chain(condition, sense, "logical_and", "logical_or"):
            ways = [self._fact(*way, facts) for way in _chain(part, holds_here, "logical_or", "logical_and")]
            possible = [way for way in ways if way is not None]
            if not possible:
                return None
            for subject, interval in possible[0].items():
                if all(subject in way for way in possible):
                    found.add((subject, interval.hull(*(way[subject] for way in possible[1:]))))
        return frozenset(found)

    def _fact(self, node: Node, sense: bool, facts: Facts) -> dict[Node, Interval] | None:
        """What follows from a single comparison, or from its contrary; None where it can't be."""
        found: dict[Node, Interval] = {}
        if node.op in NEVER:
            for subject, interval in self._compared(node.op if sense else NEVER[node.op], node, facts):
                known = found.get(subject) or self.found.get(self._under(subject, facts), EVERYTHING)
                within = known.meet(interval)
                if within is None:
                    return None
                found[subject] = within
        elif node.op == ("not_equal" if sense else "equal"):
            found.update(self._nonzero(node, facts))
        return found

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
            result, outside = self._ranged(node, operands)
            result = self._in_any_order(node, facts, operands, result)
            if node.type.dtype is DType.INT and self._counts(node, operands):
                result = result.meet(Interval(-MOST_IN_ARRAY, MOST_IN_ARRAY)) or result
            self._judge(node, Danger(node, tuple(operands), result, outside))
        for subject, interval in facts:
            if subject is node:
                result = result.meet(interval) or result
        return result

    def _counts(self, node: Node, operands: list[Interval]) -> bool:
        """Whether it counts entries of an array: a sum of truths, a size, or a product of sizes that an array has."""
        if node.op == "sum":
            return operands[0].magnitude <= 1.0
        sizes, stack = [], [node]
        while stack:
            part = stack.pop()
            if part.op in (INPUT, "index"):
                return False
            sizes += [part] if part.op == DIM else []
            stack += part.inputs * 2 if part.op == "square" else part.inputs
        return self._paired or len(sizes) == len(set(sizes))

    def _in_any_order(self, node: Node, facts: Facts, operands: list[Interval], written: Interval) -> Interval:
        """Where a sum or product lies however its parts are grouped; what may be infinite on the way is in danger."""
        chain = CHAINS.get(node.op)
        if chain is None or node.type.dtype is not DType.FLOAT:
            return written
        result = written
        for through in (False, True):
            parts = chain.parts(node, lambda x: self.found.get(self._under(x, facts)) or self.interval(x), through)
            if len(parts) < 3:
                continue
            harmless = overflows(written) and not chain.may_be_nan(parts)
            if chain.may_overflow(parts) and not harmless:
                self.dangers.setdefault(node, Danger(node, tuple(operands), EVERYTHING, False))
            result = result.hull(chain.in_any_order(parts, written))
        return result

    def _ranged(self, node: Node, operands: list[Interval]) -> tuple[Interval, bool]:
        """Where a value lies, and whether its operands may leave the domain."""
        if node.op == "subtract" and node.inputs[0] is node.inputs[1]:
            return NO, False
        cases = self._cases(node, operands)
        ranges = [range_of(node, case, self.entries) for case in cases or [operands]]
        whole = ranges[0].hull(*ranges[1:])
        narrowed = self.relations.narrowed(node, whole)
        # no relation holds of what has overflowed: `a * b / b` is infinite then
        lost = any(map(overflows, operands)) and overflows(whole) and not overflows(narrowed)
        return whole if lost else narrowed, not cases

    def _cases(self, node: Node, operands: list[Interval]) -> list[list[Interval]]:
        """The operands, in one or two cases that surely lie in the domain; none where that is not known."""
        op = None if node.op in STRUCTURAL else row(node.op)
        if op is None or op.domain == EVERYWHERE or op.family is Family.INDEX:  # places outside are the data's fault
            return [operands]
        names = [a.name for a in op.signature.values]

        def inside(case: list[Interval]) -> bool:
            return holds(op.domain, dict(zip(names, case, strict=True))) is True

        if inside(operands):
            return [operands]
        order = asks_for_order(op.domain)
        if order is not None and self.relations.below(*(node.inputs[names.index(name)] for name in order)):
            return [operands]

        def case(part: Node, box: Interval) -> list[Interval]:
            return [box if other is part else x for other, x in zip(node.inputs, operands, strict=True)]

        for part, box in zip(node.inputs, operands, strict=True):
            if part.op == "where":
                branches = [case(part, self.interval(branch)) for branch in part.inputs[1:]]
                if all(map(inside, branches)):
                    return branches
            if box.lo == 0.0 and box.hi >= SMALLEST and self.relations.forms.exact(part):
                some = case(part, Interval(SMALLEST, box.hi))
                vanishing = zip(node.inputs, operands, strict=True)
                none = [NO if self.relations.vanish_with(other, part) else x for other, x in vanishing]
                if inside(some) and inside(none):
                    return [some, none]
        return []

    def _judge(self, node: Node, here: Danger) -> None:
        if node in self.dangers or node.op in STRUCTURAL or node.type.dtype is DType.BOOL:
            return
        if node.type.dtype is DType.INT:
            if here.result.lo < -MOST_INT - 1.0 or here.result.hi > MOST_INT:
                self.dangers[node] = here  # whole numbers begin again at the other end
            return
        op, operands = row(node.op), here.operands
        inner = inner_of(node, operands, self.entries)
        if op.inner.shifted and self._unrounded(node.inputs[0]) > MOST_SHIFT:
            inner = EVERYTHING
        inside = inner is not None and overflows(inner)
        if here.outside:
            self.dangers[node] = here
        elif any(map(overflows, operands)):
            if inside or undefined(node, operands, here.result):
                self._blame(here)
        elif inside or (overflows(here.result) and self._mixes(node, here)):
            self.dangers[node] = here
        elif overflows(here.result):
            self.overflows[node] = here

    def _mixes(self, node: Node, here: Danger) -> bool:
        """Whether parts of a sum or product may overflow apart, to what together is NaN: `inf - inf`, `inf * 0`."""
        return row(node.op).family is not Family.ELEMENTWISE and undefined(node, here.operands, here.result)

    def _blame(self, here: Danger) -> None:
        """Where an infinity does harm, what overflowed is in danger; of a constant, what uses it."""
        stack = [here.node]
        while stack:
            node = stack.pop()
            if node in self.overflows or node in self.dangers:
                self.dangers.setdefault(node, self.overflows.get(node, here))
                return
            stack += [x for x in node.inputs if overflows(self.interval(x))]
        self.dangers[here.node] = here

    def _unrounded(self, node: Node) -> float:
        """How large the products are that may go into a difference with a value unrounded, of which it consists.

        A sum over axes is never computed twice; a product with a power of 2 needs no rounding.
        """
        found, stack = [0.0], [node]
        while stack:
            part = stack.pop()
            if part.op == "rounded":
                continue
            op = None if part.op in STRUCTURAL else row(part.op)
            if op is None or part.op in ROUNDED or op.range is RangeRule.HULL:
                stack += part.inputs[part.op == "where" :]
            elif op.family is Family.ELEMENTWISE or part.op in AVERAGED:
                powers = [x for x in part.inputs[1:] if x.is_const and math.frexp(float(x.value))[0] in (0.5, -0.5)]
                exact = part.op in ("multiply", "divide") and bool(powers)
                stack += part.inputs[:1] if exact else []
                found += [] if exact else [self.interval(part).magnitude]
        return max(found)


def _chain(condition: Node, sense: bool, both: str, either: str) -> list[tuple[Node, bool]]:
    """The parts of a condition that is `both` of them, or the contrary of `either`."""
    found, stack = [], [(condition, sense)]
    while stack:
        node, sense = stack.pop()
        if node.op == "logical_not":
            stack.append((node.inputs[0], not sense))
        elif node.op == (both if sense else either):
            stack.extend((operand, sense) for operand in node.inputs)
        else:
            found.append((node, sense))
    return found


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
