"""What is not used never reaches the gradient: first order in NumPy, both orders on TensorFlow in every mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from graph_oracle import Driven
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAN, INF = float("nan"), float("inf")
LOG2 = float(np.log(2.0))


@dataclass(frozen=True)
class Trap:
    """A formula at data where a careless gradient breaks: the derivative, and the sum of its own derivatives."""

    text: str
    pred: list[Any]
    slope: list[Any]
    second: list[Any]
    true: Any = 0.0

    @property
    def driven(self) -> Driven:
        pred = np.array([self.pred], float) if not isinstance(self.pred[0], list) else np.array(self.pred, float)
        true = np.full(pred.shape, self.true) if isinstance(self.true, float) else np.array(self.true, float)
        return Driven(self.text, true.reshape(1, -1) if true.ndim == 1 else true, pred)


# By hand: the slope of the summed loss, and H @ ones.
TRAPS = (
    Trap("sum(where(y_pred > 4, sqrt(y_pred - 4), 0)) + 0 * sum(y_true)", [1, 4, 8, 5], [0, 0, 0.25, 0.5], [0, 0, -1 / 32, -0.25]),
    Trap("sum(where(y_pred > 4, y_pred * sqrt(y_pred - 4), 0))", [1, 4, 8, 5], [0, 0, 4, 3.5], [0, 0, 0.25, -0.25]),
    Trap("sum(where(y_pred > 0, log(y_pred), 0))", [0, -1, 2], [0, 0, 0.5], [0, 0, -0.25]),
    Trap("sum(log(y_pred)**2)", [1, 2], [0, LOG2], [2, (1 - LOG2) / 2]),
    Trap("sum(where(isnan(y_true), 0, square(y_true - y_pred)))", [0, 2], [0, 2], [0, 2], [NAN, 1]),
    Trap("sum(where(isnan(y_true), 0, y_pred * square(y_true - y_pred))**2)", [0, 2], [0, 20], [0, 82], [NAN, 1]),
    Trap("sum(where(y_true == y_true, y_pred * square(y_true - y_pred), 0)**2)", [0, 2], [0, 20], [0, 82], [NAN, 1]),
    Trap("sum(where(isfinite(y_true), y_pred * square(y_true - y_pred), 0)**2)", [0, 2], [0, 20], [0, 82], [INF, 1]),
    Trap("sum(square(y_true - y_pred), where=not isnan(y_true))", [0, 2], [0, 2], [0, 2], [NAN, 1]),
    Trap("sum(clip(log(y_pred), -10, 10))", [0, 2], [0, 0.5], [0, -0.25]),
    Trap("sum(clip(log(y_pred), -10, 10)**2)", [0, 2], [0, LOG2], [0, (1 - LOG2) / 2]),
    Trap("sum(maximum(log(y_pred), -10) * y_pred)", [0, 2], [-10, 1 + LOG2], [0, 0.5]),
    Trap("sum(minimum(-log(y_pred), 10)**2)", [0, 2], [0, LOG2], [0, (1 - LOG2) / 2]),
    Trap("sum(relu(log(y_pred))**2)", [0, 2], [0, LOG2], [0, (1 - LOG2) / 2]),
    Trap("max(log(y_pred))**2", [0, 2, 1], [0, LOG2, 0], [0, (1 - LOG2) / 2, 0]),
    Trap("sum(top_k(log(y_pred), 1)**2)", [0, 2, 1], [0, LOG2, 0], [0, (1 - LOG2) / 2, 0]),
    Trap("sort(log(y_pred))[..., 2]**2", [0, 2, 1], [0, LOG2, 0], [0, (1 - LOG2) / 2, 0]),
    Trap("log(y_pred)[..., 1]**2", [0, 2, 1], [0, LOG2, 0], [0, (1 - LOG2) / 2, 0]),
    Trap("sum(log(y_pred)[..., 1:]**2)", [0, 2, 1], [0, LOG2, 0], [0, (1 - LOG2) / 2, 2]),
    Trap("sum(where(y_pred < 80, exp(y_pred), y_pred))", [0, 100], [1, 1], [1, 0]),
    Trap("sum(where(y_pred < 80, exp(y_pred) * y_pred, y_pred)**2)", [0, 100], [0, 200], [2, 2]),
    Trap("sum(where(y_pred < 9, square(square(y_pred)) * square(y_pred), y_pred))", [1, 1e15], [6, 1], [30, 0]),
    Trap("sum(where(y_pred > 0, where(y_pred > 1, log(y_pred - 1), sqrt(y_pred)), 0)**2)", [0, 2, 1, -1], [0, 0, 1, 0], [0, 2, 0, 0]),
    Trap("sum(where(y_true > 0, y_pred / y_true, 0)**2)", [1, 2], [0, 4], [0, 2], [0, 1]),
    Trap("sum(log(y_pred)**2 if y_pred > 0 and y_true == 0 else y_pred)", [0, 2], [1, LOG2], [0, (1 - LOG2) / 2]),
    Trap("logsumexp(log(y_pred), where=y_pred > 0)", [0, 2], [0, 0.5], [0, -0.25]),
    Trap(
        "y_true: float[batch, classes]\ny_pred: float[batch, one]\n"
        "sum(where(y_true > 0, log(expand_dims(y_pred[..., 0], -1))**2, 0))",
        [[0], [2]], [[0], [2 * LOG2]], [[0], [1 - LOG2]], [[0, 0, 0], [1, 0, 1]],
    ),
    Trap(
        "e = log(y_pred)\nsum(where(y_pred > 1, e, 0) + where(y_true > 0, 3 * e, 0))",
        [0, 2, 0.5, 4], [0, 0.5, 6, 1], [0, -0.25, -12, -0.25], [0, 0, 1, 1],
    ),
    Trap("prod(y_pred)", [0, 2, 3], [6, 0, 0], [5, 3, 2]),
    Trap("prod(y_pred)", [0, 0, 3], [0, 0, 0], [3, 3, 0]),
    Trap("norm(y_pred)", [3, 4], [0.6, 0.8], [0.032, -0.024]),
    Trap("norm(y_pred) * sum(y_pred)", [0, 0], [0, 0], [0, 0]),
    Trap("norm(y_pred)**2", [0, 0], [0, 0], [2, 2]),
    Trap("std(y_pred) * sum(y_pred)", [1, 1], [0, 0], [0, 0]),
    Trap("sum(normalize(y_pred) * [1, 2])", [0, 0], [0, 0], [0, 0]),
    Trap("sum(xlogy(y_true, y_pred))", [0, 2], [0, 0.5], [0, -0.25], [0, 1]),
)  # fmt: skip


def name(trap: Trap) -> str:
    return f"{trap.text} at {trap.pred}"


@pytest.mark.parametrize("trap", TRAPS, ids=name)
@pytest.mark.parametrize("best", [True, False], ids=["rewritten", "as-written"])
def test_first_order(trap: Trap, best: bool) -> None:
    shown = trap.driven
    driven = Driven(shown.text, shown.y_true, shown.y_pred, None, best)
    found = driven.gradient(ones=True)
    np.testing.assert_allclose(found, np.reshape(trap.slope, found.shape), rtol=1e-9, atol=1e-12)


def test_nothing_is_guarded_where_nothing_is_selected() -> None:
    data = np.full((2, 3), 0.5)
    for text in (
        "mean(log(y_pred) * y_true)",
        "sum(softmax(y_pred) * sqrt(y_true))",
        "norm(y_pred - y_true) + prod(y_pred)",
    ):
        source = Driven(text, data, data).program.gradient_source()
        assert source is not None and "where(" not in source.replace("ops.where(ops.equal(", "")


def test_a_cheap_selection_costs_one_choice() -> None:
    """Data that nobody asks to be missing are trusted: no operand is guarded."""
    data = np.full((2, 3), 0.5)
    text = "e = abs(y_true - y_pred)\nsum(where(e <= 1, 0.5 * square(e), e - 0.5))"
    source = Driven(text, data, data).program.gradient_source()
    assert source is not None and "1.0, dtype" not in source
    assert source.count("ops.where(") == 1 + 1 + 2  # the pull, the value, the pull of its only term


BRANCHES = (
    "log(e)",
    "sqrt(e)",
    "1 / e",
    "e * log(e)",
    "exp(300 * e) * e",
    "(e - 1)**-2",
    "arccos(e)",
    "log(log(e))",
    "e**0.5 * y_true",
    "log(mean(e, axis=all) - 9) + 0 * e",
    "softmax(log(e)) * e",
    "std(log(e)) + e",
    "norm(sqrt(e)) * e",
    "sort(log(e)) * e",
    "cumsum(1 / e) * e",
    "prod(log(e)) * e",
)
USES = (
    "where({c}, {b}, {a})",
    "{b} if {c} else {a}",
    "maximum(where({c}, {b}, -5), {a})",
    "sum(where({c}, {b}, 0), axis=-1) * {a}",
)


@settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, max_examples=150)
@given(st.sampled_from(BRANCHES), st.sampled_from(USES), st.sampled_from(USES), st.booleans())
def test_a_branch_never_taken_changes_nothing(branch: str, use: str, other: str, best: bool) -> None:
    """With a condition that never holds, the gradient is that of the other branch alone."""
    pred = np.array([[0.0, -1.0, 2.0, 1.0]])
    true = np.array([[0.5, 1.5, -1.0, 2.0]])
    safe = "tanh(y_pred)"
    bad = use.format(c="(y_true > 9)", b=branch, a=other.format(c="(y_true < -9)", b="sqrt(-1 - square(e))", a=safe))
    found = Driven(f"e = y_pred\nmean({bad} + 0 * y_true)", true, pred, None, best)
    plain = bad.replace(branch, "0 * y_pred").replace("sqrt(-1 - square(e))", "0 * y_pred")
    wanted = Driven(f"mean({plain} + 0 * y_true)", true, pred, None, best)
    np.testing.assert_allclose(found.value(), wanted.value(), rtol=1e-12)
    np.testing.assert_allclose(found.gradient(), wanted.gradient(), rtol=1e-12, atol=1e-15)


@pytest.mark.keras
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("trap", TRAPS, ids=name)
def test_both_orders_on_tensorflow(trap: Trap, mode: str) -> None:
    import tensorflow as tf
    from keras import ops

    from lossdsl.backends import shims
    from lossdsl.backends.runtime_gradient import attach

    driven = trap.driven
    value = driven.program.load_with_gradient(ops, shims, attach).value
    y_true, y_pred = tf.constant(driven.y_true, tf.float32), tf.constant(driven.y_pred, tf.float32)

    def both() -> tuple[Any, Any]:
        with tf.GradientTape() as outer:
            outer.watch(y_pred)
            with tf.GradientTape() as inner:
                inner.watch(y_pred)
                loss = tf.reduce_sum(value(y_true, y_pred))
            slope = inner.gradient(loss, y_pred)
        return slope, outer.gradient(slope, y_pred, unconnected_gradients="zero")

    run = {
        "eager": both,
        "graph": tf.function(both, autograph=False),
        "xla": tf.function(both, autograph=False, jit_compile=True),
    }[mode]
    slope, second = (x.numpy() for x in run())
    np.testing.assert_allclose(slope, np.reshape(trap.slope, slope.shape), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second, np.reshape(trap.second, second.shape), rtol=1e-4, atol=1e-5)
