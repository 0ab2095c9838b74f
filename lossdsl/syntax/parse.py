"""From text to syntax tree, or to an error that shows the place."""

from __future__ import annotations

from lossdsl.budgets import DEFAULT, Limits, current
from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.convert import builder, check_size
from lossdsl.syntax.lalr import UnexpectedTokenError, machine
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
    try:
        formula: ast.Formula = machine().run(tokens, builder(source))
    except UnexpectedTokenError as error:
        raise explain(source, tokens, error.token) from None
    check_size(formula, budget)
    return formula
