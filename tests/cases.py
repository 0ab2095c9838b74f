"""Inputs for the laws: hard points and random ones for every row, by its family."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from oracle import floats

from lossdsl.ops.op import EVERYWHERE, Family, Op

HARD = (
    0,
    1,
    -1,
    0.5,
    -0.5,
    2,
    -2,
    3,
    -3,
    1e-8,
    -1e-8,
    1e-30,
    0.999,
    -0.999,
    20,
    -20,
    40,
    -40,
    700,
    -700,
    1e5,
    -1e5,
)
FEW = (0, 1, -1, 0.5, -2, 3)
SHAPE = (2, 3, 2)
AXES = ((1,), (2,), (1, 2), (0,))


@dataclass(frozen=True, eq=False)
class Case:
    """Operands by name, as full-rank arrays, and attributes by name."""

    args: dict[str, np.ndarray]
    attrs: dict[str, Any] = field(default_factory=dict)


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@cache
def _points(count: int) -> np.ndarray:
    """One column per argument: hard points and random ones."""
    numbers = random(count)
    if count == 1:
        return np.array([[*HARD, *numbers.normal(size=12), *numbers.normal(size=8) * 30, *numbers.uniform(0, 1, 8)]])
    if count == 2:
        grid = list(product(FEW, repeat=2))
        mixed = numbers.choice(HARD, (40, 2))
    else:
        grid = list(product((0, 1, -1, 0.5), repeat=count))
        mixed = numbers.choice(HARD, (30, count))
    return np.concatenate([grid, mixed, numbers.normal(size=(20, count)) * 3]).T


def all_points(op: Op) -> Case:
    """Points of an elementwise row, inside its domain or not."""
    arguments = op.signature.values
    columns = _points(len(arguments))
    args = {
        a.name: (column > 0) if a.kind == "bool" else column.astype(float)
        for a, column in zip(arguments, columns, strict=True)
    }
    return Case(args, constants(op))


def constants(op: Op) -> dict[str, Any]:
    """The constants of an elementwise row, at their defaults."""
    return {a.name: float(a.default or 0) for a in op.signature.attributes}


def inside(op: Op, case: Case) -> np.ndarray:
    """Which points of an elementwise case are in the domain of the row."""
    shape = np.broadcast_shapes(*(x.shape for x in case.args.values()))
    if op.domain == EVERYWHERE:
        return np.ones(shape, bool)
    found = floats(op.domain, {**case.args, **case.attrs})
    return np.broadcast_to(found.astype(bool), shape)


OF_EXPONENTIALS = ("log_beta_exp", "exp_digamma_gap", "lgamma_rise", "lgamma_rise_slope", "digamma_rise",
                   "log_normal_cdf", "normal_ratio", "exp_softplus", "exp_softplus_slope")  # fmt: skip
"""Differences of exponentials and functions of them, which the oracle tells apart as long as those have no hundreds of
digits."""


@cache
def cases(op: Op) -> list[Case]:
    """Inputs in the domain of a row."""
    if op.family is Family.ELEMENTWISE:
        case = all_points(op)
        keep = inside(op, case).copy()
        if op.name == "clip":
            keep &= case.args["x_min"] < case.args["x_max"]  # between equal bounds nothing moves
        if op.name in OF_EXPONENTIALS:
            keep &= np.logical_and.reduce([np.abs(x) <= 40 for x in case.args.values()])
        if "n" in case.args:  # where float32 sees no pole either
            shifted = case.args["n"] + np.exp(np.minimum(case.args["x"], 40))
            keep &= (case.args["n"] == 0) | (shifted > 0.5) | (np.abs(shifted - np.round(shifted)) > 1e-3)
        if op.name == "exp_difference":
            keep &= case.args["x"] < 800  # where one is larger than the oracle has digits, it hides the other
            keep &= case.args["y"] < 800
        return [Case({name: x[keep] for name, x in case.args.items()}, case.attrs)]
    if op.name in PLACES:
        return PLACES[op.name]()
    return [c for axis in AXES for c in _along(op, axis)]


def _along(op: Op, axis: tuple[int, ...]) -> list[Case]:
    """Arrays for a row that works along axes: ordinary, with zeros, far apart, all equal."""
    arguments = op.signature.values
    single = op.family is not Family.REDUCTION and op.name not in ("others_prod", "size")
    if single and len(axis) > 1:
        return []
    attrs: dict[str, Any] = {"axis": axis[0] if single else axis}
    attrs |= {a.name: 2 for a in op.signature.attributes if a.name == "k"}
    numbers = random(len(op.name) + sum(axis))
    ordinary = numbers.normal(size=(len(arguments), *SHAPE))
    zeros = np.where(numbers.uniform(size=ordinary.shape) < 0.4, 0.0, ordinary)
    apart = ordinary * 10.0 ** numbers.integers(-3, 3, ordinary.shape)
    sets = [ordinary, zeros, apart, np.ones_like(ordinary)]
    kinds = [a.kind for a in arguments]
    return [
        Case({a.name: x > 0 if k == "bool" else x for a, k, x in zip(arguments, kinds, s, strict=True)}, attrs)
        for s in sets
    ]


def _numbers(*shape: int) -> np.ndarray:
    return random(sum(shape)).normal(size=shape)


def _labels(high: int, *shape: int) -> np.ndarray:
    return random(high + sum(shape)).integers(0, high, shape)


def _alignments(blank: int) -> list[Case]:
    """Layouts [batch, time, classes, places] and [batch, places, time, classes]: padding, repeats, none at all."""
    labels = np.array([[1, 1, 0], [2, 1, 0], [blank] * 3, [2, 0, 1]])
    scores = random(5).normal(size=(4, 4, 3)) * 2
    return [
        Case(
            {"logits": scores[..., None], "labels": labels[:, None, None, :]},
            {"time": 1, "axis": 2, "to": 3, "blank": blank},
        ),
        Case(
            {"logits": scores[:, None], "labels": labels[:, :, None, None]},
            {"time": 2, "axis": 3, "to": 1, "blank": blank},
        ),
    ]


def _concentrations() -> list[Case]:
    """Logarithms of concentrations: near 0, where two of them make a beta function of 1, and large and small ones."""
    numbers = random(3)
    sets = [numbers.normal(size=SHAPE) * scale for scale in (1e-4, 1, 8, 30)]
    return [Case({"x": np.minimum(x, 60)}, {"axis": axis}) for x in sets for axis in AXES]


PLACES = {
    "log_dirichlet": _concentrations,
    "log_dirichlet_slope": lambda: [
        Case(c.args, {"axis": c.attrs["axis"][0]}) for c in _concentrations() if len(c.attrs["axis"]) == 1
    ],
    "ctc_loss": lambda: [*_alignments(0), *_alignments(2)],
    "ctc_gradient": lambda: [*_alignments(0), *_alignments(2)],
    "windows": lambda: [
        Case({"x": _numbers(2, 5, 2, 1)}, {"size": 3, "step": 1, "reflect": 0, "axis": 1, "to": 3}),
        Case({"x": _numbers(2, 1, 6)}, {"size": 2, "step": 3, "reflect": 0, "axis": 2, "to": 1}),
        Case({"x": _numbers(2, 4, 1)}, {"size": 4, "step": 2, "reflect": 3, "axis": 1, "to": 2}),
    ],
    "unwindows": lambda: [
        Case(
            {"x": _numbers(2, 3, 2, 3), "like": _numbers(2, 5, 2, 1)},
            {"size": 3, "step": 1, "reflect": 0, "axis": 1, "to": 3},
        ),
        Case(
            {"x": _numbers(2, 2, 2), "like": _numbers(2, 1, 6)},
            {"size": 2, "step": 3, "reflect": 0, "axis": 2, "to": 1},
        ),
        Case(
            {"x": _numbers(2, 4, 4), "like": _numbers(2, 4, 1)},
            {"size": 4, "step": 2, "reflect": 3, "axis": 1, "to": 2},
        ),
    ],
    "rfft_real_transposed": lambda: [
        Case({"x": _numbers(2, 3, 2), "like": _numbers(2, n, 2)}, {"axis": 1}) for n in (4, 5)
    ],
    "rfft_imag_transposed": lambda: [
        Case({"x": _numbers(2, 3, 2), "like": _numbers(2, n, 2)}, {"axis": 1}) for n in (4, 5)
    ],
    "one_hot": lambda: [
        Case({"x": _labels(4, 3, 2, 1)}, {"num_classes": 4, "axis": 2}),
        Case({"x": _labels(4, 3, 1, 2)}, {"num_classes": 4, "axis": 1}),
    ],
    "take": lambda: [Case({"x": _numbers(4), "indices": _labels(4, 3, 2)})],
    "take_along_axis": lambda: [
        Case({"x": _numbers(2, 3, 2), "indices": _labels(2, 2, 3, 1)}, {"axis": 2}),
        Case({"x": _numbers(2, 3, 2), "indices": _labels(3, 2, 1, 2)}, {"axis": 1}),
    ],
    "gather_along_axis": lambda: [Case({"x": _numbers(2, 3), "indices": _labels(3, 2, 4)}, {"axis": 1})],
    "scatter_along_axis": lambda: [
        Case({"x": _numbers(2, 2, 2), "like": _numbers(2, 3, 2), "indices": _labels(3, 2, 2, 2)}, {"axis": 1}),
        Case({"x": _numbers(2, 4), "like": _numbers(2, 3), "indices": _labels(3, 2, 4)}, {"axis": 1}),
    ],
    "scatter_add": lambda: [Case({"x": _numbers(3, 2), "like": _numbers(4), "indices": _labels(4, 3, 2)})],
    "pairs": lambda: [Case({"x": _numbers(3, 1, 2)}, {"axis": 0, "to": 1})],
    "unpairs": lambda: [Case({"x": _numbers(1, 3, 2)}, {"axis": 0, "to": 1})],
    "matmul": lambda: [Case({"x1": _numbers(2, 3), "x2": _numbers(3, 4)}, {"axis": 1})],
    "matmul_transposed": lambda: [Case({"x1": _numbers(2, 4), "x2": _numbers(3, 4)}, {"axis": 1})],
    "contraction": lambda: [
        Case({"x1": _numbers(2, 1, 3), "x2": _numbers(1, 2, 3)}, {"axis": (2,)}),
        Case({"x1": _numbers(2, 3, 2), "x2": _numbers(2, 3, 2)}, {"axis": (1, 2)}),
    ],
    "select": lambda: [Case({"x": _numbers(2, 3, 2)}, {"index": i, "axis": 1}) for i in (0, 1, 2, -1, -3)],
    "slice": lambda: [
        Case({"x": _numbers(2, 4)}, {"start": start, "stop": stop, "axis": 1})
        for start, stop in ((None, None), (1, None), (None, -1), (1, 3), (-2, None), (-3, -1))
    ],
    "pad_select": lambda: [
        Case({"x": _numbers(2, 1), "like": _numbers(2, 3)}, {"index": i, "axis": 1}) for i in (0, 1, 2, -1, -3)
    ],
    "pad_slice": lambda: [
        Case({"x": _numbers(2, n), "like": _numbers(2, 4)}, {"start": start, "stop": stop, "axis": 1})
        for start, stop, n in ((None, None, 4), (1, None, 3), (None, -1, 3), (1, 3, 2), (-2, None, 2), (-3, -1, 2))
    ],
    "spread": lambda: [Case({"x": _numbers(2, 1, 2), "like": _numbers(2, 3, 2)})],
    "expand_dims": lambda: [Case({"x": _numbers(2, 1)}, {"axis": 1})],
}
