"""The formatter: its text reads back as the same tree, is final, and has no bracket too many."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from strategies import expressions, grammar_expressions, grammar_formulas

from lossdsl.errors import LossError
from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.format import format_expression, format_formula, format_text
from lossdsl.syntax.parse import parse, parse_expression


def read(text: str) -> ast.Formula:
    return parse(Source(text))


CANONICAL = [
    ("mean(abs(y_true-y_pred)*0.5*(1+abs(y_true-y_pred)))",
     "mean(abs(y_true - y_pred) * 0.5 * (1 + abs(y_true - y_pred)))"),
    ("(a+b)*c;", "(a + b) * c"),
    ("((a*b))+(c)", "a * b + c"),
    ("a+(b+c)", "a + (b + c)"),
    ("(a+b)+c", "a + b + c"),
    ("a-(b-c)", "a - (b - c)"),
    ("a/(b*c)", "a / (b * c)"),
    ("a^b ^c", "a**b**c"),
    ("(a**b)**c", "(a**b)**c"),
    ("a**(b**c)", "a**b**c"),
    ("(-a)**b", "(-a)**b"),
    ("-(a**b)", "-a**b"),
    ("2**(-x)", "2**-x"),
    ("(-a)*b", "-a * b"),
    ("-(a*b)", "-(a * b)"),
    ("a*(-b)", "a * -b"),
    ("-(-a)", "--a"),
    ("(not a)and(b or c)", "not a and (b or c)"),
    ("(a and b)or c", "a and b or c"),
    ("a and(b and c)", "a and (b and c)"),
    ("not(a<b)", "not a < b"),
    ("not(not a)", "not not a"),
    ("(not a)==b", "(not a) == b"),
    ("(a<b)<c", "(a < b) < c"),
    ("(a if b else c)if d else e", "(a if b else c) if d else e"),
    ("a if b else(c if d else e)", "a if b else c if d else e"),
    ("a if(b if c else d)else e", "a if (b if c else d) else e"),
    ("(a if b else c)+d", "(a if b else c) + d"),
    ("f((a),k=(b if c else d),)", "f(a, k=b if c else d)"),
    ("f(x,axis=(1,))", "f(x, axis=(1,))"),
    ("f(x,axis=(1,2,))", "f(x, axis=(1, 2))"),
    ("(x)[...,0]", "x[..., 0]"),
    ("(a+b)[:,1 :(n-1)]", "(a + b)[:, 1:n - 1]"),
    ("x[(0)]", "x[0]"),
    ("[[1,2],[3,4,],]", "[[1, 2], [3, 4]]"),
    ("1e3+1.+.50+1E-7+12+00+0.1000", "1000.0 + 1.0 + 0.5 + 1e-07 + 12 + 0 + 0.1"),
    ("True and False", "True and False"),
    ("y_true:float[batch,*]in{0,1}\ny_true", "y_true: float[batch, *] in {0, 1}\ny_true"),
    ("k:float=2.50 in(0,inf);k", "k: float = 2.5 in (0, inf)\nk"),
    ("k:float in[-0.5,+1e22]\nk", "k: float in [-0.5, 1e+22]\nk"),
    ("k : int = -3 in (-inf,inf);k", "k: int = -3 in (-inf, inf)\nk"),
    ("w: float[classes,3] = [[1,-2],[3.0,4]]; w", "w: float[classes, 3] = [[1, -2], [3.0, 4]]\nw"),
    ("def f( x,k = (1) ,)=k*(x); f(y_pred)", "def f(x, k=1) = k * x\nf(y_pred)"),
    ("term  a = (x)\nterm b=y", "term a = x\nterm b = y"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CANONICAL)
def test_canonical_text(text: str, expected: str) -> None:
    assert format_formula(read(text)) == expected
    assert format_text(Source(text)) == expected
    assert format_formula(read(expected)) == expected


@given(grammar_formulas())
@settings(max_examples=100, deadline=None)
def test_any_formula_reads_back(text: str) -> None:
    try:
        formula = read(text)
    except LossError:
        assume(False)
    shown = format_formula(formula)
    assert ast.same(read(shown), formula)
    assert format_formula(read(shown)) == shown
    assert len(shown.split("\n")) == len(formula.statements) + (formula.result is not None)


@given(expressions())
@settings(max_examples=100, deadline=None)
def test_typed_expressions_read_back(text: str) -> None:
    tree = parse_expression(text)
    assert ast.same(parse_expression(format_expression(tree)), tree)


@given(grammar_expressions())
@settings(max_examples=200, deadline=None)
def test_no_bracket_is_needless(text: str) -> None:
    """Taking out any pair that only groups gives another tree, or none."""
    try:
        tree = read(text).result
    except LossError:
        assume(False)
    assert tree is not None
    shown = format_expression(tree)
    for start, stop in brackets(shown):
        if start and (shown[start - 1].isalnum() or shown[start - 1] == "_") and not shown[:start].endswith(WORDS):
            continue  # the arguments of a call
        without = f"{shown[:start]} {shown[start + 1 : stop]} {shown[stop + 1 :]}"
        try:
            again = read(without).result
        except LossError:
            continue
        assert again is None or not ast.same(again, tree), shown


WORDS = (" if", " else", " and", " or", "not")


def brackets(text: str) -> list[tuple[int, int]]:
    """Each pair of round brackets."""
    opened, found = [], []
    for at, char in enumerate(text):
        if char == "(":
            opened.append(at)
        elif char == ")":
            found.append((opened.pop(), at))
    return found


COMMENTED = """

# Focal loss

# for   detection\t
y_true: float[batch,*] in {0,1} # labels
gamma : float=2.0#focus


p_t=where(y_true==1,   # positive
          # negative
          y_pred,
          1-y_pred)  # probability of the truth
# last
a = 1;  b = 2 ;# both
-sum( (1-p_t)**gamma
 * log(p_t) )
# the end

"""
FORMATTED = """# Focal loss

# for   detection
y_true: float[batch, *] in {0, 1}  # labels
gamma: float = 2.0  #focus

# positive
# negative
p_t = where(y_true == 1, y_pred, 1 - y_pred)  # probability of the truth
# last
a = 1
b = 2  # both
-sum((1 - p_t)**gamma * log(p_t))
# the end
"""


def test_comments_are_kept() -> None:
    assert format_text(Source(COMMENTED)) == FORMATTED
    assert format_text(Source(FORMATTED)) == FORMATTED
    assert "#" not in format_formula(read(COMMENTED))


def test_line_ends_of_other_systems() -> None:
    assert format_text(Source(COMMENTED.replace("\n", "\r\n"))) == FORMATTED


@given(grammar_formulas())
@settings(max_examples=100, deadline=None)
def test_no_comment_is_lost(text: str) -> None:
    try:
        formula = read(text)
    except LossError:
        assume(False)
    shown = format_text(Source(text))
    assert ast.same(read(shown), formula)
    assert shown.count("# note") == text.count("# note")
    assert format_text(Source(shown)) == shown
    assert shown.endswith("\n") == text.endswith("\n")


def test_a_wrong_formula_is_not_formatted() -> None:
    with pytest.raises(LossError):
        format_text(Source("mean(\n"))
