"""Messages about what a formula means: names, functions, types, axes, gradients."""

from __future__ import annotations

from lossdsl.messages.message import Message, Severity

NAMES: dict[str, Message] = {
    "unknown-name": Message(
        text="unknown name `{name}`",
        help="a free name is a parameter only where a value is given for it: declare it, as `{name}: float = 1.0`",
        example="mean(y_ture - y_pred)",
    ),
    "unknown-function": Message(
        text="unknown function `{name}`",
        help="`lossdsl functions` lists what there is",
        example="reduce_mean(y_true - y_pred)",
    ),
    "function-as-value": Message(
        text="`{name}` is a function, and stands here as a value",
        help="call it: `{name}(...)`",
        example="mean(abs - y_pred)",
    ),
    "not-a-number": Message(
        text="`{name}` is not a value of the language",
        help="`inf` stands only in declared ranges; a loss that needs an infinity is written with `where=`",
        example="mean(inf * y_pred)",
    ),
    "axis-as-value": Message(
        text="`{name}` is an axis here, not a value",
        help="use it as `axis={name}`",
        example="def f(x, k) = sum(x, axis=k) * k\nf(y_pred, -1)",
    ),
    "input-rebound": Message(
        text="`{name}` is the data, and can't be given another value",
        help="choose another name",
        example="y_true = y_pred\nmean(y_true)",
    ),
    "axis-name-bound": Message(
        text="`{name}` names an axis",
        help="choose another name",
        example="batch = 2\nmean(y_pred) * batch",
    ),
    "name-bound-twice": Message(
        text="`{name}` already has a meaning",
        help="a name is given a value once; choose another",
        example="a = y_pred\na = y_true\nmean(a)",
    ),
    "operation-redefined": Message(
        text="`{name}` is an operation of the language, and can't be redefined",
        help="choose another name; library losses may be redefined, operations not",
        example="def abs(x) = x\nmean(abs(y_pred))",
    ),
    "recursive-definition": Message(
        text="`{name}` is defined by itself",
        help="a formula always ends: functions are expanded, never recursive",
        example="def f(x) = f(x)\nmean(f(y_pred))",
    ),
    "reserved-name": Message(
        text="`{name}` can't be a parameter: the word is reserved",
        help="choose another name",
        example="axis: float = 1.0\nmean(y_pred)",
    ),
    "no-loss": Message(
        text="this formula has no loss: no last expression, and no term",
        help="end with an expression, or name terms: `term fit = mean(abs(y_true - y_pred))`",
        example="a = y_pred",
    ),
}

CALLS: dict[str, Message] = {
    "too-many-arguments": Message(
        text="`{function}` takes at most {most}, {given} are given",
        help="`lossdsl functions {function}` shows its signature",
        example="mean(abs(y_true, y_pred))",
    ),
    "unknown-argument": Message(
        text="`{function}` has no argument `{name}`",
        help="`lossdsl functions {function}` shows its signature",
        example="mean(y_pred, axes=-1)",
    ),
    "argument-twice": Message(
        text="`{function}` is given `{name}` twice",
        help="once is enough",
        example="mean(softmax(y_pred, -1, axis=-1))",
    ),
    "missing-argument": Message(
        text="`{function}` needs `{name}`",
        help="`lossdsl functions {function}` shows its signature",
        example="mean(maximum(y_pred))",
    ),
    "two-values": Message(
        text="`{function}` reduces one value along axes, and is given two values",
        help="the larger or smaller of two values is `{elementwise}(a, b)`",
        example="mean(max(y_true, y_pred))",
    ),
    "needs-condition": Message(
        text="`{function}` needs a condition here, and gets {type}",
        help="a comparison is a condition: `y_true == 1`, `y_true > 0.5`",
        example="mean(where(y_true, y_pred, 0))",
    ),
    "needs-index": Message(
        text="`{function}` needs whole-number labels here, and gets {type}",
        help="declare the labels: `y_true: label[batch, *]`",
        example="mean(one_hot(y_pred, 3) * y_pred)",
    ),
    "needs-whole-number": Message(
        text="{argument} must be a whole number known from the text, not {value}",
        help="a number, or a parameter that is a whole number",
        example="mean(y_pred[..., 0.5])",
    ),
    "needs-number": Message(
        text="{argument} must be a number known from the text, not {value}",
        help="a number, or a parameter",
        example="mean(leaky_relu(y_pred, y_true))",
    ),
    "top-k-size": Message(
        text="`top_k` takes at least 1 entry, not {value}",
        help="the best one alone is `max(x, axis=-1)`",
        example="mean(top_k(y_pred, 0))",
    ),
    "tuple-only-axis": Message(
        text="a tuple stands only as an axis",
        help="a vector is written `[a, b]`",
        example="mean((y_true, y_pred))",
    ),
    "vector-of-constants": Message(
        text="a vector holds constants",
        help="numbers and parameters, known before any data",
        example="mean([y_pred, 1])",
    ),
    "ragged-matrix": Message(
        text="the rows of a matrix must be equally long, and not empty",
        help="a matrix is written `[[1, 2], [3, 4]]`",
        example="mean(matmul(y_pred, [[1, 2], [3]]))",
    ),
    "matrix-only-matmul": Message(
        text="a matrix is only for `matmul`",
        help="`matmul(x, [[...], [...]])` takes the last axis of `x` through it",
        example="mean(y_pred * [[1, 2], [3, 4]])",
    ),
    "matmul-needs-matrix": Message(
        text="`matmul` needs a parameter matrix, and gets {type}",
        help="two values are contracted by `sum(a * b, axis=k)`",
        example="mean(matmul(y_pred, y_true))",
    ),
    "matmul-needs-axis": Message(
        text="`matmul` needs an axis besides batch, and gets {type}",
        help="it takes the last axis of its first argument, other than batch, through the matrix",
        example="mean(matmul(mean(y_pred), [[1, 2], [3, 4]]))",
    ),
    "take-needs-table": Message(
        text="`take` needs a table of one axis without batch, and gets {type}",
        help="one entry per position along the last axis is `take_along_axis(x, i)`",
        example="mean(take(y_pred, index(y_pred, axis=-1)))",
    ),
    "index-has-axis": Message(
        text="the index still has the axis {axis} that it picks from: {type}",
        help="labels have one axis fewer than what they pick from",
        example="mean(take_along_axis(y_pred, index(y_pred, axis=-1)))",
    ),
    "one-hot-size": Message(
        text="`one_hot` with {value} classes is refused: from 1 to 16777216",
        help="the number of classes is an axis of the result",
        example="mean(one_hot(y_true, 2147483647) * y_pred)",
    ),
}

