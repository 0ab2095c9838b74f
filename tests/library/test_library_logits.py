"""Library losses over the logits behind a sigmoid or softmax: the number that the probabilities give, where that holds."""

from __future__ import annotations

import importlib

import numpy as np
from case import Case

from lossdsl import evaluate, library
from lossdsl.backends import reference
from lossdsl.checked import Checked, analyse

CASES: list[Case] = [case for family in library.FAMILIES for case in importlib.import_module(family).CASES]
ONE_EACH = list({case.name: case for case in reversed(CASES)}.values())
ACTIVATIONS = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True),
}
AMONG_THEM = {"binary_crossentropy", "categorical_crossentropy", "kl_divergence", "unified_focal", "varifocal"}


def over_logits(case: Case, checked: Checked, activation: str) -> tuple[np.ndarray, np.ndarray] | None:
    """What is computed of moderate logits, and of the probabilities as written; None where logits gain nothing."""
    y_true, y_pred = case.samples()[0]
    y_true = np.zeros(len(y_pred)) if y_true is None else np.asarray(y_true)
    z = np.random.default_rng(0).normal(size=np.shape(y_pred))
    program = checked.from_logits(y_true.shape, z.shape, activation)
    if program is None:
        return None
    data = {
        "y_true": y_true.reshape(*y_true.shape, *[1] * (program.true_rank - y_true.ndim)),
        "y_pred": z.reshape(*z.shape, *[1] * (program.pred_rank - z.ndim)),
    }
    root, layout = program.form.rewritten[0], program.elaborated.builder.layout.ids
    return reference.evaluate(root, layout, data), evaluate(case.text, y_true, ACTIVATIONS[activation](z))


def test_the_logits_give_what_the_probabilities_give() -> None:
    used = set()
    for case in ONE_EACH:
        checked = analyse(case.text)
        for activation in ACTIVATIONS if checked.may_use_logits else ():
            both = over_logits(case, checked, activation)
            if both is not None:
                used.add(case.name)
                # guards of epsilon, which are not there any more, are felt in the sixth digit
                np.testing.assert_allclose(*both, rtol=3e-5, atol=1e-6, err_msg=f"{case}, {activation}")
    assert used >= AMONG_THEM
