"""Laws of what the analyses rely on: ranges, monotonicity, curvature."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import cases as inputs
import numpy as np
from cases import Case
from law_tools import computed, digits_of, each, exact, smooth, spot
from mpmath import mp
from oracle import Exact, Floats, floats, walk

from lossdsl.interval import UNIT, Interval, outward
from lossdsl.ops.op import EVERYWHERE, PRIMITIVE, Curvature, Family, Monotone, Op
from lossdsl.ops.reduction import SUM_ULPS


def law_range(op: Op) -> None:
    """The range holds every value, in float64 and in float32, for boxes large, small and infinite."""
    for case in inputs.cases(op):
        if op.family is not Family.ELEMENTWISE:
            boxes = [outward(float(np.min(x)), float(np.max(x))) for x in case.args.values()]
            count = entries(op, case)
            _contained(op, op.range_of(*boxes, n=Interval(count, count)), case)
            _contained(op, op.range_of(*boxes), case)
            continue
        columns = list(case.args.values())
        numbers = inputs.random(len(op.name))
        for _ in range(60):
            boxes = [_box(x, numbers) for x in columns]
            keep = np.logical_and.reduce([(x >= b.lo) & (x <= b.hi) for x, b in zip(columns, boxes, strict=True)])
            if keep.any():
                part = Case({name: x[keep] for name, x in case.args.items()}, case.attrs)
                _contained(op, op.range_of(*boxes, **case.attrs), part)


def entries(op: Op, case: Case) -> int:
    """How many entries the row works along."""
    first = next(iter(case.args.values()))
    axis = case.attrs.get("axis", tuple(range(first.ndim)))
    if op.name in ("matmul", "contraction"):
        first = case.args["x2"] if op.name == "contraction" else first
    axes = axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([first.shape[a] for a in axes]))


def _box(column: np.ndarray, numbers: np.random.Generator) -> Interval:
    if column.dtype == bool:
        return Interval(*[(0, 0), (1, 1), (0, 1)][numbers.integers(3)])
    lo, hi = sorted(numbers.choice(column, 2))
    kind = numbers.integers(6)
    box = outward(float(lo), float(lo if kind == 0 else hi))
    return Interval(-np.inf, box.hi) if kind == 1 else Interval(box.lo, np.inf) if kind == 2 else box


def _contained(op: Op, found: Interval, case: Case) -> None:
    single = {k: x.astype(np.float32) if x.dtype == float else x for k, x in case.args.items()}
    for args in (case.args, single):
        values = np.asarray(computed(op, Case(args, case.attrs)), float)
        values = values[~np.isnan(values)]
        outside = values[(values < found.lo) | (values > found.hi)]
        assert not outside.size, f"{op.name}: {outside[0]!r} is not in {found} for {spot(op, case, 0)} ..."


def infinite(op: Op) -> Iterator[Case]:
    """Cases of an elementwise row in which operands are infinite, one or more."""
    if op.family is not Family.ELEMENTWISE:
        return
    places = [
        (a.name, [False, True] if a.kind == "bool" else [-np.inf, -1.0, 0.0, 2.0, np.inf]) for a in op.signature.values
    ]
    columns = np.array(list(itertools.product(*(numbers for _, numbers in places))), float).T
    args = {
        name: column.astype(bool) if len(numbers) == 2 else column
        for (name, numbers), column in zip(places, columns, strict=True)
    }
    case = Case(args, inputs.constants(op))
    keep = inputs.inside(op, case)
    yield Case({name: x[keep] for name, x in args.items()}, case.attrs)


def law_infinity(op: Op) -> None:
    """Where an operand is infinite the value is in the range as well, unless it is NaN."""
    for case in infinite(op):
        found = computed(op, case)
        for at in np.flatnonzero(~np.isnan(np.asarray(found, float))):
            boxes = [Interval(float(x[at]), float(x[at])) for x in case.args.values()]
            assert float(found[at]) in op.range_of(*boxes, **case.attrs), (
                f"{op.name}: not in range, {spot(op, case, at)}"
            )


def law_inner(op: Op) -> None:
    """What a row says of the numbers on the way holds of those that its `means` computes, down to the primitives."""
    if op.inner.most is None or op.means == PRIMITIVE:
        return
    for case, size in itertools.product(inputs.cases(op), (1.0, 1e-9, 1e20)):
        args = {k: x * size for k, x in case.args.items()}
        boxes = [outward(float(np.min(x)), float(np.max(x))) for x in args.values()]
        seen = Recorder()
        with np.errstate(all="ignore"):
            walk(op.means, {**args, **case.attrs}, seen)
        count = entries(op, case)
        found = op.inner_of(*boxes, n=Interval(count, count))
        assert found is not None
        reach = found.hull(UNIT, Interval(count, count), *boxes, op.range_of(*boxes, n=Interval(count, count))).widened(
            SUM_ULPS
        )
        worst = max(seen.values, key=lambda x: float(np.max(np.abs(x))))
        assert all(float(end) in reach for end in (np.min(worst), np.max(worst))), (
            f"{op.name}: {worst} on the way is not in {reach} for {spot(op, case, 0)}"
        )


class Recorder(Floats):
    """Floats that go by `means` as far as there is one, and remember every value."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def call(self, op: Op, operands: Any, attributes: Mapping[str, Any]) -> Any:
        if op.means == PRIMITIVE:
            found = super().call(op, operands, attributes)
        else:
            names = [a.name for a in op.signature.values]
            found = walk(op.means, {**dict(zip(names, operands, strict=True)), **attributes}, self)
        self.values.append(np.asarray(found, float))
        return found


