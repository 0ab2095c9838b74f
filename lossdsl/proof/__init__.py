"""Whether a loss can come out as NaN or infinite: proved, refuted by an input that was run, or neither."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from lossdsl.analysis.finite import MOST_ENTRIES, Danger, Finite
from lossdsl.analysis.forms import Forms
from lossdsl.analysis.variants import variants
from lossdsl.backends.formula_text import short
from lossdsl.checked import Checked, analyse
from lossdsl.checker.declared import data_declarations
from lossdsl.errors import Diagnostic, LossError
from lossdsl.guards import NoGradientError
from lossdsl.interval import LARGEST, SMALLEST, UNIT, Interval, point
from lossdsl.ir.build import Builder
from lossdsl.ir.node import CONST, reachable
from lossdsl.precision import FLOAT32, Precision, precision
from lossdsl.program import Form
from lossdsl.proof.constants import lost_constants
from lossdsl.proof.part import ALARM, FAR, OPEN, PROVED, UNSEEN, Part, Proof
from lossdsl.proof.repair import repairs
from lossdsl.proof.witness import sizes_of, witness
from lossdsl.syntax import ast

REACHES = (LARGEST, 1e24, 1e18, 1e15, 1e12, 1e9, 1e6, 1e4, 1e3, 100.0, 10.0)
"""Sizes of undeclared data for which a proof is tried, the largest first."""
MOST_LABELS = 2.0**24
"""Class numbers are exact in float32 below it."""


def demand(checked: Checked, strict: bool | float, dtype: str = "float32") -> None:
    """Raise LossError unless value and gradient are proved finite: for all declared data, or up to a size `strict`."""
    if strict and (found := refusals(checked, strict, dtype)):
        raise LossError(found)


def refusals(checked: Checked, strict: bool | float, dtype: str = "float32") -> tuple[Diagnostic, ...]:
    """What is not proved of value and gradient: for all declared data, or for undeclared data up to a size."""
    return prove(checked, dtype=dtype, size=LARGEST if strict is True else strict).refusals(strict)


def prove(checked: Checked, search: bool = True, dtype: str = "float32", size: float = LARGEST) -> Proof:
    """Analyse value and gradient as they run on data of a type, and again as frameworks' optimisers leave them.

    `search` looks for inputs that fail, and for guards that mend it, where there is no proof. For undeclared data
    sizes of powers of 10 are tried, and `size`. Raises LossError where `dtype` is no float type.
    """
    reaches = sorted({*REACHES, min(size, LARGEST)}, reverse=True)
    parts = _parts(checked, search, precision(dtype), reaches)
    return Proof(tuple(_repaired(checked, part, reaches) if search else part for part in parts))


def _parts(checked: Checked, search: bool, kind: Precision, reaches: Sequence[float]) -> Iterator[Part]:
    every = list(forms_of(checked))
    yield from (_part(name, form, checked, search, kind, reaches) for name, form in every)
    if len(every) == 1 and not checked.meaning.measure:
        yield Part("gradient", 0.0, None, (), None, analysed=False, precision=kind)


def forms_of(checked: Checked, activation: str | None = None) -> Iterator[tuple[str, Form]]:
    """The value, and the gradient if it is ours; with an `activation` on the logits of `y_pred`."""
    form = checked.display(activation).form
    yield "value", form
    if not checked.meaning.measure:
        with suppress(NoGradientError):
            yield "gradient", form.gradient(0, "y_pred")


def _repaired(checked: Checked, part: Part, reaches: Sequence[float]) -> Part:
    """The part with a guard that mends it, if one of those that are tried does."""
    if part.danger is None or part.reach >= part.far:
        return part
    meaning = checked.meaning
    for text in repairs(checked, part.danger.node, inputs(checked, part.far)):
        try:
            again = analyse(
                text,
                checked.params,
                uses=meaning.uses,
                epsilon=meaning.epsilon,
                measure=meaning.measure,
                rewrite=checked.best,
            )
        except LossError:
            continue  # the guard would need another type: another may not
        if all(
            other.danger is None or other.reach >= other.far
            for other in _parts(again, search=False, kind=part.precision, reaches=reaches)
            if other.name == part.name
        ):
            return replace(part, repair=text)
    return part


def _part(name: str, form: Form, checked: Checked, search: bool, kind: Precision, sizes: Sequence[float]) -> Part:
    builder, root = form.builder, form.roots[0]
    stored = kind.computing if name == "value" else kind  # a gradient is rounded to the type of its data
    roots = variants(builder, root, kind.computed)
    bounded = not any(_is_open(x) for x in inputs(checked, LARGEST).values())
    reaches = sizes[:1] if bounded else [reach for reach in sizes if reach <= kind.largest]
    reaches = reaches if bounded or not kind.is_half else [kind.largest, *reaches]
    analysed: dict[float, Finite] = {}
    forms = Forms(reachable(roots), entries_in(builder), checked.display().elaborated.constraints)

    def fails(reach: float) -> bool:
        analysed[reach] = Finite(roots, inputs(checked, reach, kind), forms, min(stored.largest, LARGEST))
        return bool(analysed[reach].dangers)

    first = bisect_left(range(len(reaches)), True, key=lambda i: not fails(reaches[i]))  # what holds far out holds near
    proved = reaches[first] if first < len(reaches) else 0.0
    tried = reaches[max(first - 1, 0)]
    failing = analysed.get(tried) if first else None
    if failing is None:
        return Part(name, float("inf"), None, (), None, precision=kind)
    danger = min(failing.dangers.values(), key=lambda each: each.node.number)
    part = Part(name, proved, danger, tuple(_chain(danger)), None, precision=kind, open_data=_open_data(checked))
    far = [tried, *([max(tried, part.far)] if proved < part.far else reaches[:1])] if search else []
    trials = (witness(roots, builder, inputs(checked, reach), kind, stored) for reach in far)
    return replace(part, witness=next(filter(None, trials), None))


def entries_in(builder: Builder) -> Interval:
    """How many entries an axis of unknown size may have: more than usual where another must be as long."""
    return Interval(MOST_ENTRIES.lo, max(MOST_ENTRIES.hi, *(point(float(size)).hi for size in sizes_of(builder))))


def _open_data(checked: Checked) -> str:
    """The declaration of the predictions, or else the labels, if it has no range and could have one."""
    declared = data_declarations(checked.formula)
    for name in ("y_pred", "y_true")[: 1 + (checked.uses_true and not checked.label)]:
        declaration = declared.get(name)
        if declaration is None:
            return f"{name}: float[batch, *]"
        if declaration.range is None and declaration.kind not in ("prob", "bool"):
            return declaration.span.text
    return ""


def _is_open(interval: Interval) -> bool:
    return LARGEST in (-interval.lo, interval.hi)


def _chain(danger: Danger) -> Iterator[tuple[str, Interval]]:
    """The operands that lead to it, and what comes of them."""
    for operand, interval in zip(danger.node.inputs, danger.operands, strict=True):
        if operand.op != CONST:
            yield short(operand), interval
    if not danger.outside:
        yield short(danger.node), danger.result


def inputs(checked: Checked, reach: float, kind: Precision = FLOAT32) -> dict[str, Interval]:
    """Where data rounded to a type lie: what is declared, and finite beyond that, up to `reach` in size."""
    found: dict[str, Interval] = {"upstream": UNIT}
    declared = data_declarations(checked.formula)
    for name in ("y_true", "y_pred"):
        if name == "y_true" and checked.label:
            found[name] = _declared(declared.get(name), Interval(0.0, MOST_LABELS))
        else:
            found[name] = _rounded(_declared(declared.get(name), Interval(-reach, reach)), kind)
    return found


def _rounded(interval: Interval, kind: Precision) -> Interval:
    """Where numbers of an interval lie when they are rounded: declared ones may be too large for the type."""
    return Interval(kind.of(interval.lo), kind.of(interval.hi))


def _declared(declaration: ast.Declaration | None, anything: Interval) -> Interval:
    if declaration is None:
        return anything
    allowed = declaration.range
    if allowed is None:
        return UNIT if declaration.kind == "prob" else anything
    if allowed.members is not None:
        return Interval(min(allowed.members), max(allowed.members))
    low = anything.lo if allowed.lower is None else allowed.lower
    high = anything.hi if allowed.upper is None else allowed.upper
    if low == 0.0 and not allowed.lower_closed:
        low = SMALLEST
    return Interval(low, max(low, high))


__all__ = [
    "ALARM",
    "FAR",
    "OPEN",
    "PROVED",
    "UNSEEN",
    "Part",
    "Proof",
    "demand",
    "inputs",
    "lost_constants",
    "prove",
    "refusals",
]
