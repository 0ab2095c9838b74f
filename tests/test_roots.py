"""Sums of squares by their roots: every form on its own, far out too, what has a root, and what is left alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from laws_rules import DIGITS, law_error, law_slope, law_type, law_value, names, sides
from mpmath import mp
from oracle import evaluate, floats

from lossdsl.checked import analyse
from lossdsl.ir.node import Node
from lossdsl.rewrite.lengths import Lengths
from lossdsl.rewrite.roots import BY_ROOTS, take_roots
from lossdsl.rewrite.rules import Rule

FORMS = [pytest.param(rule, id=name) for name, rule in BY_ROOTS.items() if name != "one-less-mean-cosine"]
"""What is done, but for a mean over an axis that these rows do not have; whole formulas have."""


@pytest.mark.parametrize("rule", FORMS)
def test_form(rule: Rule) -> None:
    """The left side of each example becomes the right one, which is the same in value, type and gradient."""
    driven, left, right = sides(rule)
    made, applied = take_roots(driven.elaborated.builder, [left])
    assert made[left] is right, f"{rule.name}: came out as {made[left]}"
    assert [(a.rule, a.before, a.after) for a in applied] == [(rule, left, right)]
    law_type(rule)
    law_value(rule, finite=True)
    law_slope(rule)
    law_error(rule)


FAR = (1e200, -3e200, 1e-200, -3e-200, 2.0, -0.25)
FAR_ROWS = ([1e200, -2e200, 5e199], [3e-200, 1e-200, -2e-200], [1.0, 2.0, -3.0])


def far_points(rule: Rule) -> list[dict[str, Any]]:
    """Numbers whose squares float64 does not have, and some ordinary ones, in all combinations."""
    wanted = sorted(names(rule))
    if "axis" not in rule.left:
        factor = "y" if rule.right.startswith(("xlogy", "y * ")) else ""
        pools = [(2.0, -0.25) if name == factor else FAR for name in wanted]
        return [dict(zip(wanted, found, strict=True)) for found in product(*pools)]
    rows = product(FAR_ROWS, repeat=len(wanted))
    return [{**{name: np.array([row]) for name, row in zip(wanted, line, strict=True)}, "axis": 1} for line in rows]


@pytest.mark.parametrize("rule", FORMS)
def test_form_is_exact_where_squares_are_not(rule: Rule) -> None:
    """And at some of these points the left side is not, or there would be no need."""
    wrong = 0
    for point in far_points(rule):
        truth = np.ravel(evaluate(rule.left, point, DIGITS))
        before, after = (np.ravel(floats(side, point)) for side in (rule.left, rule.right))
        for exact, old, new in zip(truth, before, after, strict=True):
            if mp.isfinite(exact) and 1e-290 < abs(exact) < 1e290:
                assert abs(mp.mpf(float(new)) - exact) <= 1e-14 * abs(exact) + 1e-15 * ("cosine" in rule.name), (
                    f"{rule.name}: {new} instead of {mp.nstr(exact, 17)} at {point}"
                )
                wrong += not np.isfinite(old) or abs(mp.mpf(float(old)) - exact) > 1e-3 * abs(exact)
    assert wrong or rule.name in LOSES_NO_MORE


LOSES_NO_MORE = {
    "one-less-cosine": "1 less a cosine loses digits where that is nearly 1, and nowhere else",
    "one-less-mean-cosine": "as one-less-cosine",
    "hypot-less": "the length is there already; what it loses is near 0",
    "inverse-of-square": "1 over infinity is as good as 1 over a large number",
}
"""Forms that are not for the sake of what is far out."""


# -- what has a root

ROOTED = {
    "square(x)": "x",
    "square(x) * 9": "x * 3.0",
    "9 * square(x)": "3.0 * x",
    "square(x) / 4": "x / 2.0",
    "square(x) / square(y)": "x / y",
    "square(x) + square(y)": "hypot(x, y)",
    "square(x) + 4": "hypot(x, 2.0)",
    "4 + square(x)": "hypot(x, 2.0)",
    "sum(square(x), axis=axis)": "norm(x, axis=axis)",
    "mean(square(x), axis=axis)": "root_mean_square(x, axis=axis)",
    "var(x, axis=axis)": "std(x, axis=axis)",
    "where(p, square(x), square(y))": "where(p, x, y)",
    "where(p, square(x), 4)": "where(p, x, 2.0)",
    "maximum(square(x), square(y))": "maximum(abs(x), abs(y))",
    "minimum(sum(square(x), axis=axis), 4)": "minimum(norm(x, axis=axis), 2.0)",
    "clip(square(x), 0, 4)": "clip(abs(x), 0.0, 2.0)",
    "stop_gradient(square(x))": "stop_gradient(x)",
    "square(x) + sum(square(y), axis=axis) / 4": "hypot(x, norm(y, axis=axis) / 2.0)",
}
"""Values, and their roots."""
ROOTLESS = ("x", "x * square(y)", "square(x) - square(y)", "square(x) * -4", "-square(x)", "square(x) + exp(y)",
            "where(p, square(x), y)", "sum(x, axis=axis)", "abs(x)", "where(p, square(x), -1)")  # fmt: skip


def rooted(text: str, root: str) -> tuple[Lengths, Node, Node]:
    driven, node, wanted = sides(Rule("rooted", f"{text} + 0 * sum(y, axis=axis)", f"{root} + 0 * sum(y, axis=axis)"))
    return Lengths(driven.elaborated.builder), node.inputs[0], wanted.inputs[0]


@pytest.mark.parametrize("text", ROOTED)
def test_has_a_root(text: str) -> None:
    lengths, node, wanted = rooted(text, ROOTED[text])
    found = lengths.risky(node)
    assert found is not None and found.node is wanted
    random = np.random.default_rng(len(text))
    for _ in range(20):
        x, y = random.normal(scale=2, size=(2, 1, 3))
        point = {"x": x, "y": y, "axis": 1, "p": random.uniform(size=(1, 3)) < 0.5}
        root = np.asarray(evaluate(ROOTED[text], point, 30))
        assert found.signed or (root >= 0).all()
        np.testing.assert_allclose((root**2).astype(float), np.asarray(evaluate(text, point, 30), float), rtol=1e-14)


@pytest.mark.parametrize("text", ROOTLESS)
def test_has_no_root(text: str) -> None:
    lengths, node, _ = rooted(text, "x")
    assert lengths.of(node) is None


@pytest.mark.parametrize("text", ["4.0", "1e36", "sqrt(1e-40) * 3"])
def test_numbers_alone_are_no_squares(text: str) -> None:
    """They have a root, which lengths are made of, but nothing is at risk."""
    lengths, node, _ = rooted(text, "x")
    assert lengths.of(node) is not None
    assert lengths.risky(node) is None


# -- whole formulas

PARTS = "y_true: float[batch, items, k]\ny_pred: float[batch, items, k]\n"
CHANGED = {
    "mean(sqrt(square(y_pred - y_true) + 1))": "root-of-squares",
    "mean(1 / sqrt(square(y_pred) + square(y_true)))": "inverse-root-of-squares",
    "mean(log(square(y_pred) + square(y_true)))": "logarithm-of-squares",
    "mean(log10(square(y_pred) + square(y_true)))": "logarithm-of-squares",
    "log10(sum(square(y_pred))) - log10(sum(square(y_true)))": "logarithms-of-squares",
    "mean(y_true * log(square(y_pred) + 1))": "xlog1py-of-square",
    "mean(y_true * log(square(y_pred) + 9))": "xlogy-of-squares",
    "mean(log(1 + square(y_pred - y_true) / 9))": "log1p-of-square",
    "mean((square(y_pred) + 1) ** 0.45)": "power-of-squares",
    "mean(square(y_pred) / (square(y_pred) + square(y_true)))": "quotient-of-squares",
    "mean(square(y_pred) / (3 + square(y_pred)))": "share-of-square",
    "mean(y_pred / (3 + square(y_pred)))": "damped-by-square",
    "mean(5 / (3 + square(y_pred)))": "inverse-of-square",
    "mean(sqrt(9 + square(y_pred)) - 3)": "hypot-less",
    "1 - sum(normalize(y_pred, axis=-1) * normalize(y_true, axis=-1), axis=-1)": "one-less-cosine",
    f"{PARTS}1 - mean(sum(normalize(y_pred, axis=k) * normalize(y_true, axis=k), axis=k), axis=items)": "one-less-mean-cosine",
}
UNCHANGED = (
    # no square gets near the ends of floats
    "mean(sqrt(square(1 + sigmoid(y_pred)) + 1))",
    "mean(log(1 + square(2 + tanh(y_pred - y_true))))",
    "mean((1 + square(1 + sigmoid(y_pred))) ** 0.45)",
    # no root is asked for
    "mean(square(y_pred - y_true))",
    "mean((square(y_pred) + 1) ** 5.0)",
    "mean(log(1 + exp(y_pred)))",
    "mean(square(y_pred) / (exp(y_true) + 1))",
    # other numbers than the length was made with
    "mean(sqrt(9 + exp(y_pred)) - 3)",
    # of all pairs of samples the differences would take too much memory
    f"{PARTS}n = normalize(y_pred, axis=k)\nmean(1 - sum(n * pairs(n, axis=items), axis=k))",
)


def applied(text: str) -> set[str]:
    return {each.rule.name for each in analyse(text, measure=True).display().form.applied} & set(BY_ROOTS)


@pytest.mark.parametrize("text", CHANGED)
def test_formula_by_roots(text: str) -> None:
    assert CHANGED[text] in applied(text)


@pytest.mark.parametrize("text", UNCHANGED)
def test_formula_left_alone(text: str) -> None:
    assert applied(text) == set()


def test_every_form_is_met_in_a_formula() -> None:
    assert set(CHANGED.values()) == set(BY_ROOTS)