def law_guard(op: Op) -> None:
    """A guarded operand is inside the domain and its value finite in float32, whatever it was; a safe one stays."""
    name = op.guarded
    if name is None:
        limited = op.domain != EVERYWHERE and op.family is not Family.INDEX
        assert not limited or op.name in UNGUARDED, f"{op.name}: has a domain and no guard"
        return
    case = inputs.all_points(op)
    for values in (case.args[name], np.full(len(case.args[name]), -1e38), np.full(len(case.args[name]), 3e38)):
        guarded = floats(op.guard, {name: values, "epsilon": 1e-7})
        there = Case({**case.args, name: guarded}, case.attrs)
        assert inputs.inside(op, there).all(), f"{op.name}: guarded by {op.guard}, it is still outside {op.domain}"
        single = {k: x.astype(np.float32) for k, x in there.args.items()}
        ordinary = np.logical_and.reduce([np.abs(x) <= 60 for k, x in single.items() if k != name] or [True])
        found = computed(op, Case(single, case.attrs))
        wild = op.domain != EVERYWHERE  # a large operand inside a domain is not what such a guard is for
        assert wild or np.isfinite(found[np.broadcast_to(ordinary, found.shape)]).all(), f"{op.name}: overflows"
    safe = 0.0 if isinstance(op.safe, str) else op.safe[[a.name for a in op.signature.values].index(name)]
    assert floats(op.guard, {name: float(safe or 0.0), "epsilon": 1e-7}) == (safe or 0.0), f"{op.name}: changes {safe}"


UNGUARDED = (
    "clip", "log_ratio", "log_quotient", "log_difference", "log1p_difference", "xlog_ratio", "ratio_rest", "deviance",
    "digamma_gap", "trigamma_gap",
)  # fmt: skip
"""Rows with a domain in which no operand alone is at fault."""


def law_monotone(op: Op) -> None:
    """A value rises or falls with an argument, as claimed, all others held."""
    for case in inputs.cases(op):
        for argument, claim in zip(op.signature.values, op.monotone, strict=True):
            if claim in (Monotone.UP, Monotone.DOWN):
                sign = 1 if claim is Monotone.UP else -1
                with digits_of(op):
                    for low, high in _raised(op, case, argument.name):
                        for a, b in each(exact(op, low, case.attrs), exact(op, high, case.attrs)):
                            assert sign * (mp.mpf(b) - mp.mpf(a)) >= -mp.mpf("1e-300"), (
                                f"{op.name}: does not go {claim.value} with {argument.name}"
                            )
            elif claim is Monotone.BY_GRAD and argument.name in smooth(op) and op.family is Family.ELEMENTWISE:
                _by_grad(op, case, argument.name)


