"""Laws of derivatives: the texts, their accuracy, kinks, safe points."""

from __future__ import annotations

import re
from typing import Any

import cases as inputs
import numpy as np
from cases import Case
from law_tools import COARSE, adjoint, close, computed, digits_of, each, slopes, smooth, spot
from mpmath import mp
from oracle import evaluate, floats

from lossdsl.ops.op import NO_KINK, NO_LIMITS, STOPPED, ZERO, Family, Op


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
                    tolerance = abs(truth) * mp.mpf("1e-6") + mp.mpf("1e-28") * (op.name in COARSE) + mp.mpf("1e-180")
                    assert not known or close(mp.mpf(value), truth, tolerance), (
                        f"{op.name}: d/d{name} comes out as {value} instead of {mp.nstr(truth, 17)}"
                        f" at {spot(op, case, i)}"
                    )


KINK = re.compile(r"(?P<name>\w+)'\((?P<args>.*)\) = (?P<values>.*)")


def law_kink(op: Op) -> None:
    """At the points that `at_kink` names, the gradient texts give what it says."""
    if op.at_kink == NO_KINK:
        return
    for claim in op.at_kink.split("; "):
        match = KINK.fullmatch(claim)
        assert match is not None, f"{op.name}: {claim!r} is no claim"
        assert match["name"] == op.name, f"{op.name}: {claim!r} is about another row"
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
    out = computed(op, Case(dict(enumerate(operands)), {a.name: env[a.name] for a in op.signature.attributes}))
    return {**env, "g": np.ones(np.shape(out)), "out": out}


def law_kinks_are_told(op: Op) -> None:
    """Where the left and the right derivative differ, the row says what it takes."""
    if op.family is not Family.ELEMENTWISE or op.at_kink != NO_KINK:
        return
    for case in inputs.cases(op):
        for name in smooth(op):
            with digits_of(op):
                there = slopes(op, case, name)[1]
            assert there.all(), f"{op.name}: no derivative at {[x[~there] for x in case.args.values()]}"


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
    attrs = {a.name: 1 if a.default == "-1" else (1,) for a in op.signature.attributes if a.kind == "axis"}
    for anything in (1.0, 0.0, -3.5, 1e30):
        points = (anything if s is None else s for s in op.safe)
        case = Case({a.name: np.full(shape, s) for a, s in zip(op.signature.values, points, strict=True)}, attrs)
        assert inputs.inside(op, case).all(), f"{op.name}: the safe point is outside the domain"
        for name in smooth(op):
            assert np.isfinite(np.asarray(adjoint(op, case, name, floats), float)).all(), f"{op.name}: not safe"
