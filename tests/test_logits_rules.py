"""Formulas on probabilities whose logits are known: each rule, and whole formulas against the same on logits."""

from __future__ import annotations

import re

import numpy as np
import pytest
from mpmath import mp

import lossdsl
from lossdsl.backends import reference
from lossdsl.checked import analyse
from lossdsl.ops import INTERNAL
from lossdsl.rewrite.logits import KNOWN_LOGITS, LARGEST_GUARD, RULES_FOR_LOGITS, UNGUARDED
from lossdsl.rewrite.passes import rewrite
from lossdsl.rewrite.rules import STABILISE

EXTREME = np.array([[700.0, -700.0, 0.0], [-3.0, 0.5, 60.0], [-60.0, 20.0, 1e-9]])
SHARES = np.array([[0.0, 1.0, 0.25], [1.0, 0.0, 0.0], [1.0, 0.5, 1.0]])
ONE_HOT = np.eye(3)[[1, 0, 2]]


def written(text, share, **numbers):
    """A side of a rule as a formula: x is y_pred, i the labels, y a share."""
    names = {"x": "y_pred", "i": "y_true", "y": str(share), "z": "0.7", "p": "(y_pred > 0.2)", **numbers}
    text = text.replace("probability(", "exp(")  # no formula can name these
    for name in ("log_softmax_others", "softmax_others"):
        text = text.replace(f"{name}(x, axis=axis)", f"({INTERNAL[name].means})")
    text = text.replace("axis=axis", "axis=-1")
    return re.sub(r"\b[xiyzpck]\b", lambda found: names[found.group()], text)


@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("rule", RULES_FOR_LOGITS, ids=lambda rule: rule.name)
def test_both_sides_are_equal_where_no_guard_bites(rule, share):
    labels, logits = np.array([0, 2, 1]), -np.abs(np.random.default_rng(0).normal(size=(3, 3)))
    guards = {"c": "1e-10", "k": "0.9999999999"}
    left, right = (lossdsl.evaluate(written(side, share, **guards), labels, logits) for side in (rule.left, rule.right))
    np.testing.assert_allclose(right, left, rtol=1e-12 if rule in KNOWN_LOGITS else 1e-8, atol=1e-9)


REST = next(rule for rule in STABILISE if rule.name == "one-minus-softmax")
"""Makes what some rules look for, which no formula can name."""
NAMED = [rule for rule in RULES_FOR_LOGITS if "probability(" not in rule.left]


@pytest.mark.parametrize("rule", NAMED, ids=lambda rule: rule.name)
def test_each_rule_is_applied_and_no_guard_that_is_meant_is_dropped(rule):
    for guards, wanted in (
        ({"c": repr(LARGEST_GUARD), "k": repr(1 - LARGEST_GUARD)}, True),
        ({"c": "0.001", "k": "0.999"}, rule in KNOWN_LOGITS and not rule.when),
        ({"c": "-0.001", "k": "1.0"}, (rule in KNOWN_LOGITS and not rule.when) or "minimum" in rule.name),
    ):
        found = analyse(written(rule.left, "(0.4 * y_pred)", **guards), measure=True).elaborated
        _, applied = rewrite(found.builder, [found.root], (REST, rule))
        assert (rule in [each.rule for each in applied]) is wanted, guards


def test_names_are_told_apart():
    assert len({rule.name for rule in RULES_FOR_LOGITS}) == len(RULES_FOR_LOGITS)
    assert not {rule.name for rule in UNGUARDED} & {rule.name for rule in KNOWN_LOGITS}


def on_logits(text, true, logits, activation):
    """What the program on logits computes, in float64."""
    program = analyse(text).program(true.shape, logits.shape, activation=activation)
    assert program.gains
    root, layout = program.form.rewritten[0], program.elaborated.builder.layout.ids
    return reference.evaluate(root, layout, {"y_true": true, "y_pred": logits})


