"""Rules applied to a graph until none applies: a loop over the node list, bounded by steps, every step recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lossdsl.analysis.ranges import ranges
from lossdsl.analysis.undefined import is_defined
from lossdsl.budgets import current
from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.scope import Scope, SettledAxes, Value
from lossdsl.interval import YES, Interval
from lossdsl.ir.build import Builder
from lossdsl.ir.node import STRUCTURAL, Node, reachable
from lossdsl.rewrite.match import Found, head, matches, needs, pattern, sums_within
from lossdsl.rewrite.rules import DIFFERENCES, SIMPLIFY, STABILISE, SUMS, Rule
from lossdsl.rewrite.sums import Sums
from lossdsl.source import Span
from lossdsl.syntax.parse import parse_expression

RULES = (*STABILISE, *SIMPLIFY, *SUMS)
MOST_PASSES = 20
"""Passes to a fixed point; each rule lowers the cost, so that a few are enough."""
_parsed = cache(parse_expression)


@dataclass(frozen=True, slots=True)
class Applied:
    """One use of a rule: where, and the nodes before and after."""

    rule: Rule
    span: Span | None
    before: Node
    after: Node


def rewrite(
    builder: Builder, roots: Sequence[Node], rules: Sequence[Rule] = RULES, cancel: bool = False
) -> tuple[dict[Node, Node], list[Applied]]:
    """For every node of the roots its best form, and what was done; with `cancel`, sums lose what adds up to 0."""
    work = _Rewriter(builder, rules, cancel)
    whole = {node: node for node in reachable(roots)}
    for _ in range(MOST_PASSES):
        made = work.once([whole[root] for root in roots])
        if all(new is old for old, new in made.items()):
            break
        whole = follow(whole, made)
    return whole, work.applied


_DEAR = {
    "exp": 8, "expm1": 8, "log": 8, "log1p": 8, "log2": 8, "log10": 8, "sin": 8, "cos": 8, "tan": 8, "tanh": 8,
    "sinh": 8, "cosh": 8, "sigmoid": 8, "log_sigmoid": 8, "softplus": 8, "erf": 8, "power": 16, "divide": 4,
    "xdivy": 5, "sqrt": 3, "rsqrt": 3, "reciprocal": 3, "softmax": 24, "log_softmax": 24, "logsumexp": 16,
    "norm": 6, "std": 8, "var": 6, "mean": 4, "sum": 4, "max": 4, "min": 4, "prod": 4,
}  # fmt: skip
"""Work per entry, roughly, in numbers read; what is not named costs one for each operand."""


def cost(roots: Sequence[Node]) -> int:
    """The work of a graph: what every rule of `SIMPLIFY` must lower."""
    return sum(_DEAR.get(node.op, len(node.inputs)) for node in reachable(roots) if node.op not in STRUCTURAL)


def follow(first: dict[Node, Node], second: dict[Node, Node]) -> dict[Node, Node]:
    """Two rewritings as one."""
    return {old: second.get(new, new) for old, new in first.items()}


@cache
def _by_head(rules: tuple[Rule, ...]) -> dict[str, list[tuple[Rule, frozenset[str]]]]:
    found: dict[str, list[tuple[Rule, frozenset[str]]]] = {}
    for rule in rules:
        found.setdefault(head(rule), []).append((rule, needs(rule)))
    return found


class _Rewriter:
    def __init__(self, builder: Builder, rules: Sequence[Rule], cancel: bool) -> None:
        self.builder = builder
        self.rules = _by_head(tuple(rule for rule in rules if rule not in SUMS))
        identities, differences = ([rule for rule in rules if rule in some] for some in (SUMS, DIFFERENCES))
        self.sums = Sums(builder, self._of_found, identities, differences, cancel)
        self.applied: list[Applied] = []
        self.ranges: dict[Node, Interval] = {}
        self.steps = 0
        self.settled: set[Node] = set()
        """Nodes that no rule applies to: they are what they are, and need not be looked at again."""

    def once(self, roots: Sequence[Node]) -> dict[Node, Node]:
        """One pass, operands first: what each node becomes."""
        made: dict[Node, Node] = {}
        for node in reachable(roots):
            operands = [made[operand] for operand in node.inputs]
            same = all(new is old for new, old in zip(operands, node.inputs, strict=True))
            here = node if same else self._again(node, operands)
            made[node] = self._rewritten(here)
        return made

    def _again(self, node: Node, operands: list[Node]) -> Node:
        return self.builder.graph.add(node.op, operands, dict(node.attrs), type=node.type, span=node.span)

    def _rewritten(self, node: Node) -> Node:
        if node in self.settled:
            return node
        have = {operand.op for operand in node.inputs}
        for rule, wanted in self.rules.get(node.op, ()):
            for found in matches(node, pattern(rule.left)) if wanted <= have else ():
                self.steps += 1
                if self.steps > current().rewrite_steps:
                    return node
                after = self._right(rule, found, node)
                if after is not None and after is not node:
                    self.applied.append(Applied(rule, node.span, node, after))
                    return after
        better = self.sums.rewritten(node)
        if better is not None and _alike(better[1], node):
            self.steps += 1
            self.applied.append(Applied(better[0], node.span, node, better[1]))
            return better[1]
        self.settled.add(node)
        return node

    def _of_found(self, text: str, found: Found, node: Node) -> Node | None:
        return self._build(text, _values(found), node.span)

    def _right(self, rule: Rule, found: Found, node: Node) -> Node | None:
        """The right side, where the condition is proved and the type is the same."""
        values = _values(found)
        if rule.when and not self._proved(rule.when, values, rule.defined):
            return None
        if rule.unless and self._proved(rule.unless, values):
            return None
        if rule.entries and sums_within(found):
            return None
        after = self._build(rule.right, values, node.span)
        return after if after is not None and _alike(after, node) else None

    def _proved(self, condition: str, values: dict[str, Value], defined: bool = False) -> bool:
        node = self._build(condition, values, None)
        if node is None:
            return False
        self.ranges = ranges(reachable([node]), self.ranges)
        return self.ranges[node] == YES and (not defined or is_defined(node))

    def _build(self, text: str, values: dict[str, Value], span: Span | None) -> Node | None:
        elaborator = Elaborator(self.builder, uses={}, epsilon=0.0)
        result = elaborator.expression(_parsed(text), Scope(values=dict(values), internal=True, at=span))
        return result if isinstance(result, Node) and not elaborator.diagnostics else None


def _values(found: Found) -> dict[str, Value]:
    """What the names of a pattern stand for, as values of a text."""
    values: dict[str, Value] = {}
    for name, value in found.items():
        if isinstance(value, Node):
            values[name] = value
        elif isinstance(value, tuple):
            values[name] = SettledAxes(value)
    return values


def _alike(after: Node, node: Node) -> bool:
    """Whether two nodes have one type."""
    same = [a.id for a in after.type.full] == [a.id for a in node.type.full]
    return same and after.type.dtype is node.type.dtype
