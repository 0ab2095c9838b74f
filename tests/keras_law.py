"""The law of the `keras` column: on the backend that Keras runs on, the template gives what the NumPy
column gives.

Run as a script it judges the whole table, one line for each row that breaks it: so other backends are
tried, each in a process of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cases as inputs
import numpy as np
from cases import Case
from law_tools import computed, smooth
from laws_analysis import entries, infinite
from oracle import floats

from lossdsl.analysis.conditions import holds
from lossdsl.backends.load import load
from lossdsl.interval import Interval, outward
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import EVERYWHERE, Family, Op

TOLERANCE = 2e-5
"""Of float32: frameworks' functions err by up to a hundred units in the last place, after XLA's
rearrangements too."""


ABSOLUTE = {"elu": 1e-7, "gelu": 1e-6, "erfinv": 1e-7, "exp_digamma": 1e-6, "lgamma_rise_slope": 1e-6,
            "digamma_rise": 1e-6, "gamma_entropy_slope": 1e-7, "log_softmax_others_pull": 1e-6}  # fmt: skip
"""Rows whose Keras function is exact only beside 1: its error near 0 is absolute."""


def function(op: Op, case: Case) -> Callable[..., Any]:
    """The row's template as a function of its operands."""
    from keras import ops

    from lossdsl.backends import shims

    names = list(case.args)
    attrs = {k: repr(v) for k, v in case.attrs.items()}
    attrs |= {k: repr(v) for k, v in contraction(case).items()} if op.name == "contraction" else {}
    text = op.keras.format(**dict(zip(names, names, strict=True)), **attrs)
    source = f"def row({', '.join(names)}):\n    return {text}\n"
    return load(source, f"<row {op.name}>", ops=ops, shims=shims, dtype="float32").row  # type: ignore[no-any-return]


def contraction(case: Case) -> dict[str, Any]:
    """Subscripts by which axes of size 1 meet nothing, and the places that the result lacks."""
    shapes = [x.shape for x in case.args.values()]
    letters = [[chr(97 + i if n > 1 else 107 + 9 * k + i) for i, n in enumerate(s)] for k, s in enumerate(shapes)]
    missing = tuple(i for i in range(len(shapes[0])) if i in case.attrs["axis"])
    kept = [chr(97 + i) for i in range(len(shapes[0])) if i not in missing]
    return {"subscripts": f"{''.join(letters[0])},{''.join(letters[1])}->{''.join(kept)}", "missing": missing}


def law_keras(op: Op, mode: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f, most: int = 99) -> None:
    """The template gives what NumPy gives; `mode` wraps it (as `tf.function`)."""
    from keras import ops

    for case in inputs.cases(op)[:most]:
        case = rounded(op, case)
        tensors = [ops.convert_to_tensor(x, dtype=_dtype(x)) for x in case.args.values()]
        found = np.asarray(ops.convert_to_numpy(mode(function(op, case))(*tensors)))
        wanted = computed(op, case)
        assert found.shape == wanted.shape, f"{op.name}: shape {found.shape}, not {wanted.shape}"
        if op.name in ("argsort", "top_k_indices"):  # among equals, any order
            (x,) = case.args.values()
            found, wanted = (np.take_along_axis(x, i, case.attrs["axis"]) for i in (found, wanted))
        _same(op, case, found.astype(float), np.asarray(wanted, float))


LARGE = 3.4028234663852886e38


def law_reach(op: Op, mode: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f) -> None:
    """Operands so large that, by `range` and `inner`, nothing overflows just yet give finite values."""
    from keras import ops

    for case in inputs.cases(op)[:2]:
        arrays = {k: x for k, x in case.args.items() if x.dtype == float}
        if not arrays or op.signature.kind != "float":
            return
        run = mode(function(op, case))
        for low in (-1.0, 0.0, 0.99):
            size = _most(op, case, list(arrays), low)
            if size is None:
                continue
            numbers = np.random.default_rng(len(op.name))
            for pool in ([low, 1.0], [1.0], [low], [low, 0.0 if low <= 0 else 1.0, 1.0, 1e-30 if low <= 0 else 1.0]):
                args = {**case.args, **{k: numbers.choice(pool, x.shape) * size for k, x in arrays.items()}}
                tensors = [ops.convert_to_tensor(x, dtype=_dtype(x)) for x in args.values()]
                found = np.asarray(ops.convert_to_numpy(run(*tensors)))
                assert np.isfinite(found).all(), f"{op.name}: {found} though nothing overflows, at {args}"


