"""Intervals promise to hold every value that floats compute: tried in float64, in float32, and contracted."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lossdsl.interval import (
    EVERYTHING,
    LARGEST,
    NO,
    NONNEGATIVE,
    SMALLEST,
    UNIT,
    YES,
    Interval,
    by_ends,
    outward,
    point,
)
from lossdsl.ops import row

numbers = st.floats(-1e6, 1e6, width=32).map(lambda x: 0.0 if abs(x) < SMALLEST else x)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Interval, float]:
    """An interval between float32 numbers, and a float32 number in it."""
    lo, middle, hi = sorted(draw(st.tuples(numbers, numbers, numbers)))
    return Interval(lo, hi), middle


OPERATIONS = {
    "+": (lambda a, b: a + b),
    "-": (lambda a, b: a - b),
    "*": (lambda a, b: a * b),
    "/": (lambda a, b: a / b),
}


@pytest.mark.parametrize("sign", OPERATIONS)
@given(boxes(), boxes())
@example((Interval(0.0, 1.0), 0.5), (Interval(0.0, 3.0), 3.0))
@example((Interval(-1.0, 1.0), 1.0), (Interval(-3.0, 0.0), -3.0))
def test_a_result_is_in_the_result(sign: str, left: tuple[Interval, float], right: tuple[Interval, float]) -> None:
    (x, a), (y, b) = left, right
    function = OPERATIONS[sign]
    if sign == "/" and b == 0.0:
        return
    found = function(x, y)
    assert function(a, b) in found
    with np.errstate(all="ignore"):
        single = float(function(np.float32(a), np.float32(b)))
    assert single in found or abs(single) < SMALLEST


@given(st.tuples(boxes(), boxes(), boxes()))
def test_a_contracted_product_is_in_the_sum(parts: list[tuple[Interval, float]]) -> None:
    """XLA computes a*b + c with one rounding."""
    (x, a), (y, b), (z, c) = parts
    assert float(np.float32(float(Fraction(a) * Fraction(b) + Fraction(c)))) in x * y + z


@given(boxes())
def test_unary_results(box: tuple[Interval, float]) -> None:
    x, a = box
    assert -a in -x
    assert abs(a) in abs(x)
    assert a * a in x.square()
    assert x.square().lo >= 0.0
    assert x.mignitude <= abs(a) <= x.magnitude


@given(boxes(), st.one_of(st.integers(-6, 6).map(float), st.sampled_from([0.5, 1.5, -0.5, 2.25])))
def test_powers(box: tuple[Interval, float], exponent: float) -> None:
    x, a = box
    if (a < 0.0 and not exponent.is_integer()) or (a == 0.0 and exponent < 0.0):
        return
    value = a**exponent
    if SMALLEST < abs(value) < LARGEST:
        assert value in x ** Interval(exponent, exponent)
        assert value in x ** Interval(exponent - 1.0, exponent + 1.0)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (UNIT * UNIT, UNIT),
        (UNIT + UNIT, Interval(0.0, 2.0)),
        (YES - UNIT, UNIT),
        (YES / Interval(0.0, 2.0), Interval(0.5, math.inf)),
        (YES / Interval(-2.0, 0.0), Interval(-math.inf, -0.5)),
        (YES / Interval(-1.0, 1.0), EVERYTHING),
        (YES / NO, EVERYTHING),
        (NO * EVERYTHING, NO),
        (EVERYTHING - EVERYTHING, EVERYTHING),
        (NONNEGATIVE + NONNEGATIVE, NONNEGATIVE),
        (Interval(-2.0, 3.0) ** Interval(2.0, 2.0), Interval(0.0, 9.0).widened()),
        (Interval(-2.0, 3.0) ** Interval(3.0, 3.0), Interval(-8.0, 27.0).widened()),
        (Interval(-2.0, -1.0) ** Interval(-1.0, -1.0), Interval(-1.0, -0.5).widened()),
        (UNIT ** Interval(0.5, 7.0), UNIT),
        (NONNEGATIVE ** Interval(-1.0, -1.0), NONNEGATIVE),
        (Interval(-1.0, 4.0) ** Interval(0.5, 0.5), Interval(0.0, Interval(0.0, 2.0).widened().hi)),
        (UNIT.hull(Interval(3.0, 4.0)), Interval(0.0, 4.0)),
        (UNIT.hull(), UNIT),
        (UNIT.meet(Interval(0.5, 4.0)), Interval(0.5, 1.0)),
        (UNIT.meet(Interval(2.0, 4.0)), None),
        (-UNIT, Interval(-1.0, 0.0)),
    ],
)
def test_worked_examples(found: Interval | None, wanted: Interval | None) -> None:
    if found is None or wanted is None:
        assert found is wanted
        return
    assert found.covers(wanted)
    assert wanted.widened(40).covers(found)
    for end, known in ((found.lo, wanted.lo), (found.hi, wanted.hi)):
        assert end == known or known not in (0.0, 1.0, -1.0), "whole ends stay exact"


def test_what_is_no_interval() -> None:
    for lo, hi in ((1.0, 0.0), (math.nan, 1.0), (0.0, math.nan)):
        with pytest.raises(ValueError, match="not an interval"):
            Interval(lo, hi)


@given(st.floats(allow_nan=False))
@example(1e-50)
@example(-1e-50)
@example(1e50)
@example(-1e50)
@example(0.1)
def test_ends_are_float32_rounded_outward(value: float) -> None:
    found = point(value)
    assert found.lo <= value <= found.hi
    for end in (found.lo, found.hi):
        with np.errstate(over="ignore"):
            assert float(np.float32(end)) == end
            assert end == 0.0 or abs(end) >= SMALLEST
    with np.errstate(over="ignore"):
        assert float(np.float32(value)) in found


def test_a_float32_stays_a_point() -> None:
    assert point(0.5).is_point
    assert not point(0.1).is_point
    assert outward(math.nan, math.nan) == EVERYTHING


@given(boxes())
def test_widening_moves_ends_outward_but_not_0(box: tuple[Interval, float]) -> None:
    x, _ = box
    wide = x.widened()
    assert wide.covers(x)
    assert wide.lo == 0.0 or x.lo != 0.0
    assert wide.lo < x.lo or x.lo == 0.0
    assert wide.hi > x.hi or x.hi == 0.0


def test_ends_of_monotone_functions() -> None:
    assert by_ends(np.exp, [True], Interval(-math.inf, 0.0)) == UNIT
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        assert by_ends(np.log, [True], UNIT) == Interval(-math.inf, 0.0)
        found = by_ends(lambda x: 1.0 / (1.0 + np.exp(-x)), [True], Interval(-40.0, 40.0))
        assert by_ends(np.log, [True], Interval(-2.0, -1.0)) == EVERYTHING
    assert UNIT.covers(found)
    assert found.lo > 0.0
    assert by_ends(np.subtract, [True, False], UNIT, UNIT, exact=True) == Interval(-1.0, 1.0)
    fuzzy = by_ends(np.exp, [True], YES)
    assert fuzzy.lo < math.e < fuzzy.hi
    assert not fuzzy.is_point


def test_it_shows_itself() -> None:
    assert str(Interval(0.0, math.inf)) == "[0, inf]"


@pytest.mark.parametrize(
    ("name", "x", "entries", "wanted"),
    [
        ("sum", Interval(-1.0, 2.0), 3.0, Interval(-3.0, 6.0)),
        ("sum", Interval(0.0, 16777215.0), 3.0, None),
        ("mean", Interval(-1.0, 0.0), 4.0, Interval(-1.0, 0.0)),
        ("mean", Interval(-1.0, 0.0), 3.0, None),
        ("mean", Interval(0.0, 16777215.0), 4.0, None),
    ],
)
def test_floats_count_exactly(name: str, x: Interval, entries: float, wanted: Interval | None) -> None:
    """Whole numbers, up to 2^24; and a mean of them is a quotient by 2, 4, 8 ..., or a product."""
    found = row(name).range_of(x, n=Interval(entries, entries))
    ends = x if name == "mean" else x * Interval(entries, entries)
    assert found == wanted if wanted else found.covers(ends) and found != ends


def test_the_pull_of_a_constant_is_rounded() -> None:
    """The mean of what is 1 everywhere, by the shares of a softmax, is 1 to a rounding error alone."""
    found = row("softmax_pull").range_of(Interval(-1.0, 1.0), YES, n=Interval(3.0, 3.0))
    assert -1e-6 in found and 1e-6 in found and 1e-4 not in found
