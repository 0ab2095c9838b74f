"""Whether a loss can come out as NaN or infinite: proved, refuted by an input that was run, or neither."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lossdsl.analysis.finite import Danger, Finite
from lossdsl.analysis.merged import merged
from lossdsl.backends.formula_text import short
from lossdsl.checked import Checked, analyse
from lossdsl.checker.declared import data_declarations
from lossdsl.errors import Diagnostic, LossError, diagnostic
from lossdsl.guards import NoGradientError
from lossdsl.interval import LARGEST, SMALLEST, UNIT, Interval
from lossdsl.ir.node import CONST, Node
from lossdsl.proof.repair import repairs
from lossdsl.proof.witness import Witness, witness
from lossdsl.source import Span
from lossdsl.syntax import ast

PROVED, ALARM, OPEN = "proved", "alarm", "not proved"
UNSEEN = "not analysed: it is the framework's own"
REACHES = (LARGEST, 1e24, 1e18, 1e15, 1e12, 1e9, 1e6, 1e4, 1e3, 100.0, 10.0)
"""Sizes of undeclared data for which a proof is tried, the largest first."""
FAR = 1e6
"""Undeclared data larger than this are not worth a warning."""
MOST_LABELS = 2.0**24
"""Class numbers are exact in float32 below it."""


@dataclass(frozen=True)
class Part:
    """What was found of the value, or of the gradient: `reach` is the size of undeclared data that is proved.

    `reach` is infinite where all that the declarations allow is proved, and 0 where nothing is; without a `danger`
    the framework's own gradient is used then, and nothing is known.
    """

    name: str
    reach: float
    danger: Danger | None
    chain: tuple[tuple[str, Interval], ...]
    witness: Witness | None
    repair: str = ""
    """The formula with a guard with which this part is proved, where one was found."""

    @property
    def verdict(self) -> str:
        """`proved`, `alarm` (an input that fails was run) or `not proved`."""
        if self.danger is None:
            return PROVED if self.reach else OPEN
        return ALARM if self.witness is not None else OPEN

    @property
    def span(self) -> Span | None:
        """Where the operation in danger is written."""
        return self.danger.node.span if self.danger is not None else None

    def render(self) -> Iterator[str]:
        """The lines that say it to a person."""
        if self.danger is None:
            yield f"{self.name}: {'proved to be finite' if self.reach else UNSEEN}"
            return
        if self.reach >= FAR:
            yield f"{self.name}: proved to be finite for data up to {self.reach:g} in size"
            return
        yield f"{self.name}: {self._head}"
        fault = "may leave its domain" if self.danger.outside else "may overflow"
        yield f"  `{short(self.danger.node)}` {fault}"
        yield from (f"    {text} lies in {interval}" for text, interval in self.chain)
        if self.witness is not None:
            yield f"  run: {self.witness}: the {self.name} is {self.witness.result:g}"
        if self.repair:
            yield "  proved with a guard:"
            yield from (f"    {line}" for line in self.repair.splitlines())

    @property
    def _head(self) -> str:
        if self.reach:
            return f"proved to be finite for data up to {self.reach:g} in size, and no further"
        return "can be NaN or infinite" if self.witness is not None else "not proved to be finite"

    @property
    def warning(self) -> Diagnostic | None:
        """The alarm as one message, where data of ordinary size raise it."""
        if self.verdict != ALARM or self.reach >= FAR:
            return None
        return diagnostic("can-be-nan", self.span, part=self.name, witness=self.witness, advice=self._advice)

    def refusal(self, wanted: float) -> Diagnostic | None:
        """What is wrong where a proof is demanded for undeclared data up to a size; None where there is one."""
        if self.reach >= wanted:
            return None
        reach = "for all that is declared" if wanted == math.inf else f"for data up to {wanted:g} in size"
        expression = short(self.danger.node) if self.danger is not None else UNSEEN
        return diagnostic(
            "not-proved", self.span, part=self.name, reach=reach, expression=expression, advice=self._advice
        )

    @property
    def _advice(self) -> str:
        if self.repair and "\n" not in self.repair:
            return f"with a guard it is proved: `{self.repair}`"
        return "declare where the data lie, as `y_pred: float[batch, *] in [-1e6, 1e6]`, or guard the operand"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--format json`."""
        found: dict[str, Any] = {"part": self.name, "verdict": self.verdict, "reach": self.reach}
        if self.danger is not None:
            found["expression"] = short(self.danger.node)
            found["chain"] = [[text, interval.lo, interval.hi] for text, interval in self.chain]
            found["witness"] = None if self.witness is None else str(self.witness)
            found["repair"] = self.repair or None
        return found


