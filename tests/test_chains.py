"""Products and sums that are grouped in any order: what their parts are, what may happen on the way, and where they lie."""

from __future__ import annotations

import pytest

from lossdsl.analysis.chains import (
    factors,
    product_in_any_order,
    product_overflows,
    sum_in_any_order,
    sum_may_be_nan,
    sum_overflows,
    terms,
)
from lossdsl.checked import analyse
from lossdsl.interval import SMALLEST, UNIT, Interval, point
from lossdsl.ir.node import Node, reachable

HALVES, THIRDS = Interval(0.0, 0.5), Interval(0.0, 0.3)


def root(text: str) -> Node:
    """What is averaged in a loss."""
    nodes = reachable([analyse(f"mean({text} + 0 * y_pred)", rewrite=False).display().elaborated.root])
    (mean,) = [node for node in nodes if node.op == "mean"]
    return mean.inputs[0].inputs[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("y_true * y_pred", ["input", "input"]),
        ("2 * (y_true * exp(y_pred))", ["const", "exp", "input"]),
        ("(y_true * 3) * (y_pred * y_true)", ["const", "input", "input", "input"]),
        ("y_true * y_pred / 4", ["const", "input", "input"]),
        ("y_true / size(y_pred, axis=-1) * y_pred", ["input", "input", "cast"]),
        ("y_true / (1 + index(y_pred)) * y_pred", ["input", "input", "cast"]),
        ("2 * (y_true / exp(y_pred))", ["const", "divide"]),
        ("square(y_true) * y_pred", ["input", "square"]),
        ("y_true + y_pred", []),
        ("y_true / y_pred", []),
    ],
)
def test_factors(text: str, wanted: list[str]) -> None:
    seen: list[Node] = []

    def interval(node: Node) -> Interval:
        seen.append(node)
        return point(float(node.value)) if node.is_const else Interval(1.0, 2.0)

    found = factors(root(text), interval)
    assert sorted(node.op for node in seen) == sorted(wanted)
    assert len(found) == len(wanted)


def test_a_quotient_is_a_factor_that_is_the_inverse() -> None:
    found = factors(root("y_pred * y_true / 4"), lambda x: point(4.0) if x.is_const else Interval(3.0, 3.0))
    assert sorted(part.lo for part in found) == [0.25, 3.0, 3.0]


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([Interval(0.0, 1e30), Interval(0.0, 1e30), point(0.0)], True),  # 0 comes last
        ([Interval(-1e30, 0.0), Interval(0.0, 1e8), Interval(0.0, 1e-20)], False),
        ([Interval(0.0, 3e38), UNIT, UNIT], False),
        ([Interval(0.0, 3e38), UNIT, point(2.0)], True),
    ],
)
def test_what_may_overflow(parts: list[Interval], wanted: bool) -> None:
    assert product_overflows(parts) is wanted


@pytest.mark.parametrize(
    ("parts", "written", "wanted"),
    [
        ([UNIT, HALVES, point(2.0)], UNIT, UNIT),  # powers of 2 round nothing
        ([UNIT, UNIT, THIRDS], THIRDS, THIRDS.widened(6.0)),
        ([Interval(0.7, 1.0), UNIT, UNIT], UNIT, UNIT),  # nothing up to 1 has a product beyond it
        (
            [Interval(-1.0, 0.7), UNIT, UNIT],
            Interval(-1.0, 0.7),
            Interval(-1.0, 0.7).widened(6.0).meet(Interval(-1, 1)),
        ),
        ([point(2.0**-70), point(2.0**-70), point(2.0**100)], point(2.0**-40), Interval(0.0, 2.0**-40)),
        ([point(2.0**-70), point(2.0**-50), point(2.0**100)], point(2.0**-20), point(2.0**-20)),
    ],
)
def test_where_it_lies(parts: list[Interval], written: Interval, wanted: Interval) -> None:
    assert product_in_any_order(parts, written) == wanted


def test_the_smallest_number_does_not_vanish() -> None:
    assert product_in_any_order([point(SMALLEST), point(1.0), point(1.0)], point(SMALLEST)) == point(SMALLEST)


def test_terms() -> None:
    seen: list[Node] = []

    def interval(node: Node) -> Interval:
        seen.append(node)
        return Interval(1.0, 2.0)

    assert len(terms(root("(y_true + exp(y_pred)) + (y_true - y_pred)"), interval)) == 3
    assert sorted(node.op for node in seen) == ["exp", "input", "subtract"]


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([Interval(0.0, 3e38), Interval(0.0, 1e38), point(-2e38)], True),
        ([Interval(-2e38, 0.0), point(-2e38), point(3e38)], True),
        ([Interval(-2e38, 2e38), Interval(0.0, 1e38), point(-1e38)], False),
    ],
)
def test_what_sums_may_overflow(parts: list[Interval], wanted: bool) -> None:
    assert sum_overflows(parts) is wanted


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([Interval(0.0, 3e38), Interval(0.0, 3e38), UNIT], False),
        ([Interval(-3e38, 3e38), Interval(0.0, 3e38), UNIT], False),
        ([Interval(-3e38, 3e38), Interval(-3e38, 3e38), UNIT], True),
    ],
)
def test_what_sums_may_be_nan(parts: list[Interval], wanted: bool) -> None:
    """Where both sides overflow; infinities of one side stay infinite."""
    assert sum_may_be_nan(parts) is wanted


def test_where_a_sum_lies() -> None:
    shares = [UNIT, UNIT, UNIT]
    assert sum_in_any_order(shares, Interval(0.5, 1.0)).covers(Interval(0.4999997, 1.0000003))
    assert sum_in_any_order(shares, Interval(0.0, 1.0)).lo == 0.0
    signed = sum_in_any_order([UNIT, Interval(-1.0, 0.0), UNIT], Interval(0.0, 1.0))
    assert -2e-6 < signed.lo < 0.0
