"""What was found of a loss, and how it is said: to a person, to a program, as a warning, as a refusal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lossdsl.analysis.finite import Danger
from lossdsl.backends.formula_text import short
from lossdsl.errors import Diagnostic, Whole, diagnostic
from lossdsl.interval import Interval
from lossdsl.precision import FLOAT32, Precision
from lossdsl.proof.witness import Witness
from lossdsl.source import Span

PROVED, ALARM, OPEN, UNSEEN = "proved", "alarm", "not proved", "not analysed"
NOT_OURS = "not analysed: it is the framework's own"
FAR = 1e6
"""Undeclared data larger than this, or than their type holds, are not worth a warning."""


@dataclass(frozen=True)
class Part:
    """What was found of the value, or of the gradient: `reach` is the size of undeclared data that is proved.

    `reach` is infinite where all that the declarations allow is proved, and 0 where nothing is. Nothing is known, and
    it is not `analysed`, where the framework's own gradient is used.
    """

    name: str
    reach: float
    danger: Danger | None
    chain: tuple[tuple[str, Interval], ...]
    witness: Witness | None
    repair: str = ""
    """The formula with a guard with which this part is proved, where one was found."""
    analysed: bool = True
    precision: Precision = FLOAT32
    """The type that data are rounded to."""
    open_data: str = ""
    """The declaration of data that lack a range, if any do."""

    @property
    def far(self) -> float:
        """Undeclared data larger than this are not worth a warning."""
        return min(FAR, self.precision.largest)

    @property
    def verdict(self) -> str:
        """`proved`, `alarm` (an input that fails was run), `not proved`, or `not analysed`."""
        if not self.analysed:
            return UNSEEN
        if self.danger is None:
            return PROVED
        return ALARM if self.witness is not None else OPEN

    @property
    def span(self) -> Span | None:
        """Where the operation in danger is written."""
        return self.danger.node.span if self.danger is not None else None

    def render(self, guarded: str = "proved with a guard") -> Iterator[str]:
        """The lines that say it to a person: its guard below the word that it is `guarded`, or without it."""
        if self.danger is None:
            yield f"{self.name}: {f'proved to be finite{self._type}' if self.analysed else NOT_OURS}"
            return
        if self.reach >= self.far:
            yield f"{self.name}: proved to be finite{self._type} for data up to {self.reach:g} in size"
            return
        yield f"{self.name}: {self._head}"
        fault = "may leave its domain" if self.danger.outside else "may overflow"
        yield f"  `{short(self.danger.node)}` {fault}"
        yield from (f"    {text} lies in {interval}" for text, interval in self.chain)
        if self.witness is not None:
            yield f"  run: {self.witness}: the {self.name} is {self.witness.result:g}"
        if self.repair and guarded:
            yield f"  {guarded}:"
            yield from (f"    {line}" for line in self.repair.splitlines())

    @property
    def _type(self) -> str:
        return "" if self.precision is FLOAT32 else f" in {self.precision.name}"

    @property
    def _head(self) -> str:
        if self.reach:
            return f"proved to be finite{self._type} for data up to {self.reach:g} in size, not beyond"
        return ("can be NaN or infinite" if self.witness is not None else "not proved to be finite") + self._type

    @property
    def warning(self) -> Diagnostic | None:
        """The alarm as one message, where data of ordinary size raise it."""
        if self.verdict != ALARM or self.reach >= self.far:
            return None
        return diagnostic("can-be-nan", self.span, part=self.name, witness=self.witness, advice=self._advice)

    def refusal(self, wanted: float) -> Diagnostic | None:
        """What is wrong where a proof is demanded for undeclared data up to a size; None where there is one."""
        if self.reach >= wanted:
            return None
        reach = "for all that is declared" if wanted == math.inf else f"for data up to {wanted:g} in size"
        reach = f"{self._type} {reach}".strip()
        expression = short(self.danger.node) if self.danger is not None else NOT_OURS
        return diagnostic(
            "not-proved", self.span, part=self.name, reach=reach, expression=expression, advice=self._advice
        )

    @property
    def _advice(self) -> Whole:
        if self.repair:
            shown = f"\n{self.repair}" if "\n" in self.repair else f" `{self.repair}`"
            return Whole(f"with a guard it is proved:{shown}")
        if not self.analysed:
            return Whole("use a function whose derivative is known, or leave `strict` out")
        if self.open_data:
            return Whole(f"declare where the data lie, as `{self.open_data} in [-1e6, 1e6]`, or guard the operand")
        return Whole("guard the operand, or declare narrower ranges")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for `--format json`, which has no word for infinity: what has no limit is None."""
        found: dict[str, Any] = {"part": self.name, "verdict": self.verdict, "reach": _limit(self.reach)}
        found |= {"dtype": self.precision.name}
        if self.danger is not None:
            found["expression"] = short(self.danger.node)
            found["chain"] = [[text, _limit(interval.lo), _limit(interval.hi)] for text, interval in self.chain]
            found["witness"] = None if self.witness is None else str(self.witness)
            found["repair"] = self.repair or None
        return found


def _limit(number: float) -> float | None:
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Proof:
    """What is proved of a formula's value and gradient, for finite data within the declared ranges."""

    parts: tuple[Part, ...]

    @property
    def verdict(self) -> str:
        """The worst of the parts' verdicts."""
        found = {part.verdict for part in self.parts}
        return next(verdict for verdict in (ALARM, OPEN, UNSEEN, PROVED) if verdict in found)

    def refusals(self, strict: bool | float) -> tuple[Diagnostic, ...]:
        """What is wrong where a proof is demanded: for all declared data, or for undeclared data up to a size."""
        wanted = math.inf if strict is True else strict
        return tuple(found for part in self.parts if (found := part.refusal(wanted)) is not None)

    def render(self) -> str:
        """As shown to a person; a guard that mends value and gradient is shown once, below both."""
        *others, last = self.parts
        if not (others and last.repair and all(part.repair == last.repair for part in others)):
            return "\n".join(line for part in self.parts for line in part.render())
        lines = [line for part in others for line in part.render(guarded="")]
        return "\n".join([*lines, *last.render("proved with a guard, value and gradient")])