AXES: dict[str, Message] = {
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

DECLARATIONS: dict[str, Message] = {
    "unknown-kind": Message(
        text="unknown kind `{kind}`",
        help="the kinds are float, int, bool, prob, logits and label",
        example="y_true: double[batch]\nmean(y_true - y_pred)",
    ),
    "input-with-default": Message(
        text="`{name}` is data, and has no default",
        help="leave `= ...` out",
        example="y_true: float[batch] = 1.0\nmean(y_true - y_pred)",
    ),
    "batch-first": Message(
        text="the first axis of `{name}` must be `batch`",
        help="write `{name}: float[batch, ...]`",
        example="y_pred: float[time, batch]\nmean(y_pred)",
    ),
    "too-many-axes": Message(
        text="`{name}` has {count} axes, more than {limit}",
        help="reshape the data, or raise the limit with `lossdsl.limits(axes=...)`",
        example="y_pred: float[batch, a, b, c, d, e, f, g, h]\nmean(y_pred)",
    ),
    "axes-in-another-order": Message(
        text="`y_true` and `y_pred` have their common axes in different orders: {order}",
        help="transpose the data, or name the axes differently",
        example="y_true: float[batch, a, b]\ny_pred: float[batch, b, a]\nmean(y_true - y_pred)",
    ),
    "parameter-axis-unknown": Message(
        text="parameter `{name}` lies on axis `{axis}`, which neither input has",
        help="declare it: `y_pred: float[batch, {axis}]`",
        example="w: float[time] = [1, 2]\nmean(w * y_pred)",
    ),
    "parameter-missing": Message(
        text="parameter `{name}` has no value",
        help="give one: `compile(formula, {name}=...)`, or a default: `{name}: float = 1.0`",
        example="gamma: float\nmean(y_pred) * gamma",
    ),
    "parameter-unused": Message(
        text="parameter `{name}` is given, and the formula does not have it",
        help="leave it out, or declare it in the formula",
        example="# compile('mean(y_pred)', gamma=2)",
    ),
    "parameter-kind": Message(
        text="parameter `{name}` is declared {kind}, and is {value}",
        help="give a value of that kind",
        example="k: int = 0.5\nmean(y_pred) * k",
    ),
    "parameter-range": Message(
        text="parameter `{name}` is {value}, outside its range {range}",
        help="give a value inside the range",
        example="gamma: float = -1.0 in [0, inf)\nmean(y_pred) * gamma",
    ),
    "argument-axes": Message(
        text="`{name}` is {type} where {declared} is needed",
        help="the loss works along those axes: give it a value that has them",
        example="mean(categorical_crossentropy(mean(y_true), mean(y_pred)))",
    ),
    "declared-size": Message(
        text="an axis has {size} entries where {declared} are declared or needed",
        help="mend the data or the declaration",
        example="# data of shape (8, 3) for `y_pred: float[batch, 4]`",
    ),
}

VALUES: dict[str, Message] = {
    "constant-not-finite": Message(
        text="`{function}` of these constants is {value}, not a finite number",
        help="it would be so for all data",
        example="mean(y_pred) + log(0)",
    ),
    "division-by-zero": Message(
        text="this divides by zero",
        help="it would be so for all data",
        example="mean(y_pred) / (2 - 2)",
    ),
    "no-gradient": Message(
        text="no gradient can reach `y_pred`: `{function}` is flat wherever it has a derivative",
        help="a loss needs a smooth path to `y_pred`; as a measure, use `lossdsl.metric`",
        example="mean(round(y_pred) == y_true)",
    ),
    "y_pred-unused": Message(
        text="the loss does not depend on `y_pred`",
        help="a loss compares `y_pred` with `y_true`",
        example="mean(abs(y_true))",
    ),
    "too-many-nodes": Message(
        text="this formula has more than {limit} operations",
        help="`lossdsl.limits(nodes=...)` allows more",
        example="# a formula of more than 60,000 operations, its gradient included",
    ),
    "too-many-steps": Message(
        text="expanding this formula takes more than {limit} steps",
        help="functions that call functions multiply; `lossdsl.limits(expansion_steps=...)` allows more",
        example="# definitions that double at each of 30 levels",
    ),
    "too-many-errors": Message(
        text="there are more than {limit} errors; the rest is not looked for",
        help="`lossdsl.limits(errors=...)` shows more",
        example="# a sum of 60 unknown names",
    ),
    "tensor-too-large": Message(
        text="this would need {size} GiB: {shape}",
        help="pairs of a large batch; a smaller batch, or `lossdsl.limits(tensor_bytes=...)`",
        example="# pairs of a batch of 100,000",
    ),
}

WARNINGS: dict[str, Message] = {
    "unused-binding": Message(
        text="`{name}` is never used",
        help="take it away, or use it in the loss",
        example="a = y_true\nmean(abs(y_pred))",
        severity=Severity.WARNING,
    ),
    "unused-declaration": Message(
        text="`{name}` is declared and never used",
        help="take it away, or use it in the loss",
        example="gamma: float = 2.0\nmean(abs(y_pred))",
        severity=Severity.WARNING,
    ),
    "log-of-logits": Message(
        text="`{function}` of logits",
        help="logits can be negative: `log_softmax` or `log_sigmoid` of them, or declare `y_pred: prob`",
        example="y_pred: logits[batch, *]\nmean(log(y_pred))",
        severity=Severity.WARNING,
    ),
    "activation-of-probabilities": Message(
        text="`{function}` of probabilities",
        help="they went through an activation already; declare `y_pred: logits` if they did not",
        example="y_pred: prob[batch, *]\nmean(sigmoid(y_pred))",
        severity=Severity.WARNING,
    ),
    "reduces-all": Message(
        text="`{function}` without an axis goes over every axis but batch of {type}",
        help="along the last axis alone it is `{function}(..., axis=-1)`",
        example="y_pred: float[batch, time, classes]\nmean(logsumexp(y_pred) - y_true)",
        severity=Severity.WARNING,
    ),
    "axis-of-one": Message(
        text="`{function}` along an axis of one entry",
        help="the result does not depend on the data",
        example="y_pred: float[batch, 1]\nmean(softmax(y_pred) * y_pred)",
        severity=Severity.WARNING,
    ),
}

SHAPES: dict[str, Message] = {
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
    "class-name": Message(
        text="`{name}` can't be the name of the class",
        help="a Python name, no keyword, none that the file itself uses",
        example="# eject(formula, class_name='class')",
    ),
    "no-derivative": Message(
        text="the table has no derivative of `{function}` to show",
        help="the framework's own is used",
        example="# the gradient of a gradient of digamma",
    ),
    "unknown-emit": Message(
        text="nothing is shown as `{emit}`", help="one of {known}", example="# show(formula, emit='x')"
    ),
    "not-a-formula": Message(
        text="a formula is text, and this is a {kind}",
        help="a string, as `mean(abs(y_true - y_pred))`",
        example="# compile(3)",
    ),
    "parameter-type": Message(
        text="parameter `{name}` can't be {found}",
        help="give a finite number, True or False, a list of numbers, or a list of such lists of equal length",
        example="# compile(formula, gamma='x')",
    ),
}

MEANING: dict[str, Message] = {**SHAPES, **NAMES, **CALLS, **AXES, **DECLARATIONS, **VALUES, **WARNINGS}
