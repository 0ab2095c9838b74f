"""Syntax errors: every message by its own example, the shown text of many, and what strangers send."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lossdsl.errors import LossError, diagnostic
from lossdsl.messages.syntax import SYNTAX
from lossdsl.source import Source
from lossdsl.syntax.parse import parse


def error(text: str, source: Source | None = None) -> LossError:
    with pytest.raises(LossError) as caught:
        parse(source or Source(text))
    assert len(caught.value.diagnostics) == 1
    return caught.value


def code(text: str) -> str:
    return error(text).diagnostics[0].code


def marked(text: str) -> str:
    """The characters that the error underlines."""
    span = error(text).diagnostics[0].span
    assert span is not None
    return span.text


EXPLAINED = {
    "# a text of 65,537 characters": "x" + " " * 65_536,
    "# a sum of 10,000 names": "+".join(["x"] * 10_000),
    "# sixty-five opening brackets": "(" * 65,
    "# 514 definitions": "def f() = 1\n" * 514 + "f()",
    "# 257 statements `a1 = a0`": "".join(f"a{i + 1} = a{i}\n" for i in range(257)) + "a257",
    "# 65 declarations": "".join(f"k{i}: float = 1\n" for i in range(65)) + "k0",
    "# a name of 121 characters": "a" * 121,
    "# only a comment": "# only a comment",
}
"""What examples mean that a line can't hold."""


@pytest.mark.parametrize("name", SYNTAX)
def test_each_message_by_its_example(name: str) -> None:
    text = SYNTAX[name].example
    text = EXPLAINED[text] if text.startswith("#") else text
    found = error(text).diagnostics[0]
    assert found.code == name
    assert "{" not in found.message.replace("`{`", "")
    assert found.help


RENDERED = Path(__file__).with_name("golden").joinpath("syntax_errors.txt").read_text("utf-8")


@pytest.mark.parametrize("block", RENDERED.rstrip("\n").split("\n----\n"))
def test_shown_text(block: str) -> None:
    text, shown = block.split("\n=>\n")
    assert error(text).diagnostics[0].render() == shown


# ---- Each mistake has its own name, wherever it stands

