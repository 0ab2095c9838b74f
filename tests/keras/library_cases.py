"""The cases of the library's oracles, for the tests that run them on a framework: one for each loss."""

from __future__ import annotations

import importlib

import numpy as np
from case import Case

from lossdsl import library

CASES: list[Case] = [case for family in library.FAMILIES for case in importlib.import_module(family).CASES]
ONE_EACH = list({case.name: case for case in reversed(CASES)}.values())


def data_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Data as a framework takes it: a truth that the loss doesn't look at is a zero for each sample."""
    y_true, y_pred = case.samples()[0]
    return np.zeros(len(y_pred)) if y_true is None else np.asarray(y_true), np.asarray(y_pred)


def values(case: Case) -> np.ndarray:
    """What the oracle says: one number per sample, or one for the batch."""
    return case.value(*case.samples()[0]).astype(float)


def slopes(case: Case) -> np.ndarray:
    """The derivative of the loss by the predictions; NaN at a kink."""
    return case.slopes(*case.samples()[0]) / len(values(case))
