"""What a row of the operation table owes: one function per law, each raising AssertionError where a row breaks it."""

from __future__ import annotations

import ast as python
import itertools
import re
import string
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from mpmath import mp

import cases as inputs
from cases import Case
from lossdsl.interval import Interval, outward
from lossdsl.ops import OPS
from lossdsl.ops.op import (
    BACKEND,
    EVERYWHERE,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    PRIMITIVE,
    STOPPED,
    ZERO,
    Curvature,
    Family,
    Monotone,
    Op,
)
from oracle import NAN, PRIMITIVES, Exact, completed, evaluate, floats, row, walk

EPS = 2.0**-52
LAWS: list[Callable[[Op], None]] = []


def law(function: Callable[[Op], None]) -> Callable[[Op], None]:
    LAWS.append(function)
    return function


COARSE = ("lgamma", "digamma", "trigamma", "erfinv")
"""Rows whose oracle is slow at many digits, and does without them."""


def precision(op: Op) -> tuple[int, Any]:
    """Digits and the step of derivatives: many, since 1 + exp(-700) must differ from 1; fewer where digits are dear."""
    digits, step = (260, -80) if op.name in COARSE else (520, -100)
    return digits, mp.mpf(10) ** step


def digits_of(op: Op) -> Any:
    return mp.workdps(precision(op)[0])


# -- values -----------------------------------------------------------------------------------------------------------


def exact(op: Op, args: dict[str, Any], attrs: dict[str, Any]) -> Any:
    """The value by the oracle: the row's `means`, or the oracle's own definition of a primitive."""
    meaning = Exact()
    values = {name: meaning.value(x) for name, x in args.items()}
    if op.means == PRIMITIVE:
        return np.asarray(
            PRIMITIVES[op.name](*values.values(), **completed(op, list(values.values()), attrs))
        )
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

    For an elementwise row one number per value; else, for each entry of the argument, what it does to every value.
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
        lambda a, b, f: bool(
            abs(a - b) <= (1 + abs(a)) * mp.mpf("1e-25") and abs(a) * step <= f * mp.mpf("1e-20")
        ),
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
    """Whether two numbers agree; NaN and infinities only with their like, underflow with anything below it."""
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


# -- the texts --------------------------------------------------------------------------------------------------------


@law
def law_complete(op: Op) -> None:
    """Templates use every argument and nothing else; Keras templates are Python over `ops` and `shims`."""
    known = {a.name for a in op.signature.args if a.name != "where"}
    added = {"axis", "to", "subscripts", "missing"}
    for template in (op.latex, op.keras):
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        unused = known - fields - ({"axis"} if op.name in ("expand_dims", "contraction") else set())
        assert not unused, f"{op.name}: {template!r} leaves out {unused}"
        assert fields <= known | added, f"{op.name}: {template!r} has unknown {fields - known}"
    tree = python.parse(op.keras.format(**dict.fromkeys(known | added, "x")))
    names = {n.id for n in python.walk(tree) if isinstance(n, python.Name)}
    assert names <= {"x", "ops", "shims"}, f"{op.name}: the Keras template uses {names}"
    drawn = op.latex.format(**dict.fromkeys(known | added, "x"))
    assert drawn.count("{") == drawn.count("}"), f"{op.name}: braces of the LaTeX template"
    assert op.doc.endswith("."), f"{op.name}: the doc is no sentence"
    takes_where = any(a.name == "where" for a in op.signature.args)
    assert takes_where <= (op.masked != NOT_A_REDUCTION), f"{op.name}: where= without a meaning"


@law
def law_example(op: Op) -> None:
    """The example is true, exactly and in floats."""
    call, result = op.example.split(" -> ")
    wanted = np.asarray(evaluate(result, {}, 60)).astype(float)
    for found in (evaluate(call, {}, 60), floats(call, {})):
        value = np.squeeze(np.asarray(found)).astype(float)
        np.testing.assert_allclose(value, np.squeeze(wanted), rtol=4 * EPS, atol=0, err_msg=op.name)