MISTAKES = {
    "quote": ["'mean(y_pred)'", 'f("x")', "`x`", "__import__('os').system('id')", "\"{0.__class__}\""],
    "attribute": ["x.shape", "().__class__.__base__.__subclasses__()", "f(x).T", "x[0].y", "x .y",
        "np.log(x)", "a.b.c.d"],
    "lambda": ["lambda x: x", "f = lambda: 3", "map(lambda x: x)", "(lambda: 1)()",
        "lambda: y_true - y_pred"],
    "comprehension": ["[x for x in y]", "f(x for x in y)", "sum([x**2 for x in y_true])"],
    "walrus": ["x := 1", "(x := 1)", "f(x := 1)"],
    "augmented": ["x += 1", "x -= 1", "x *= 2", "x /= 2", "x **= 2"],
    "bit-operator": ["a & b", "a | b", "~a", "a && b", "a || b", "(a > 0) & ~b"],
    "modulo": ["a % b"],
    "matrix-product": ["a @ b"],
    "floor-division": ["a // b", "// a comment"],
    "exclamation": ["!a", "a and !b", "a ! = b"],
    "question-mark": ["c ? a : b"],
    "backslash": ["a \\\n + b"],
    "stray-character": ["a $ b", ".", "a . 5 .", ".."],
    "malformed-number": ["1_000", "2x", "1..2", "0x10", "0b1", "1j", "1e", "1e+", "1.2.3", "3pi", "1.5.x",
        "x.5", "1__0", "1.."],
    "leading-zero": ["010", "x + 007"],
    "number-too-large": ["1e400", "x * 9e999"],
    "number-too-small": ["1e-400", "x + 0.1e-323", "4.9e-999"],
    "not-operand": ["a == not b", "a + not b", "-not b", "a ** not b"],
    "identity": ["a is b", "a is not b"],
    "in-expression": ["a in b", "a not in [0, 1]", "f(a in b)"],
    "comparison-sign": ["a => b", "a =< b", "a === b", "a !== b", "a <> b", "x = a =< b"],
    "missing-after": ["a +", "a + ; b", "f(a *)", "a * / b", "x =", "not", "a if b else", "a +\ny = b\ny",
        "a and or b", "-"],
    "missing-before": ["* a", "f(* a)", "f(, a)", "[, 1]", "f(a,, b)", "f(*args)", "== b", "x = a; / b",
        "f(**k)", "and a"],
    "missing-operator": ["2 a", "f(a b)", "(a)(b)", "f(a)(b)", "2 (a)", "x[0 1]", "a b"],
    "unclosed-bracket": ["(a", "f(a", "x[0", "[1, 2", "f(a; b)", "x = (a\ny = b", "k: float in [0, 1\nk",
        "f(x, [1, 2"],
    "extra-bracket": ["a)", "f(a))", "]", "x = a}\n(b", "(a)) + (b"],
    "mismatched-bracket": ["(a]", "f([a)]", "[a)", "{a]", "f(x[0)]", "mean((y_true - y_pred]"],
    "empty-brackets": ["()", "[]", "x[]", "f(())", "y: float[]; y"],
    "braces": ["{a}", "{1: 2}", "f({})", "x = {0, 1}; x"],
    "two-statements": ["x = a y = b x", "x = a mean(x)", "y_true: float[batch] y_pred: float mean(y_pred)",
                       "def f(x) = x def g(x) = x f(y)", "term a = x term b = y", "x = 3 2 * x",
                       "k: float = 1 in [0, 1] k"],
    "unused-value": ["a\nb", "a; b", "x = 1; f(x); y = 2; y", "mean(a)\n- b"],
    "indented-sign": ["x = a\n  - b", "x = a\n  + b\nx"],
    "empty": ["", " ", "\n\n", "# c", "#\n#\n", ";", " ;;\n;"],
    "reserved-word": ["if = 3", "term in = 3", "def not(x) = x", "x = term", "x + def", "in: float; x",
        "f(else=1)"],
    "assignment-target": ["mean(x) = 3", "a + b = c", "x[0] = 1", "2 = x", "[a, b] = x", "-a = b"],
    "equals-sign": ["a = b = c", "(a = b)", "f(a + b=3)", "x = f(y) = 3", "[a = b]"],
    "python-statement": ["import os", "from x import y", "return x", "return mean(x)", "for i in x: y",
        "while x: y", "print x",
                         "class A: x", "assert x"],
    "definition-form": ["def f: x", "def f(x) x", "def f(2) = 3", "def f(x): x", "def (x) = x",
        "def f(*x) = x", "def", "def f(x"
                        ") ; x", "def f = 3"],
    "term-form": ["term", "term x", "term f(x) = 3", "term 2 = x", "term x y"],
    "parameter-order": ["def f(k=1, x) = x; f(1, 2)"],
    "repeated-parameter": ["def f(x, y, x) = x; f(1, 2, 3)"],
    "argument-order": ["f(a=1, b)", "where(y_true = 1, y_pred, 0)"],
    "repeated-keyword": ["f(a=1, a=2)"],
    "conditional-form": ["if c: a", "a if c: b", "a else b", "a if b else c else d", "x = a if c then b",
        "a if b if c",
                         "if c then a else b"],
    "conditional-without-else": ["a if b", "f(a if b, c)", "(a if b) + c", "x = a if b\nx", "[a if b]"],
    "slice-step": ["x[::2]", "x[0:1:2]", "x[:, ::-1]"],
    "colon": ["f(a: b)", "(x: float)", "a + b: c"],
    "ellipsis": ["...", "f(...)", "x[0] + ...", "x..."],
    "comma": ["a, b", "x = a, b; x", "a,"],
    "declaration-type": ["x: [batch]; x", "x: 3; x", "x: ; x", "x: {0}; x", "x: in [0, 1]; x"],
    "declaration-form": ["x: float(3); x", "x: float, y: float; x", "x: float - y"],
    "shape-axis": ["x: float[-1]; x", "x: float[a + 1]; x", "x: float[a b]; x", "x: float[...]; x",
        "x: float[:, 3]; x"],
    "axis-size": ["x: float[0]; x", "x: float[2.5]; x", "x: float[1e3]; x"],
    "default-constant": ["x: float = y; x", "x: float = 1 + 2; x", "x: float = f(2); x",
        "x: float = -y; x", "x: float = (1); x",
                         "x: float = --1; x", "x: float =\nx", "x: float = 1 if c else 2; x"],
    "default-order": ["x: float in [0, 1] = 2; x", "x: float in {0, 1} = 1; x"],
    "range-form": ["x: float in 3; x", "x: float in [0]; x", "x: float in [0, 1, 2]; x",
        "x: float in {}; x", "x: float in\nx",
                   "x: float in [0 1]; x", "x: float in {0 1}; x", "x: float in y; x",
                   "x: float in [0, 1 + 1]; x"],
    "range-bound": ["x: float in [0, pi]; x", "x: float in [nan, 1]; x", "x: float in {a}; x"],
    "closed-infinity": ["x: float in [0, inf]; x", "x: float in [-inf, 0]; x", "x: float in {inf}; x"],
    "empty-range": ["x: float in [1, 0]; x", "x: float in (1, 1]; x", "x: float in (inf, 0]; x",
        "x: float in (0, -inf); x"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in MISTAKES.items() for text in texts])