BY_LOGITS = "mean(softplus(y_pred) - y_true * y_pred)"
BY_CLASSES = "-sum(where(y_true == 0, 0, y_true * log_softmax(y_pred)), axis=-1)"
TAKEN = "-take_along_axis(log_softmax(y_pred), y_true)"
FIRST = "softplus(y_pred[..., 0] - logsumexp(y_pred[..., 1:], axis=-1))"
OTHERS = "logsumexp(y_pred, axis=-1) - logsumexp(y_pred, axis=-1, where=one_hot(y_true, 3) == 0)"
FOCAL = """
z = where(y_true == 1, y_pred, -y_pred)
sum(-0.25 * sigmoid(-z)**2 * log_sigmoid(z))
"""
README_FOCAL = """
p_t = where(y_true == 1, y_pred, 1 - y_pred)
sum(-0.25 * (1 - p_t)**2 * log(maximum(p_t, epsilon)))
"""
LABELS = np.array([0, 2, 1])
SAME = {
    "as in a book": ("-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))", BY_LOGITS, SHARES, "sigmoid"),
    "from the library": ("binary_crossentropy", BY_LOGITS, SHARES, "sigmoid"),
    "with a small number": (
        "-mean(y_true * log(y_pred + 1e-7) + (1 - y_true) * log(1 - y_pred + epsilon))",
        BY_LOGITS,
        SHARES,
        "sigmoid",
    ),
    "with larger ones": (
        "-mean(xlogy(y_true, maximum(y_pred, 1e-6)) + (1 - y_true) * log(maximum(1 - y_pred, 1e-6)))",
        BY_LOGITS,
        SHARES,
        "sigmoid",
    ),
    "of one label": ("-log(y_pred[..., 1])", "softplus(-y_pred[..., 1])", SHARES, "sigmoid"),
    "of one label, guarded": (
        "p = clip(y_pred[..., 0], epsilon, 1 - epsilon)\n-(y_true[..., 0] * log(p) + (1 - y_true[..., 0]) * log(1 - p))",
        "softplus(y_pred[..., 0]) - y_true[..., 0] * y_pred[..., 0]",
        SHARES,
        "sigmoid",
    ),
    "of one class": ("-log(y_pred[..., 2] + epsilon)", "-log_softmax(y_pred)[..., 2]", SHARES, "softmax"),
    "of some classes": (
        "-sum(y_true[..., 1:] * log(y_pred[..., 1:]), axis=-1)",
        "-sum(y_true[..., 1:] * log_softmax(y_pred)[..., 1:], axis=-1)",
        SHARES,
        "softmax",
    ),
    "in bits": (
        "-mean(y_true * log2(y_pred) + (1 - y_true) * log2(1 - y_pred + epsilon))",
        f"({BY_LOGITS}) / log(2)",
        SHARES,
        "sigmoid",
    ),
    "in digits": ("-log10(take_along_axis(y_pred, y_true))", f"({TAKEN}) / log(10)", LABELS, "softmax"),
    "focal": (README_FOCAL, FOCAL, ONE_HOT, "sigmoid"),
    "by class": ("-sum(y_true * log(y_pred), axis=-1)", BY_CLASSES, SHARES, "softmax"),
    "by class, from the library": ("categorical_crossentropy", BY_CLASSES, SHARES, "softmax"),
    "by class number": ("sparse_categorical_crossentropy", TAKEN, LABELS, "softmax"),
    "by class number, taken": ("-log(take_along_axis(y_pred, y_true))", TAKEN, LABELS, "softmax"),
    "what a class leaves": ("-log(1 - take_along_axis(y_pred, y_true))", OTHERS, LABELS, "softmax"),
    "what a class leaves, guarded": (
        "-log(1 - clip(take_along_axis(y_pred, y_true), epsilon, 1 - epsilon))",
        OTHERS,
        LABELS,
        "softmax",
    ),
    "what a class leaves, by its share": (
        "-sum(one_hot(y_true, 3) * log(1 - y_pred + epsilon), axis=-1)",
        OTHERS,
        LABELS,
        "softmax",
    ),
    "what the first class leaves": ("-log(1 - y_pred[..., 0])", FIRST, SHARES, "softmax"),
    "what the first class leaves, guarded": (
        "-log(1 - clip(y_pred[..., 0], epsilon, 1 - epsilon))",
        FIRST,
        SHARES,
        "softmax",
    ),
    "what the first class leaves, guarded from below": (
        "-log(maximum(1 - y_pred[..., 0], epsilon))",
        FIRST,
        SHARES,
        "softmax",
    ),
    "what a class leaves, from the library": ("complementary_crossentropy", OTHERS, LABELS, "softmax"),
    "divergence": (
        "sum(xlogy(y_true, y_true / (y_pred + epsilon)), axis=-1)",
        "sum(xlogy(y_true, y_true) - where(y_true == 0, 0, y_true * log_softmax(y_pred)), axis=-1)",
        SHARES,
        "softmax",
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_a_formula_on_probabilities_is_the_one_on_logits(case):
    text, other, true, activation = SAME[case]
    wanted = lossdsl.evaluate(other, true, EXTREME)
    np.testing.assert_allclose(on_logits(text, true, EXTREME, activation), wanted, rtol=1e-12)


def test_binary_crossentropy_to_many_digits():
    with mp.workdps(900):
        each = [
            -(t * mp.log(1 / (1 + mp.exp(-z))) + (1 - t) * mp.log(1 - 1 / (1 + mp.exp(-z))))
            for z, t in zip(map(mp.mpf, EXTREME.ravel()), map(mp.mpf, SHARES.ravel()), strict=True)
        ]
        wanted = np.array([float(x) for x in each]).reshape(3, 3).mean(1)
    np.testing.assert_allclose(on_logits("binary_crossentropy", SHARES, EXTREME, "sigmoid"), wanted, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "activations"),
    [
        ("binary_crossentropy", ("sigmoid", "softmax")),
        ("-sum(y_true * log(y_pred), axis=-1)", ("sigmoid", "softmax")),
        ("-log(take_along_axis(y_pred, y_true))", ("softmax",)),
        ("-log(y_pred[..., 0])", ("sigmoid", "softmax")),
        ("mean(log(1 + square(y_true[..., 0] - y_pred[..., 0])))", ()),
        ("mean(square(y_true - y_pred))", ()),  # nothing is lost in probabilities
        ("tversky", ()),  # 1 - y_pred has a better form, but no logarithm to show it
        ("binary_crossentropy(y_true, y_pred, from_logits=True)", ()),
        ("y_pred: logits[batch, *]\nmean(-log(y_pred) * y_true)", ()),
        ("mean(square(log1p(y_pred) - log1p(y_true)))", ()),
        ("y_pred: prob[batch]\ny_true * log(y_pred)", ("sigmoid",)),  # without classes there is no softmax
    ],
)
def test_what_gains(text, activations):
    assert analyse(text).activations == activations
    assert analyse(text, rewrite=False).activations == ()
    report = lossdsl.check(text)
    assert report.logits == activations
    assert report.to_dict()["logits"] == list(activations)
    assert ("uses the logits" in report.render()) is bool(activations)


def test_a_wrong_formula_has_none():
    assert lossdsl.check("mean(").logits == ()


def test_ejected_code_is_the_plain_form():
    assert "log_sigmoid" not in lossdsl.eject("binary_crossentropy")