@dataclass(frozen=True)
class Proof:
    """What is proved of a formula's value and gradient in float32, for finite data within the declared ranges."""

    parts: tuple[Part, ...]

    @property
    def verdict(self) -> str:
        """The worst of the parts' verdicts."""
        found = {part.verdict for part in self.parts}
        return next(verdict for verdict in (ALARM, OPEN, PROVED) if verdict in found)

    def render(self) -> str:
        """As shown to a person."""
        return "\n".join(line for part in self.parts for line in part.render())


def demand(checked: Checked, strict: bool | float) -> None:
    """Raise LossError unless value and gradient are proved finite: for all declared data, or up to a size `strict`."""
    if isinstance(strict, bool) and not strict:
        return
    wanted = math.inf if strict is True else float(strict)
    found = [refusal for part in prove(checked).parts if (refusal := part.refusal(wanted)) is not None]
    if found:
        raise LossError(found)


def prove(checked: Checked, search: bool = True) -> Proof:
    """Analyse value and gradient as they run, and again as frameworks' optimisers leave them.

    `search` looks for inputs that fail, and for guards that mend it, where there is no proof.
    """
    parts = _parts(checked, search)
    return Proof(tuple(_repaired(checked, part) if search else part for part in parts))


def _parts(checked: Checked, search: bool) -> Iterator[Part]:
    form = checked.display().form
    yield _part("value", form.roots[0], checked, search)
    if checked.meaning.measure:
        return
    try:
        slope = form.gradient(0, "y_pred").roots[0]
    except NoGradientError:
        yield Part("gradient", 0.0, None, (), None)
        return
    yield _part("gradient", slope, checked, search)


def _repaired(checked: Checked, part: Part) -> Part:
    """The part with a guard that mends it, if one of those that are tried does."""
    if part.danger is None or part.reach >= FAR:
        return part
    meaning = checked.meaning
    for text in repairs(checked, part.danger.node):
        try:
            again = analyse(text, checked.params, uses=meaning.uses, epsilon=meaning.epsilon, measure=meaning.measure)
        except LossError:
            continue  # the guard would need another type: another may not
        if all(
            other.danger is None or other.reach >= FAR
            for other in _parts(again, search=False)
            if other.name == part.name
        ):
            return replace(part, repair=text)
    return part


def _part(name: str, root: Node, checked: Checked, search: bool) -> Part:
    builder = checked.display().form.builder
    roots = [root, *(other for other in merged(builder, [root]) if other is not root)]
    reaches = REACHES if any(_is_open(x) for x in inputs(checked, LARGEST).values()) else REACHES[:1]
    analysed: dict[float, Finite] = {}

    def fails(reach: float) -> bool:
        analysed[reach] = Finite(roots, inputs(checked, reach))
        return bool(analysed[reach].dangers)

    first = bisect_left(range(len(reaches)), True, key=lambda i: not fails(reaches[i]))  # what holds far out holds near
    proved = reaches[first] if first < len(reaches) else 0.0
    tried = reaches[max(first - 1, 0)]
    failing = analysed.get(tried) if first else None
    if failing is None:
        return Part(name, float("inf"), None, (), None)
    danger = min(failing.dangers.values(), key=lambda each: each.node.number)
    far = [tried, *([max(tried, FAR)] if proved < FAR else reaches[:1])] if search else []
    seen = next((w for reach in far if (w := witness(roots, builder, inputs(checked, reach)))), None)
    return Part(name, proved, danger, tuple(_chain(danger)), seen)


def _is_open(interval: Interval) -> bool:
    return LARGEST in (-interval.lo, interval.hi)


def _chain(danger: Danger) -> Iterator[tuple[str, Interval]]:
    """The operands that lead to it, and what comes of them."""
    for operand, interval in zip(danger.node.inputs, danger.operands, strict=True):
        if operand.op != CONST:
            yield short(operand), interval
    if not danger.outside:
        yield short(danger.node), danger.result


def inputs(checked: Checked, reach: float) -> dict[str, Interval]:
    """Where the data lie: what is declared, and finite beyond that, up to `reach` in size."""
    found: dict[str, Interval] = {"upstream": UNIT}
    declared = data_declarations(checked.formula)
    for name in ("y_true", "y_pred"):
        label = name == "y_true" and checked.label
        found[name] = _declared(declared.get(name), Interval(0.0, MOST_LABELS) if label else Interval(-reach, reach))
    return found


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


__all__ = ["ALARM", "OPEN", "PROVED", "Part", "Proof", "demand", "inputs", "prove"]
