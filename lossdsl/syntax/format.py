"""From syntax tree to canonical text: one statement a line, no needless bracket, one way to write each thing.

Reading the text back gives the same tree, and formatting twice changes nothing. `format_text` keeps comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse


class Level(IntEnum):
    """How tightly a form binds, from the loosest: the rules of the grammar, in its order."""

    CONDITIONAL = 0
    OR = 1
    AND = 2
    NOT = 3
    COMPARISON = 4
    SUM = 5
    PRODUCT = 6
    SIGN = 7
    POWER = 8
    PRIMARY = 9


Part = str | tuple[ast.Tree, Level]
"""Text, or a subtree with the loosest level that may stand there without brackets."""
_BINARY = {
    "or": (Level.OR, Level.OR, Level.AND),
    "and": (Level.AND, Level.AND, Level.NOT),
    "+": (Level.SUM, Level.SUM, Level.PRODUCT),
    "-": (Level.SUM, Level.SUM, Level.PRODUCT),
    "*": (Level.PRODUCT, Level.PRODUCT, Level.SIGN),
    "/": (Level.PRODUCT, Level.PRODUCT, Level.SIGN),
    "**": (Level.POWER, Level.PRIMARY, Level.SIGN),
}
"""The level of an operator, of its left side and of its right side."""


def format_formula(formula: ast.Formula) -> str:
    """The canonical text of a formula, without comments and without a last newline."""
    return "\n".join(_text(piece) for piece in _statements(formula))


def format_expression(expression: ast.Expr) -> str:
    """The canonical text of an expression."""
    return _text(expression)


def format_text(source: Source) -> str:
    """The canonical text of a formula with its comments, and with single blank lines where it has any.

    A comment behind a statement stays there, one on a line of its own too; those from within a statement move
    to lines above it. The text ends with a newline where the source does.
    """
    lines: list[str] = []
    end = None
    for start, stop, shown in sorted(_units(source)):
        if end is not None and source.text.count("\n", end, start) > 1:
            lines.append("")
        lines.extend(shown)
        end = stop
    return "\n".join(lines) + ("\n" if source.text.endswith("\n") else "")


def _statements(formula: ast.Formula) -> Sequence[ast.Tree]:
    return formula.statements if formula.result is None else (*formula.statements, formula.result)


def _units(source: Source) -> Iterator[tuple[int, int, list[str]]]:
    """Statements and the comments between them: start, stop, and the lines to show."""
    comments = [(c.start(), c.end(), c[0].rstrip()) for c in re.finditer("#[^\n]*", source.text)]
    taken = 0
    for statement in _statements(parse(source)):
        start, stop = statement.span.start, statement.span.stop
        while taken < len(comments) and comments[taken][0] < start:
            yield (*comments[taken][:2], [comments[taken][2]])
            taken += 1
        lines = []
        while taken < len(comments) and comments[taken][0] < stop:
            lines.append(comments[taken][2])
            taken += 1
        lines.append(_text(statement))
        behind = re.compile(r"[ \t;]*(?=#)").match(source.text, stop)
        if behind and taken < len(comments):
            lines[-1] += "  " + comments[taken][2]
            stop = comments[taken][1]
            taken += 1
        yield start, stop, lines
    for start, stop, comment in comments[taken:]:
        yield start, stop, [comment]


def _text(tree: ast.Tree) -> str:
    """The text of any piece of syntax."""
    text: list[str] = []
    stack: list[Part] = [(tree, Level.CONDITIONAL)]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            text.append(part)
            continue
        node, loosest = part
        level, parts = _FORMS[type(node)](node)
        if level < loosest:
            parts = ["(", *parts, ")"]
        stack.extend(reversed(parts))
    return "".join(text)


def _list(items: Sequence[ast.Tree]) -> list[Part]:
    parts: list[Part] = []
    for item in items:
        parts += [", ", (item, Level.CONDITIONAL)] if parts else [(item, Level.CONDITIONAL)]
    return parts


def _float(value: float | None, infinite: str) -> str:
    """A bound of a range; whole numbers without a point, as people write them."""
    if value is None:
        return infinite
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


# ---- One function for each form: how tightly it binds, and its parts

_Form = tuple[Level, list[Part]]


def _tuple(node: ast.Tuple) -> _Form:
    return Level.PRIMARY, ["(", *_list(node.items), ",)" if len(node.items) == 1 else ")"]


def _unary(node: ast.Unary) -> _Form:
    if node.op == "not":
        return Level.NOT, ["not ", (node.operand, Level.NOT)]
    return Level.SIGN, [node.op, (node.operand, Level.SIGN)]


def _binary(node: ast.Binary) -> _Form:
    level, left, right = _BINARY[node.op]
    sign = "**" if node.op == "**" else f" {node.op} "
    return level, [(node.left, left), sign, (node.right, right)]


def _compare(node: ast.Compare) -> _Form:
    parts: list[Part] = [(node.operands[0], Level.SUM)]
    for op, operand in zip(node.ops, node.operands[1:], strict=True):
        parts += [f" {op} ", (operand, Level.SUM)]
    return Level.COMPARISON, parts


def _if_else(node: ast.IfElse) -> _Form:
    head: list[Part] = [(node.body, Level.OR), " if ", (node.condition, Level.OR)]
    return Level.CONDITIONAL, [*head, " else ", (node.orelse, Level.CONDITIONAL)]


def _call(node: ast.Call) -> _Form:
    return Level.PRIMARY, [f"{node.function}(", *_list((*node.args, *node.keywords)), ")"]


def _subscript(node: ast.Subscript) -> _Form:
    return Level.PRIMARY, [(node.operand, Level.PRIMARY), "[", *_list(node.items), "]"]


def _slice(node: ast.Slice) -> _Form:
    lower: list[Part] = [(node.lower, Level.CONDITIONAL)] if node.lower else []
    upper: list[Part] = [(node.upper, Level.CONDITIONAL)] if node.upper else []
    return Level.CONDITIONAL, [*lower, ":", *upper]


def _range(node: ast.RangeDecl) -> _Form:
    if node.members is not None:
        return Level.PRIMARY, ["{", ", ".join(_float(value, "") for value in node.members), "}"]
    opening, closing = "[" if node.lower_closed else "(", "]" if node.upper_closed else ")"
    return Level.PRIMARY, [f"{opening}{_float(node.lower, '-inf')}, {_float(node.upper, 'inf')}{closing}"]


def _declaration(node: ast.Declaration) -> _Form:
    parts: list[Part] = [f"{node.name}: {node.kind}"]
    if node.axes is not None:
        parts.append(f"[{', '.join(str(axis.value) for axis in node.axes)}]")
    if node.default is not None:
        parts += [" = ", (node.default, Level.CONDITIONAL)]
    if node.range is not None:
        parts += [" in ", (node.range, Level.CONDITIONAL)]
    return Level.CONDITIONAL, parts


def _parameter(node: ast.Parameter) -> _Form:
    default: list[Part] = ["=", (node.default, Level.CONDITIONAL)] if node.default else []
    return Level.CONDITIONAL, [node.name, *default]


def _definition(node: ast.Definition) -> _Form:
    head: list[Part] = [f"def {node.name}(", *_list(node.parameters), ") = "]
    return Level.CONDITIONAL, [*head, (node.body, Level.CONDITIONAL)]


_FORMS: dict[type, Callable[[Any], _Form]] = {
    ast.Number: lambda n: (Level.PRIMARY, [repr(n.value)]),
    ast.Boolean: lambda n: (Level.PRIMARY, [str(n.value)]),
    ast.Name: lambda n: (Level.PRIMARY, [n.id]),
    ast.Vector: lambda n: (Level.PRIMARY, ["[", *_list(n.items), "]"]),
    ast.Tuple: _tuple,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Compare: _compare,
    ast.IfElse: _if_else,
    ast.Keyword: lambda n: (Level.CONDITIONAL, [f"{n.name}=", (n.value, Level.CONDITIONAL)]),
    ast.Call: _call,
    ast.Slice: _slice,
    ast.Ellipsis: lambda n: (Level.CONDITIONAL, ["..."]),
    ast.Subscript: _subscript,
    ast.RangeDecl: _range,
    ast.Declaration: _declaration,
    ast.Binding: lambda n: (Level.CONDITIONAL, [f"{n.name} = ", (n.value, Level.CONDITIONAL)]),
    ast.Parameter: _parameter,
    ast.Definition: _definition,
    ast.Term: lambda n: (Level.CONDITIONAL, [f"term {n.name} = ", (n.value, Level.CONDITIONAL)]),
}
