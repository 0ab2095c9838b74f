"""What the laws measure with: values and derivatives by the oracle, and how close is close."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from cases import Case
from mpmath import mp
from oracle import PRIMITIVES, Exact, completed, evaluate, floats, walk

from lossdsl.ops.op import BACKEND, PRIMITIVE, STOPPED, ZERO, Family, Op

COARSE = ("lgamma", "digamma", "trigamma", "erfinv", "lgamma_exp", "exp_digamma", "digamma_gap", "trigamma_gap", "gamma_entropy",
          "gamma_entropy_slope", "log_dirichlet", "log_dirichlet_slope")  # fmt: skip
"""Rows whose oracle is slow at many digits, and does without them."""


def precision(op: Op) -> tuple[int, Any]:
    """Digits and the step of derivatives: many, since 1 + exp(-700) must differ from 1; fewer where
    digits are dear."""
    digits, step = (260, -80) if op.name in COARSE else (520, -100)
    return digits, mp.mpf(10) ** step


def digits_of(op: Op) -> Any:
    return mp.workdps(precision(op)[0])


def exact(op: Op, args: dict[str, Any], attrs: dict[str, Any]) -> Any:
    """The value by the oracle: the row's `means`, or the oracle's own definition of a primitive."""
    meaning = Exact()
    values = {name: meaning.value(x) for name, x in args.items()}
    if op.means == PRIMITIVE:
        return np.asarray(PRIMITIVES[op.name](*values.values(), **completed(op, list(values.values()), attrs)))
    return np.asarray(walk(op.means, {**values, **attrs}, meaning))


def computed(op: Op, case: Case) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray(op.numpy(*case.args.values(), **case.attrs))


def smooth(op: Op) -> list[str]:
    """The arguments that a derivative is owed for."""
    constant = (ZERO, STOPPED, BACKEND)
    return [a.name for a, g in zip(op.signature.values, op.grad, strict=True) if g not in constant]


def upstream(shape: tuple[int, ...]) -> np.ndarray:
    return np.resize([0.75, -1.5, 2.0, 0.5, -0.25], shape)


@cache
def jacobian(op: Op, case: Case, name: str, sign: int) -> Any:
    """(f(x + step) - f(x)) / step, to the right or to the left.

    For an elementwise row one number per value; else, for each entry of the argument, what it does to
    every value.
    """
    step = sign * precision(op)[1]
    x = Exact().value(case.args[name])
    here = exact(op, case.args, case.attrs)
    if op.family is Family.ELEMENTWISE:
        return np.asarray((exact(op, {**case.args, name: x + step}, case.attrs) - here) / step)
    rows = []
    for at in np.ndindex(x.shape):
        moved = x.copy()
        moved[at] = moved[at] + step
        rows.append((exact(op, {**case.args, name: moved}, case.attrs) - here) / step)
    return np.stack([np.asarray(row, dtype=object) for row in rows])


@cache
def slopes(op: Op, case: Case, name: str) -> tuple[Any, np.ndarray]:
    """The numerical adjoint of one argument, and where it has one: the same from both sides, and no jump."""
    here = exact(op, case.args, case.attrs)
    g = Exact().value(upstream(here.shape))
    sides = [jacobian(op, case, name, sign) for sign in (1, -1)]
    largest = np.frompyfunc(abs, 1, 1)(here) + 1
    if op.family is Family.ELEMENTWISE:
        sides = [np.asarray(side * g) for side in sides]
    else:
        largest = np.max(largest)
        shape = case.args[name].shape
        sides = [np.array([mp.fsum(np.ravel(row)) for row in side * g]).reshape(shape) for side in sides]
    step = precision(op)[1]
    smooth_there = np.frompyfunc(
        lambda a, b, f: bool(abs(a - b) <= (1 + abs(a)) * mp.mpf("1e-25") and abs(a) * step <= f * mp.mpf("1e-20")),
        3,
        1,
    )
    return np.asarray((sides[0] + sides[1]) / 2), np.asarray(smooth_there(*sides, largest)).astype(bool)


def adjoint(op: Op, case: Case, name: str, by: Callable[..., Any]) -> Any:
    """The adjoint that the row's text gives, summed over axes that the argument spreads along."""
    text = dict(zip((a.name for a in op.signature.values), op.grad, strict=True))[name]
    out = exact(op, case.args, case.attrs)
    out = out if by is evaluate else computed(op, case)
    env = {**case.args, **case.attrs, "g": upstream(np.shape(out)), "out": out}
    found = by(text, env) if by is floats else by(text, env, precision(op)[0])
    shape = np.shape(case.args[name])
    wider = np.broadcast_shapes(found.shape, shape)
    assert found.shape == wider, f"{op.name}: the gradient of {name} lacks axes: {found.shape} for {shape}"
    extra = tuple(i for i, n in enumerate(shape) if n == 1 and found.shape[i] > 1)
    return np.sum(found, axis=extra, keepdims=True) if extra else found


def close(found: Any, wanted: Any, tolerance: Any) -> bool:
    """Whether two numbers agree; NaN and infinities only with their like, underflow with anything below
    it."""
    if mp.isnan(found) or mp.isnan(wanted):
        return bool(mp.isnan(found) and mp.isnan(wanted))
    if mp.isinf(found) or mp.isinf(wanted):
        return bool(found == wanted or (abs(wanted) > 1.7e308 and mp.sign(found) == mp.sign(wanted)))
    return bool(abs(found - wanted) <= tolerance + mp.mpf("1e-307"))


def spot(op: Op, case: Case, i: int) -> str:
    """The arguments that a value came from, to show."""
    if op.family is Family.ELEMENTWISE:
        return ", ".join(f"{name}={x[i]}" for name, x in case.args.items())
    return f"{ {k: np.round(x, 3).tolist() for k, x in case.args.items()} } {case.attrs}"


def each(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    wide = np.broadcast_arrays(*(np.asarray(a, dtype=object) for a in arrays))
    return zip(*(a.reshape(-1) for a in wide), strict=True)
