"""The numbers that random formulas should give: their graphs as written, node by node in NumPy, in float64.

How far from them a result may be is measured as well: by as much as it moves the same graph when its data, and what every
operation of it rounds, are some units in the last place off, some up and some down. Nothing is said where a comparison, or
an order, hangs on so little, and where something on the way would overflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lossdsl import program
from lossdsl.backends import reference
from lossdsl.backends.positions import Positions
from lossdsl.checked import Checked
from lossdsl.guards import NoGradientError
from lossdsl.interval import LARGEST, SMALLEST
from lossdsl.ir.node import CONST, INPUT, STRUCTURAL, VECTOR, Node, reachable
from lossdsl.ops import row
from lossdsl.ops.op import Family
from lossdsl.precision import Precision

COPIES = 8
"""How often everything is moved."""
MANY_COPIES = 200
"""How often where a result seems wrong: beside a pole few of them land on it."""
UNITS = 4
"""By how many units in the last place, at most."""
SLACK = 10.0
"""How many times further off than those a result may be."""
SMALL = 2.0**-20
"""Beside 1, what has been left of larger numbers that cancelled."""
CLOSE = 2.0**-16
"""Beside 1, what is too near to be told apart, after many operations."""
TINY = 1e-30
"""What a function may flush to 0."""
FAR = LARGEST / 16
"""What has sums that overflow; and a length of that many entries may."""
EXACT = {"negative", "abs", "sign", "relu", "maximum", "minimum", "clip", "where", "floor", "ceil", "round", "max", "min",
         "stop_gradient"}  # fmt: skip
"""Operations that round nothing; nor do those that move entries."""
SUMS = {
    **dict.fromkeys(("sum", "mean", "cumsum", "logsumexp", "log_softmax", "others_sum", "var", "std"), ("x",)),
    **dict.fromkeys(("softmax_pull", "log_softmax_pull"), ("g",)),
    **dict.fromkeys(("lgamma", "softmax_gap"), ()),
    "contraction": ("x1", "x2"),
    "sum_log_softmax": ("x", "t"),
    "sum_log_softmax_pull": ("t", "g"),
}
"""Operations that round what is as large as 1 and these operands, though it may cancel."""
COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}

Arrays = Mapping[str, np.ndarray]


class Expected(NamedTuple):
    """A number for each result, and how far it may be off; NaN where nothing can be said."""

    number: np.ndarray
    tolerance: np.ndarray

    def wrong(self, found: np.ndarray) -> np.ndarray:
        """Which results are too far off, NaN and infinities aside."""
        numbers = found.astype(np.float64).reshape(self.number.shape)
        return np.abs(np.where(np.isfinite(numbers), numbers, np.nan) - self.number) > self.tolerance


def wrong(checked: Checked, data: Arrays, kind: Precision, found: Arrays) -> dict[str, np.ndarray]:
    """Which samples have a `value` or `gradient` that is too far off; where some have, a closer look decides."""
    suspects = _wrong(checked, data, kind, found, COPIES)
    return _wrong(checked, data, kind, found, MANY_COPIES) if any(map(np.any, suspects.values())) else suspects


def _wrong(checked: Checked, data: Arrays, kind: Precision, found: Arrays, copies: int) -> dict[str, np.ndarray]:
    every = expected(checked, data, kind, copies)
    return {name: every[name].wrong(results).reshape(len(results), -1).any(1) for name, results in found.items()}


def expected(checked: Checked, data: Arrays, kind: Precision, copies: int = COPIES) -> dict[str, Expected]:
    """What `value` and `gradient` (by y_pred, times the upstream) of a formula give for each sample."""
    shown = checked.display()
    written = program.build(shown.elaborated, (0.5, 0.5), False, best=False).form
    moved = _Moved(shown.elaborated.builder.layout.ids, data, kind.computing, copies)
    shape = data["y_pred"].shape
    value = moved.expected(shown.elaborated.root, shape[:1], kind.computing)
    try:
        slope = written.gradient(0, "y_pred").roots[0]
    except NoGradientError:  # as it is written it has none, as `xlogy(0, 0)` has not, which rewriting takes for 0
        return {"value": value, "gradient": Expected(np.zeros(shape), np.full(shape, np.nan))}
    return {"value": value, "gradient": moved.expected(slope, shape, kind)}


class _Moved:
    """Graphs evaluated as they are, for the first copy of the data, and moved at every step for the others."""

    def __init__(self, layout: list[str], data: Arrays, computing: Precision, copies: int) -> None:
        self.positions = Positions(layout)
        self.samples, self.copies = len(data["y_pred"]), copies + 1
        self.data = {name: np.concatenate([_as_numbers(x)] * self.copies) for name, x in data.items()}
        self.unit, self.computed = 2.0 ** (1 - computing.digits), computing.computed
        self.random = np.random.default_rng(0)
        self.values: dict[Node, np.ndarray] = {}
        self.unsure = np.zeros(self.samples, bool)

    def expected(self, root: Node, shape: tuple[int, ...], kept: Precision) -> Expected:
        most = np.ones(self.samples)
        with np.errstate(all="ignore"):
            for node in reachable([root]):
                if node not in self.values:
                    self.values[node] = self._value(node)
                    most = np.maximum(most, self._largest(self.values[node]))
            found = np.squeeze(self.values[root], axis=tuple(self.positions.lost(root.type)))
            every = np.broadcast_to(found, (len(found), *shape[1:])).reshape(self.copies, *shape)
            near, number = np.abs(every - every[0]).max(0), every[0]
            # of a slope, which is evaluated after the value, what is in its own way
            size = most if len(shape) > 1 else np.ones(self.samples)
            lost = SMALL * self.unit * 2.0**23 * size.reshape(-1, *[1] * (len(shape) - 1))
            tolerance = SLACK * near + lost + 2.0**-kept.digits * np.abs(number) + 2.0**kept.lowest
            known = np.isfinite(tolerance) & ~self.unsure.reshape(lost.shape)
        return Expected(number, np.where(known, tolerance, np.nan))

    def _value(self, node: Node) -> np.ndarray:
        found = np.asarray(reference._value(node, self.values, self.positions, self.data, np.float64))
        operands = [self.values[x] for x in node.inputs]
        if node.op in COMPARISONS:
            self._doubt(*np.broadcast_arrays(*(np.asarray(x, np.float64) for x in operands)))
        elif node.op == "sign":  # at 0 the slope of a magnitude is a matter of taste
            self.unsure |= (np.abs(self._copies(operands[0])) <= TINY).any(0).reshape(self.samples, -1).any(1)
            self._doubt(operands[0], np.zeros_like(operands[0]))
        elif node.op not in STRUCTURAL and row(node.op).family is Family.ORDER:
            axis = self.positions.of(node.axes[0])
            ordered = np.sort(operands[0], axis=axis)
            self._doubt(*(np.delete(ordered, end, axis) for end in (0, -1)))
        if found.dtype.kind != "f":
            return found
        self.unsure |= self._largest(found) > FAR
        return self._shaken(node, found) if _rounds(node) else found

    def _shaken(self, node: Node, found: np.ndarray) -> np.ndarray:
        rank = max(found.ndim, self.positions.rank)
        every = self._copies(found.reshape(*[1] * (rank - found.ndim), *found.shape))
        size = self._rounded(node, every)
        ways = self.random.integers(-UNITS, UNITS + 1, every.shape)
        ways[:3] = 0  # nothing but what is flushed
        by = ways * self.unit * 2.0 ** np.floor(np.log2(size))
        least = np.resize([SMALLEST, TINY], (self.copies, *[1] * (every.ndim - 1)))  # hardware flushes, functions may
        flushed = np.where(np.abs(every) < least, 0.0, every).astype(self.computed)
        moved = np.concatenate([every[:1], (flushed + np.nan_to_num(by)).astype(self.computed)[1:]])
        return moved.reshape(-1, *moved.shape[2:])

    def _rounded(self, node: Node, every: np.ndarray) -> np.ndarray:
        """The size of what an operation rounds."""
        if node.op in SUMS:
            operands = zip((a.name for a in row(node.op).signature.values), node.inputs, strict=True)
            parts = [self._largest(self.values[x]) for name, x in operands if name in SUMS[node.op]]
            return np.prod([np.ones(self.samples), *parts], axis=0).reshape(-1, *[1] * (every.ndim - 2))
        if node.op == "subtract" and not any(x.is_const for x in node.inputs):
            # TensorFlow makes (c + z) - y of c - (y - z), and rounds twice
            left, right = (np.abs(self._copies(self.values[x])) for x in node.inputs)
            return np.maximum(left, right)
        return np.abs(every)

    def _doubt(self, left: np.ndarray, right: np.ndarray) -> None:
        """Leave out the samples in which both are nearly the same, unless they are just the same however moved.

        NaN too: of `0 * log(-1)` and the like the compiler makes a number.
        """
        left, right = self._copies(left), self._copies(right)
        apart, size = np.abs(left - right), np.maximum(np.abs(left), np.abs(right))
        near = ~(apart > np.maximum(CLOSE * size + TINY, SLACK * np.abs(apart - apart[0]).max(0)))
        doubtful = near.any(0) & ~(left == right).all(0)
        self.unsure |= doubtful.reshape(self.samples, -1).any(1)

    def _largest(self, found: np.ndarray) -> np.ndarray:
        """The largest magnitude in each sample, over all copies; NaN left out."""
        every = np.abs(np.nan_to_num(self._copies(np.asarray(found, np.float64)), nan=0.0, posinf=np.inf))
        return every.max(0).reshape(self.samples, -1).max(1)

    def _copies(self, found: np.ndarray) -> np.ndarray:
        """An array with the copies first, then the samples."""
        every = np.broadcast_to(found, (self.samples * self.copies, *np.shape(found)[1:]))
        return every.reshape(self.copies, self.samples, *every.shape[1:])


def _as_numbers(data: np.ndarray) -> np.ndarray:
    return data if data.dtype.kind == "i" else data.astype(np.float64)


def _rounds(node: Node) -> bool:
    if node.op in STRUCTURAL:
        return node.op in (INPUT, VECTOR) or (node.op == CONST and float(np.float32(node.value)) != node.value)
    return node.op not in EXACT and row(node.op).family not in (Family.ORDER, Family.INDEX)