# -- the meaning ------------------------------------------------------------------------------------------------------


@law
def law_numpy(op: Op) -> None:
    """NumPy errs no more than an argument that is wrong in its last bits would make it err."""
    for case in inputs.cases(op):
        with digits_of(op):
            wanted, found = exact(op, case.args, case.attrs), computed(op, case)
            assert found.shape == wanted.shape, f"{op.name}: shape {found.shape}, not {wanted.shape}"
            slack = np.frompyfunc(lambda v: abs(mp.mpf(v)), 1, 1)(wanted) + condition(op, case)
            for i, (value, truth, scale) in enumerate(each(found, wanted, slack)):
                tolerance = 16 * EPS * scale if mp.isfinite(scale) else 0
                assert close(mp.mpf(value), mp.mpf(truth), tolerance), (
                    f"{op.name}: {value} instead of {mp.nstr(mp.mpf(truth), 20)} at {spot(op, case, i)}"
                )


def condition(op: Op, case: Case) -> Any:
    """How far the value moves where its arguments do, relatively: the sum of |x df/dx|."""
    if any(a.kind not in ("T", "float") for a in op.signature.values) or op.signature.kind != "float":
        return 0
    total: Any = 0
    for name, x in case.args.items():
        if op.family is Family.ELEMENTWISE:
            moves = [jacobian(op, case, name, sign) * x for sign in (1, -1)]
        elif op.family in (Family.REDUCTION, Family.ALONG) and op.name != "others_prod":
            moves = list(jacobian(op, case, name, 1) * x.reshape(-1, *[1] * x.ndim))
        else:
            continue
        for move in moves:
            total = total + np.frompyfunc(lambda v: abs(v) if abs(v) < 1e30 else 0, 1, 1)(move)
    return total


@law
def law_domain(op: Op) -> None:
    """Inside the domain the value is a finite number; outside, NumPy says so."""
    if op.domain == EVERYWHERE or op.family is not Family.ELEMENTWISE:
        in_domain = inputs.cases(op)
    else:
        case = inputs.all_points(op)
        keep = inputs.inside(op, case)
        assert not keep.all(), f"{op.name}: no sample is outside {op.domain}"
        outside = Case({name: x[~keep] for name, x in case.args.items()}, case.attrs)
        for value in computed(op, outside):
            assert not np.isfinite(value), f"{op.name}: {value} outside the domain {op.domain}"
        in_domain = [Case({name: x[keep] for name, x in case.args.items()}, case.attrs)]
    with digits_of(op):
        for case in in_domain:
            for (value,) in each(exact(op, case.args, case.attrs)):
                assert mp.isfinite(value), f"{op.name}: {value} inside the domain {op.domain}"


@law
def law_place_outside(op: Op) -> None:
    """A label outside its table is an error in NumPy."""
    if op.name not in ("take", "take_along_axis"):
        return
    for case, wrong in itertools.product(inputs.cases(op), (-1, 4)):
        indices = np.full_like(case.args["indices"], wrong)
        try:
            computed(op, Case({**case.args, "indices": indices}, case.attrs))
        except IndexError:
            continue
        raise AssertionError(f"{op.name}: index {wrong} is accepted")


# -- derivatives ------------------------------------------------------------------------------------------------------


@law
def law_grad(op: Op) -> None:
    """The gradient text is the derivative of the oracle, wherever there is one."""
    for name in smooth(op):
        count = 0
        for case in inputs.cases(op):
            with digits_of(op):
                wanted, there = slopes(op, case, name)
                found = adjoint(op, case, name, evaluate)
                assert found.shape == wanted.shape, f"{op.name}: the gradient has shape {found.shape}"
                for i, (value, truth, known) in enumerate(each(found, wanted, there)):
                    count += known
                    scale = abs(truth) + (0 if op.family is Family.ELEMENTWISE else mp.mpf("1e-2"))
                    assert not known or abs(value - truth) <= mp.mpf("1e-14") * scale + mp.mpf("1e-28"), (
                        f"{op.name}: d/d{name} is {mp.nstr(truth, 17)}, not {mp.nstr(value, 17)},"
                        f" at {spot(op, case, i)}"
                    )
        assert count, f"{op.name}: no point has a derivative"


