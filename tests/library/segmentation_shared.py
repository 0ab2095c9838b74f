"""What several oracles of the family go by: one sample at a time, its entries in a list."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp


def flat(x: Any) -> Any:
    return x.reshape(len(x), -1)


def each_sample(measure: Any) -> Any:
    """One number of all that a sample holds."""

    def oracle(true: Any, pred: Any, /, **params: Any) -> Any:
        return np.array([measure(list(a), list(b), **params) for a, b in zip(flat(true), flat(pred), strict=True)])

    return oracle


def average(values: Any) -> Any:
    found = list(values)
    return mp.fsum(found) / len(found)
