"""Rows that move values to places, and add them up there: no formula can name them."""

from __future__ import annotations

import numpy as np

from lossdsl.interval import EVERYTHING, NO, Interval
from lossdsl.ops.index import matmul
from lossdsl.ops.op import (
    EVERYWHERE,
    NO_GUARD,
    NO_KINK,
    NO_LIMITS,
    NOT_A_REDUCTION,
    NOTHING_LARGER,
    PRIMITIVE,
    STOPPED,
    ZERO,
    Array,
    Curvature,
    Family,
    Monotone,
    Op,
    RangeRule,
)
from lossdsl.ops.order import top_k_indices
from lossdsl.ops.reduction import exact_ends, products_range


def _at(rank: int, axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if i == axis % rank else slice(None) for i in range(rank))


def _one(index: int) -> slice:
    return slice(index, index + 1 if index != -1 else None)


def _select(x: Array, index: int, axis: int) -> Array:
    return x[_at(np.ndim(x), axis, _one(index))]


def _slice(x: Array, axis: int, start: int | None = None, stop: int | None = None) -> Array:
    return x[_at(np.ndim(x), axis, slice(start, stop))]


def _pad_select(x: Array, like: Array, index: int, axis: int) -> Array:
    result = np.zeros(np.shape(like), np.result_type(x))
    result[_at(np.ndim(like), axis, _one(index))] = x
    return result


def _pad_slice(x: Array, like: Array, axis: int, start: int | None = None, stop: int | None = None) -> Array:
    result = np.zeros(np.shape(like), np.result_type(x))
    result[_at(np.ndim(like), axis, slice(start, stop))] = x
    return result


def _scatter_add(x: Array, like: Array, indices: Array, axis: int = 0) -> Array:
    places, values = np.broadcast_arrays(indices, x)
    found = np.bincount(np.ravel(places), np.ravel(values), minlength=np.size(like))
    return np.reshape(found, np.shape(like))


def _scatter_along(x: Array, like: Array, indices: Array, axis: int) -> Array:
    result = np.zeros(np.shape(like))
    places: list[Array] = list(np.indices(np.shape(x), sparse=True))
    places[axis] = np.broadcast_to(indices, np.shape(x))
    np.add.at(result, tuple(places), x)
    return result