def _raised(op: Op, case: Case, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of operands that differ in one argument, the second not lower."""
    x = case.args[name]
    if op.family is not Family.ELEMENTWISE:
        for at in np.ndindex(x.shape):
            higher = x.copy()
            higher[at] = True if x.dtype == bool else x[at] + 0.7
            yield case.args, {**case.args, name: higher}
        return
    for shift in (1, 2, 5, 11):
        other = np.roll(x, shift)
        low, high = {**case.args, name: np.minimum(x, other)}, {**case.args, name: np.maximum(x, other)}
        keep = inputs.inside(op, Case(low, case.attrs)) & inputs.inside(op, Case(high, case.attrs))
        yield tuple({k: v[keep] for k, v in side.items()} for side in (low, high))  # type: ignore[misc]


STRETCH = np.concatenate([np.geomspace(1e-9, 1e6, 91), -np.geomspace(1e-9, 1e6, 91), np.arange(-50, 51)])
"""Places of all sizes and signs, where a derivative may change its sign."""


def _by_grad(op: Op, case: Case, name: str) -> None:
    """On a stretch within the domain where the derivative keeps its sign, the value goes with it."""
    text = dict(zip((a.name for a in op.signature.values), op.grad, strict=True))[name]
    for low, high in _raised(op, case, name):
        a, b = (np.asarray(side[name], float) for side in (low, high))
        places = np.sort(np.concatenate([np.linspace(a, b, 21), np.clip(STRETCH[:, np.newaxis], a, b)]), axis=0)
        between = {k: places if k == name else np.broadcast_to(v, places.shape) for k, v in low.items()}
        good = inputs.inside(op, Case(between, case.attrs)).all(0)
        out = computed(op, Case(between, case.attrs))
        slope = np.asarray(floats(text, {**between, **case.attrs, "g": np.ones(places.shape), "out": out}))
        slope = np.broadcast_to(slope, places.shape)
        start, stop = computed(op, Case(low, case.attrs)), computed(op, Case(high, case.attrs))
        slack = 1e-12 * (np.abs(start) + np.abs(stop))
        with np.errstate(all="ignore"):
            rises, falls = good & (slope >= 0).all(0), good & (slope <= 0).all(0)
            wrong = (rises & (stop < start - slack)) | (falls & (stop > start + slack))
        at = [(k, low[k][wrong], high[k][wrong]) for k in low]
        assert not wrong.any(), f"{op.name}: goes against its gradient in {name}: {at}"


def law_curvature(op: Op) -> None:
    """Convex, concave or affine, as claimed, in all arguments together; labels and conditions are held."""
    if op.curvature is Curvature.NEITHER or op.signature.kind in ("int", "bool"):
        return
    free = [a.name for a, m in zip(op.signature.values, op.monotone, strict=True) if m is not Monotone.UNORDERED]
    for case in inputs.cases(op):
        for other in _others(op, case, free):
            with digits_of(op):
                meaning = Exact()
                middle = {n: meaning.value(x) for n, x in case.args.items()}
                middle |= {n: (middle[n] + meaning.value(other[n])) / 2 for n in free}
                ends = exact(op, case.args, case.attrs), exact(op, other, case.attrs)
                for a, b, m in each(*ends, exact(op, middle, case.attrs)):
                    _bends(op, (a + b) / 2 - m, abs(a) + abs(b))


def _others(op: Op, case: Case, free: list[str]) -> Iterator[dict[str, Any]]:
    for shift in (1, 3):
        if op.family is Family.ELEMENTWISE:
            yield {n: np.roll(x, shift) if n in free else x for n, x in case.args.items()}
        else:
            numbers = inputs.random(shift)
            yield {n: x + numbers.normal(size=x.shape) if n in free else x for n, x in case.args.items()}


def _bends(op: Op, above: Any, scale: Any) -> None:
    slack = scale * mp.mpf("1e-300") + mp.mpf("1e-300")
    convex, concave = above >= -slack, above <= slack
    holds = {
        Curvature.CONVEX: convex,
        Curvature.CONCAVE: concave,
        Curvature.AFFINE: convex and concave,
    }[op.curvature]
    assert holds, f"{op.name}: not {op.curvature.value}"
