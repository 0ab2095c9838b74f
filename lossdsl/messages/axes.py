"""Messages about axes and shapes: axis arguments, indices, values that can't meet, data that does not fit."""

from __future__ import annotations

from lossdsl.messages.message import Message

_AXES: dict[str, Message] = {
    "shapes-differ": Message(
        text="these sizes differ, and different sizes never broadcast: {left} and {right}",
        help="make the sizes equal, or reduce one side along that axis: `mean(..., axis=-1)`",
        example="y_true: float[batch, 3]\ny_pred: float[batch, 4]\nmean(y_true - y_pred)",
    ),
    "selected-meets-full": Message(
        text="one side was indexed along {axis}, the other still has it: {left} and {right}",
        help="to spread it on purpose write `expand_dims(x[..., i], -1)`",
        example="mean(y_pred - y_pred[..., 0])",
    ),
    "axis-out-of-range": Message(
        text="there is no axis {number}: {type} has {count} axes",
        help="axis numbers count the value's own axes, reduced ones included",
        example="y_pred: float[batch, 3]\nmean(y_pred, axis=2)",
    ),
    "axis-already-reduced": Message(
        text="axis {axis} is already reduced",
        help="a reduction keeps its place, and axis numbers count it; left: {left}",
        example="mean(sum(y_pred, axis=-1), axis=-1)",
    ),
    "axis-indexed-away": Message(
        text="axis {axis} was indexed away",
        help="left: {left}",
        example="mean(sum(y_pred[..., 0], axis=-1))",
    ),
    "axis-absent": Message(
        text="this value has no axis `{axis}`: it is {type}",
        help="a sum over an axis that a value does not have would count it many times",
        example="y_true: float[batch]\ny_pred: float[batch, classes]\nmean(y_pred) + sum(y_true, axis=classes)",
    ),
    "unknown-axis": Message(
        text="unknown axis `{name}`",
        help="declare it: `y_pred: float[batch, {name}]`; or say a number, `batch`, `all`",
        example="mean(y_pred, axis=classes)",
    ),
    "axis-is-batch": Message(
        text="axis {number} is the batch here: the value is {type}",
        help="the batch is reduced only where it is named: `axis=batch`",
        example="y_pred: float[batch]\nmean(softmax(y_pred))",
    ),
    "axis-twice": Message(
        text="axis {axis} is named twice",
        help="name each axis once",
        example="y_pred: float[batch, classes]\nmean(y_pred, axis=(1, -1))",
    ),
    "axis-not-understood": Message(
        text="`{text}` is not an axis",
        help="a whole number, a tuple of them, a declared name, `batch`, `pairs` or `all`",
        example="mean(y_pred, axis=1.5)",
    ),
    "one-axis-only": Message(
        text="`{function}` goes along one axis",
        help="name one axis: `axis=-1`",
        example="y_pred: float[batch, a, b]\nmean(softmax(y_pred, axis=(1, 2)))",
    ),
    "axis-too-short": Message(
        text="this axis has {size} entries, and {needed} are needed",
        help="entries are counted from 0, and from -1 at the end",
        example="y_pred: float[batch, 2]\nmean(y_pred[..., 2])",
    ),
    "slice-empty": Message(
        text="this slice is empty: {size} entries",
        help="the upper bound of a slice is the first entry left out",
        example="y_pred: float[batch, 2]\nmean(y_pred[..., 2:])",
    ),
    "slice-mixed": Message(
        text="a slice from the end to a place counted from the front can't be known to hold anything",
        help="count both bounds from the same side",
        example="mean(y_pred[..., -2:3])",
    ),
    "two-ellipses": Message(
        text="an index has one `...` at most",
        help="`...` stands for all axes that have no index of their own; write `:` for a single one",
        example="mean(y_pred[..., 0, ...])",
    ),
    "too-many-indices": Message(
        text="more indices than axes: {given} for {type}",
        help="the first is for the batch: `x[:, 0]`, or `x[..., 0]`",
        example="y_pred: float[batch, 2]\nmean(y_pred[:, 0, 0])",
    ),
    "batch-indexed": Message(
        text="the batch can't be indexed",
        help="a formula says what the loss of every sample is; the first index is `:` or `...`",
        example="mean(y_pred[0])",
    ),
    "vector-without-axis": Message(
        text="this vector has no axis to lie on",
        help="a vector lies on the last axis of what it first meets; declare another: `w: float[time]`",
        example="mean(y_pred[..., 0] * [1, 2])",
    ),
    "pairs-of-pairs": Message(
        text="pairs of pairs are refused: their number grows with the fourth power of the batch",
        help="reduce over `pairs` first",
        example="mean(pairs(pairs(y_pred)))",
    ),
    "windows-left-standing": Message(
        text="the loss still has an axis of windows: {type}",
        help="reduce it: `mean(..., axis=-1)`",
        example="windows(square(y_true - y_pred), 3)",
    ),
    "windows-of-batch": Message(
        text="windows can't slide along `{axis}`",
        help="samples have no order",
        example="mean(windows(y_pred, 3, axis=batch))",
    ),
    "pairs-left-standing": Message(
        text="the loss still has an axis of pairs: {type}",
        help="reduce it: `mean(..., axis=pairs)`",
        example="mean(y_pred - pairs(y_pred), axis=-1)",
    ),
    "batch-reduced-positions": Message(
        text="the batch is reduced, but the loss still has axes: {type}",
        help="reduce them too: `mean(...)`",
        example="mean(y_pred, axis=batch)",
    ),
    "coupling-needs-all": Message(
        text="`{function}` goes along the samples, so none can be left out: no weights of 0 and no mask here",
        help="weights and masks work where samples are coupled by sum, mean, max, min or logsumexp",
        example="# weights or a mask with `mean(sort(y_pred, axis=batch), axis=all)`",
    ),
}

_DATA: dict[str, Message] = {
    "rank-differs": Message(
        text="`{name}` does not fit {declared}: y_true has shape {true}, y_pred {pred}",
        help="declare what the data is, as `y_true: float[batch]` or `y_true: label[batch, *]`",
        example="# data of shapes (8, 5, 2) and (8, 5) for mean(y_true - y_pred)",
    ),
    "batch-differs": Message(
        text="y_true and y_pred have different numbers of samples: shapes {true} and {pred}",
        help="both hold one entry per sample: look at how the data is put into batches",
        example="# data of shapes (8, 5) and (7, 5)",
    ),
    "no-batch-axis": Message(
        text="`{name}` is a single number, and has no batch axis",
        help="the first axis of the data is the batch",
        example="# data of shape ()",
    ),
}

SHAPES: dict[str, Message] = {**_AXES, **_DATA}
