"""The axes of a result: one rule for each result shape that a signature can state.

A rule gets the builder, the row, the operands and the attributes (which it may complete), and gives the axes of the
result and the sizes that must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lossdsl.errors import fail
from lossdsl.ir.axes import Constraint, is_free, is_pairs, is_window, lost, pair_of
from lossdsl.ir.node import MATRIX, Node
from lossdsl.ops.op import Op
from lossdsl.source import Span
from lossdsl.types import BATCH, WINDOW, Axis, Dim, State, Type

if TYPE_CHECKING:
    from lossdsl.ir.build import Builder

Result = tuple[tuple[Axis, ...], list[Constraint]]
Rule = Callable[["Builder", Op, Sequence[Node], dict[str, Any], "Span | None"], Result]


def met(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """Operands meet axis by axis."""
    return builder.meet(inputs, span)


def reduced(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """Operands meet, and the named axes are reduced where they stand."""
    axes, wanted = builder.meet(inputs, span)
    return lost(axes, attrs["axis"], State.REDUCED), wanted


def like_second(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The axes of the second operand."""
    return inputs[1].type.axes, []


def best_k(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The axis keeps its `k` best entries."""
    (identity,), k = attrs["axis"], attrs["k"]
    if not isinstance(k, int) or k < 1:
        raise fail("top-k-size", span, value=k)
    axes = inputs[0].type.axes
    axis = inputs[0].type.axis(identity)
    assert axis is not None
    wanted = [Constraint(axis.size, Dim(None, k), ">=", span)]
    return tuple(replace(a, size=Dim(None, k)) if a.id == identity else a for a in axes), wanted


def with_classes(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """One more axis: the last of the layout that the labels lack, or a new one."""
    have = inputs[0].type.ids
    lacking = [i for i in builder.layout.ids if not (i in have or is_pairs(i) or is_free(i) or is_window(i))]
    identity = lacking[-1] if lacking else "one_hot"
    builder.layout.place(identity)
    attrs["axis"] = (identity,)
    size = attrs["num_classes"]
    size = size if isinstance(size, Dim) else Dim(None, size)
    if size.symbol is None and not 1 <= size.offset <= 2**24:
        raise fail("one-hot-size", span, value=size.offset)
    kept = [axis for axis in inputs[0].type.axes if axis.id != identity]
    return builder.layout.sort([*kept, Axis(identity, size)]), []


def by_table(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """One entry of a table for each index; the table has one axis, and not batch."""
    table, index = inputs
    if len(table.type.full) != 1 or table.type.has(BATCH):
        raise fail("take-needs-table", builder.place(0), type=table.type.show())
    attrs["axis"] = (table.type.full[0].id,)
    return index.type.axes, []


def one_along(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """One entry along an axis for each index; the axis counts as reduced."""
    (identity,) = attrs["axis"]
    values, index = inputs
    if index.type.has(identity):
        raise fail("index-has-axis", builder.place(1), axis=identity, type=index.type.show())
    axes, wanted = builder.meet([values, index], span)
    return lost(axes, [identity], State.REDUCED), wanted


def multiplied(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The last axis goes through a parameter matrix, and takes the size of its columns."""
    values, matrix = inputs
    if matrix.op != MATRIX:
        raise fail("matmul-needs-matrix", builder.place(1), type=matrix.type.show())
    rows = matrix.attr("values")
    assert isinstance(rows, tuple)
    if not values.type.full or values.type.full[-1].id == BATCH:
        raise fail("matmul-needs-axis", builder.place(0), type=values.type.show())
    last = values.type.full[-1]
    attrs["axis"] = (last.id,)
    inner, outer = len(rows), len(rows[0])
    if op.name == "matmul_transposed":
        inner, outer = outer, inner
    wanted = [Constraint(last.size, Dim(None, inner), "==", span)]
    size = Dim(None, outer)
    return tuple(replace(a, size=size) if a.id == last.id else a for a in values.type.axes), wanted


def paired(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The axis under another name, so that the value meets itself across it."""
    (identity,) = attrs["axis"]
    if any(is_pairs(axis.id) for axis in inputs[0].type.full):
        raise fail("pairs-of-pairs", span)
    twin = builder.pairs_axis(identity)
    attrs["to"] = (twin,)
    return _renamed(builder, inputs[0].type, identity, twin), []


def unpaired(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The axis under its first name again."""
    (identity,) = attrs["axis"]
    attrs["to"] = (pair_of(identity),)
    return _renamed(builder, inputs[0].type, pair_of(identity), identity), []


def _renamed(builder: Builder, type: Type, old: str, new: str) -> tuple[Axis, ...]:
    return builder.layout.sort([replace(a, id=new) if a.id == old else a for a in type.axes if a.id != new])


def counted(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """0, 1, 2, ... along one axis, and nothing else."""
    return tuple(a for a in inputs[0].type.axes if a.id in attrs["axis"]), []


def expanded(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """An axis that was indexed away now spreads."""
    axes = inputs[0].type.axes
    return tuple(a.turned(State.REDUCED) if a.id in attrs["axis"] else a for a in axes), []


def selected(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """One entry of an axis: it is gone, and meets no full axis."""
    (identity,), index = attrs["axis"], attrs["index"]
    axis = inputs[0].type.axis(identity)
    assert axis is not None
    needed = index + 1 if index >= 0 else -index
    _long_enough(axis, needed, span)
    wanted = [Constraint(axis.size, Dim(None, needed), ">=", span)]
    return lost(inputs[0].type.axes, [identity], State.SELECTED), wanted


def _long_enough(axis: Axis, needed: int, span: Span | None) -> None:
    if axis.size.symbol is None and axis.size.offset < needed:
        raise fail("axis-too-short", span, size=axis.size.offset, needed=needed)


def sliced(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """Part of an axis, whose size follows from the bounds."""
    (identity,) = attrs["axis"]
    axis = inputs[0].type.axis(identity)
    assert axis is not None
    stop = attrs.get("stop")
    if (attrs.get("start") or 0) < 0 and stop is not None and stop >= 0:
        raise fail("slice-mixed", span)
    size, needed = _sliced(axis.size, attrs.get("start"), attrs.get("stop"))
    if size.symbol is None and size.offset < 1:
        raise fail("slice-empty", span, size=size.offset)
    _long_enough(axis, needed, span)
    wanted = [Constraint(axis.size, Dim(None, needed), ">=", span)]
    axes = inputs[0].type.axes
    return tuple(replace(a, size=size) if a.id == identity else a for a in axes), wanted


def _sliced(size: Dim, start: int | None, stop: int | None) -> tuple[Dim, int]:
    """The size of `x[start:stop]`, and the least size of `x` for which it is that."""
    first, last = start or 0, stop
    if last is None and first < 0:
        return Dim(None, -first), -first
    if last is None:
        return size.shift(-first), first + 1
    if first >= 0 and last >= 0:
        return Dim(None, last - first), last
    if first < 0 and last < 0:
        return Dim(None, last - first), -first
    return size.shift(last - first), first - last + 1


def windowed(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """As many entries as there are windows, and an axis more: the entries of each."""
    (identity,), type = attrs["axis"], inputs[0].type
    size, step, mirrored = (attrs[name] for name in ("size", "step", "reflect"))
    if size < 1 or step < 1 or mirrored < 0:
        raise fail("window-size", span, size=size, step=step, reflect=mirrored)
    if identity == BATCH or is_pairs(identity):
        raise fail("windows-of-batch", span, axis=identity)
    count = sum(is_window(axis.id) for axis in type.axes)
    window = f"{WINDOW}:{count + 1}" if count else WINDOW
    builder.layout.place(window)
    attrs["to"] = (window,)
    axis = type.axis(identity)
    assert axis is not None
    needed = max(size - 2 * mirrored, mirrored + 1)
    _long_enough(axis, needed, span)
    windows = axis.size.shift(2 * mirrored - size).divided(step).shift(1)
    axes = [replace(a, size=windows) if a.id == identity else a for a in type.axes]
    wanted = [Constraint(axis.size, Dim(None, needed), ">=", span)]
    return builder.layout.sort([*axes, Axis(window, Dim(None, size))]), wanted


def unwindowed(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The axes of the second operand, which lacks the axis of the windows' entries."""
    windows, like = (x.type for x in inputs)
    attrs["to"] = tuple(axis.id for axis in windows.full if is_window(axis.id) and not like.has(axis.id))
    return like.axes, []


def in_frequencies(
    builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None
) -> Result:
    """The axis holds frequencies, from 0 to half of its entries."""
    (identity,), axes = attrs["axis"], inputs[0].type.axes
    return tuple(replace(a, size=a.size.divided(2).shift(1)) if a.id == identity else a for a in axes), []


def aligned(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """What is left of scores when times and classes, their last two axes, meet the last axis of labels."""
    scores, labels = (x.type for x in inputs)
    if len(scores.full) < 3 or len(labels.full) < 2:
        raise fail("scores-and-labels", span, scores=scores.show(), places=labels.show())
    *kept, times, classes = scores.full
    *others, places = labels.full
    if [a.id for a in kept] != [a.id for a in others] or places.id in (times.id, classes.id):
        raise fail("scores-and-labels", span, scores=scores.show(), places=labels.show())
    attrs |= {"time": (times.id,), "axis": (classes.id,), "to": (places.id,)}
    pairs = zip(kept, others, strict=True)
    wanted = [Constraint(a.size, b.size, "==", span, (scores, labels)) for a, b in pairs if a.size != b.size]
    return lost(scores.axes, [times.id, classes.id], State.REDUCED), wanted


def as_scores(builder: Builder, op: Op, inputs: Sequence[Node], attrs: dict[str, Any], span: Span | None) -> Result:
    """The axes of scores that meet labels."""
    return inputs[0].type.axes, aligned(builder, op, inputs, attrs, span)[1]


SHAPES: dict[str, Rule] = {
    "*s, windows": windowed,
    "*s from windows": unwindowed,
    "*s in frequencies": in_frequencies,
    "*s aligned": aligned,
    "as scores": as_scores,
    "*s": met,
    "*s - axis": reduced,
    "*s, k": best_k,
    "*s, n": multiplied,
    "*s + classes": with_classes,
    "*s + axis": expanded,
    "*s at axis": one_along,
    "*s as pairs": paired,
    "*s from pairs": unpaired,
    "*s selected": selected,
    "*s sliced": sliced,
    "as indices": by_table,
    "as second": like_second,
    "axis": counted,
}
