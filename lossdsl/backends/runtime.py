"""What happens around a formula's value: data made ready, dead samples guarded, weights, masks, reductions.

`lossdsl eject` copies this file as it stands, so it knows nothing of lossdsl: `keras.ops` and Python only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import KerasTensor, backend, ops

try:  # a mask that was put on a JAX tracer is in Keras' own table, which nothing public reads
    from keras.src.backend import get_keras_mask as get_keras_mask
except ImportError:

    def get_keras_mask(x: Any) -> Any:
        """The mask that a layer left on its output, or None."""
        return getattr(x, "_keras_mask", None)


Shape = tuple[int | None, ...]


class Formula(NamedTuple):
    """A formula as code: `value` gives one number per sample, `terms` the parts that are reduced separately.

    `kinds` says of each term how it is reduced and the highest rank of weights that it takes. `fill` is what
    stands in for y_true and y_pred where a sample doesn't count: constants inside their ranges. `shared` is
    the number of axes, from the left, that y_true has in common with y_pred; weights go along y_pred.
    """

    value: Callable[..., Any]
    terms: Callable[..., tuple[Any, ...]]
    kinds: tuple[tuple[str, int], ...]
    true_rank: int
    pred_rank: int
    shared: int
    fill: tuple[float, float]
    label: bool
    coupled: bool
    total: Callable[..., Any] | None = None
    """Sum or mean of the values whose gradient comes from the same pass; None where there is none to be had."""


class Ranks(NamedTuple):
    """The ranks of weights and mask without trailing axes of size 1; None where there are none."""

    weights: int | None
    mask: int | None


class Term(NamedTuple):
    """One term, weighted: `cells` are its weighted values, summed over the axes that no weight tells apart.

    `weight` and `mask` belong to the cells; `left` says which samples the mask leaves, `per_sample` are the
    weights as given, which a term over whole samples takes one of for each.
    """

    kind: str
    values: Any
    cells: Any
    weight: Any
    mask: Any
    left: Any
    per_sample: Any


def compute_dtype(dtype: str) -> str:
    """Half types are for storing: values, weights and sums are computed in float32."""
    return "float32" if dtype in ("float16", "bfloat16") else dtype


def settle(
    formula: Formula,
    reduction: str | None,
    pred_shape: Shape,
    weight_shape: Shape | None,
    mask_shape: Shape | None,
) -> Ranks:
    """The ranks to use weights and mask at; a ValueError where they don't fit the data or the formula."""
    weights = None if weight_shape is None else _rank(weight_shape)
    mask = None if mask_shape is None else _rank(mask_shape)
    if weight_shape is not None and weights is not None:
        _check_rank(formula, "weights", weight_shape, weights)
        _check_sizes("weights", weight_shape[:weights], pred_shape, spread=True)
        if reduction == "mean_with_sample_weight" and weights > 1 and any(kind == "sum" for kind, _ in formula.kinds):
            raise ValueError(
                f"weights of shape {weight_shape} have no mean over a `sum`: "
                "give one weight per sample, or write mean(...)"
            )
    if mask_shape is not None and mask is not None:
        _check_rank(formula, "a mask", mask_shape, mask)
        _check_sizes("a mask", mask_shape[:mask], pred_shape, spread=False)
    return Ranks(weights, mask)


def _rank(shape: Shape) -> int:
    rank = len(shape)
    while rank > 1 and shape[rank - 1] == 1:
        rank -= 1
    return rank


def _check_rank(formula: Formula, what: str, shape: Shape, rank: int) -> None:
    for kind, most in formula.kinds:
        most = min(most, 1) if formula.coupled else most
        if kind == "batch":
            raise ValueError(f"the formula has one number for the whole batch, which {what} can't be applied to")
        if rank > most == 1:
            raise ValueError(
                f"{what} of shape {shape} reach inside a sample, which the formula takes as a whole: "
                "give one weight per sample, or write the average over what is weighted as mean(..., axis=-1)"
            )
        if rank > most:
            raise ValueError(f"{what} of shape {shape} have more axes than the {most} that the formula leaves to weigh")


def _check_sizes(what: str, shape: Shape, data: Shape, spread: bool) -> None:
    """Every axis meets that of the predictions; a size of 1 spreads along positions, never over the batch."""
    for axis, size in enumerate(shape):
        own = data[axis] if axis < len(data) else 1
        if None not in (size, own) and size != own and not (spread and axis and size == 1):
            raise ValueError(f"{what} of shape {shape} can't be laid along predictions of shape {data}")


