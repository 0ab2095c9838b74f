"""The losses that are measured, one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import losses

from benchmarks import handwritten as hand


@dataclass(frozen=True)
class Case:
    """A loss: its formula, the same by hand, Keras' own if there is one, given the rank of the predictions.

    `data` names a kind of `benchmarks.data`. A `transcendental` loss calls exp, log, a power or the like, and so
    is bound by arithmetic rather than by memory.
    """

    name: str
    formula: str
    hand: Callable[[Any, Any], Any]
    builtin: Callable[[int], Any] | None
    data: str
    transcendental: bool


def _ready(loss: Callable[..., Any], **settings: Any) -> Callable[[int], Any]:
    """A loss of Keras that is the same for every rank."""
    return lambda rank: loss(**settings)


def _whole(loss: Callable[..., Any]) -> Callable[[int], Any]:
    """A loss of Keras over all axes but the batch, which is what the formula means."""
    return lambda rank: loss(axis=tuple(range(1, rank)))


def _case(name: str, builtin: Callable[[int], Any] | None, data: str, transcendental: bool, formula: str = "") -> Case:
    return Case(name, formula or f"{name}(y_true, y_pred)", getattr(hand, name), builtin, data, transcendental)


KERAS_OWN = (
    _case("mean_squared_error", _ready(losses.MeanSquaredError), "numbers", False),
    _case("mean_absolute_error", _ready(losses.MeanAbsoluteError), "numbers", False),
    _case("mean_absolute_percentage_error", _ready(losses.MeanAbsolutePercentageError), "positive", False),
    _case("mean_squared_logarithmic_error", _ready(losses.MeanSquaredLogarithmicError), "positive", True),
    _case("huber", _ready(losses.Huber), "numbers", False),
    _case("log_cosh", _ready(losses.LogCosh), "numbers", True),
    _case("hinge", _ready(losses.Hinge), "signs", False),
    _case("squared_hinge", _ready(losses.SquaredHinge), "signs", False),
    _case("categorical_hinge", _ready(losses.CategoricalHinge), "one_hot_logits", False),
    _case("poisson", _ready(losses.Poisson), "counts", True),
    _case("kl_divergence", _ready(losses.KLDivergence), "shares", True),
    _case("cosine_similarity", _ready(losses.CosineSimilarity), "vectors", False),
    _case("binary_crossentropy", _ready(losses.BinaryCrossentropy), "bits", True),
    _case(
        "bce_from_logits",
        _ready(losses.BinaryCrossentropy, from_logits=True),
        "bit_logits",
        True,
        "binary_crossentropy(y_true, y_pred, from_logits=True)",
    ),
    _case("categorical_crossentropy", _ready(losses.CategoricalCrossentropy), "one_hot", True),
    _case(
        "cce_from_logits",
        _ready(losses.CategoricalCrossentropy, from_logits=True),
        "one_hot_logits",
        True,
        "categorical_crossentropy(y_true, y_pred, from_logits=True)",
    ),
    _case(
        "cce_smoothed",
        _ready(losses.CategoricalCrossentropy, from_logits=True, label_smoothing=0.1),
        "one_hot_logits",
        True,
        "categorical_crossentropy(y_true, y_pred, from_logits=True, label_smoothing=0.1)",
    ),
    _case("sparse_categorical_crossentropy", _ready(losses.SparseCategoricalCrossentropy), "classes", True),
    _case(
        "scce_from_logits",
        _ready(losses.SparseCategoricalCrossentropy, from_logits=True),
        "class_logits",
        True,
        "sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)",
    ),
    _case("binary_focal_crossentropy", _ready(losses.BinaryFocalCrossentropy), "bits", True),
    _case(
        "focal_from_logits",
        _ready(losses.BinaryFocalCrossentropy, apply_class_balancing=True, from_logits=True),
        "bit_logits",
        True,
        "binary_focal_crossentropy(y_true, y_pred, apply_class_balancing=True, from_logits=True)",
    ),
    _case("categorical_focal_crossentropy", _ready(losses.CategoricalFocalCrossentropy), "one_hot", True),
    _case(
        "generalized_cross_entropy",
        _ready(losses.CategoricalGeneralizedCrossEntropy),
        "classes",
        True,
    ),
    _case("dice", _whole(losses.Dice), "bits", False),
    _case("tversky", _whole(losses.Tversky), "bits", False),
)

CLASSICS = (
    _case("penalised_error", None, "numbers", False, "mean(abs(y_true - y_pred) * 0.5 * (1 + abs(y_true - y_pred)))"),
    _case("charbonnier", None, "numbers", False),
    _case("linex", None, "numbers", True),
    _case("quantile", None, "numbers", False, "quantile(y_true, y_pred, tau=0.9)"),
    _case("cauchy", None, "numbers", True),
    _case(
        "barron",
        None,
        "numbers",
        True,
        "alpha: float = 1.5 in (0, 2)\n"
        "scale: float = 1.0 in (0, inf)\n"
        "z = square((y_true - y_pred) / scale) / (2 - alpha)\n"
        "mean((2 - alpha) / alpha * ((z + 1)**(alpha / 2) - 1))",
    ),
    _case("geman_mcclure", None, "numbers", False),
    _case("welsch", None, "numbers", True),
    _case("tukey_biweight", None, "numbers", False),
    _case("wing", None, "numbers", True),
    _case("gaussian_nll", None, "moments", True),
    _case("poisson_from_log", None, "log_counts", True, "mean(exp(y_pred) - y_true * y_pred)"),
    _case("jaccard", None, "bits", False),
)

CASES = {case.name: case for case in (*KERAS_OWN, *CLASSICS)}
"""All of them by name. Not here: CTC, which is no formula over entries, and losses over pairs of samples (Circle)."""

TWINS = (
    "cce_smoothed",
    "focal_from_logits",
    "geman_mcclure",
    "jaccard",
    "poisson_from_log",
    "quantile",
    "scce_from_logits",
    "tukey_biweight",
)
"""Losses that differ little from another: measured only when named, to save minutes."""
