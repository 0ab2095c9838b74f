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
    "where-of-reduced": Message(
        text="this condition goes along {axis}, which the value was reduced over already: it is {type}",
        help="pick before reducing: `mean(abs(y_true - y_pred), where=...)`; a library loss is already reduced",
        example="y_true: float[batch, 3]\ny_pred: float[batch, 3]\nmean(mae(y_true, y_pred), where=y_true == 1)",
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
    "window-size": Message(
        text="`windows` takes a size and a step of at least 1 and no negative `reflect`, not {size}, {step}, {reflect}",
        help="`windows(x, size=3, step=1, reflect=0)`",
        example="mean(windows(y_pred, 0))",
    ),
    "scores-and-labels": Message(
        text="`ctc_loss` takes scores [batch, time, classes] and labels [batch, places], not {scores} and {places}",
        help="declare them: `y_true: label[batch, places]`, `y_pred: logits[batch, time, classes]`",
        example="mean(ctc_loss(y_pred, [1, 2] > 1))",
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
    "prob-range": Message(
        text="`{name}` is declared prob, and `{range}` holds numbers that are no probability",
        help="a probability lies in [0, 1]: narrow the range, or declare the data `float`",
        example="y_pred: prob[batch, *] in [2, 5]\nmean(y_pred - y_true)",
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
        help="smaller axes, a smaller batch where samples are paired, or `lossdsl.limits(tensor_bytes=...)`",
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
    "library-weighted": Message(
        text="`{name}` is already reduced: this weighs whole samples, not what is inside them",
        help="it is {type}; write the formula out, and weigh inside the mean: `mean(w * abs(y_true - y_pred))`",
        example="mean((1 + y_true) * mae(y_true, y_pred))",
        severity=Severity.WARNING,
    ),
    "logits-as-probabilities": Message(
        text="`{name}` takes probabilities, and `y_pred` is declared logits",
        help="say `from_logits=True` where the loss has it, or give it `sigmoid(y_pred)` or `softmax(y_pred)`",
        example="y_pred: logits[batch, *]\nbce(y_true, y_pred)",
        severity=Severity.WARNING,
    ),
    "axis-of-one": Message(
        text="`{function}` along an axis of one entry",
        help="the result does not depend on the data",
        example="y_pred: float[batch, 1]\nmean(softmax(y_pred) * y_pred)",
        severity=Severity.WARNING,
    ),
}

MEANING: dict[str, Message] = {**NAMES, **CALLS, **DECLARATIONS, **VALUES, **WARNINGS}
