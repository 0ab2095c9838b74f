"""The compiler on one page: what a user can ask of a formula. Imports no framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from lossdsl.backends import latex, reference
from lossdsl.backends.eject import standalone
from lossdsl.backends.formula_text import formula_text, short
from lossdsl.checked import EPSILON, LANGUAGE, Checked, analyse, examine
from lossdsl.checker.declared import data_declarations, within
from lossdsl.errors import Diagnostic, LossError, fail
from lossdsl.gradient import NoGradientError
from lossdsl.guards import Inserted
from lossdsl.ir.node import show as show_graph
from lossdsl.messages import Severity
from lossdsl.precision import Precision, precision
from lossdsl.program import Program, Term, aligned
from lossdsl.proof import REACHES, Proof, lost_constants, prove, refusals
from lossdsl.proof.on_logits import stays_finite
from lossdsl.rewrite.passes import Applied
from lossdsl.source import Source, Span
from lossdsl.syntax import ast
from lossdsl.syntax.format import format_formula
from lossdsl.syntax.parse import parse
from lossdsl.syntax.tree import show_tree

EMITS = ("ast", "types", "python", "text", "latex", "gradient", "rewrites")
"""What `show` can print."""


@dataclass(frozen=True)
class Report:
    """What was found out about a formula.

    `signature` is the inferred shapes of the data, `parameters` every parameter with its value, `couples_batch`
    `"none"`, `"rows"` or `"batch"`.
    """

    ok: bool
    diagnostics: tuple[Diagnostic, ...]
    signature: str
    parameters: dict[str, Any]
    couples_batch: str
    dtype: str = "float32"
    """The type that data are rounded to, for which `proof` holds."""
    _checked: Checked | None = field(default=None, repr=False, compare=False)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the loss and what weights each takes; found when asked for, since it can take a second check."""
        return self._checked.terms if self._checked is not None else ()

    @cached_property
    def proof(self) -> Proof | None:
        """Whether it can come out as NaN or infinite; None where the formula is wrong. Found when asked for."""
        return prove(self._checked, dtype=self.dtype) if self._checked is not None else None

    def refusals(self, strict: bool | float) -> tuple[Diagnostic, ...]:
        """What is not proved: for all declared data, or for undeclared data up to a size."""
        if self._checked is None or not strict:
            return ()
        tried = self.proof is not None and (strict is True or strict in REACHES)
        return self.proof.refusals(strict) if self.proof and tried else refusals(self._checked, strict, self.dtype)

    @cached_property
    def guards(self) -> tuple[Inserted, ...]:
        """What went in to keep the gradient finite where a branch is not taken; it changes no value that is used."""
        return self._checked.guards if self._checked is not None else ()

    @cached_property
    def logits(self) -> tuple[str, ...]:
        """The activations (`sigmoid`, `softmax`) whose logits the loss uses in place of the probabilities they made."""
        checked = self._checked
        if checked is None:
            return ()
        return tuple(a for a in checked.activations if stays_finite(checked, a, self.dtype))

    def render(self) -> str:
        """The report as shown to a person."""
        lines = [diagnostic.render() for diagnostic in self.diagnostics]
        if self.ok:
            lines.append(self.signature)
            lines += [f"{name} = {value}" for name, value in self.parameters.items()]
            lines += [_describe(term) for term in self.terms]
            if self.couples_batch != "none":
                lines.append(_COUPLED[self.couples_batch])
            lines += _guarded(self.guards)
            if self.logits:
                lines.append(_LOGITS.format(" or ".join(self.logits)))
            lines += [self.proof.render()] if self.proof is not None else []
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--format json`."""
        return {
            "ok": self.ok,
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
            "signature": self.signature,
            "parameters": dict(self.parameters),
            "couples_batch": self.couples_batch,
            "logits": list(self.logits),
            "guards": [
                {"operation": short(g.node), "operand": short(g.operand), "used": short(g.used), "point": g.point}
                for g in self.guards
            ],
            "terms": [{"name": t.name, "kind": t.kind, "weights_rank": t.rank} for t in self.terms],
            "finite": [part.to_dict() for part in self.proof.parts] if self.proof is not None else [],
        }


_COUPLED = {
    "rows": "couples samples: the value of a sample depends on the others, and on the size of the batch",
    "batch": "couples samples: one number for the whole batch, which depends on its size; no weights, no mask",
}
_LOGITS = """uses the logits where y_pred comes out of a {} (TensorFlow, torch); without them (JAX, another activation)
what rounding makes 0 or 1 is lost: there the gradient is 0, or the value infinite where nothing guards it"""
_KINDS = {
    "mean": "a mean over positions",
    "sum": "a sum over positions",
    "plain": "a value at every position left",
    "sample": "a value per sample, not linear in its positions",
    "batch": "a value for the batch",
}


def _describe(term: Term) -> str:
    weights = {0: "no weights", 1: "weights per sample"}.get(term.rank, f"weights of rank 1 to {term.rank}")
    name = f"term {term.name}" if term.name else "term"
    return f"{name}: {_KINDS[term.kind]}; takes {weights}"


MOST_GUARDS = 3
"""Guards that are told one by one."""


def _guarded(guards: Sequence[Inserted]) -> Iterator[str]:
    for guard in guards[:MOST_GUARDS]:
        unused = guard.used.op == "logical_not"
        where = f"where `{short(guard.used.inputs[0])}`" if unused else f"where not `{short(guard.used)}`"
        operation, operand = short(guard.node), short(guard.operand)
        yield f"guarded, for the gradient: `{operation}` takes {guard.point:g} for `{operand}` {where}"
    if len(guards) > MOST_GUARDS:
        yield f"and {len(guards) - MOST_GUARDS} more such guards: --format json names them"


def check(
    formula: str | Source, params: Mapping[str, object] | None = None, *, dtype: Any = "float32", **more: object
) -> Report:
    """Check a formula, and say everything there is to say; never raises for a wrong formula.

    `dtype` is the type that the loss is to have: a float type or a policy, or the name of one (`mixed_float16`); None
    is float32. Raises LossError where it is none of these.
    """
    return report(formula, {**(params or {}), **more}, measure=False, dtype=dtype)


def report(formula: str | Source, params: Mapping[str, object], *, measure: bool, dtype: Any = "float32") -> Report:
    """The same for a loss or for a measure, which needs no gradient."""
    kind = precision("float32" if dtype is None else dtype)
    try:
        source, tree, signature, stars, found, meaning = examine(formula, params, None, EPSILON, measure)
        if not found.errors:
            checked = Checked(source, tree, dict(meaning.params), meaning, signature, stars, found)
            return _report(checked, kind)
    except LossError as error:
        return Report(False, error.diagnostics, "", {}, "none")
    return Report(False, found.diagnostics, "", {}, "none")


def _report(checked: Checked, kind: Precision) -> Report:
    return Report(
        ok=True,
        diagnostics=(*lost_constants(checked, kind), *checked.warnings),
        signature=str(checked.signature),
        parameters=parameters(checked),
        couples_batch=checked.couples,
        dtype=kind.name,
        _checked=checked,
    )


def parameters(checked: Checked) -> dict[str, Any]:
    """Every parameter of a formula with its value: as given, or the text of its default."""
    found: dict[str, Any] = {}
    for statement in checked.formula.statements:
        if isinstance(statement, ast.Declaration) and statement.name not in ("y_true", "y_pred"):
            found[statement.name] = checked.params.get(statement.name, _default(statement.default))
    return {**found, **{name: value for name, value in checked.params.items() if name not in found}}


def _default(expr: ast.Expr | None) -> Any:
    """A default as a plain value; one that is computed, as its text."""
    if isinstance(expr, (ast.Number, ast.Boolean)):
        return expr.value
    if isinstance(expr, ast.Unary) and expr.op == "-" and isinstance(expr.operand, ast.Number):
        return -expr.operand.value
    if isinstance(expr, ast.Vector):
        return [_default(item) for item in expr.items]
    return None if expr is None else expr.span.text


def evaluate(
    formula: str | Source,
    y_true: Any,
    y_pred: Any,
    params: Mapping[str, object] | None = None,
    **more: object,
) -> np.ndarray[Any, Any]:
    """The value of a formula in NumPy, float64: shape (batch,), then any axes left standing; (1,) for a batch scalar.

    Data outside its declared range is an error here, as are shapes that can't meet (LossError). `y_true` may be None
    where the formula does not look at it.
    """
    checked = analyse(formula, {**(params or {}), **more}, measure=True)
    pred = _array("y_pred", y_pred)
    if y_true is None and checked.uses_true:
        raise fail("data-missing", None)
    true = _array("y_true", np.zeros(pred.shape[:1]) if y_true is None else y_true)
    program = checked.program(true.shape, pred.shape)
    _verify(checked, true, pred)
    data = {
        "y_true": _kind("y_true", _fitted(true, program.true_rank), checked.label),
        "y_pred": _kind("y_pred", _fitted(pred, program.pred_rank), False),
    }
    root = program.elaborated.root
    assert root is not None
    value = reference.evaluate(root, program.elaborated.builder.layout.ids, data)
    return value


def _fitted(array: np.ndarray[Any, Any], rank: int) -> np.ndarray[Any, Any]:
    """The array at the rank that a program expects; as it is where the formula does not look at it."""
    if not rank:
        return array
    fitted = aligned(array.shape, rank)
    assert fitted is not None
    return array.reshape(tuple(int(size) for size in fitted if size is not None))


def _array(name: str, data: Any) -> np.ndarray[Any, Any]:
    """Data as an array of numbers."""
    try:
        array = np.asarray(data)
    except ValueError:
        raise fail("data-not-numbers", None, name=name, found="lists of different lengths") from None
    if array.dtype.kind not in "fiub":
        raise fail("data-not-numbers", None, name=name, found=array.dtype)
    return array


def _kind(name: str, array: np.ndarray[Any, Any], label: bool) -> np.ndarray[Any, Any]:
    """Floats, or whole numbers where the formula reads labels."""
    if not label:
        return array.astype(np.float64)
    odd = array[~((np.abs(array) < 2**62) & (np.floor(array) == array))]
    if odd.size:
        raise fail("label-not-whole", None, name=name, value=odd.flat[0])
    return array.astype(np.int64)


def _verify(checked: Checked, true: np.ndarray[Any, Any], pred: np.ndarray[Any, Any]) -> None:
    """Data against its declared range."""
    found = data_declarations(checked.formula)
    for name, array in (("y_true", true), ("y_pred", pred)):
        declaration = found.get(name)
        if declaration is None:
            continue
        for value in np.unique(array).tolist():
            wrong = declaration.range is not None and not within(declaration.range, value)
            if wrong or (declaration.kind == "prob" and not 0 <= value <= 1):
                shown = declaration.span.text
                raise fail("data-range", declaration.span, name=name, value=value, declared=shown)


def show(formula: str | Source, emit: str = "text", params: Mapping[str, object] | None = None) -> str:
    """A formula in one of its forms: `ast`, `types` (the graph), `python`, `text` (canonical), `latex`, `gradient`
    (with respect to y_pred, as a formula) or `rewrites` (rule, place, before, after).
    """
    source = Source(formula) if isinstance(formula, str) else formula
    if emit == "ast":
        return show_tree(parse(source))
    checked = analyse(source, params, measure=True)
    if emit == "text":
        return format_formula(checked.formula)
    if emit == "latex":
        return latex.formula(checked.formula)
    if emit == "types":
        root = checked.display().elaborated.root
        assert root is not None
        return "\n".join([str(checked.signature), "", *show_graph([root])])
    if emit == "python":
        return checked.display().source
    if emit == "gradient":
        return _gradient(checked)
    if emit == "rewrites":
        return "\n".join(map(_rewrite, checked.display().form.applied)) or "nothing to rewrite"
    raise fail("unknown-emit", None, emit=emit, known=", ".join(EMITS))


def _gradient(checked: Checked) -> str:
    try:
        form = checked.display().form.gradient(0, "y_pred")
    except NoGradientError as missing:
        raise fail("no-derivative", None, function=missing) from None
    return formula_text(form.roots[0], form.names)


def _rewrite(applied: Applied) -> str:
    place = applied.span.source.place(applied.span.start) if applied.span else ""
    return f"{applied.rule.name:24} {place}  {short(applied.before)} -> {short(applied.after)}"


def eject(
    formula: str | Source,
    class_name: str = "FormulaLoss",
    params: Mapping[str, object] | None = None,
    **more: object,
) -> str:
    """A Python file with a Keras loss class that needs no lossdsl: the very code that runs. Raises LossError."""
    checked = analyse(formula, {**(params or {}), **more})
    return standalone(checked, class_name)


__all__ = [
    "EMITS",
    "LANGUAGE",
    "Checked",
    "Program",
    "Report",
    "Severity",
    "Span",
    "Term",
    "analyse",
    "check",
    "eject",
    "evaluate",
    "parameters",
    "report",
    "show",
]  # fmt: skip
