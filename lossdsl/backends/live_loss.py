"""The loss itself: a `keras.losses.Loss` that is made from a formula, and saved as one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

import keras

from lossdsl.backends.live_call import Dispatcher
from lossdsl.backends.live_config import (
    check_dtype,
    check_epsilon,
    check_gradient,
    check_jit,
    check_name,
    check_reduction,
    checked_formula,
    read_config,
    write_config,
)
from lossdsl.backends.live_metric import Metric
from lossdsl.backends.live_register import registered, unconverted
from lossdsl.backends.runtime import get_keras_mask
from lossdsl.checked import Checked
from lossdsl.errors import fail
from lossdsl.precision import precision
from lossdsl.proof import demand, lost_constants
from lossdsl.source import Source
from lossdsl.spec import LossSpec, check_logits, check_strict

DEFAULT_NAME = "lossdsl"
"""Never the formula: `fit` makes a scope of it."""


@registered
class Loss(keras.losses.Loss):  # type: ignore[misc]
    """A formula as a Keras loss.

    `call` gives one number per sample and uses `keras.ops` alone; calling the loss itself also weights and
    reduces. A loss never changes: Keras goes on with the traced value after a change, and says nothing.
    """

    def __init__(
        self,
        formula: str | Source,
        params: Mapping[str, object] | None = None,
        *,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        jit_compile: bool | str = "auto",
        uses: Mapping[str, str] | None = None,
        epsilon: float | None = None,
        rewrite: bool = True,
        gradient: str = "ours",
        logits: bool | str = "auto",
        strict: bool | float = False,
    ) -> None:
        epsilon = check_epsilon(epsilon)
        given, used = check_dtype(dtype)
        super().__init__(check_name(name, DEFAULT_NAME), check_reduction(reduction), dtype)
        self._given_dtype, self._epsilon = given, epsilon
        self._jit = check_jit(jit_compile)
        self._checked = checked_formula(formula, params, uses, epsilon, rewrite=rewrite)
        self._gradient = check_gradient(gradient)
        self._logits = check_logits(logits)
        self._strict = check_strict(strict)
        demand(self._checked, self._strict, used)
        self._dispatcher = Dispatcher(self._checked, reduction, used, jit_compile, gradient, self._logits, self._strict)
        for found in (*lost_constants(self._checked, precision(used)), *self._checked.warnings):
            warnings.warn(found.render(), UserWarning, stacklevel=3)
        self._sealed = True

    @unconverted
    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The value of the formula: one number per sample, and per axis left standing; never from logits."""
        return self._dispatcher.value(y_true, y_pred)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss: weighted, masked and reduced."""
        return self._dispatcher(y_true, y_pred, sample_weight, get_keras_mask(y_pred))

    @property
    def formula(self) -> str:
        """The formula, as typed."""
        return self._checked.text

    @property
    def checked(self) -> Checked:
        """The formula as it was checked."""
        return self._checked

    @property
    def params(self) -> Mapping[str, object]:
        """The parameters that were given; read-only, see `with_params`."""
        return MappingProxyType(self._checked.params)

    @property
    def function(self) -> Dispatcher:
        """What calls the compiled functions: callable, with `experimental_get_tracing_count`."""
        return self._dispatcher

    @property
    def spec(self) -> LossSpec:
        """The loss as plain values."""
        reduction = "none" if self.reduction is None else self.reduction
        name = None if self.name == DEFAULT_NAME else self.name
        settings = self._given_dtype, self._logits, self._strict
        return LossSpec(self.formula, dict(self.params), reduction, name, *settings)

    def with_params(self, **changes: object) -> Loss:
        """Another loss of the same formula and settings, with other parameters; a `strict` one is proved anew."""
        config = self.get_config()
        return Loss.from_config(config | {"params": {**config.get("params", {}), **changes}})

    def as_metric(self, name: str | None = None) -> Metric:
        """The loss as a metric: the weighted mean over the whole data set, a short last batch included."""
        checked = self._checked
        return Metric(
            checked.source,
            checked.params,
            name=self.name if name is None else name,
            dtype=self._given_dtype,
            uses=checked.uses,
            epsilon=self._epsilon,
            rewrite=checked.best,
            logits=self._logits,
        )

    def get_config(self) -> dict[str, Any]:
        """Everything that makes the loss, the library losses it names included, as JSON can hold it."""
        return write_config(
            self._checked,
            reduction=self.reduction,
            name=self.name,
            dtype=self._given_dtype,
            jit_compile=self._jit,
            rewrite=None if self._checked.best else False,
            gradient=None if self._gradient == "ours" else self._gradient,
            logits=None if self._logits == "auto" else self._logits,
            strict=self._strict or None,
            epsilon=self._epsilon,
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss of a config, a `strict` one proved anew; what a damaged or newer file holds is an error here."""
        known = ("formula", "params", "reduction", "name", "dtype", "jit_compile", "uses", "epsilon")
        return cls(**read_config(config, (*known, "rewrite", "gradient", "logits", "strict")))

    def _identity(self) -> tuple[Any, ...]:
        settings = self._given_dtype, self._dtype, self._jit, self._gradient, self._logits, self._strict
        return self._checked.key, self.reduction, self.name, *settings

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, Loss) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __setattr__(self, name: str, value: object) -> None:
        if getattr(self, "_sealed", False):
            self._refuse(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        raise fail("loss-read-only", None, name=name)

    def __repr__(self) -> str:
        config = self.get_config()
        shown = [f"{key}={config[key]!r}" for key in ("params", "reduction", "name", "dtype") if key in config]
        return f"lossdsl.Loss({', '.join([repr(self.formula), *shown])})"