def _most(op: Op, case: Case, names: list[str], low: float) -> float | None:
    """The largest power of 2 up to which all operands may go."""
    for power in range(127, -20, -1):
        size = 2.0**power
        boxes = [outward(low * size, size) if k in names else outward(float(np.min(x)), float(np.max(x)))
                 for k, x in case.args.items()]  # fmt: skip
        if holds(op.domain, dict(zip(case.args, boxes, strict=True))) is not True and op.domain != EVERYWHERE:
            continue
        if op.family is Family.ELEMENTWISE:
            found = op.range_of(*boxes, **case.attrs), op.inner_of(*boxes, **case.attrs)
        else:
            count = Interval(entries(op, case), entries(op, case))
            found = op.range_of(*boxes, n=count), op.inner_of(*boxes, n=count)
        if all(x is None or x.magnitude <= LARGE for x in found):
            return size
    return None


def law_infinity(op: Op, mode: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda f: f) -> None:
    """Where NumPy has a number for infinite operands, finite or not, so has the template."""
    from keras import ops

    for case in infinite(op):
        wanted = np.asarray(computed(op, case), float)
        tensors = [ops.convert_to_tensor(x, dtype=_dtype(x)) for x in case.args.values()]
        found = np.asarray(ops.convert_to_numpy(mode(function(op, case))(*tensors)), float)
        for at in np.flatnonzero(~np.isnan(wanted)):
            place = {k: x[at] for k, x in case.args.items()}
            same = found[at] == wanted[at] or abs(found[at] - wanted[at]) <= 1e-3 * abs(wanted[at])
            assert same, f"{op.name}: {found[at]} where NumPy has {wanted[at]}, at {place}"


def rounded(op: Op, case: Case) -> Case:
    """The case in numbers that are float32, as float64; places where rounding leaves the domain left out."""
    args = {k: x.astype(np.float32).astype(float) if x.dtype == float else x for k, x in case.args.items()}
    if op.family is not Family.ELEMENTWISE:
        return Case(args, case.attrs)
    keep = inputs.inside(op, Case(args, case.attrs))
    return Case({k: x[keep] for k, x in args.items()}, case.attrs)


def _dtype(x: np.ndarray) -> str:
    return {"f": "float32", "i": "int32", "b": "bool"}[x.dtype.kind]


def _same(op: Op, case: Case, found: np.ndarray, wanted: np.ndarray) -> None:
    scale = np.abs(wanted) if op.family is Family.ELEMENTWISE else np.full(wanted.shape, np.max(np.abs(wanted)))
    if op.family is Family.ELEMENTWISE:
        for name in smooth(op):
            text = dict(zip((a.name for a in op.signature.values), op.grad, strict=True))[name]
            slope = floats(text, {**case.args, **case.attrs, "g": np.ones(wanted.shape), "out": wanted})
            with np.errstate(all="ignore"):
                scale = scale + np.nan_to_num(np.abs(slope * case.args[name]), posinf=0.0)
    for i, (value, truth, slack) in enumerate(zip(found.flat, wanted.flat, scale.flat, strict=True)):
        if math.isfinite(truth) and abs(truth) > 3.3e38:
            good = not math.isfinite(value) or abs(value) > 3.3e38
        else:
            good = value == truth or abs(value - truth) <= TOLERANCE * slack + ABSOLUTE.get(op.name, 1e-37)
        place = {k: x.flat[i] for k, x in case.args.items()} if op.family is Family.ELEMENTWISE else case
        assert good, f"{op.name}: {value} where NumPy has {truth}, at {place}"


if __name__ == "__main__":
    for row in (*OPS.values(), *INTERNAL.values()):
        try:
            law_keras(row)
        except Exception as error:
            print(f"{row.name}: {type(error).__name__}: {error}")
