"""What is said of a library loss from outside: an oracle with data and parameters, and claims of its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from mpmath import mp
from plain import DIGITS, exact

from lossdsl import evaluate, library
from lossdsl.checked import analyse

STEP = mp.mpf(10) ** -15
"""For slopes of oracles, which have 40 digits."""

Data = Callable[..., tuple[Any, Any]]


@dataclass(frozen=True)
class Case:
    """A library loss, called with `params` on what `data` gives, is `oracle(y_true, y_pred, **params)`.

    The oracle takes arrays of mpmath numbers (class numbers: of ints) and gives one value per sample, or one for the batch.
    """

    name: str
    oracle: Callable[..., Any]
    data: Data
    params: Mapping[str, Any]

    def __str__(self) -> str:
        return ", ".join([self.name, *(f"{key}={value}" for key, value in self.params.items())])

    @property
    def text(self) -> str:
        return call(self.name, **self.params)

    def samples(self) -> list[tuple[Any, Any]]:
        """The data, and where the loss takes axes between batch and the last, data that has one."""
        star = analyse(library.text(self.name)).signature.y_pred.has_star
        takes_positions = star and self.data.__code__.co_varnames[:1] == ("positions",)
        return [self.data(), self.data((2,))] if takes_positions else [self.data()]

    def value(self, y_true: Any, y_pred: Any) -> np.ndarray:
        """One number per sample, or one for the batch, with 40 digits."""
        with mp.workdps(DIGITS):
            return np.reshape(self.oracle(exact(y_true), exact(y_pred), **self.params), (-1,))

    def slopes(self, y_true: Any, y_pred: Any) -> np.ndarray:
        """The derivative of the sum of all values by every prediction; NaN where it has a kink."""
        found = np.full(np.shape(y_pred), np.nan)
        with mp.workdps(DIGITS):
            true, pred = exact(y_true), exact(y_pred)
            at = np.sum(self.oracle(true, pred, **self.params))
            for place in np.ndindex(*np.shape(y_pred)):
                left, right = (
                    np.sum(self.oracle(true, moved(pred, place, way), **self.params)) for way in (-STEP, STEP)
                )
                if abs(left + right - 2 * at) <= STEP * mp.mpf("1e-9") * (1 + abs(at)):
                    found[place] = (right - left) / (2 * STEP)
        return found


def moved(array: Any, place: tuple[int, ...], way: Any) -> Any:
    array = array.copy()
    array[place] += way
    return array


def case(name: str, oracle: Callable[..., Any], data: Data, **params: Any) -> Case:
    return Case(name, oracle, data, params)


def call(name: str, **params: Any) -> str:
    """The formula that calls a library loss and nothing else."""
    declared = library.text(name)
    inputs = [word for word in ("y_true", "y_pred") if f"\n{word}:" in declared]
    return f"{name}({', '.join([*inputs, *(f'{key}={_literal(value)}' for key, value in params.items())])})"


def _literal(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)


def loss(name: str, y_true: Any, y_pred: Any, **params: Any) -> np.ndarray:
    """The values of a library loss in float64: one per sample, or one for the batch."""
    return evaluate(call(name, **params), np.zeros(np.shape(y_pred)) if y_true is None else y_true, y_pred)


# -- claims ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A property that its source states of a loss: `holds()` asserts it."""

    name: str
    what: str
    holds: Callable[[], None]

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


def zero_at_truth(name: str, data: Data, **params: Any) -> Claim:
    """Nothing is lost where the prediction is the truth."""

    def holds() -> None:
        y_true, _ = data()
        np.testing.assert_allclose(loss(name, y_true, np.asarray(y_true, float), **params), 0, atol=1e-6)

    return Claim(name, "zero at the truth", holds)


def symmetric(name: str, data: Data, **params: Any) -> Claim:
    """Truth and prediction may change places."""

    def holds() -> None:
        y_true, y_pred = data()
        np.testing.assert_allclose(
            loss(name, y_true, y_pred, **params), loss(name, y_pred, y_true, **params), rtol=1e-9
        )

    return Claim(name, "symmetric", holds)


def between(name: str, data: Data, low: float, high: float, **params: Any) -> Claim:
    """Bounds of the values, for data of this kind."""

    def holds() -> None:
        values = loss(name, *data(), **params)
        assert np.all(values >= low - 1e-9), values
        assert np.all(values <= high + 1e-9), values

    return Claim(name, f"between {low} and {high}", holds)


def convex(name: str, data: Data, **params: Any) -> Claim:
    """In the middle between two predictions the loss is at most the mean of theirs."""

    def holds() -> None:
        y_true, here = data()
        there = np.flip(here) + 0.1
        middle = loss(name, y_true, (here + there) / 2, **params)
        assert np.all(middle <= (loss(name, y_true, here, **params) + loss(name, y_true, there, **params)) / 2 + 1e-9)

    return Claim(name, "convex", holds)


def equals(name: str, other: str, data: Data, rtol: float = 1e-6, **params: Any) -> Claim:
    """With these parameters it is another formula, also in the limit."""

    def holds() -> None:
        y_true, y_pred = data()
        np.testing.assert_allclose(
            loss(name, y_true, y_pred, **params), evaluate(other, y_true, y_pred), rtol=rtol, atol=1e-9
        )

    return Claim(name, f"is {other}" + "".join(f", {k}={v}" for k, v in params.items()), holds)


def unchanged(name: str, what: str, data: Data, move: Callable[[Any, Any], tuple[Any, Any]], **params: Any) -> Claim:
    """The values stay when `move(y_true, y_pred)` changes the data: a shift, a scale, another order."""

    def holds() -> None:
        y_true, y_pred = data()
        np.testing.assert_allclose(
            np.sort(loss(name, *move(y_true, y_pred), **params)),
            np.sort(loss(name, y_true, y_pred, **params)),
            rtol=1e-6,
            atol=1e-9,
        )

    return Claim(name, f"unchanged by {what}", holds)


def ordered(name: str, what: str, y_true: Any, *predictions: Any, **params: Any) -> Claim:
    """Each prediction is worse than the one before it, in every sample."""

    def holds() -> None:
        values = [loss(name, y_true, np.asarray(pred, float), **params) for pred in predictions]
        for better, worse in pairwise(values):
            assert np.all(better < worse), (better, worse)

    return Claim(name, what, holds)
