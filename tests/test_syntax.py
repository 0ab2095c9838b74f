"""The parser: Python's own is the oracle for expressions, tables are for what only this language has."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from python_oracle import check_against_python
from strategies import grammar_expressions, grammar_formulas

from lossdsl.budgets import limits
from lossdsl.errors import LossError
from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.format import format_formula
from lossdsl.syntax.parse import parse, parse_expression

FOCAL = """
# Focal loss for dense detection
y_true: float[batch, *] in {0, 1}
y_pred: prob[batch, *]                      # prob is float in [0, 1]
gamma: float = 2.0 in [0, inf)
alpha: float = 0.25 in [0, 1]

p_t     = where(y_true == 1, y_pred, 1 - y_pred)
alpha_t = where(y_true == 1, alpha, 1 - alpha)
sum(-alpha_t * (1 - p_t)**gamma * log(p_t))
"""


def read(text: str) -> ast.Formula:
    return parse(Source(text))


def expression(text: str) -> ast.Expr:
    formula = read(text)
    assert formula.statements == ()
    assert formula.result is not None
    return formula.result


def code(text: str) -> str:
    with pytest.raises(LossError) as caught:
        read(text)
    return caught.value.diagnostics[0].code


# ---- Expressions, against Python

EXPRESSIONS = [
    "-x**2", "2**-x", "2**3**2", "-2**-3**-x", "--x", "+-x", "a - -b", "a - b - c", "a / b * c",
    "a - (b - c)", "(a + b)*c",
    "( a + b ) * c", "((a))", "(a**b)**c", "(-a)**b", "a < b <= c != d", "(a < b) < c", "not a and b or c",
    "not (a and b)",
    "not not a", "not a == b", "a or b or c and d and e", "a if b else c", "a if b else c if d else e",
    "(a if b else c) if d else e", "a if b or c else -d", "f(a if b else c, k=a if b else c)", "f()",
    "f(x,)",
    "f(x, y, axis=-1, )", "f(x, axis=(1, 2))", "f(x, axis=(1,))", "f(x, axis=(h, w,))",
    "f(x, where=a == b)", "f(g(h(x)))",
    "[1, 2.0, -3]", "[[1, 2], [3, 4,],]", "x[..., 0]", "x[:, 1:]", "x[:, :-1]", "x[:, a:b + 1]", "x[:]",
    "x[0]", "x[0,]",
    "x[..., 0][:, 1]", "f(x)[0]", "(a + b)[..., 0]", "x [0]", "f (x)", "1e3 + .5 + 1. + 1E-3 + 0.0 + 00",
    "True and False",
    "lambda_ + iffy + nota + E1 + _", "x[(1, 2)]", "a*b/c - d**e if not f > g else h", "-(a)", "(a)-(b)",
    "- a*b", "-a/b",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions_are_those_of_python(text: str) -> None:
    check_against_python(expression(text), text)


@given(grammar_expressions())
@settings(max_examples=300, deadline=None)
def test_any_expression_is_that_of_python(text: str) -> None:
    try:
        expression(text)
    except LossError:
        assume(False)
    if "^" not in text:  # Python's `^` is another operator, and its `lambda` a reserved word
        text = text.replace("lambda", "lam_da")
        check_against_python(expression(text), text)


def test_brackets_belong_to_what_they_hold() -> None:
    product = expression("(a + b)*c")
    assert isinstance(product, ast.Binary)
    assert (product.span.start, product.span.stop) == (0, 9)
    assert product.left.span.text == "(a + b)"


def test_a_tuple_as_an_index_is_told_from_two_indices() -> None:
    one, two = expression("x[(1, 2)]"), expression("x[1, 2]")
    assert isinstance(one, ast.Subscript)
    assert isinstance(two, ast.Subscript)
    assert (len(one.items), len(two.items)) == (1, 2)


def test_caret_is_power() -> None:
    assert ast.same(expression("-a ^ b ^ -c * d"), expression("-a ** b ** -c * d"))
    assert not ast.same(expression("a ** b ** c"), expression("(a ** b) ** c"))


def test_operators_leave_their_sign() -> None:
    assert [expression(f"a {sign} b").op for sign in ("+", "-", "*", "/", "**", "^", "and", "or")] == [  # type: ignore[attr-defined]
        "+", "-", "*", "/", "**", "**", "and", "or"
    ]  # fmt: skip


@given(grammar_formulas())
@settings(max_examples=100, deadline=None)
def test_every_place_reads_back_as_its_piece(text: str) -> None:
    try:
        formula = read(text)
    except LossError:
        assume(False)
    stack: list[object] = [formula]
    while stack:
        tree = stack.pop()
        if isinstance(tree, ast.Tree):
            stack.extend(ast.parts(tree))
            if isinstance(tree, ast.Expr):
                assert ast.same(expression(f"({tree.span.text})"), tree), (text, tree.span.text)
            elif isinstance(tree, ast.Binding | ast.Definition | ast.Term | ast.Declaration):
                assert ast.same(read(tree.span.text).statements[0], tree)
                assert tree.name_span.text == tree.name
            if isinstance(tree, ast.Call):
                assert tree.name_span.text == tree.function
        elif isinstance(tree, tuple):
            stack.extend(tree)


def test_expression_of_the_compiler_itself() -> None:
    found = parse_expression("g * sigmoid(x)")
    assert isinstance(found, ast.Binary)
    assert found.span.text == "g * sigmoid(x)"
    with limits(tokens=2):
        assert ast.same(parse_expression("g * sigmoid(x)"), found)
    with pytest.raises(AssertionError):
        parse_expression("a = 1; a")


# ---- Statements


def test_a_whole_formula() -> None:
    formula = read(FOCAL)
    kinds = [type(s).__name__ for s in formula.statements]
    assert kinds == ["Declaration"] * 4 + ["Binding"] * 2
    y_true, y_pred, gamma, _, p_t, _ = formula.statements
    assert isinstance(y_true, ast.Declaration)
    assert (y_true.name, y_true.kind, [a.value for a in y_true.axes or ()]) == (
        "y_true",
        "float",
        ["batch", "*"],
    )
    assert y_true.range is not None
    assert y_true.range.members == (0.0, 1.0)
    assert isinstance(y_pred, ast.Declaration)
    assert (y_pred.default, y_pred.range, y_pred.kind_span.text) == (None, None, "prob")
    assert isinstance(gamma, ast.Declaration)
    assert (gamma.axes, gamma.span.text) == (None, "gamma: float = 2.0 in [0, inf)")
    assert isinstance(gamma.default, ast.Number)
    assert gamma.default.value == 2.0
    assert isinstance(p_t, ast.Binding)
    assert p_t.span.text == "p_t     = where(y_true == 1, y_pred, 1 - y_pred)"
    assert isinstance(formula.result, ast.Call)
    assert formula.span.text == FOCAL[FOCAL.index("y_true") :].rstrip("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[0, 1]", (0, 1, True, True, None)),
        ("(0, 1)", (0, 1, False, False, None)),
        ("[0, inf)", (0, None, True, False, None)),
        ("(-inf, 0]", (None, 0, False, True, None)),
        ("(-inf, +inf)", (None, None, False, False, None)),
        ("[-1.5, -1e-3]", (-1.5, -0.001, True, True, None)),
        ("[2, 2]", (2, 2, True, True, None)),
        ("{0, 1}", (0, 1, True, True, (0, 1))),
        ("{3, -1, 2,}", (-1, 3, True, True, (3, -1, 2))),
    ],
)
def test_ranges(text: str, expected: tuple[object, ...]) -> None:
    (found,) = read(f"k: float = 1 in {text}; k").statements
    assert isinstance(found, ast.Declaration)
    r = found.range
    assert r is not None
    assert (r.lower, r.upper, r.lower_closed, r.upper_closed, r.members) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.0", ast.Number), ("-3", ast.Unary), ("True", ast.Boolean), ("[0.25, 0.75]", ast.Vector),
        ("[[1, -2], [3, 4]]", ast.Vector), ("+1", ast.Unary), ("[True, False,]", ast.Vector),
    ],
)  # fmt: skip
def test_defaults(text: str, expected: type) -> None:
    (found,) = read(f"k: float = {text} in (-inf, inf); k").statements
    assert isinstance(found, ast.Declaration)
    assert isinstance(found.default, expected)
    assert found.default is not None
    assert found.default.span.text == text


def test_shapes() -> None:
    (found,) = read("w: float[batch, 3, *, classes,]; w").statements
    assert isinstance(found, ast.Declaration)
    assert found.axes is not None
    assert [(a.value, a.span.text) for a in found.axes] == [
        ("batch", "batch"), (3, "3"), ("*", "*"), ("classes", "classes")
    ]  # fmt: skip


def test_definitions_and_terms() -> None:
    formula = read("def f(x, k=-1, c=[1, 2],) = k*x\ndef one() = 1\nterm fit = f(y_pred)\nterm rest = one()")
    f, one, fit, _ = formula.statements
    assert isinstance(f, ast.Definition)
    assert [(p.name, p.default and p.default.span.text) for p in f.parameters] == [
        ("x", None), ("k", "-1"), ("c", "[1, 2]")
    ]  # fmt: skip
    assert isinstance(one, ast.Definition)
    assert one.parameters == ()
    assert isinstance(fit, ast.Term)
    assert fit.value.span.text == "f(y_pred)"
    assert formula.result is None


@pytest.mark.parametrize("word", ["and", "or", "not", "if", "else", "in", "def", "term", "True", "False"])
def test_reserved_words_are_reserved_everywhere(word: str) -> None:
    assert code(f"{word} = 3; y_pred") == "reserved-word"
    assert code(f"term {word} = 3") == "reserved-word"
    read(f"{word}_ = 3; {word}_ + x{word}")


@pytest.mark.parametrize("word", ["float", "batch", "all", "inf", "nan", "lambda", "pairs", "None", "epoch"])
def test_other_words_are_plain_names(word: str) -> None:
    assert isinstance(expression(word), ast.Name)
    read(f"{word}: float = 0.5; {word}")


# ---- Where a statement ends

NEWLINES = [
    # (text, its canonical text); a line that can't begin a statement goes on with the last one
    ("x = a\n  * b\nx", "x = a * b\nx"),
    ("x = a\n* b\nx", "x = a * b\nx"),
    ("x = a\n/ b\n** c\n^ d\nx", "x = a / b**c**d\nx"),
    ("x = a\n< b\n== c\nx", "x = a < b == c\nx"),
    ("x = a\nand b\nor c\nx", "x = a and b or c\nx"),
    ("x = a\n if b\n else c\nx", "x = a if b else c\nx"),
    ("k: float = 1\n  in [0, 1]\nk", "k: float = 1 in [0, 1]\nk"),
    ("x\n= 3; x", "x = 3\nx"),
    # after an operator, and inside brackets
    ("x = a +\nb\nx", "x = a + b\nx"),
    ("x =\n  a\nx", "x = a\nx"),
    ("x = not\n a; x", "x = not a\nx"),
    ("f(\n  a,\n  -b,\n\n  # note\n  +c\n)", "f(a, -b, +c)"),
    ("x = (a\n  - b)\nx", "x = a - b\nx"),
    ("k: float in [0, inf)\nj: float in (0, 1]\nk - j", "k: float in [0, inf)\nj: float in (0, 1]\nk - j"),
    # comments and blank lines
    ("x = a # note\n\n# note\n  * b\nx", "x = a * b\nx"),
    ("\n\n  x = a;;\n;\n x;\n\n", "x = a\nx"),
    ("# note\r\nx = a\r\n\t* b\r\nx\r\n", "x = a * b\nx"),
    # a sign at the same or at less depth begins the loss
    ("x = a\n- b", "x = a\n-b"),
    ("x = a\n+ b", "x = a\n+b"),
    ("  x = a\n- b", "x = a\n-b"),
    ("\n  x = a\n  - b", "x = a\n-b"),
    ("x = a;\n    - b", "x = a\n-b"),
    ("x = a;\n  y = b\n  - c", "x = a\ny = b\n-c"),
    # a triple-quoted string, whose first line stands after the quotes
    ("x = a\n    y = b\n    - c", "x = a\ny = b\n-c"),
    ("x = a\n    y = f(\n  b)\n    - c", "x = a\ny = f(b)\n-c"),
    ("x = a\n    - b\n    y = 1", None),
    ("x = a\n    y = b\n      - c", None),
    # deeper, it could be either
    ("x = a\n  - b", None),
    ("x = a\n\t+ b", None),
    ("\n  x = a\n   - b", None),
    ("x = a # note\n\n  # note\n  - b", None),
    ("x = a; y = b\n  - c", None),
    ("x = a\n- b\n  - c", None),
]


@pytest.mark.parametrize(("text", "expected"), NEWLINES)
def test_newlines(text: str, expected: str | None) -> None:
    if expected is None:
        assert code(text) == "indented-sign"
    else:
        assert format_formula(read(text)) == expected


def test_a_deeper_sign_never_means_something_else() -> None:
    """The wrong meaning was silent once: a binding, and the loss `-b`."""
    assert code("x = a\n  - b") == "indented-sign"
