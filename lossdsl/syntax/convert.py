"""What each rule of the grammar becomes in our tree.

Here too stands what the grammar doesn't say: bounds of ranges, order of arguments, number of statements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lark import Token

from lossdsl.budgets import Limits
from lossdsl.errors import fail
from lossdsl.source import Source, Span
from lossdsl.syntax import ast
from lossdsl.syntax.lalr import Build, Placed
from lossdsl.syntax.newlines import CLOSERS, NEWLINE, OPENERS, SEMICOLON, span_of_token
from lossdsl.syntax.numbers import number_value

INPUTS = frozenset({"y_true", "y_pred"})
SILENT = OPENERS | CLOSERS | {
    "COMMA", "COLON", "ASSIGN", "ELLIPSIS", "IF", "ELSE", "IN", "DEF", "TERM", NEWLINE, SEMICOLON
}  # fmt: skip
"""Tokens that show where a piece ends or of what kind it is, and say no more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A node of the parser's tree on its way: its place, and its children, already converted or tokens."""

    source: Source
    span: Span
    children: list[Any]

    def place(self, index: int) -> Span:
        """The place of a child that is a token."""
        return span_of_token(self.children[index], self.source)


def builder(source: Source) -> Build:
    """What makes a node of the syntax tree from the parts of a rule."""

    def build(rule: str, parts: list[Placed]) -> Placed:
        start, stop = parts[0][0], parts[-1][1]
        children = [c for _, _, c in parts if not (isinstance(c, Token) and c.type in SILENT)]
        return start, stop, _RULES[rule](Piece(source, Span(source, start, stop), children))

    return build


def check_size(formula: ast.Formula, budget: Limits) -> None:
    """Refuse more statements, names or parameters than the budget allows."""
    bindings = [s for s in formula.statements if isinstance(s, ast.Binding)]
    declared = [s for s in formula.statements if isinstance(s, ast.Declaration) and s.name not in INPUTS]
    for code, found, limit in (
        ("too-many-statements", formula.statements, budget.statements),
        ("too-many-bindings", bindings, budget.bindings),
        ("too-many-parameters", declared, budget.parameters),
    ):
        if len(found) > limit:
            raise fail(code, found[limit].span, limit=limit)


# ---- Statements


def _formula(piece: Piece) -> ast.Formula:
    *statements, last = piece.children
    for statement in statements:
        if isinstance(statement, ast.Expr):
            raise fail("unused-value", statement.span)
    span = piece.children[0].span.to(last.span)
    if isinstance(last, ast.Expr):
        return ast.Formula(span, tuple(statements), last)
    return ast.Formula(span, (*statements, last), None)


def _declaration(piece: Piece) -> ast.Declaration:
    name, kind, *rest = piece.children
    axes: tuple[ast.AxisDecl, ...] | None = next((r for r in rest if isinstance(r, tuple)), None)
    default = next((r for r in rest if isinstance(r, ast.Expr)), None)
    limits = next((r for r in rest if isinstance(r, ast.RangeDecl)), None)
    return ast.Declaration(piece.span, str(name), str(kind), axes, default, limits, piece.place(0), piece.place(1))


def _axis(piece: Piece) -> ast.AxisDecl:
    token = piece.children[0]
    if token.type != "NUMBER":
        return ast.AxisDecl(piece.span, str(token))
    size = number_value(piece.span)
    if not isinstance(size, int) or size < 1:
        raise fail("axis-size", piece.span, size=token)
    return ast.AxisDecl(piece.span, size)


def _bound(piece: Piece) -> tuple[float, Span]:
    *sign, token = piece.children
    span = piece.place(-1)
    if token.type == "NAME" and token != "inf":
        raise fail("range-bound", span, bound=token)
    value = float("inf") if token == "inf" else float(number_value(span))
    return (-value if sign == ["-"] else value), piece.span


def _interval(piece: Piece) -> ast.RangeDecl:
    (lower, lower_span), (upper, upper_span) = piece.children
    opening, closing = piece.span.text[0], piece.span.text[-1]
    for value, span, bracket in ((lower, lower_span, opening), (upper, upper_span, closing)):
        if abs(value) == float("inf") and bracket in ("[", "]"):
            raise fail("closed-infinity", span, bound=span.text)
    closed = opening == "[", closing == "]"
    if lower > upper or (lower == upper and closed != (True, True)):
        raise fail("empty-range", piece.span)
    low, high = (None if abs(value) == float("inf") else value for value in (lower, upper))
    return ast.RangeDecl(piece.span, low, high, *closed, None)


