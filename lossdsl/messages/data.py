"""Messages of the stage `data`: what is given, weights, masks, settings and saved files; see `lossdsl.messages`."""

from __future__ import annotations

from lossdsl.messages.message import Message, Severity

DATA: dict[str, Message] = {
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
    "can-be-nan": Message(
        text="the {part} can be NaN or infinite: {witness}",
        help="{advice}",
        example="# lossdsl check --format github 'mean(log(y_pred))'",
        severity=Severity.WARNING,
    ),
    "not-proved": Message(
        text="the {part} is not proved to be finite {reach}: `{expression}`",
        help="{advice}",
        example="# compile('mean(log(y_pred))', strict=True)",
    ),
    "unknown-emit": Message(
        text="nothing is shown as `{emit}`", help="one of {known}", example="# show(formula, emit='x')"
    ),
    "not-a-formula": Message(
        text="a formula is text, and this is of type {kind}",
        help="a string, as `mean(abs(y_true - y_pred))`",
        example="# compile(3)",
    ),
    "parameters-unnamed": Message(
        text="parameters have names, and this is of type {kind}",
        help="as `compile('huber', delta=0.5)`, or a mapping",
        example="# compile('huber', 0.5)",
    ),
    "parameter-type": Message(
        text="parameter `{name}` can't be {found}",
        help="give a finite number, True or False, a list of numbers, or a list of such lists of equal length",
        example="# compile(formula, gamma='x')",
    ),
    "weights-dont-fit": Message(
        text="{reason}",
        help="weights and masks go along y_pred's axes from the left, under the formula's own mean or sum",
        example="# loss(zeros((2, 3)), zeros((2, 3)), sample_weight=ones((2, 4))) of `mean(y_pred - y_true)`",
    ),
    "data-unknown-rank": Message(
        text="{name} has an unknown number of axes here",
        help="call `set_shape` on the tensor, with None for the sizes that are not known",
        example="# a tensor out of tf.py_function, inside tf.function",
    ),
    "data-not-dense": Message(
        text="{name} is {found}, and a loss takes dense tensors",
        help="use `to_tensor()` or `tf.sparse.to_dense`, with weight 0 for what is only padding",
        example="# loss(tf.ragged.constant([[1.0], [2.0, 3.0]]), ...)",
    ),
    "data-missing": Message(
        text="y_true is None, and the formula looks at it",
        help="give the truth; None is for formulas that look at y_pred alone",
        example="# loss(None, y_pred)",
    ),
    "data-not-one": Message(
        text="{name} is {found}, and a loss takes one tensor",
        help="give each output a loss of its own, or concatenate the outputs and index them in the formula",
        example="# loss({'a': y}, {'a': y})",
    ),
    "data-not-numbers": Message(
        text="{name} holds {found}, and a loss takes numbers",
        help="turn text into class numbers first, as keras.layers.StringLookup does",
        example="# loss(['cat'], [[0.1, 0.9]])",
    ),
    "data-range": Message(
        text="the data of `{name}` holds {value}, outside what is declared: `{declared}`",
        help="mend the data or the declaration; a training step doesn't look at ranges, `lossdsl.evaluate` does",
        example="# lossdsl.evaluate('y_pred: prob[batch, *]; mean(y_pred - y_true)', [0.0], [1.5])",
    ),
    "label-not-whole": Message(
        text="the data of `{name}` holds {value}, where the formula reads labels, which are whole numbers",
        help="for data of another kind, declare it: `{name}: float[batch, *]`",
        example="# lossdsl.evaluate('y_true: label[batch]; mean(take([1, 2], y_true) * y_pred)', [0.5], [[1, 2]])",
    ),
    "index-outside": Message(
        text="`{function}` is given an index that is not there: {reason}",
        help="guard it: `where(ok, index, 0)`; in training a wrong index gives 0 or NaN, and no error",
        example="# lossdsl.evaluate('y_true: label[batch]; mean(take([1, 2], y_true) * y_pred)', [7], [[1, 2]])",
    ),
    "loss-read-only": Message(
        text="a loss can't be changed once it is made: {name}",
        help="make another: `loss.with_params({name}=...)`, or `lossdsl.compile(...)` for a setting",
        example="# loss.gamma = 3",
    ),
    "metric-name": Message(
        text="a metric can't be named `loss`: Keras' own entry of that name hides it",
        help="give it another name: `as_metric(name=...)`",
        example="# lossdsl.metric('mean(y_pred - y_true)', name='loss')",
    ),
    "metric-per-batch": Message(
        text="the formula couples the samples of a batch: its metric is an average over batches, not exact",
        help="`lossdsl.evaluate` takes the whole data set as one batch",
        example="# lossdsl.metric('sum(y_pred * y_true, axis=batch)')",
        severity=Severity.WARNING,
    ),
    "reduction-none": Message(
        text="a loss with reduction=None is being traced: in `model.compile` it trains on the batch's sum",
        help="use it as it is in a loop of your own; for `model.compile` leave `reduction` as it comes",
        example="# model.compile(loss=lossdsl.compile('mean(y_pred - y_true)', reduction=None))",
        severity=Severity.WARNING,
    ),
    "constant-lost": Message(
        text="`{sum}` is {becomes} in {dtype}: nothing is left of {number}",
        help="take a larger number: 1e-7 is about the smallest that 1 can be told from",
        example="# lossdsl.compile('y_pred: prob[batch, *]\\nmean(-log(1 - clip(y_pred, 1e-8, 1 - 1e-8)))')",
        severity=Severity.WARNING,
    ),
    "label-inexact": Message(
        text="`{name}` is rounded to {dtype}, where {number} is {becomes}: the two can't be told apart",
        help="{advice}",
        example="# lossdsl.compile('mean(where(y_true == 257, y_pred, 0))', dtype='bfloat16')",
        severity=Severity.WARNING,
    ),
    "constant-vanishes": Message(
        text="the number {number} is {becomes} in {dtype}, the type that {what}",
        help="{advice}",
        example="# lossdsl.compile('mean(log(y_pred + 1e-9))', dtype='float16')",
        severity=Severity.WARNING,
    ),
    "saved-key": Message(
        text="a saved loss has an entry {names} that this version does not know",
        help="a newer lossdsl wrote it, or someone changed it: update lossdsl, or load with compile=False",
        example="# lossdsl.Loss.from_config({'formula': 'mean(y_pred - y_true)', 'color': 'red'})",
    ),
    "saved-value": Message(
        text="the entry `{name}` of a saved loss is {found}, and must be {wanted}",
        help="the file was damaged or changed by hand: load with compile=False to get at the model",
        example="# lossdsl.Loss.from_config({'formula': 3})",
    ),
    "library-changed": Message(
        text="`{name}` means something else in this lossdsl than in the saved loss, which keeps its meaning",
        help="saved: {saved}\ntoday: {today}\nremove `uses` from the config to take today's",
        example="# a config whose `uses` holds an older definition of a library loss",
        severity=Severity.WARNING,
    ),
    "keras-not-ready": Message(
        text="lossdsl could not make its Keras classes known: {reason}",
        help="`import lossdsl.keras` shows the whole error; saved losses can't be loaded until then",
        example="# an import of Keras that another tool has replaced",
        severity=Severity.WARNING,
    ),
    "keras-legacy": Message(
        text="TF_USE_LEGACY_KERAS is set, so `tf.keras` is Keras 2, whose models don't take a Keras 3 loss",
        help="unset it, or use `keras` itself in place of `tf.keras`",
        example="# TF_USE_LEGACY_KERAS=1 python -c 'import lossdsl.keras'",
        severity=Severity.WARNING,
    ),
}
