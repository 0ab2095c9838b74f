"""Data at which losses break: extremes of every kind of number that a loss takes, drawn anew from the same seeds.

What kind of number an entry is, is read off harmless data of the loss: shares of a whole, one-hot rows, probabilities,
labels, signs, counts, positive numbers, any numbers. Every second row holds numbers that bfloat16 has too, so that the
truth for half types is the truth that is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 20240501
Array = Any

SMALL = (1e-30, 1e-20, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
MIDDLE = (0.01, 0.1, 0.3, 0.5, 0.9, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0, 20.0, 40.0, 88.0, 100.0)
LARGE = (300.0, 1e3, 1e4, 1e6, 1e8, 1e10, 1e15, 1e20, 1e30)
SHARES = (0.0, 1e-37, 1e-30, 1e-20, 1e-10, 1e-8, 1e-7, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999,
          1 - 1e-6, 1 - 2.0**-24, 1.0)  # fmt: skip
COUNTS = (0.0, 1.0, 2.0, 3.0, 7.0, 20.0, 100.0, 1000.0)


@dataclass(frozen=True)
class Grid:
    """Rows of data in float64, every number one of float32; `batches` of them where samples depend on each other.

    `top` is the largest prediction there may be, `true_moves` whether truths are measured rather than labels.
    """

    y_true: Array
    y_pred: Array
    batches: int
    top: float
    true_moves: bool

    def each(self) -> Iterator[Grid]:
        """The batches, one by one."""
        true = [None] * self.batches if self.y_true is None else np.split(self.y_true, self.batches)
        for one, pred in zip(true, np.split(self.y_pred, self.batches), strict=True):
            yield Grid(one, pred, 1, self.top, self.true_moves)

    def rows_of(self, array: Array) -> Array:
        """An array by rows: samples, or batches."""
        return np.reshape(array, (self.batches if self.batches > 1 else len(self.y_pred), -1))

    def held_by(self, dtype: str) -> Array:
        """The rows whose numbers a type has, all of them."""
        fit = np.ones(len(self.rows_of(self.y_pred)), dtype=bool)
        for array in (self.y_true, self.y_pred):
            if array is not None and array.dtype.kind == "f":
                with np.errstate(over="ignore"):
                    fit &= np.all(self.rows_of(rounded(array, dtype) == array), axis=1)
        return fit


def rounded(array: Array, dtype: str) -> Array:
    """Floats as a type has them; toward 0 in bfloat16, which is all that a grid needs."""
    if dtype == "bfloat16":
        bits = np.asarray(array, np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        return bits.view(np.float32).astype(float)
    return np.asarray(array).astype(dtype).astype(float)


def make(y_true: Array, y_pred: Array, rows: int, batches: int = 1, largest: float = np.inf) -> Grid:
    """Hard rows in the manner of some harmless ones; for `batches` of them as many rows as those have.

    No prediction is beyond `largest`, for oracles that would not come to an end.
    """
    random = np.random.default_rng(SEED)
    rows = len(y_pred) * batches if batches > 1 else rows
    pred, top = _like(random, y_pred, rows, None)
    true, _ = (None, None) if y_true is None else _like(random, y_true, rows, pred)
    per_row = len(y_pred) if batches > 1 else 1
    coarse = (np.arange(rows) // per_row) % 2 == 0
    pred = _settled(np.clip(pred, -largest, largest), coarse)
    measured = true is not None and true.dtype.kind == "f" and not np.all(true == np.round(true))
    return Grid(None if true is None else _settled(true, coarse), pred, batches, top, measured)


def scaled(y_true: Array, y_pred: Array, rows: int) -> Grid:
    """The harmless rows themselves, in other units, and predictions that are nearly or exactly right."""
    random = np.random.default_rng(SEED)
    which = random.integers(0, len(y_pred), size=rows)
    units = random.choice(2.0 ** np.arange(-20, 21), size=rows)
    near = random.choice([1.0, 1.0, 2.0**-12, 0.0], size=rows)

    def wide(x: Array, like: Array) -> Array:
        return x.reshape(-1, *[1] * (like.ndim - 1))

    pred = y_pred[which] * wide(units, y_pred)
    if y_true is None or y_true.dtype.kind != "f" or y_true.shape != y_pred.shape:
        true = None if y_true is None else y_true[which] * (1.0 if y_true.dtype.kind != "f" else wide(units, y_true))
    else:
        true = y_true[which] * wide(units, y_true)
        pred = true + (pred - true) * wide(near, pred)
    coarse = np.arange(rows) % 2 == 0
    true = None if true is None else _settled(true, coarse)
    return Grid(true, _settled(pred, coarse), 1, np.inf, True)


def _settled(array: Array, coarse: Array) -> Array:
    if array.dtype.kind != "f":
        return array
    wide = coarse.reshape(-1, *[1] * (array.ndim - 1))
    array = rounded(np.where(wide, rounded(array, "bfloat16"), array), "float32")
    return np.where(np.abs(array) < 2.0**-126, 0.0, array)


# -- kinds of numbers


def _like(random: np.random.Generator, base: Array, rows: int, pred: Array | None) -> tuple[Array, float]:
    """Rows of the kind that the base has, and the largest value of that kind; near `pred` now and then."""
    base = np.asarray(base)
    shape = (rows, *base.shape[1:])
    if base.dtype.kind in "iub":
        return base[random.integers(0, len(base), size=rows)], np.inf
    last = base.ndim > 1 and base.shape[-1] > 1
    if last and np.all(base >= 0) and np.allclose(base.sum(-1), 1, atol=1e-6):
        return (_one_hot if np.all((base == 0) | (base == 1)) else _shares)(random, shape), 1.0
    if not last:
        made, top = _column(random, base, shape, pred)
        return made, top
    columns = [_column(random, base[..., k : k + 1], (*shape[:-1], 1), None) for k in range(shape[-1])]
    if len({kind(base[..., k]) for k in range(shape[-1])}) == 1:
        columns = [_column(random, base, shape, pred)]
    return np.concatenate([made for made, _ in columns], axis=-1), max(top for _, top in columns)


def kind(values: Array) -> str:
    """What a set of numbers is."""
    if np.all((values == 0) | (values == 1)):
        return "bits"
    if np.all(np.abs(values) == 1):
        return "signs"
    if np.all(values == np.round(values)) and np.all(values >= 0):
        return "counts"
    if np.all((values >= 0) & (values <= 1)):
        return "probabilities"
    return "positive" if np.all(values > 0) else "numbers"


def _column(random: np.random.Generator, base: Array, shape: Any, pred: Array | None) -> tuple[Array, float]:
    found = kind(base)
    draw: dict[str, Callable[[], Array]] = {
        "bits": lambda: random.integers(0, 2, size=shape) * 1.0,
        "signs": lambda: random.choice([-1.0, 1.0], size=shape),
        "counts": lambda: random.choice([c for c in COUNTS if c <= np.max(base)], size=shape),
        "probabilities": lambda: _either(random, shape, random.choice(SHARES, size=shape), random.uniform(size=shape)),
        "positive": lambda: np.abs(_numbers(random, shape)),
        "numbers": lambda: _numbers(random, shape),
    }
    made = draw[found]()
    if pred is not None and found in ("positive", "numbers") and pred.shape == made.shape:
        close = pred * (1 + random.choice([0, 2.0**-20, -(2.0**-12), 1e-3], size=_by_row(shape)))
        made = np.where(random.uniform(size=_by_row(shape)) < 0.25, close, made)
        made = np.abs(made) if found == "positive" else made
    return made, 1.0 if found in ("bits", "probabilities") else np.inf


def _by_row(shape: Any) -> Any:
    return (shape[0], *[1] * (len(shape) - 1))


def _either(random: np.random.Generator, shape: Any, first: Array, second: Array) -> Array:
    return np.where(random.uniform(size=_by_row(shape)) < 0.7, first, second)


def _numbers(random: np.random.Generator, shape: Any) -> Array:
    """Rows of one scale, rows of mixed scales, the scales of everyday use more often than others."""
    sizes = np.array([0.0, *SMALL, *MIDDLE, *MIDDLE, *MIDDLE, *LARGE])
    one = random.choice(sizes, size=_by_row(shape)) * random.normal(size=shape)
    mixed = random.choice(sizes, size=shape) * random.choice([-1.0, 1.0], size=shape)
    usual = random.choice(MIDDLE, size=_by_row(shape)) * random.normal(size=shape)
    which = random.uniform(size=_by_row(shape))
    return np.clip(np.where(which < 0.4, one, np.where(which < 0.7, mixed, usual)), -1e30, 1e30)


def _one_hot(random: np.random.Generator, shape: Any) -> Array:
    return np.eye(shape[-1])[random.integers(0, shape[-1], size=shape[:-1])]


def _shares(random: np.random.Generator, shape: Any) -> Array:
    """Shares from even to all in one, some of them tiny."""
    sharp = random.choice([0.02, 0.2, 1.0, 10.0], size=shape[:-1])
    made = np.empty(shape)
    for place in np.ndindex(*shape[:-1]):
        made[place] = random.dirichlet(np.full(shape[-1], sharp[place]))
    tiny = random.choice([0.0, 1e-30, 1e-10, 1e-7, 1e-4, 1.0], size=(*shape[:-1], 1))
    first = np.arange(shape[-1]) == np.argmin(made, axis=-1)[..., np.newaxis]
    made = np.where(first, np.minimum(made, tiny), made)
    made = made / made.sum(-1, keepdims=True)
    return np.where(random.uniform(size=(*shape[:-1], 1)) < 0.1, _one_hot(random, shape), made)
