"""Calls a formula on real tensors: shapes settled in Python, then one compiled function where that pays.

On TensorFlow outside a graph a call is one cached `tf.function` over value, weights and reduction together.
Losses that mean the same share it, and it goes when the last of them does. Everything else runs the same code
as it stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any, ClassVar, NamedTuple
from weakref import WeakValueDictionary

import keras
from keras import KerasTensor, ops

from lossdsl.backends import live_ops, runtime, shims
from lossdsl.backends.live_config import kind_of, warn, whole
from lossdsl.backends.live_logits import activation_of, logits_of
from lossdsl.backends.live_total import Total, may_need_gradient, silent
from lossdsl.backends.runtime_gradient import attach
from lossdsl.backends.runtime_replicas import replicas
from lossdsl.checked import Checked
from lossdsl.errors import Long, fail
from lossdsl.program import Program
from lossdsl.proof.on_logits import stays_finite

MOST_PLANS = 256
"""Shapes that one loss remembers."""


class Plan(NamedTuple):
    """What is settled for one set of shapes; `key` names the compiled function that serves them.

    `labels` is whether somebody may ask for the gradient of y_true; `has_own_xla`, whether the formula's own
    functions are compiled, where that is asked for, so that the whole need not be. Where the program has an activation,
    logits come in place of y_pred, and `dtype` does not round them.
    """

    program: Program
    formula: runtime.Formula
    ranks: runtime.Ranks
    labels: bool
    has_own_xla: bool
    dtype: str
    key: Hashable


class Compiled:
    """A compiled function, alone in an object so that it can be held weakly."""

    def __init__(self, function: Any) -> None:
        self.function = function


_COMPILED: WeakValueDictionary[Hashable, Compiled] = WeakValueDictionary()
_LOCK = threading.Lock()


def formula_of(
    checked: Checked, program: Program, alive: bool, ours: bool, labels: bool = True, xla: bool = False
) -> runtime.Formula:
    """The generated code of a program, in the form that `runtime` runs; `ours` has our own gradient.

    `labels` is whether somebody may ask for that of y_true, `xla` whether a plain graph gets compiled parts.
    """
    code = program.load_with_gradient(live_ops, shims, attach, labels) if ours else program.load(ops, shims)
    return runtime.Formula(
        value=code.value,
        terms=code.terms,
        kinds=tuple((term.kind, term.rank) for term in program.terms),
        true_rank=program.true_rank,
        pred_rank=program.pred_rank,
        shared=program.shared,
        fill=program.fill,
        label=checked.label,
        coupled=alive,
        total=Total(code.value, code.joint, xla) if ours and code.joint else None,
    )


class Dispatcher:
    """What a loss calls: it settles shapes, and picks or makes the compiled function for them."""

    autograph_info__: ClassVar[dict[str, Any]] = {}
    """See `live_register.unconverted`."""

    def __init__(
        self,
        checked: Checked,
        reduction: str | None,
        dtype: str,
        jit_compile: bool | str,
        gradient: str,
        logits: bool | str,
        strict: bool | float = False,
    ) -> None:
        self._checked = checked
        self._reduction = None if reduction == "none" else reduction
        self._dtype = dtype
        self._jit = jit_compile is True
        self._ours = gradient == "ours"
        self._strict = strict
        self._finite: dict[str, bool] = {}
        numbers = self._ours or keras.config.backend() != "torch"  # under `torch.func` nobody may look at them
        self._logits = logits == "auto" and checked.may_use_logits and numbers
        self._plans: dict[Hashable, Plan | None] = {}
        self._held: dict[Hashable, Compiled] = {}
        self._warned = False

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Any:
        """The loss; a mask has to be given here, since a tensor that enters a function loses it."""
        arrays = self._tensors(y_true, y_pred, sample_weight, mask)
        plan, arrays = self._choose(arrays, may_need_gradient(arrays[0]))
        if any(isinstance(x, KerasTensor) for x in arrays):
            return self._run(plan, arrays, None)
        group = replicas()
        if keras.config.backend() == "tensorflow" and group is None:
            import tensorflow as tf

            if tf.executing_eagerly():
                return self._compiled(plan)(*arrays)
            if self._jit and not plan.has_own_xla and not live_ops.in_xla():
                return self._within(plan, arrays)
        self._tell(arrays[1])
        return self._run(plan, arrays, group)

    def experimental_get_tracing_count(self) -> int:
        """Traces of all functions that this loss holds."""
        return sum(held.function.experimental_get_tracing_count() for held in list(self._held.values()))

    def value(self, y_true: Any, y_pred: Any) -> Any:
        """One number per sample, and per axis left standing; no weights, no reduction."""
        arrays = self._tensors(y_true, y_pred, None, None)
        return runtime.value(self._plan(arrays).formula, arrays[0], arrays[1], self._dtype)

    def fractions(self, y_true: Any, y_pred: Any, sample_weight: Any, mask: Any) -> list[tuple[Any, Any]]:
        """Weighted sum and divisor of each term, for a metric."""
        plan, arrays = self._choose(self._tensors(y_true, y_pred, sample_weight, mask))
        return runtime.fractions(plan.formula, *arrays, ranks=plan.ranks, dtype=plan.dtype, replicas=replicas())

    def _tensors(self, *data: Any) -> list[Any]:
        """y_true, y_pred, weights and mask as tensors; a symbolic one, or one that isn't there, as it is."""
        kept = (type(None), KerasTensor)
        arrays = [x if isinstance(x, kept) else _tensor(name, x) for name, x in zip(_NAMES, data, strict=True)]
        if arrays[0] is None:
            if self._checked.uses_true:
                raise fail("data-missing", None)
            arrays[0] = ops.zeros(ops.shape(arrays[1])[:1])
        return arrays

    def _within(self, plan: Plan, arrays: Sequence[Any]) -> Any:
        """A compiled function inside a plain graph. It leaves the gradient of the labels to the graph, which prunes."""
        y_true, y_pred, *others = arrays
        same = self._planned(arrays, False, plan.program.activation)
        assert same is not None
        result = self._compiled(same)(*arrays)
        if not y_true.dtype.is_floating or not plan.formula.true_rank:
            return result
        return result + silent(lambda t, p: self._run(plan, (t, p, *others), None), result, y_true, y_pred)

    def _run(self, plan: Plan, arrays: Sequence[Any], group: Any) -> Any:
        return runtime.loss_value(
            plan.formula,
            *arrays,
            ranks=plan.ranks,
            reduction=self._reduction,
            dtype=plan.dtype,
            replicas=group,
        )

    def _choose(self, arrays: list[Any], labels: bool = True) -> tuple[Plan, list[Any]]:
        """What to run, and on what: on logits in place of y_pred where it is sure what they are, and of use."""
        logits = logits_of(arrays[1]) if self._logits else None
        if logits is not None:
            instead = [arrays[0], logits.values, *arrays[2:]]
            plans = {a: plan for a in logits.activations if (plan := self._planned(instead, labels, a)) is not None}
            if plans and (activation := activation_of(arrays[1], logits)) in plans:
                return plans[activation], instead
        return self._plan(arrays, labels), arrays

    def _plan(self, arrays: Sequence[Any], labels: bool = True) -> Plan:
        """What these shapes need; the sizes are compared on every call, before anything could broadcast."""
        plan = self._planned(arrays, labels, None)
        assert plan is not None
        return plan

    def _planned(self, arrays: Sequence[Any], labels: bool, activation: str | None) -> Plan | None:
        """The same, also for logits in place of y_pred, of which there may be none."""
        shapes = tuple(None if x is None else _shape(n, x) for n, x in zip(_NAMES, arrays, strict=True))
        key = shapes, arrays[0].dtype, labels, activation
        if key not in self._plans:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            self._plans[key] = self._settle(*key)
        return self._plans[key]

    def _settle(self, shapes: tuple[Any, ...], kind: Hashable, labels: bool, activation: str | None) -> Plan | None:
        """The plan; None where logits gain nothing, or don't do, since weights reach where softmax couples."""
        true, pred, weights, mask = shapes
        checked = self._checked
        coupled = checked.couples != "none"
        alive = coupled and (weights is not None or mask is not None)
        if activation is None:
            program: Program | None = checked.program(true, pred, alive=alive)
        else:
            program = checked.from_logits(true, pred, activation, alive=alive)
        if program is None or not self._may_be(activation):
            return None
        formula = formula_of(checked, program, coupled, self._ours, labels, self._jit)
        try:
            ranks = runtime.settle(formula, self._reduction, pred, weights, mask)
        except ValueError as error:
            if activation is not None:
                return None
            raise fail("weights-dont-fit", whole(checked), reason=Long(error)) from None
        dtype = self._dtype if activation is None else runtime.compute_dtype(self._dtype)
        settings = (self._reduction, dtype, self._jit, self._ours)
        given = tuple(None if shape is None else len(shape) for shape in shapes)
        inputs = (kind, labels, given, program.true_rank, program.pred_rank, ranks)
        own = formula.total is not None and self._reduction is not None and ranks == (None, None)
        key = checked.key, program.source, settings, inputs
        return Plan(program, formula, ranks, labels, own, dtype, key)

    def _may_be(self, activation: str | None) -> bool:
        """Whether the logits of an activation make nothing infinite: asked once, for all shapes."""
        if activation is not None and activation not in self._finite:
            self._finite[activation] = stays_finite(self._checked, activation, self._dtype, self._strict)
        return activation is None or self._finite[activation]

    def _compiled(self, plan: Plan) -> Any:
        held = self._held.get(plan.key)
        if held is None:
            with _LOCK:
                held = _COMPILED.get(plan.key)
                if held is None:
                    jit = self._jit and not plan.has_own_xla
                    held = _COMPILED[plan.key] = _compile(plan, self._reduction, jit)
            self._held[plan.key] = held
        return held.function

    def _tell(self, y_pred: Any) -> None:
        """Once: what Keras' trainer does with a loss that it has to reduce itself."""
        if self._reduction is None and not self._warned and _is_traced(y_pred):
            self._warned = True
            warn("reduction-none", self._checked)


