"""Laws of the texts, of the value, of its domain, and of `where=`."""

from __future__ import annotations

import ast as python
import itertools
import string
from typing import Any

import cases as inputs
import numpy as np
from cases import Case
from law_tools import close, computed, digits_of, each, exact, jacobian, spot
from mpmath import mp
from oracle import evaluate, floats

from lossdsl.ops.op import EVERYWHERE, NOT_A_REDUCTION, Family, Op

EPS = 2.0**-52


def law_complete(op: Op) -> None:
    """Templates use every argument and nothing else; Keras templates are Python over `ops`, `shims` and `dtype`."""
    known = {a.name for a in op.signature.args if a.name != "where"}
    added = {"axis", "to", "time", "subscripts", "missing"}
    for template in (op.latex, op.keras):
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        unused = known - fields - ({"axis"} if op.name in ("expand_dims", "contraction") else set())
        assert not unused, f"{op.name}: {template!r} leaves out {unused}"
        assert fields <= known | added, f"{op.name}: {template!r} has unknown {fields - known}"
    tree = python.parse(op.keras.format(**dict.fromkeys(known | added, "x")))
    names = {n.id for n in python.walk(tree) if isinstance(n, python.Name)}
    assert names <= {"x", "ops", "shims", "dtype"}, f"{op.name}: the Keras template uses {names}"
    drawn = op.latex.format(**dict.fromkeys(known | added, "x"))
    assert drawn.count("{") == drawn.count("}"), f"{op.name}: braces of the LaTeX template"
    assert op.doc.endswith("."), f"{op.name}: the doc is no sentence"
    takes_where = any(a.name == "where" for a in op.signature.args)
    assert takes_where <= (op.masked != NOT_A_REDUCTION), f"{op.name}: where= without a meaning"


def law_example(op: Op) -> None:
    """The example is true, exactly and in floats."""
    call, result = op.example.split(" -> ")
    wanted = np.asarray(evaluate(result, {}, 60)).astype(float)
    for found in (evaluate(call, {}, 60), floats(call, {})):
        value = np.squeeze(np.asarray(found)).astype(float)
        np.testing.assert_allclose(value, np.squeeze(wanted), rtol=4 * EPS, atol=0, err_msg=op.name)


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
    if op.name == "ctc_gradient":
        return 1  # a difference of probabilities
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


LOWEST = -3.4028234663852886e38
EMPTY = {"sum": 0, "mean": 0, "prod": 1, "max": LOWEST, "min": -LOWEST, "var": 0, "std": 0, "norm": 0}
EMPTY |= {"logsumexp": LOWEST, "any": 0}


def law_masked(op: Op) -> None:
    """A reduction under a condition is that of the entries where it holds; of none, what the doc says."""
    if op.masked == NOT_A_REDUCTION or op.name == "contraction":
        return
    numbers = inputs.random(7)
    x = numbers.normal(size=(40, 5)) if op.signature.values[0].kind != "bool" else numbers.uniform(size=(40, 5)) < 0.4
    c = numbers.uniform(size=x.shape) < numbers.uniform(size=(40, 1))
    c[0], c[1] = False, True
    axis: Any = (1,) if op.family is Family.REDUCTION else 1
    found = np.asarray(floats(op.masked, {"x": x, "c": c, "axis": axis}), float)
    for line, chosen, value in zip(x, c, found, strict=True):
        if op.family is Family.REDUCTION:
            few = float(op.numpy(line[chosen], axis=(0,)).item()) if chosen.any() else EMPTY[op.name]
            np.testing.assert_allclose(value, [few], rtol=1e-7 if not chosen.any() else 1e-12, err_msg=op.name)
        else:
            wanted = np.zeros(line.shape)
            if chosen.any():
                wanted[chosen] = op.numpy(line[chosen], axis=0)
            np.testing.assert_allclose(value, wanted, rtol=1e-12, err_msg=op.name)