@law
def law_zero_grad(op: Op) -> None:
    """What is said to have no gradient has none: the value does not move with the argument."""
    for case in inputs.cases(op):
        for argument, text in zip(op.signature.values, op.grad, strict=True):
            if text != ZERO or argument.kind in ("bool", "int") or argument.name == "like":
                continue
            with digits_of(op):
                wanted, there = slopes(op, case, argument.name)
                assert there.any() or op.family is not Family.ELEMENTWISE, f"{op.name}: no point to see it at"
                for truth, known in each(wanted, there):
                    assert not known or truth == 0, f"{op.name}: d/d{argument.name} is {truth}, not 0"


@law
def law_grad_in_floats(op: Op) -> None:
    """The gradient text itself is not grossly wrong in float64, hard points included."""
    if op.family is not Family.ELEMENTWISE:
        return
    for case in inputs.cases(op):
        for name in smooth(op):
            with digits_of(op):
                wanted, there = slopes(op, case, name)
                found = adjoint(op, case, name, floats)
                for i, (value, truth, known) in enumerate(each(found, wanted, there)):
                    tolerance = (
                        abs(truth) * mp.mpf("1e-6") + mp.mpf("1e-28") * (op.name in COARSE) + mp.mpf("1e-180")
                    )
                    assert not known or close(mp.mpf(value), truth, tolerance), (
                        f"{op.name}: d/d{name} comes out as {value} instead of {mp.nstr(truth, 17)}"
                        f" at {spot(op, case, i)}"
                    )


KINK = re.compile(r"(?P<name>\w+)'\((?P<args>.*)\) = (?P<values>.*)")


@law
def law_kink(op: Op) -> None:
    """At the points that `at_kink` names, the gradient texts give what it says."""
    if op.at_kink == NO_KINK:
        return
    for claim in op.at_kink.split("; "):
        match = KINK.fullmatch(claim)
        assert match and match["name"] == op.name, f"{op.name}: {claim!r} is no claim"
        call = floats_of_call(op, match["args"])
        values = re.findall(r"\[[^\]]*\]|[^,\s]+", match["values"])
        assert len(values) == len(op.grad), f"{op.name}: {claim!r} needs a value for each argument"
        for text, said in zip(op.grad, values, strict=True):
            wanted = np.array([float(v) for v in said.strip("[]").split(",")])
            found = np.zeros(wanted.shape) if text in (ZERO, STOPPED) else floats(text, call)
            np.testing.assert_allclose(np.ravel(found), wanted, rtol=1e-12, atol=0, err_msg=claim)


def floats_of_call(op: Op, written: str) -> dict[str, Any]:
    """The operands and attributes of a call as written, `g` = 1 and `out`."""
    pieces = [p for p in re.split(r", (?![^\[]*\])", written) if p]
    names = [a.name for a in op.signature.args]
    env: dict[str, Any] = {}
    for i, piece in enumerate(pieces):
        name, _, value = piece.rpartition("=")
        env[name or names[i]] = floats(value, {})
    for argument in op.signature.attributes:
        if argument.kind == "axis":
            env["axis"] = (0,) if argument.default == "none" else 0
        else:
            value = env.get(argument.name, argument.default)
            env[argument.name] = int(value) if argument.name == "k" else float(value)
    operands = [np.asarray(env[a.name], float) for a in op.signature.values]
    out = computed(
        op, Case(dict(enumerate(operands)), {a.name: env[a.name] for a in op.signature.attributes})
    )
    return {**env, "g": np.ones(np.shape(out)), "out": out}


