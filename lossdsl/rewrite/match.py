"""Rules against the graph: patterns read from the rules' texts, matched by head operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lossdsl.ir.node import CONST, Node, reachable
from lossdsl.ops import INTERNAL, OPERATORS, OPS
from lossdsl.rewrite.rules import CONSTANTS, VARIABLES, Rule
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression

COMMUTATIVE = frozenset({"add", "multiply", "maximum", "minimum", "logical_and", "logical_or", "equal", "not_equal"})
Found = dict[str, object]
"""What the names of a pattern stand for: nodes, and axes."""


@dataclass(frozen=True, slots=True)
class Any:
    """Any value, or the same value again; a number where the name is one of `CONSTANTS`, none for `VARIABLES`."""

    name: str


@dataclass(frozen=True, slots=True)
class Exactly:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation; `axis` names the axes that it goes along."""

    op: str
    operands: tuple[Pattern, ...]
    axis: str | None


Pattern = Any | Exactly | Apply


@cache
def pattern(text: str) -> Pattern:
    """Read the left side of a rule. Rules are ours and small, so this recurses."""
    return _read(parse_expression(text))


def _read(tree: ast.Expr) -> Pattern:
    match tree:
        case ast.Name():
            return Any(tree.id)
        case ast.Number():
            return Exactly(float(tree.value))
        case ast.Unary():
            if tree.op == "-" and isinstance(tree.operand, ast.Number):
                return Exactly(-float(tree.operand.value))
            return Apply(OPERATORS[f"unary{tree.op}" if tree.op in "+-" else tree.op], (_read(tree.operand),), None)
        case ast.Binary():
            return Apply(OPERATORS[tree.op], (_read(tree.left), _read(tree.right)), None)
        case ast.Call():
            axis = next((k.value.id for k in tree.keywords if isinstance(k.value, ast.Name)), None)
            return Apply(tree.function, tuple(_read(arg) for arg in tree.args), axis)
    raise AssertionError(f"not a pattern: {tree.span.text}")


def matches(node: Node, wanted: Pattern) -> Iterator[Found]:
    """Every way in which a node has the form of a pattern."""
    yield from _match(node, wanted, {})


def _match(node: Node, wanted: Pattern, found: Found) -> Iterator[Found]:
    match wanted:
        case Any(name):
            if name in found:
                if found[name] is node:
                    yield found
            elif name in VARIABLES:
                if not node.is_const:
                    yield {**found, name: node}
            elif name not in CONSTANTS or (node.is_const and not isinstance(node.value, bool)):
                yield {**found, name: node}
        case Exactly(value):
            if node.is_const and not isinstance(node.value, bool) and node.value == value:
                yield found
        case Apply():
            if node.op == wanted.op and len(node.inputs) == len(wanted.operands):
                yield from _match_operation(node, wanted, found)


def _match_operation(node: Node, wanted: Apply, found: Found) -> Iterator[Found]:
    if node.axes:
        if wanted.axis is None or found.get(wanted.axis, node.axes) != node.axes:
            return
        found = {**found, wanted.axis: node.axes}
    orders = [node.inputs]
    if node.op in COMMUTATIVE and node.inputs[0] is not node.inputs[1]:
        orders.append(node.inputs[::-1])
    for operands in orders:
        yield from _match_all(operands, wanted.operands, found)


def _match_all(nodes: tuple[Node, ...], wanted: tuple[Pattern, ...], found: Found) -> Iterator[Found]:
    if not nodes:
        yield found
        return
    for first in _match(nodes[0], wanted[0], found):
        yield from _match_all(nodes[1:], wanted[1:], first)


def sums_within(found: Found) -> bool:
    """Whether values over axes are part of what the names of a pattern stand for."""
    return any(node.axes for node in reachable([value for value in found.values() if isinstance(value, Node)]))


def head(rule: Rule) -> str:
    """The operation that a rule's left side begins with."""
    wanted = pattern(rule.left)
    assert isinstance(wanted, Apply), rule.name
    assert wanted.op in OPS or wanted.op in INTERNAL, rule.name
    return wanted.op


def needs(rule: Rule) -> frozenset[str]:
    """Operations that must stand among the operands wherever the rule applies: most places are ruled out by that."""
    wanted = pattern(rule.left)
    assert isinstance(wanted, Apply)
    return frozenset(found for operand in wanted.operands if (found := _operation(operand)))


def _operation(wanted: Pattern) -> str | None:
    match wanted:
        case Apply(op=op):
            return op
        case Any(name=name) if name not in CONSTANTS:
            return None
    return CONST