def _members(piece: Piece) -> ast.RangeDecl:
    for value, span in piece.children:
        if abs(value) == float("inf"):
            raise fail("closed-infinity", span, bound=span.text)
    values = tuple(value for value, _ in piece.children)
    return ast.RangeDecl(piece.span, min(values), max(values), True, True, values)


def _definition(piece: Piece) -> ast.Definition:
    name, *parameters, body = piece.children
    seen: set[str] = set()
    optional = False
    for parameter in parameters:
        if parameter.name in seen:
            raise fail("repeated-parameter", parameter.span, name=parameter.name)
        if optional and parameter.default is None:
            raise fail("parameter-order", parameter.span, name=parameter.name)
        optional = parameter.default is not None
        seen.add(parameter.name)
    return ast.Definition(piece.span, str(name), tuple(parameters), body, piece.place(0))


def _parameter(piece: Piece) -> ast.Parameter:
    name, *default = piece.children
    return ast.Parameter(piece.span, str(name), default[0] if default else None)


# ---- Expressions


def _unary(piece: Piece) -> ast.Unary:
    op, operand = piece.children
    return ast.Unary(piece.span, str(op), operand)


def _binary(piece: Piece) -> ast.Binary:
    left, op, right = piece.children
    return ast.Binary(piece.span, "**" if op == "^" else str(op), left, right)


def _compare(piece: Piece) -> ast.Compare:
    return ast.Compare(piece.span, tuple(map(str, piece.children[1::2])), tuple(piece.children[::2]))


def _call(piece: Piece) -> ast.Call:
    name, *arguments = piece.children
    keywords: dict[str, ast.Keyword] = {}
    for argument in arguments:
        if not isinstance(argument, ast.Keyword):
            if keywords:
                raise fail("argument-order", argument.span)
        elif argument.name in keywords:
            raise fail("repeated-keyword", argument.span, name=argument.name)
        else:
            keywords[argument.name] = argument
    args = tuple(arguments[: len(arguments) - len(keywords)])
    return ast.Call(piece.span, str(name), piece.place(0), args, tuple(keywords.values()))


def _slice(piece: Piece) -> ast.Slice:
    bounds = dict(piece.children)
    return ast.Slice(piece.span, bounds.get("lower"), bounds.get("upper"))


_RULES: dict[str, Callable[[Piece], Any]] = {
    "formula": _formula,
    "declaration": _declaration,
    "shape": lambda p: tuple(p.children),
    "axis": _axis,
    "default": lambda p: p.children[0],
    "range": lambda p: p.children[0],
    "interval": _interval,
    "members": _members,
    "bound": _bound,
    "binding": lambda p: ast.Binding(p.span, str(p.children[0]), p.children[1], p.place(0)),
    "definition": _definition,
    "parameter": _parameter,
    "term": lambda p: ast.Term(p.span, str(p.children[0]), p.children[1], p.place(0)),
    "if_else": lambda p: ast.IfElse(p.span, *p.children),
    "binary": _binary,
    "unary": _unary,
    "compare": _compare,
    "call": _call,
    "keyword": lambda p: ast.Keyword(p.span, str(p.children[0]), p.children[1]),
    "subscript": lambda p: ast.Subscript(p.span, p.children[0], tuple(p.children[1:])),
    "ellipsis": lambda p: ast.Ellipsis(p.span),
    "slice": _slice,
    "lower": lambda p: ("lower", p.children[0]),
    "upper": lambda p: ("upper", p.children[0]),
    "number": lambda p: ast.Number(p.span, number_value(p.span)),
    "boolean": lambda p: ast.Boolean(p.span, p.children[0] == "True"),
    "name": lambda p: ast.Name(p.span, str(p.children[0])),
    "group": lambda p: replace(p.children[0], span=p.span),
    "tuple": lambda p: ast.Tuple(p.span, tuple(p.children)),
    "vector": lambda p: ast.Vector(p.span, tuple(p.children)),
}
"""What each rule of the grammar becomes."""