def test_mistakes(name: str, text: str) -> None:
    assert code(text) == name


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("mean(abs(a - b)", "("), ("f(a, [1, 2", "["), ("f(a, g(b", "("), ("f(a)) + b)", ")"),
        ("a + b +", "+"),
        ("x = a +\ny = b\ny", "+"), ("f(x.shape)", "x.shape"), ("f(1..2)", "1..2"), ("x if y", "if"),
        ("x => y", "=>"),
        ("mean(x)**2 = 3", "mean(x)**2"), ("a = 1 b = 2 a", "b"), ("k: float in [2, 1]; k", "[2, 1]"),
        ("k: float in [0, -inf]; k", "-inf"), ("f(a=1, b)", "b"), ("f(a=1, a=2)", "a=2"), ("x; y", "x"),
        ("x := 1", ":="),
    ],
)  # fmt: skip
def test_the_place_is_the_smallest_that_is_wrong(text: str, piece: str) -> None:
    assert marked(text) == piece


def test_an_unclosed_bracket_is_shown_where_it_opens() -> None:
    span = error("mean(abs(a - b) + (c").diagnostics[0].span
    assert span is not None
    assert span.start == 18


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("tf.abs(x)", "`abs`"), ("K.mean(x)", "`mean`"), ("tf.reduce_sum(x)", "`sum`"),
        ("keras.ops.log(x)", "`log`"),
        ("x.mean()", "`mean(x)`"), ("1_000 * x", "`1000`"), ("0x1F", "`31`"), ("0b101", "`5`"),
        ("2.5gamma", "`2.5*gamma`"),
        ("010", "`10`"), ("a => b", "`>=`"), ("a & b", "`and`"), ("~a", "`not`"),
        ("a == not b", "`== (not ...)`"),
        ("x = a y = b x", "`|`"), ("# only", "`|`"), ("where(a = 1, b, c)", "`==`"),
    ],
)  # fmt: skip
def test_advice(text: str, advice: str) -> None:
    assert advice in error(text).diagnostics[0].help


# ---- Characters

FOREIGN = [
    ("\u0443_true", "U+0443", "`y`"), ("\uff45\uff58\uff50(x)", "U+FF45", "`e`"),
    ("\u212fxp", "U+212F", "`e`"),
    ("x\u202e", "U+202E", "can't be seen"), ("x\u200b+ y", "U+200B", "can't be seen"),
    ("\ufeffx", "U+FEFF", "byte order mark"),
    ("x\x00", "U+0000", "ASCII"), ("x\x0c+ y", "U+000C", "ASCII"), ("x\ry", "U+000D", "line feed"),
    ("x\x1b[0m", "U+001B", "ASCII"),
    ("\u0663 * x", "U+0663", "`3`"), ("x\u00b2", "U+00B2", "`**2`"), ("a \u2212 b", "U+2212", "`-`"),
    ("a \u00d7 b", "U+00D7", "`*`"),
    ("a \u2264 b", "U+2264", "`<=`"), ("\u03b3 * x", "U+03B3", "`gamma`"),
    ("\u03bb * x", "U+03BB", "`lambda`"),
    ("x\u00a0+ y", "U+00A0", "space"), ("\u201cx\u201d", "U+201C", "`'`"),
    ("\ud800", "U+D800", "half of a character"),
    ("# \u202e hidden\nx", "U+202E", "can't be seen"), ("# a\x00\nx", "U+0000", "ASCII"),
    ("\u6570", "U+6570", "ASCII"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "point", "advice"), FOREIGN)