@law
def law_kinks_are_told(op: Op) -> None:
    """Where the left and the right derivative differ, the row says what it takes."""
    if op.family is not Family.ELEMENTWISE or op.at_kink != NO_KINK:
        return
    for case in inputs.cases(op):
        for name in smooth(op):
            with digits_of(op):
                there = slopes(op, case, name)[1]
            assert there.all(), f"{op.name}: no derivative at {[x[~there] for x in case.args.values()]}"


@law
def law_safe(op: Op) -> None:
    """Without limits the derivative is finite on the whole domain; with them, at the safe point."""
    if op.safe == NO_LIMITS:
        for case in inputs.cases(op):
            for name in smooth(op):
                found = np.asarray(adjoint(op, case, name, floats), float)
                assert np.isfinite(found).all(), f"{op.name}: the derivative is not finite at {case.args}"
        return
    assert len(op.safe) == len(op.signature.values), f"{op.name}: one safe point per argument"
    shape = (1,) if op.family is Family.ELEMENTWISE else (2, 2)
    args = {a.name: np.full(shape, s) for a, s in zip(op.signature.values, op.safe, strict=True)}
    attrs = {a.name: 1 if a.default == "-1" else (1,) for a in op.signature.attributes if a.kind == "axis"}
    case = Case(args, attrs)
    assert inputs.inside(op, case).all(), f"{op.name}: the safe point is outside the domain"
    for name in smooth(op):
        assert np.isfinite(np.asarray(adjoint(op, case, name, floats), float)).all(), f"{op.name}: not safe"


# -- what the analyses rely on ----------------------------------------------------------------------------------------


@law
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
            keep = np.logical_and.reduce(
                [(x >= b.lo) & (x <= b.hi) for x, b in zip(columns, boxes, strict=True)]
            )
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


@law
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
            elif (
                claim is Monotone.BY_GRAD and argument.name in smooth(op) and op.family is Family.ELEMENTWISE
            ):
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
        places = np.sort(
            np.concatenate([np.linspace(a, b, 21), np.clip(STRETCH[:, np.newaxis], a, b)]), axis=0
        )
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


@law
def law_curvature(op: Op) -> None:
    """Convex, concave or affine, as claimed, in all arguments together; labels and conditions are held."""
    if op.curvature is Curvature.NEITHER or op.signature.kind in ("int", "bool"):
        return
    free = [
        a.name for a, m in zip(op.signature.values, op.monotone, strict=True) if m is not Monotone.UNORDERED
    ]
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


# -- where= -----------------------------------------------------------------------------------------------------------

LOWEST = -3.4028234663852886e38
EMPTY = {"sum": 0, "mean": 0, "prod": 1, "max": LOWEST, "min": -LOWEST, "var": 0, "std": 0, "norm": 0}
EMPTY |= {"logsumexp": LOWEST, "any": 0}


@law
def law_masked(op: Op) -> None:
    """A reduction under a condition is that of the entries where it holds; of none, what the doc says."""
    if op.masked == NOT_A_REDUCTION or op.name == "contraction":
        return
    numbers = inputs.random(7)
    x = (
        numbers.normal(size=(40, 5))
        if op.signature.values[0].kind != "bool"
        else numbers.uniform(size=(40, 5)) < 0.4
    )
    c = numbers.uniform(size=x.shape) < numbers.uniform(size=(40, 1))
    c[0], c[1] = False, True
    axis: Any = (1,) if op.family is Family.REDUCTION else 1
    found = np.asarray(floats(op.masked, {"x": x, "c": c, "axis": axis}), float)
    for line, chosen, value in zip(x, c, found, strict=True):
        if op.family is Family.REDUCTION:
            few = float(op.numpy(line[chosen], axis=(0,)).item()) if chosen.any() else EMPTY[op.name]
            np.testing.assert_allclose(
                value, [few], rtol=1e-7 if not chosen.any() else 1e-12, err_msg=op.name
            )
        else:
            wanted = np.zeros(line.shape)
            if chosen.any():
                wanted[chosen] = op.numpy(line[chosen], axis=0)
            np.testing.assert_allclose(value, wanted, rtol=1e-12, err_msg=op.name)
