"""The budgets: what is refused, what is not, and that the work grows as the text does."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lossdsl.budgets import DEFAULT, Limits, current, limits
from lossdsl.errors import LossError
from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.format import format_formula
from lossdsl.syntax.parse import parse


def read(text: str) -> ast.Formula:
    return parse(Source(text))


def code(text: str) -> str:
    with pytest.raises(LossError) as caught:
        read(text)
    return caught.value.diagnostics[0].code


def nested(depth: int) -> str:
    return "(" * depth + "y_pred" + ")" * depth


DEPTHS = {
    "brackets": nested,
    "calls": lambda n: "f(" * n + "x" + ")" * n,
    "mixed": lambda n: "f([" * (n // 2) + "x" + "])" * (n // 2),
    "minus": lambda n: "-" * n + "x",
    "not": lambda n: "not " * n + "x",
    "power": lambda n: "2" + "**2" * n,
    "conditional": lambda n: "a if b else " * n + "c",
    "in arguments": lambda n: "f(1, k=(" + "-" * (n - 2) + "x))",
}


@pytest.mark.parametrize("form", DEPTHS)
def test_nesting_is_counted_before_the_parser(form: str) -> None:
    read(DEPTHS[form](64))
    assert code(DEPTHS[form](66)) == "too-deep"
    assert code(DEPTHS[form](3000)) == "too-deep"


def test_nesting_is_refused_at_its_place() -> None:
    with pytest.raises(LossError) as caught:
        read("(" * 65)
    span = caught.value.diagnostics[0].span
    assert span is not None
    assert (span.start, span.stop) == (64, 65)


@pytest.mark.parametrize(
    "text",
    [
        " + ".join(["abs(y_true-y_pred)*0.5"] * 1000), " + ".join(["-x"] * 1000), " + ".join(["f(-x)"] * 1000),
        "f(" + ", ".join(["-x"] * 1000) + ")",
        " or ".join(["not x"] * 1000), " * ".join(["x**2"] * 1000), "x" + "[0]" * 1000,
        "<".join("x" * 1000),
        "[" + ", ".join(["a if b else c"] * 500) + "]",
    ],
)  # fmt: skip
def test_width_is_not_depth(text: str) -> None:
    assert ast.same(read(format_formula(read(text))), read(text))


def test_the_machinery_has_no_depth() -> None:
    many = 10**6
    with limits(characters=many, tokens=many, nesting=many):
        for form in DEPTHS.values():
            formula = read(form(5_000))
            assert ast.same(read(format_formula(formula)), formula)


def test_budgets() -> None:
    def declared(n: int) -> str:
        return "".join(f"k{i}: float = 1\n" for i in range(n)) + "y_pred: float\ny_true: float\nk0"

    def bound(n: int) -> str:
        return "".join(f"a{i} = 1\n" for i in range(n)) + "a0"

    read(declared(64))
    assert code(declared(65)) == "too-many-parameters"
    read(bound(256))
    assert code(bound(257)) == "too-many-bindings"
    definitions = "".join(f"def f{i}() = 1\n" for i in range(513)) + "f0()"
    assert code(definitions) == "too-many-statements"

    assert code("x" + " " * 65_536) == "too-long"
    read("x" + " " * 65_535)
    assert code("x" + "+x" * 8192) == "too-many-tokens"
    read("x" + "+x" * 8191)
    assert code("x * 0." + "1" * 39) == "long-number"
    read("x * 0." + "1" * 38)
    assert code("x" * 121) == "long-name"
    read("x" * 120)


def test_limits_are_set_for_a_block_only() -> None:
    with limits(nesting=2) as inner:
        assert (inner.nesting, current().tokens) == (2, DEFAULT.tokens)
        assert code("(((x)))") == "too-deep"
        with limits(tokens=3):
            assert current().nesting == 2
    assert current() is DEFAULT
    for wrong in (0, -1, 1.5, True, "9"):
        with pytest.raises(ValueError, match="nesting"), limits(nesting=wrong):  # type: ignore[arg-type]
            pass
    with pytest.raises(TypeError):
        Limits(nestng=3)  # type: ignore[call-arg]


def calls(text: str) -> int:
    """How many Python functions run while a text is read, refused or not."""
    count = 0

    def on_event(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(on_event)
    try:
        read(text)
    except LossError:
        pass
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "part",
    [
        "y_pred+", "(", "-", "x[0]", "#c\n", "\n", ";", "x=1\n", "if ", ")", "(x)", "'", "x if y else ",
        "2**", "f(", "{", "=", "x: float in (0,", "a,",
    ],
)  # fmt: skip
def test_work_grows_as_the_text(part: str) -> None:
    """Counted in calls, so that a busy machine changes nothing."""
    with limits(characters=10**7, tokens=10**7, nesting=10**7, statements=10**7, bindings=10**7):
        once, twice = calls(part * 1000 + "x"), calls(part * 2000 + "x")
    assert twice < 2.2 * once + 500


def test_many_threads_read_one_formula() -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: read("x = a + b\nmean(x)"), range(64)))
    assert all(ast.same(one, found[0]) for one in found)