def prepare(formula: Formula, y_true: Any, y_pred: Any, dtype: str) -> tuple[Any, Any]:
    """Both inputs as the formula's code expects them: labels whole numbers, the rest floats, ranks right."""
    y_true = _label(y_true) if formula.label else _number(y_true, dtype)
    if formula.true_rank:  # 0 where the formula does not look at the labels
        y_true = _align(y_true, formula.true_rank)
    return y_true, _align(_number(y_pred, dtype), formula.pred_rank)


def _tensor(x: Any) -> Any:
    return x if isinstance(x, KerasTensor) else ops.convert_to_tensor(x)


def _label(x: Any) -> Any:
    x = _tensor(x)
    return x if backend.standardize_dtype(x.dtype) in ("int32", "int64") else ops.cast(x, "int32")


def _number(x: Any, dtype: str) -> Any:
    """Floats are rounded to `dtype`; whole numbers are not, since 257 is no number of bfloat16."""
    x = _tensor(x)
    if "float" in backend.standardize_dtype(x.dtype):
        x = ops.cast(x, dtype)
    return ops.cast(x, compute_dtype(dtype))


def _align(x: Any, rank: int) -> Any:
    for _ in range(rank, len(x.shape)):
        x = ops.squeeze(x, axis=-1)
    return _left(x, rank)


def _left(x: Any, rank: int) -> Any:
    for _ in range(len(x.shape), rank):
        x = ops.expand_dims(x, axis=-1)
    return x


def value(formula: Formula, y_true: Any, y_pred: Any, dtype: str) -> Any:
    """The value of the formula: one number per sample, and per axis left standing."""
    return formula.value(*prepare(formula, y_true, y_pred, dtype))


def loss_value(
    formula: Formula,
    y_true: Any,
    y_pred: Any,
    weights: Any,
    mask: Any,
    *,
    ranks: Ranks,
    reduction: str | None,
    dtype: str,
    replicas: Any = None,
) -> Any:
    """The loss as Keras wants it: every term weighted and reduced by itself, then added."""
    gather = replicas if formula.coupled else None
    if ranks.weights is None and ranks.mask is None and gather is None:
        if formula.total is not None and reduction is not None and replicas is None:
            return formula.total(*prepare(formula, y_true, y_pred, dtype), reduction)
        return unweighted(value(formula, y_true, y_pred, dtype), reduction, replicas)
    terms = weigh(formula, y_true, y_pred, weights, mask, ranks, dtype, gather)
    parts = [_reduced(term, reduction, None if formula.coupled else replicas) for term in terms]
    total = parts[0]
    for part in parts[1:]:
        rank = max(len(total.shape), len(part.shape))
        total = _left(total, rank) + _left(part, rank)
    if gather is None:
        return total
    if reduction is None and any(term.kind != "batch" for term in terms):
        return gather.own(total, ops.shape(y_pred)[0])
    return total * gather.share


def unweighted(values: Any, reduction: str | None, replicas: Any) -> Any:
    """Without weights or mask every kind of term is divided by the same count, so the whole is reduced at once."""
    if reduction is None:
        return values
    if reduction == "sum":
        return ops.sum(values)
    count = _count(values, 0)
    return ops.divide_no_nan(ops.sum(values), count if replicas is None else replicas.total(count))


def fractions(
    formula: Formula,
    y_true: Any,
    y_pred: Any,
    weights: Any,
    mask: Any,
    *,
    ranks: Ranks,
    dtype: str,
    replicas: Any = None,
) -> list[tuple[Any, Any]]:
    """For each term the weighted sum and what divides it, so that a mean over many batches can be exact."""
    gather = replicas if formula.coupled else None
    terms = weigh(formula, y_true, y_pred, weights, mask, ranks, dtype, gather)
    pairs = [_fraction(term, weighted=True) for term in terms]
    return pairs if gather is None else [(above * gather.share, below * gather.share) for above, below in pairs]


def weigh(
    formula: Formula, y_true: Any, y_pred: Any, weights: Any, mask: Any, ranks: Ranks, dtype: str, gather: Any
) -> list[Term]:
    """The terms with their weights; a sample that counts nothing reaches neither a value nor a gradient."""
    y_true, y_pred = prepare(formula, y_true, y_pred, dtype)
    w = None if ranks.weights is None else _align(ops.cast(_tensor(weights), compute_dtype(dtype)), ranks.weights)
    m = None if ranks.mask is None else _align(ops.cast(_tensor(mask), "bool"), ranks.mask)
    if ranks.weights == 0:
        w = w * ops.ones_like(y_pred[(slice(None), *[0] * (len(y_pred.shape) - 1))])
    if gather is not None:
        y_true, y_pred, w, m = (None if x is None else gather.rows(x) for x in (y_true, y_pred, w, m))
    alive = _alive(w, m)
    if alive is None:
        parts = formula.terms(y_true, y_pred)
    else:
        y_true = _guard(y_true, alive, formula.fill[0], formula.shared)
        y_pred = _guard(y_pred, alive, formula.fill[1], formula.pred_rank)
        parts = formula.terms(y_true, y_pred, *((alive,) if formula.coupled else ()))
    return [_term(kind, part, w, m) for (kind, _), part in zip(formula.kinds, parts, strict=True)]