_NAMES = ("y_true", "y_pred", "sample_weight", "the mask")


def _compile(plan: Plan, reduction: str | None, jit: bool) -> Compiled:
    """The closure holds the plan and not the loss, so that it lives exactly as long as some loss needs it."""
    import tensorflow as tf

    formula = plan.formula
    if isinstance(formula.total, Total):
        formula = formula._replace(total=formula.total.set_apart())

    def run(y_true: Any, y_pred: Any, weights: Any, mask: Any) -> Any:
        y_true = y_true if plan.labels else tf.stop_gradient(y_true)
        return runtime.loss_value(
            formula, y_true, y_pred, weights, mask, ranks=plan.ranks, reduction=reduction, dtype=plan.dtype
        )

    return Compiled(tf.function(run, autograph=False, reduce_retracing=True, jit_compile=True if jit else None))


def _tensor(name: str, x: Any) -> Any:
    """One dense tensor of numbers, or an error that says what it is instead."""
    if isinstance(x, dict):
        raise fail("data-not-one", None, name=name, found=kind_of(x))
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        if isinstance(x, tf.RaggedTensor | tf.SparseTensor):
            raise fail("data-not-dense", None, name=name, found=kind_of(x))
        x = x if isinstance(x, tf.Tensor) else _converted(name, x, tf.convert_to_tensor)
        if x.dtype == tf.string or x.dtype.is_complex or x.dtype in (tf.resource, tf.variant):
            raise fail("data-not-numbers", None, name=name, found="text" if x.dtype == tf.string else x.dtype.name)
        return x
    return _converted(name, x, ops.convert_to_tensor)


def _converted(name: str, x: Any, convert: Callable[[Any], Any]) -> Any:
    try:
        return convert(x)
    except (ValueError, TypeError, OverflowError):
        raise fail("data-not-numbers", None, name=name, found="what no tensor can be made of") from None


def _shape(name: str, x: Any) -> tuple[int | None, ...]:
    if getattr(x.shape, "rank", 0) is None:
        raise fail("data-unknown-rank", None, name=name)
    return tuple(size if isinstance(size, int) else None for size in x.shape)


def _is_traced(x: Any) -> bool:
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.executing_eagerly()
    if keras.config.backend() == "jax":
        import jax

        return isinstance(x, jax.core.Tracer)
    return False
