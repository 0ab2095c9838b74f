"""Wrong rows, planted one by one: each must be rejected, and by the law that is there for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import laws
import numpy as np
import pytest

from lossdsl.interval import UNIT, Interval
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOTHING_LARGER,
    ZERO,
    Curvature,
    Inner,
    Monotone,
    Op,
    RangeRule,
)


@dataclass(frozen=True)
class Planted:
    """A row made wrong in some columns, the law that must see it, and what is wrong."""

    row: str
    law: Callable[[Op], None]
    wrong: dict[str, Any]

    @property
    def op(self) -> Op:
        return replace({**OPS, **INTERNAL}[self.row], **self.wrong)

    def __str__(self) -> str:
        return f"{self.row}-{'-'.join(self.wrong)}-{self.law.__name__}"


def _naive_softplus(x: Any) -> Any:
    return np.log(1.0 + np.exp(x))


PLANTED = [
    # wrong derivatives: a factor, a sign, an argument, an axis, an argument forgotten, accuracy
    Planted("log2", laws.law_grad, {"grad": ("g / x",)}),
    Planted("cos", laws.law_grad, {"grad": ("g * sin(x)",)}),
    Planted("where", laws.law_grad, {"grad": (ZERO, "where(condition, 0, g)", "where(condition, g, 0)")}),
    Planted("arctan2", laws.law_grad, {"grad": tuple(reversed(OPS["arctan2"].grad))}),
    Planted("mean", laws.law_grad, {"grad": ("spread(g, x)",)}),
    Planted("sum", laws.law_grad, {"grad": ("g",)}),
    Planted("prod", laws.law_grad, {"grad": ("where(x == 0, 0, g * out / where(x == 0, 1, x))",)}),
    Planted("logsumexp", laws.law_grad, {"grad": ("g * softmax(x)",)}),
    Planted("softmax", laws.law_grad, {"grad": ("out * g",)}),
    Planted("cumsum", laws.law_grad, {"grad": ("cumsum(g, axis=axis)",)}),
    Planted("sort", laws.law_grad, {"grad": ("g",)}),
    Planted("divide", laws.law_grad, {"grad": ("g / x2", "g * out / x2")}),
    Planted("digamma", laws.law_zero_grad, {"grad": (ZERO,)}),
    Planted("sigmoid", laws.law_grad_in_floats, {"grad": ("g * out * (1 - out)",)}),
    Planted("tanh", laws.law_grad_in_floats, {"grad": ("g * (1 - square(out))",)}),
    # wrong conventions at kinks
    Planted("relu", laws.law_kink, {"grad": ("where(x >= 0, g, 0)",)}),
    Planted("abs", laws.law_kink, {"grad": ("where(x >= 0, g, -g)",)}),
    Planted("max", laws.law_kink, {"grad": ("where(x == out, g, 0)",)}),
    Planted("norm", laws.law_kink, {"grad": ("g * x / out",)}),
    Planted("maximum", laws.law_kink, {"at_kink": "maximum'(0, 0) = 0.5, 0.5"}),
    Planted("relu", laws.law_kinks_are_told, {"at_kink": NO_KINK}),
    Planted("exp", laws.law_safe, {"safe": NO_LIMITS}),
    Planted("log", laws.law_safe, {"safe": (0.0,)}),
    # wrong meanings
    Planted("softplus", laws.law_numpy, {"numpy": _naive_softplus}),
    Planted("log1p", laws.law_numpy, {"numpy": lambda x: np.log(1.0 + x)}),
    Planted("erf", laws.law_numpy, {"numpy": lambda x: np.tanh(1.128379 * x + 0.1009 * x**3)}),
    Planted("round", laws.law_numpy, {"numpy": lambda x: np.floor(x + 0.5)}),
    Planted("sort", laws.law_numpy, {"numpy": lambda x, axis: -np.sort(-x, axis=axis)}),
    Planted("sum", laws.law_numpy, {"numpy": lambda x, axis: np.sum(x, axis=axis)}),
    Planted("xlogy", laws.law_numpy, {"means": "x * log(y)"}),
    Planted("softsign", laws.law_example, {"example": "softsign(1) -> 2"}),
    # wrong domains: too wide, too narrow
    Planted("log", laws.law_domain, {"domain": EVERYWHERE}),
    Planted("power", laws.law_domain, {"domain": "x1 >= 0 or x2 == round(x2)"}),
    Planted("sqrt", laws.law_domain, {"domain": "x > 0"}),
    Planted("take", laws.law_place_outside, {"numpy": lambda x, indices, axis=0: x[indices]}),
    # wrong ranges, orders, shapes
    Planted("softplus", laws.law_range, {"range": lambda x: Interval(1e-6, np.inf)}),
    Planted("square", laws.law_range, {"range": lambda x: Interval(x.lo * x.lo, x.hi * x.hi)
                                       if abs(x.lo) <= abs(x.hi) else Interval(x.hi * x.hi, x.lo * x.lo)}),
    Planted("sum", laws.law_range, {"range": RangeRule.HULL}),
    Planted("sigmoid", laws.law_range, {"range": lambda x: Interval(0.0, 0.999)}),
    Planted("log_softmax", laws.law_range, {"range": lambda x, n: UNIT}),
    Planted("where", laws.law_range, {"range": lambda condition, x1, x2: x1}),
    Planted("rsqrt", laws.law_monotone, {"monotone": (Monotone.UP,)}),
    Planted("abs", laws.law_monotone, {"monotone": (Monotone.UP,)}),
    Planted("tan", laws.law_monotone, {"monotone": (Monotone.BY_GRAD,)}),
    Planted("subtract", laws.law_monotone, {"monotone": (Monotone.UP, Monotone.UP)}),
    Planted("softmax", laws.law_monotone, {"monotone": (Monotone.UP,)}),
    Planted("sigmoid", laws.law_curvature, {"curvature": Curvature.CONVEX}),
    Planted("log", laws.law_curvature, {"curvature": Curvature.CONVEX}),
    Planted("multiply", laws.law_curvature, {"curvature": Curvature.CONVEX}),
    Planted("norm", laws.law_curvature, {"curvature": Curvature.AFFINE}),
    # wrong about what can overflow on the way, and about guards
    Planted("var", laws.law_inner, {"inner": Inner(lambda x, n: (x - x).square() * n)}),
    Planted("mean", laws.law_inner, {"inner": Inner(lambda x, n: x)}),
    Planted("log", laws.law_guard, {"guard": "maximum(x, 0)"}),
    Planted("log", laws.law_guard, {"guard": "maximum(x, 2)"}),
    Planted("sqrt", laws.law_guard, {"guard": NO_GUARD}),
    Planted("divide", laws.law_guard, {"guard": "maximum(x1, epsilon)"}),
    Planted("arcsin", laws.law_guard, {"guard": "minimum(x, 1 - epsilon)"}),
    Planted("exp", laws.law_guard, {"guard": "minimum(x, 100)"}),
    # wrong texts
    Planted("softmax", laws.law_complete, {"keras": "ops.softmax({x})"}),
    Planted("exp", laws.law_complete, {"keras": "np.exp({x})"}),
    Planted("exp", laws.law_complete, {"latex": "e^{{{x}"}),
    Planted("exp", laws.law_complete, {"doc": "Exponential"}),
    # wrong under where=
    Planted("mean", laws.law_masked, {"masked": "mean(where(c, x, 0), axis=axis)"}),
    Planted("max", laws.law_masked, {"masked": "max(where(c, x, 0), axis=axis)"}),
    Planted("std", laws.law_masked, {"masked": "std(where(c, x, mean(x, axis=axis, where=c)), axis=axis)"}),
    Planted("softmax", laws.law_masked, {"masked": "softmax(where(c, x, -3.4028235e38), axis=axis)"}),
]  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED, ids=str)
def test_a_wrong_row_is_rejected(planted: Planted) -> None:
    with pytest.raises(AssertionError, match=re.escape(planted.row)):
        planted.law(planted.op)


@pytest.mark.parametrize(
    ("row", "keras"),
    [
        ("xlogy", "{x} * ops.log({y})"),
        ("subtract", "{x2} - {x1}"),
        ("log_softmax", "ops.softmax({x}, axis={axis})"),
        ("argmax", "ops.argmin({x}, axis={axis}, keepdims=True)"),
        ("mean", "ops.mean({x}, axis={axis})"),
    ],
)
@pytest.mark.keras
def test_a_wrong_template_is_rejected(row: str, keras: str) -> None:
    from keras_law import law_keras

    with pytest.raises(AssertionError, match=row):
        law_keras(replace(OPS[row], keras=keras))


@pytest.mark.parametrize("row", ["mean", "std"])
@pytest.mark.keras
def test_a_row_that_forgets_what_overflows_on_the_way_is_rejected(row: str) -> None:
    from keras_law import law_reach

    with pytest.raises(AssertionError, match=rf"(?s){row}: .* though nothing overflows"):
        law_reach(replace(OPS[row], inner=NOTHING_LARGER))


@pytest.mark.parametrize("column", ["means", "grad", "latex", "masked", "safe"])
def test_an_empty_column_is_an_error(column: str) -> None:
    with pytest.raises(AssertionError, match=f"exp: column {column} is empty"):
        replace(OPS["exp"], **{column: ""})


def test_a_gradient_for_each_argument() -> None:
    with pytest.raises(AssertionError, match="divide: grad"):
        replace(OPS["divide"], grad=("g / x2",))


@pytest.mark.parametrize("column", ["keras", "latex"])
def test_a_template_that_leaves_out_an_argument_is_an_error(column: str) -> None:
    with pytest.raises(AssertionError, match="divide: a template leaves out x2"):
        replace(OPS["divide"], **{column: "{x1}"})
