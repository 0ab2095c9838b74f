"""A formula as a Keras metric: the weighted mean over a data set, exact however it is cut into batches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import keras
from keras import ops

from lossdsl.backends.live_call import Dispatcher
from lossdsl.backends.live_config import (
    check_dtype,
    check_epsilon,
    check_name,
    checked_formula,
    read_config,
    warn,
    write_config,
)
from lossdsl.backends.live_register import registered, unconverted
from lossdsl.backends.runtime import compute_dtype, get_keras_mask
from lossdsl.checked import Checked
from lossdsl.checker.signature import MOST_STARS
from lossdsl.errors import LossError, fail
from lossdsl.source import Source
from lossdsl.spec import check_logits


@registered
class Metric(keras.metrics.Metric):  # type: ignore[misc]
    """A formula as a metric.

    Each term of the formula has two totals of its own, the weighted sum and what divides it, so that a batch
    counts by what it holds. A formula that couples the samples of a batch can only be averaged over batches.
    """

    def __init__(
        self,
        formula: str | Source,
        params: Mapping[str, object] | None = None,
        *,
        name: str | None = None,
        dtype: Any = None,
        uses: Mapping[str, str] | None = None,
        epsilon: float | None = None,
        rewrite: bool = True,
        logits: bool | str = "auto",
    ) -> None:
        name = check_name(name, "lossdsl")
        if name == "loss":
            raise fail("metric-name", None)
        given, used = check_dtype(dtype)
        epsilon = check_epsilon(epsilon)
        super().__init__(dtype, name)
        self._given_dtype, self._epsilon = given, epsilon
        self._logits = logits = check_logits(logits)
        self._checked = checked_formula(formula, params, uses, epsilon, measure=True, rewrite=rewrite)
        self._dispatcher = Dispatcher(self._checked, "mean_with_sample_weight", used, False, "ours", logits)
        if self._checked.couples != "none":
            warn("metric-per-batch", self._checked)
        self._terms = _most_terms(self._checked)
        work = compute_dtype(used)
        self.total = self.add_variable((self._terms,), "zeros", dtype=work, name="total")
        self.count = self.add_variable((self._terms,), "zeros", dtype=work, name="count")

    @unconverted
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch."""
        pairs = self._dispatcher.fractions(y_true, y_pred, sample_weight, get_keras_mask(y_pred))
        nothing = ops.zeros_like(pairs[0][0])
        pairs = [*pairs, *[(nothing, nothing)] * (self._terms - len(pairs))]
        self.total.assign_add(ops.stack([above for above, _ in pairs]))
        self.count.assign_add(ops.stack([below for _, below in pairs]))

    def result(self) -> Any:
        """The mean so far; 0 before anything counted."""
        return ops.sum(ops.divide_no_nan(self.total, self.count))

    @property
    def formula(self) -> str:
        """The formula, as typed."""
        return self._checked.text

    def get_config(self) -> dict[str, Any]:
        """Everything that makes the metric, as JSON can hold it."""
        rewrite = None if self._checked.best else False
        settings = {"name": self.name, "dtype": self._given_dtype, "epsilon": self._epsilon, "rewrite": rewrite}
        settings |= {"logits": None if self._logits == "auto" else self._logits}
        return write_config(self._checked, **settings)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric of a config; what a damaged or newer file holds is an error here."""
        known = ("formula", "params", "name", "dtype", "uses", "epsilon", "rewrite", "logits")
        return cls(**read_config(config, known))


def _most_terms(checked: Checked) -> int:
    """The number of terms at the rank that has most: axes left standing can join two terms into one."""
    signature, most = checked.signature, 1
    for stars in range(MOST_STARS + 1 if signature.has_star else 1):
        true, pred = ((None,) * (s.least + s.has_star * stars) for s in (signature.y_true, signature.y_pred))
        with suppress(LossError):  # not every rank has a meaning
            most = max(most, len(checked.program(true, pred).terms))
    return most