def test_foreign_characters(text: str, point: str, advice: str) -> None:
    found = error(text).diagnostics[0]
    assert found.code == "foreign-character"
    assert point in found.message
    assert advice in found.help
    assert found.render().isascii()


def test_comments_hold_any_letters() -> None:
    parse(Source("# Hölder-Norm, \u03b3 \u2265 0, \u6570\u5f0f\nx # na\u00efve\r\n"))


# ---- Strangers

HOSTILE = {
    "(" * 100_000 + "1" + ")" * 100_000: "too-long",
    "(" * 3000 + "1" + ")" * 3000: "too-deep",
    "-" * 100_000 + "y_pred": "too-long",
    "-" * 10_000 + "y_pred": "too-deep",
    "+".join(["y_pred"] * 100_000): "too-long",
    "+".join(["y_pred"] * 9_000): "too-many-tokens",
    "2" + "**2" * 5_000: "too-deep",
    "0x" + "f" * 60_000: "malformed-number",
    "1" * 60_000: "long-number",
    "0x" + "f" * 10**7: "too-long",
    "_" * 16_384: "long-name",
    "a" * 30 + "!": "exclamation",
    "x" + "." * 60_000: "too-many-tokens",
    "'" * 60_000: "quote",
    "{y_true!r:>99999999}": "exclamation",
    "{0.__class__}": "malformed-number",
    "not " * 10_000 + "x": "too-deep",
    "x if " * 3_000: "conditional-form",
}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts(text: str) -> None:
    found = error(text)
    assert found.diagnostics[0].code == HOSTILE[text]
    assert found.diagnostics[0].span is not None
    assert len(str(found)) < 2500


@pytest.mark.parametrize(
    "text", ["eval(y_true)", "open(y_true)", "nan", "inf", "-inf", "NaN", "__class__", "9**9**9", "1/0"]
)
def test_what_only_the_checker_can_refuse(text: str) -> None:
    parse(Source(text))


def test_user_text_is_shown_literally() -> None:
    shown = str(error("x " + "{0.__class__}"))
    assert "{0.__class__}" in shown
    long = str(error("f(x y" + "z" * 115 + ")"))
    assert "z" * 115 in long
    assert len(str(error("(" + "1 " * 5000 + ")"))) < 1500


def test_place_in_a_file() -> None:
    source = Source("mean(\n  2x)", name="train.yaml", line=7, column=11, indent=4)
    assert error("", source).diagnostics[0].render().startswith("train.yaml:8:7: error[malformed-number]")


def test_errors_travel() -> None:
    found = error("mean(")
    assert isinstance(found, ValueError)
    assert found.__cause__ is None
    again = pickle.loads(pickle.dumps(found))
    assert str(again) == str(found)
    assert str(found).splitlines()[0] == "this `(` is never closed (at <formula>:1:5)"


def outcome(text: str) -> LossError | None:
    """The error of a text, or None where it is a formula; anything else is raised."""
    try:
        parse(Source(text))
    except LossError as found:
        return found
    return None


PIECES = [
    "x", "y_pred", "f(", ")", "(", "[", "]", "{", "}", ",", ":", ";", "=", "==", "<", "+", "-", "*", "/",
    "**", "^", "and", "or",
    "not", "if", "else", "in", "def", "term", "True", "1", "0.5", "...", ".", "\n", "\n  ", "# c\n", "is",
    "lambda", "for", "float",
    "inf", "x: float", "= 3", "in [0, 1]", "!", "&", "'", "\u0443", "\r", "\x00", "1e999", "2x",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from(["", " "]))
@settings(max_examples=600, deadline=None)
@example(["x", "=", "("], "")
def test_any_text_is_a_formula_or_a_known_error(pieces: list[str], gap: str) -> None:
    text = gap.join(pieces)
    found = outcome(text)
    if found is not None:
        (shown,) = found.diagnostics
        assert shown.code in SYNTAX
        assert shown.span is not None
        assert 0 <= shown.span.start <= shown.span.stop <= len(text) + 1
        assert "Token(" not in str(found)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_characters(text: str) -> None:
    found = outcome(text)
    assert found is None or found.diagnostics[0].render().isascii()


def test_messages_take_any_text() -> None:
    """A piece of user text is never read as a template."""
    assert diagnostic("quote", None, sign="{x!r}{0}").message
    assert "{0}" in diagnostic("attribute", None, path="{0}").message
