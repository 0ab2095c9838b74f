"""From text to syntax tree, or to an error that shows the place."""

from __future__ import annotations

from lark import Token
from lark.exceptions import UnexpectedToken

from lossdsl.budgets import DEFAULT, Limits, current
from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.convert import to_formula
from lossdsl.syntax.grammar import parser
from lossdsl.syntax.mistakes import explain
from lossdsl.syntax.tokens import read_tokens


def parse(source: Source) -> ast.Formula:
    """The syntax tree of a formula; a `LossError` says where the text is none."""
    return _parse(source, current())


def parse_expression(text: str) -> ast.Expr:
    """The tree of one expression of the compiler's own (a row's `grad`), whatever limits a user set."""
    formula = _parse(Source(text), DEFAULT)
    if formula.statements or formula.result is None:
        raise AssertionError(f"not a single expression: {text!r}")
    return formula.result


def _parse(source: Source, budget: Limits) -> ast.Formula:
    tokens = read_tokens(source, budget)
    state = parser().parse_interactive("")
    end = Token.new_borrow_pos("$END", "", tokens[-1])
    try:
        for token in tokens:
            state.feed_token(token)
        tree = state.feed_token(end)
    except UnexpectedToken as error:
        raise explain(source, tokens, error.token) from None
    return to_formula(tree, source, budget)