ROWS = (
    Op(
        sig="select(x: T[*s], index: const, axis: axis = -1) -> T[*s selected]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="One entry of an axis; written `x[..., index]`.",
        example="select([7, 8, 9], index=-1) -> 9",
        latex="{x}_{{{axis},{index}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("pad_select(g, x, index=index, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_select,
        keras="shims.select({x}, {index}, {axis})",
    ),
    Op(
        sig="slice(x: T[*s], start: const = none, stop: const = none, axis: axis = -1) -> T[*s sliced]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="Part of an axis; written `x[..., start:stop]`.",
        example="slice([7, 8, 9], start=1) -> [8, 9]",
        latex="{x}_{{{axis},{start}:{stop}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP,),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("pad_slice(g, x, start=start, stop=stop, axis=axis)",),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_slice,
        keras="shims.slice_along({x}, {start}, {stop}, {axis})",
    ),
    Op(
        sig="pad_select(x: T[*s], like: T[*s], index: const, axis: axis = -1) -> T[as second]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The value at one place of an axis, zeros elsewhere: the gradient of `select`.",
        example="pad_select([5], [7, 8, 9], index=1) -> [0, 5, 0]",
        latex=r"\operatorname{{pad}}_{{{axis},{index}}}({x}, {like})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=lambda x, like, n: x.hull(NO),
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("select(g, index=index, axis=axis)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_pad_select,
        keras="shims.pad_select({x}, {like}, {index}, {axis})",
    ),
    Op(
        sig=(
            "pad_slice(x: T[*s], like: T[*s], start: const = none, stop: const = none, axis: axis = -1) -> T[as second]"
        ),
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The value at some places of an axis, zeros elsewhere: the gradient of `slice`.",
        example="pad_slice([5, 6], [7, 8, 9], start=1) -> [0, 5, 6]",
        latex=r"\operatorname{{pad}}_{{{axis},{start}:{stop}}}({x}, {like})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=lambda x, like, n: x.hull(NO),
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("slice(g, start=start, stop=stop, axis=axis)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_pad_slice,
        keras="shims.pad_slice({x}, {like}, {start}, {stop}, {axis})",
    ),
    Op(
        sig="scatter_add(x: T[*s], like: T[table], indices: int[*s]) -> T[as second]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=("Zeros shaped as a table, with each value added at the place its label names: the gradient of `take`."),
        example="scatter_add([1, 2, 4], [0, 0, 0], [2, 0, 2]) -> [2, 0, 5]",
        latex=r"\operatorname{{scatter}}({x}, {like}, {indices})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda x, like, indices, n: EVERYTHING,
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("take(g, indices)", ZERO, ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_scatter_add,
        keras="shims.scatter_add({x}, {like}, {indices})",
    ),
    Op(
        sig="top_k_indices(x: T[*s], k: const, axis: axis = -1) -> int[*s, k]",
        family=Family.ORDER,
        means=PRIMITIVE,
        doc="The places of the `k` largest values along an axis, the largest first.",
        example="top_k_indices([1, 3, 2], k=2) -> [1, 2]",
        latex=r"\operatorname{{argtop}}_{{{k},{axis}}} {x}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UNORDERED,),
        range=lambda x, n: Interval(0.0, max(n.hi - 1.0, 0.0)),
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=(ZERO,),
        at_kink="top_k_indices'([1, 1], k=1) = [0, 0]",
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=top_k_indices,
        keras="shims.top_k_indices({x}, {k}, {axis})",
    ),
    Op(
        sig="scatter_along_axis(x: T[*s], like: T[*s], indices: int[*s], axis: axis = -1) -> T[as second]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "Zeros shaped as the second, with each value added where its index points along the axis:"
            " the gradient of `sort` and `top_k`."
        ),
        example="scatter_along_axis([5, 6], [0, 0, 0], [2, 0]) -> [6, 0, 5]",
        latex=r"\operatorname{{scatter}}_{{{axis}}}({x}, {like}, {indices})",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED, Monotone.UNORDERED),
        range=lambda x, like, indices, n: exact_ends(x.hull(NO) * n, x.hull(NO)),
        inner=NOTHING_LARGER,
        curvature=Curvature.AFFINE,
        grad=("gather_along_axis(g, indices, axis=axis)", ZERO, ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=_scatter_along,
        keras="shims.scatter_along_axis({x}, {like}, {indices}, {axis})",
    ),
    Op(
        sig="gather_along_axis(x: T[*s], indices: int[*s], axis: axis = -1) -> T[as second]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc=(
            "The entries along an axis at the places of the second, which has that axis: the gradient"
            " of `scatter_along_axis`."
        ),
        example="gather_along_axis([7, 8, 9], [2, 0]) -> [9, 7]",
        latex="{x}_{{{axis},{indices}}}",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.UP, Monotone.UNORDERED),
        range=RangeRule.HULL,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("scatter_along_axis(g, x, indices, axis=axis)", ZERO),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x, indices, axis: np.take_along_axis(x, np.asarray(indices, int), axis),
        keras="ops.take_along_axis({x}, {indices}, axis={axis})",
    ),
    Op(
        sig="matmul_transposed(x1: float[*s, k], x2: float[n, k]) -> float[*s, n]",
        family=Family.INDEX,
        means=PRIMITIVE,
        doc="The last axis times a transposed matrix: the gradient of `matmul`.",
        example="matmul_transposed([1, 2], [[1, 0], [0, 1], [1, 1]]) -> [1, 2, 3]",
        latex=r"{x1} \, {x2}^\top",
        domain=EVERYWHERE,
        guard=NO_GUARD,
        monotone=(Monotone.BY_GRAD, Monotone.BY_GRAD),
        range=products_range,
        inner=NOTHING_LARGER,
        curvature=Curvature.NEITHER,
        grad=("matmul(g, x2)", STOPPED),
        at_kink=NO_KINK,
        safe=NO_LIMITS,
        masked=NOT_A_REDUCTION,
        numpy=lambda x1, x2, axis=-1: matmul(x1, np.transpose(x2), axis),
        keras="ops.moveaxis(ops.tensordot({x1}, {x2}, [[{axis}], [1]]), -1, {axis})",
    ),
)