def _alive(w: Any, m: Any) -> Any:
    """Where weight and mask leave something, at the higher of their ranks."""
    if w is None or m is None:
        return m if w is None else ops.not_equal(w, 0)
    rank = max(len(w.shape), len(m.shape))
    return ops.logical_and(ops.not_equal(_left(w, rank), 0), _left(m, rank))


def _guard(x: Any, alive: Any, fill: float, axes: int) -> Any:
    """A harmless constant where nothing counts: the gradient of a choice can't be NaN, that of a product can.

    Beyond its first `axes` axes `x` knows nothing of the weights, and counts where any of them does.
    """
    if len(alive.shape) > axes:
        alive = ops.any(alive, axis=tuple(range(axes, len(alive.shape))))
    return ops.where(_spread(alive, x), x, ops.cast(fill, x.dtype))


def _spread(k: Any, x: Any) -> Any:
    """`k` from the left over the axes of `x`, which it may not make larger even where sizes come late."""
    k = _left(k, len(x.shape))
    if all(a == b is not None for a, b in zip(k.shape, x.shape, strict=True)):
        return k
    if isinstance(x, KerasTensor):  # no size to name yet; what is computed later has to be right all the same
        return ops.where(ops.ones_like(x, dtype="bool"), k, k)
    return ops.broadcast_to(k, ops.shape(x))


def _count(x: Any, first: int, stop: int | None = None) -> Any:
    """How many entries some axes have together."""
    sizes = ops.shape(x)
    if None in sizes:
        inside = range(len(sizes))[first:stop]
        return ops.sum(ops.ones_like(x[tuple(slice(None) if axis in inside else 0 for axis in range(len(sizes)))]))
    count: Any = ops.cast(1.0, x.dtype)
    for size in sizes[first:stop]:
        count = count * ops.cast(size, x.dtype)
    return count


def _sum_from(x: Any, axis: int) -> Any:
    """Summed over all axes from `axis`."""
    return ops.sum(x, axis=tuple(range(axis, len(x.shape)))) if len(x.shape) > axis else x


def _term(kind: str, values: Any, w: Any, m: Any) -> Term:
    if w is None and m is None:
        return Term(kind, values, values, None, None, None, None)
    cells = _sum_from(values, max(len(k.shape) for k in (w, m) if k is not None))
    mask = None if m is None else _spread(ops.cast(m, values.dtype), cells)
    weight = mask if w is None else _spread(w, cells)
    weight = weight if w is None or mask is None else weight * mask
    left = mask if mask is None or len(mask.shape) == 1 else ops.max(mask, axis=tuple(range(1, len(mask.shape))))
    cells = ops.where(ops.equal(weight, 0), ops.zeros_like(cells), weight * cells)
    return Term(kind, values, cells, weight, mask, left, w)


def _reduced(term: Term, reduction: str | None, replicas: Any) -> Any:
    if term.kind == "batch":
        return term.values if reduction is None else ops.sum(term.values)
    if reduction is None:
        return _samples(term)
    if reduction == "sum":
        return ops.sum(_samples(term))
    above, below = _fraction(term, weighted=reduction == "mean_with_sample_weight")
    return ops.divide_no_nan(above, below if replicas is None else replicas.total(below))


def _samples(term: Term) -> Any:
    """One weighted number per sample; per entry where positions are left standing."""
    if term.kind == "plain" and term.weight is not None:
        k = _left(term.weight, len(term.values.shape))
        return ops.where(ops.equal(k, 0), ops.zeros_like(term.values), k * term.values)
    if term.kind == "mean":
        return ops.divide_no_nan(_sum_from(term.cells, 1), _count(term.values, 1))
    return term.cells if term.kind == "plain" else _sum_from(term.cells, 1)


def _fraction(term: Term, weighted: bool) -> tuple[Any, Any]:
    """The sum of a term and its divisor: the entries or samples that the mask leaves, or their weights."""
    above = ops.sum(term.cells)
    if term.kind in ("mean", "plain"):
        share = term.weight if weighted else term.mask
        count = _count(term.values, 0 if share is None else len(share.shape))
        return above, count if share is None else ops.sum(share) * count
    if term.kind == "batch":
        return above, _count(term.values, 0, 0)
    share = term.left
    if weighted and term.per_sample is not None:
        share = term.per_sample if share is None else term.per_sample * share
    return above, _count(term.values, 0, 1) if share is None else ops.sum(share)
