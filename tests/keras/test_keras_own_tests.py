"""Keras' own tests of its losses, which its wheel contains, with lossdsl's losses in place of the built-in ones."""

from __future__ import annotations

import re
import unittest
from types import SimpleNamespace
from typing import Any

import pytest

import lossdsl

theirs = pytest.importorskip("keras.src.losses.losses_test", reason="this Keras comes without its tests")


def ours(class_name: str) -> Any:
    """What makes a library loss as Keras' class makes its own."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).lower()

    def make(**settings: Any) -> Any:
        return lossdsl.compile(NAMES.get(name, name), **settings)

    return make


NAMES = {"kldivergence": "kl_divergence"}
CLASSES = sorted(
    name
    for name, found in vars(theirs.losses).items()
    if isinstance(found, type)
    and found.__module__ == theirs.losses.__name__
    and name not in ("LossFunctionWrapper", "Loss")
)
TESTS = {
    test.id().split("losses_test.")[1]: test
    for suite in unittest.defaultTestLoader.loadTestsFromModule(theirs)
    for test in suite
}

FLOAT32 = "for half types the value is computed and returned in float32: in float16 it could not always be finite"
ERRORS = "a LossError says the same in our words"
SAMPLES = (
    "overlap is counted for each sample, so that weights have a meaning; Keras counts over the batch (`batch_dice`)"
)
EXCHANGED = "alpha weighs false alarms and beta what was missed, as in the paper; Keras has them the other way round"
CONFIG = "its config is compared with the keys of Keras' own; ours are formula, params and uses"
POSITIONS = "everything but the batch is averaged, so the parameter `axis` has nothing to choose"
DIFFERENT: dict[str, str] = {
    **{name: FLOAT32 for name in TESTS if name.endswith(".test_dtype_arg")},
    "HuberLossTest.test_config": CONFIG,
    "LogCoshTest.test_config": CONFIG,
    "CosineSimilarityTest.test_config": CONFIG,
    "BinaryCrossentropyTest.test_config": POSITIONS,
    "BinaryCrossentropyTest.test_shape_mismatch": ERRORS,
    "CategoricalCrossentropyTest.test_shape_mismatch": ERRORS,
    "CategoricalHingeTest.test_unweighted": ERRORS,
    "HingeTest.test_unweighted": ERRORS,
    "SquaredHingeTest.test_unweighted": ERRORS,
    "CircleTest.test_correctness": "a sample without another of its class counts 0; Keras leaves it out of the mean",
    "CircleTest.test_correctness_weighted": "the same",
    "CircleTest.test_mean_with_sample_weight_reduction": "the same",
    "CTCTest.test_correctness": "a blank among the labels is padding; Keras takes it for a label, and loses the last one",
    "DiceTest.test_correctness": SAMPLES,
    "DiceTest.test_binary_segmentation": SAMPLES,
    "DiceTest.test_binary_segmentation_with_axis": SAMPLES,
    "TverskyTest.test_correctness": SAMPLES,
    "TverskyTest.test_binary_segmentation": SAMPLES,
    "TverskyTest.test_binary_segmentation_with_axis": SAMPLES,
    "TverskyTest.test_correctness_custom_coefficients": EXCHANGED,
    "TverskyTest.test_binary_segmentation_custom_coefficients": EXCHANGED,
    "TverskyTest.test_binary_segmentation_custom_coefficients_with_axis": EXCHANGED,
    "SparseCategoricalCrossentropyTest.test_ignore_class": "that is `masked_sequence_crossentropy`; None is no value here",
    "SparseCategoricalCrossentropyTest.test_binary_segmentation_different_axis": "the classes lie on the last axis",
    "SparseCategoricalCrossentropyTest.test_multi_class_segmentation_different_axis": "the same",
    "SparseCategoricalCrossentropyTest.test_squeezes_singleton_class_dim_on_user_axis": "the same",
}
"""Tests that ought not to pass, and why."""


@pytest.fixture(autouse=True)
def _ours(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(**vars(theirs.losses))
    for name in CLASSES:
        setattr(stand_in, name, ours(name))
    monkeypatch.setattr(theirs, "losses", stand_in)


@pytest.mark.parametrize("name", TESTS)
def test_as_keras(name: str) -> None:
    result = unittest.TestResult()
    TESTS[name].run(result)
    wrong = [text for _, text in (*result.failures, *result.errors)]
    if name in DIFFERENT:
        assert wrong, "passes now: take it off the list"
    else:
        assert not wrong, wrong[0]
