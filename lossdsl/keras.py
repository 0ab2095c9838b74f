"""Losses and metrics as Keras objects. Importing this module imports Keras and registers them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lossdsl.backends.live import Loss, Metric
from lossdsl.errors import fail
from lossdsl.source import Source

__all__ = ["Loss", "Metric", "compile", "metric"]


def compile(
    formula: str | Source,
    params: Mapping[str, object] | None = None,
    *,
    name: str | None = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
    jit_compile: bool | str = "auto",
    rewrite: bool = True,
    gradient: str = "ours",
    logits: bool | str = "auto",
    strict: bool | float = False,
    **more_params: object,
) -> Loss:
    """Make a `keras.losses.Loss` of a formula; parameters go in `params`, or by name.

    Without `rewrite` the code computes the formula as it was written. `gradient="backend"` leaves differentiation to
    the framework, which forward mode (JAX `jvp`, `jacfwd`) and `torch.func` need. Where a formula takes logarithms of
    probabilities that a sigmoid or softmax has made, it uses the logits behind them, and the gradient with respect to
    `y_pred` itself is None; `logits=False` turns that off.

    With `strict` a formula is refused unless its value and gradient are proved to be finite, on data of its `dtype`,
    for all that its declarations allow; with a number, undeclared data are taken to be no larger. Raises LossError.
    """
    if not isinstance(formula, (str, Source)):
        raise fail("not-a-formula", None, kind=type(formula).__name__)
    if not (params is None or isinstance(params, Mapping)):
        raise fail("parameters-unnamed", None, kind=type(params).__name__)
    return Loss(
        formula,
        {**(params or {}), **more_params},
        name=name,
        reduction=reduction,
        dtype=dtype,
        jit_compile=jit_compile,
        rewrite=rewrite,
        gradient=gradient,
        logits=logits,
        strict=strict,
    )


def metric(
    formula: str | Source,
    *,
    name: str | None = None,
    dtype: Any = None,
    logits: bool | str = "auto",
    **params: object,
) -> Metric:
    """Make a `keras.metrics.Metric` of a formula: the weighted mean over the whole data set."""
    return Metric(formula, params, name=name, dtype=dtype, logits=logits)
