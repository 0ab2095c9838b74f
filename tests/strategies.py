"""Random formulas for property tests: any the grammar allows, and well-typed expressions over given inputs.

The texts come from `loss.lark` itself, by `hypothesis.extra.lark`. Only the chain of operators is written
here: drawn from the grammar, an expression is nearly always too large, as each of ten levels may double it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark import Lark

from lossdsl.syntax.grammar import grammar_text

NAMES = ("x", "y_pred", "gamma", "batch", "_k2", "lambda", "inf", "iffy", "E1")
NUMBERS = ("0", "1", "12", "0.5", ".5", "1.", "2e-3", "1.5E+2", "1e22", "0.1234567890123456789")
WORDS = {
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IF": "if",
    "ELSE": "else",
    "IN": "in",
    "DEF": "def",
    "TERM": "term",
}
BINARY = ("+", "-", "*", "/", "**", "^", " and ", " or ", "<", "<=", "==", "!=", ">=", ">")


def _terminals() -> dict[str, st.SearchStrategy[str]]:
    return {
        "NAME": st.sampled_from(NAMES),
        "NUMBER": st.sampled_from(NUMBERS),
        "SPACE": st.sampled_from([" ", "  ", "\t"]),
        "COMMENT": st.just(" "),
        "_NEWLINE": st.sampled_from(["\n", "\n\n", " # note\n", "\n# note\n\n", "\r\n"]),
        **{terminal: st.just(f" {word} ") for terminal, word in WORDS.items()},
    }


def _cut(start: str) -> Lark:
    """The grammar with its expressions as a token, `EXPRESSION`, which a strategy fills in."""
    text = re.sub(r"(?ms)^\?expression:.*?(?=^\?primary:)", "", grammar_text())
    text = re.sub(r"//.*", "", text)
    return Lark(re.sub(r"\bexpression\b", "EXPRESSION", text) + "\n%declare EXPRESSION\n", start=start)


def _from_grammar(start: str, expression: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grammar = _cut(start)
    used = {terminal.name for terminal in grammar.terminals}
    explicit = {name: strategy for name, strategy in _terminals().items() if name in used}
    return from_lark(grammar, start=start, explicit={**explicit, "EXPRESSION": expression})


@cache
def _primary() -> st.SearchStrategy[str]:
    return _from_grammar("primary", st.just("EXPRESSION"))


@st.composite
def grammar_expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """An expression of any form, with and without brackets and spaces; its types make no sense.

    A few are none after all: `a == not b`, or what the grammar doesn't hold, as the order of arguments.
    """
    form = draw(st.integers(0, 6)) if depth else 0
    if form == 0:
        return draw(st.sampled_from([*NAMES, *NUMBERS, "True", "False"]))
    inner = grammar_expressions(depth - 1)
    first = draw(inner)
    if form in (1, 2):
        return ("", " ")[form - 1].join([first, draw(st.sampled_from(BINARY)), draw(inner)])
    if form == 3:
        return f"{first} if {draw(inner)} else {draw(inner)}"
    if form == 4:
        return draw(_primary()).replace("EXPRESSION", first)
    return f"({first})" if form == 5 else draw(st.sampled_from(["-", "+", " not ", "- "])) + first


@cache
def _any_formula() -> st.SearchStrategy[str]:
    return _from_grammar("formula", grammar_expressions())


@st.composite
def grammar_formulas(draw: st.DrawFn) -> str:
    """A whole formula of any form; a few are none after all, as with `grammar_expressions`."""
    return draw(_any_formula())


SMOOTH = ("exp({})", "sigmoid({})", "softplus({})", "tanh({})", "square({})", "sin({})", "-{}", "({})**2")
KINKED = ("abs({})", "relu({})", "sign({})")
PAIRS = ("{} + {}", "{} - {}", "{} * ({})", "maximum({}, {})", "minimum({}, {})", "where({} > 0, {}, 0.5)")


@cache
def _typed(inputs: tuple[str, ...], depth: int) -> st.SearchStrategy[str]:
    found: st.SearchStrategy[str] = st.sampled_from([*inputs, *inputs, "0.5", "1.0", "2.0", "3.0"])
    for _ in range(depth):
        inner = found
        one = st.tuples(st.sampled_from(SMOOTH + KINKED), inner).map(lambda p: p[0].format(f"({p[1]})"))
        two = st.tuples(st.sampled_from(PAIRS), inner, inner).map(lambda p: p[0].format(f"({p[1]})", f"({p[2]})"))
        found = st.one_of(inner, one, two)
    return found


@st.composite
def expressions(draw: st.DrawFn, inputs: Sequence[str] = ("y_true", "y_pred"), depth: int = 3) -> str:
    """A well-typed float expression over the inputs, defined for every value of theirs."""
    return draw(_typed(tuple(inputs), depth))
