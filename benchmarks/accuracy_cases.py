"""What the accuracy is measured of: every loss of the library, and formulas as users write them; Keras' own beside."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks import accuracy_grids as grids
from benchmarks.accuracy_naive import NAIVE, Naive
from benchmarks.oracles import Case, call
from lossdsl import check, library

ROWS_OF_ENTRIES, ROWS_OF_VECTORS, BATCHES, LEAST = 240, 72, 5, 8
COST = 6000
"""Entries times entries of all rows together: a slope by each of them is a difference of all."""
DEAR = frozenset(
    {"asymmetric_generalized_crossentropy", "asymmetric_unhinged", "box_wasserstein", "multi_resolution_stft"}
)
"""Losses whose oracles are integrals, roots of matrices, or Fourier transforms word for word."""
SCALED = frozenset({"detection"})
"""Families whose numbers are places of corners, in order: their data are made hard by scale alone."""

LIMITS = {"probabilistic": 300.0, "survival": 300.0, "weibull_censored": 6.0, "orpo": 100.0}
"""The largest prediction of a family, or of a loss: logarithms of rates and shapes. The gamma function of e to a
million, or a density there, has more digits than anybody can wait for."""


@dataclass(frozen=True)
class Subject:
    """Something to judge: a formula, its truth, and its hard rows; `builtin` names Keras' function of the same."""

    name: str
    part: str
    text: str
    oracle: Callable[[Any, Any], Any]
    grid: Callable[[], grids.Grid]
    builtin: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


def subjects() -> list[Subject]:
    """All of them, the naive formulas first."""
    return [*map(naive, NAIVE), *map(of_library, cases())]


def cases() -> list[Case]:
    """One case of the tests for each loss of the library: the first."""
    first: dict[str, Case] = {}
    for family in library.FAMILIES:
        for each in importlib.import_module(family).CASES:
            first.setdefault(each.name, each)
    return list(first.values())


def naive(formula: Naive) -> Subject:
    rows = ROWS_OF_ENTRIES if formula.data[1].shape[-1] == 1 else ROWS_OF_VECTORS
    last = formula.text.splitlines()[-1]
    return Subject(
        f"{formula.number:02d} {last}",
        "naive",
        formula.text,
        formula.oracle,
        functools.partial(grids.make, *formula.data, rows),
    )


def of_library(case: Case) -> Subject:
    """A loss with the parameters of its case, in few enough bits that float32 has them exactly."""
    params = {name: _short(value) for name, value in case.params.items()}

    def oracle(y_true: Any, y_pred: Any) -> Any:
        return case.oracle(y_true, y_pred, **params)

    builtin = BUILTINS.get(case.name, "")
    text, grid = call(case.name, **params), functools.partial(_grid, case)
    return Subject(case.name, "library", text, oracle, grid, builtin, params)


def _short(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_short(each) for each in value]
    if not isinstance(value, float) or value == 0:
        return value
    fraction, exponent = np.frexp(value)
    return float(np.ldexp(np.round(fraction * 16) / 16, exponent))


def _grid(case: Case) -> grids.Grid:
    y_true, y_pred = harmless(case)
    coupled = check(library.text(case.name)).couples_batch != "none"
    if library.family(case.name) in SCALED:
        return grids.scaled(y_true, y_pred, 2 if case.name in DEAR else ROWS_OF_VECTORS)
    size = int(np.prod(y_pred.shape[1:]))
    rows = ROWS_OF_ENTRIES if size == 1 else max(LEAST, min(ROWS_OF_VECTORS, COST // size**2))
    rows = LEAST if case.name in DEAR else rows
    return grids.make(
        y_true,
        y_pred,
        rows,
        BATCHES if coupled else 1,
        LIMITS.get(case.name, LIMITS.get(library.family(case.name), np.inf)),
    )


def harmless(case: Case) -> tuple[Any, Any]:
    """The data of the tests; where a loss is a mean over entries, samples of a single one."""
    y_true, y_pred = case.data()
    y_true = None if y_true is None else np.asarray(y_true)
    y_pred = np.asarray(y_pred, float)
    report = check(library.text(case.name))
    own = [axis for axis in _declared(case.name, "y_pred") if axis != "*"]
    stars = y_pred.ndim - len(own)
    apart = report.couples_batch == "none" and all(term.kind in ("mean", "plain") for term in report.terms)
    if not apart or stars < 1 or "*" not in _declared(case.name, "y_pred"):
        return y_true, y_pred
    place = _declared(case.name, "y_pred").index("*")
    one = (*[slice(None)] * place, *[slice(0, 1)] * stars)
    return (y_true[one] if y_true is not None and "*" in _declared(case.name, "y_true") else y_true), y_pred[one]


def _declared(name: str, data: str) -> list[str]:
    line = next((line for line in library.text(name).splitlines() if line.startswith(f"{data}:")), "[]")
    return [axis.strip() for axis in line[line.index("[") + 1 : line.index("]")].split(",")]


BUILTINS = {
    name: name
    for name in (
        "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "log_cosh", "huber",
        "mean_squared_logarithmic_error", "poisson", "kl_divergence", "binary_crossentropy", "categorical_crossentropy",
        "sparse_categorical_crossentropy", "binary_focal_crossentropy", "categorical_focal_crossentropy",
        "cosine_similarity", "hinge", "squared_hinge", "categorical_hinge", "categorical_generalized_cross_entropy",
    )
}  # fmt: skip
"""Losses of the library that Keras has a function of the same name for."""
