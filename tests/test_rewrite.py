"""Whole formulas rewritten: the rules that are for them, their digits, and their value unchanged."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from formulas import CASES
from graph_oracle import Driven
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laws_rules import RULES
from strategies import expressions

from lossdsl.backends import reference
from lossdsl.ir.node import reachable
from lossdsl.ops import INTERNAL
from lossdsl.program import Form
from lossdsl.rewrite.passes import rewrite
from lossdsl.rewrite.rules import Rule

FAMILIES = {
    "log(sigmoid(y_pred)) + y_true": {"log-sigmoid"},
    "-log(1 - 1 / (1 + exp(-y_pred))) * y_true": {"sigmoid-by-hand", "one-minus-sigmoid", "log-sigmoid"},
    "-sum(y_true * log(softmax(y_pred)))": {"log-softmax"},
    "-sum(y_true * log(exp(y_pred) / sum(exp(y_pred), axis=-1)))": {"softmax-by-hand", "log-softmax"},
    "log(sum(exp(y_pred), axis=-1)) - sum(y_pred * y_true, axis=-1)": {"logsumexp-by-hand"},
    "log(1 + exp(y_pred - y_true))": {"softplus-by-hand"},
    "log(1 + square(y_pred - y_true))": {"log1p"},
    "exp(y_pred - y_true) - 1": {"expm1"},
    "log(cosh(y_pred - y_true))": {"log-cosh"},
    "e = abs(y_pred - y_true)\ne + softplus(-2 * e) - log(2)": {"log-cosh-by-softplus"},
    "y_true * log(y_pred)": {"xlogy"},
    "sqrt(sum(square(y_pred - y_true), axis=-1))": {"norm-by-hand"},
    "1 - cos(y_pred - y_true)": {"one-minus-cos"},
    "(y_pred - y_true)**2 + abs(y_pred)**3 + y_pred**4": {"square-by-power", "cube", "fourth-power"},
    "(1 + exp(y_pred))**1.5 * y_true + (1 + exp(y_pred))**-0.5": {"three-halves", "inverse-root-by-power"},
}


@pytest.mark.parametrize("text", FAMILIES)
def test_families(text: str) -> None:
    random = np.random.default_rng(0)
    true, pred = random.uniform(0.2, 0.8, (4, 3)), random.uniform(0.2, 0.8, (4, 3))
    driven = Driven(text, true, pred)
    applied = driven.program.form.applied
    assert FAMILIES[text] <= {a.rule.name for a in applied}
    for a in applied:
        assert a.before.op in a.rule.left or a.before.op in (
            "add",
            "subtract",
            "multiply",
            "divide",
            "power",
            "negative",
        )
        assert a.span is not None and a.span.text in text
        before, after = (reference.evaluate(x, driven.layout, driven.data) for x in (a.before, a.after))
        np.testing.assert_allclose(after, before, rtol=1e-9)
    np.testing.assert_allclose(driven.value(), driven.exact().astype(float), rtol=1e-12)


STABLE = {
    "log(sigmoid(y_pred)) + 0 * y_true": -800.0,
    "log(1 + exp(y_pred)) + 0 * y_true": 800.0,
    "log(cosh(y_pred)) + 0 * y_true": 1e-9,
    "1 - cos(y_pred) + 0 * y_true": 1e-9,
    "log(1 + y_pred) + 0 * y_true": 1e-20,
    "exp(y_pred) - 1 + 0 * y_true": 1e-20,
}


@pytest.mark.parametrize("text", STABLE)
def test_value_and_gradient_keep_their_digits(text: str) -> None:
    driven = Driven(text, [[0.0]], [[STABLE[text]]])
    np.testing.assert_allclose(driven.value(), driven.exact().astype(float), rtol=1e-13)
    assert np.isfinite(driven.gradient()).all()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_formulas_keep_their_value(case: Any) -> None:
    true, pred = case.data()
    driven = Driven(case.text, true, pred, case.params)
    np.testing.assert_allclose(driven.value(), driven.written(), rtol=1e-9, atol=1e-12)
    done(driven)


def done(driven: Driven) -> None:
    """Rewriting what was rewritten changes nothing."""
    form = driven.program.form
    again, applied = rewrite(driven.elaborated.builder, form.rewritten)
    assert not applied
    assert all(again[root] is root for root in form.rewritten)


INTERNAL_NAME = re.compile(rf"\b({'|'.join(INTERNAL)})\(")
RANDOM = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@settings(RANDOM, max_examples=300)
@given(expressions(), st.sampled_from([r for r in RULES if not INTERNAL_NAME.search(r.left)]), st.integers(0, 999))
def test_random_formulas_keep_their_value(text: str, rule: Rule, seed: int) -> None:
    """Any formula, with the left side of a rule in it."""
    random = np.random.default_rng(seed)
    left = re.sub(r"\bx\b", "e", rule.left).replace("axis=axis", "axis=-1")
    for name, value in (
        ("y", "y_true"),
        ("z", "y_pred"),
        ("v", "e"),
        ("w", "y_true"),
        ("p", "(y_true > 0)"),
        ("c", "0.5"),
        ("k", "2"),
    ):
        left = re.sub(rf"\b{name}\b", value, left)
    # not the mean itself: where a rule gives back its operand, that would leave nothing but rounding
    formula = f"e = {text} + 0 * y_pred\nmean({left} + 0 * y_pred) + 0.37 * mean(e)"
    if any(f"{name}(" in left for name in INTERNAL):
        return
    driven = Driven(formula, random.normal(size=(2, 3)).round(1), random.normal(size=(2, 3)).round(1))
    if np.isfinite(driven.written()).all():
        # in floats the left side of a rule is what loses the digits
        exact = driven.exact().astype(float)
        np.testing.assert_allclose(driven.value(), exact, rtol=1e-6, atol=1e-9 * (1 + np.max(np.abs(exact))))
    done(driven)


@pytest.mark.parametrize(
    ("condition", "known"),
    [
        ("square(y_true) >= 0", True),
        ("1 + exp(y_true) < 1", True),
        ("1 + square(y_true) > 0 and abs(y_true) > -1", True),
        ("y_true ** 0.5 >= 0", False),
        ("sigmoid(log(y_true)) <= 1", False),
        ("square(sinh(y_true) - cosh(y_pred)) >= 0", False),
        ("square(exp(y_true) - exp(y_pred)) >= 0", False),
        ("square(prod(y_true, axis=-1)) >= 0", False),
        ("clip(sum(y_true, axis=-1), -1, 1) <= 2", False),
        ("cos(exp(y_true)) <= 2", False),
        ("not square(log(y_true)) >= 0", False),
    ],
)
def test_choices_that_are_known(condition: str, known: bool) -> None:
    """Not where what is compared may be NaN, of which every comparison is false."""
    pred, true = [[2.0, 3.0]], [[-1.0, 0.5]]
    driven = Driven(f"where({condition}, y_pred, 5 * y_pred)", true, pred)
    assert ("where(" not in driven.program.source) == known
    np.testing.assert_array_equal(driven.value(), driven.written())
    np.testing.assert_array_equal(driven.gradient(ones=True), driven.written() / pred)


def test_names_survive() -> None:
    driven = Driven(
        "error = (y_true - y_pred)**2\nshare = sqrt(1 + error)\nmean(error * share)",
        np.ones((2, 3)),
        np.zeros((2, 3)),
    )
    assert "    error = " in driven.program.source
    assert "    share = " in driven.program.source
    assert set(driven.program.form.names.values()) == {"error", "share"}


def test_as_written() -> None:
    driven = Driven("log(1 + exp(y_pred)) + y_true * 1", np.ones((2, 3)), np.zeros((2, 3)), best=False)
    assert not driven.program.form.applied
    assert "log(" in driven.program.source and "softplus" not in driven.program.source


def test_a_formula_of_many_terms_takes_steps_in_proportion() -> None:
    sizes = []
    for count in (50, 200):
        driven = Driven(
            " + ".join(f"{i} * log(1 + square(y_pred - {i} * y_true))" for i in range(1, count)),
            np.ones((1, 1)),
            np.zeros((1, 1)),
        )
        form = driven.form()
        assert isinstance(form, Form)
        sizes.append(len(reachable(form.roots)) / count)
    assert sizes[1] < 1.2 * sizes[0]
