"""The row: everything that the compiler knows about one function, in one place, with no defaults.

A row is text and NumPy; reading the table imports no framework and parses no formula. What a column cannot
say honestly is said by a named constant, never by leaving it out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from functools import cached_property, reduce
from typing import Any

import numpy as np

from lossdsl.interval import Interval, by_ends


class Family(Enum):
    """Which laws a row owes (the tests hold it to them) and how its axes go."""

    ELEMENTWISE = "elementwise"
    """Value by value, over operands that meet."""
    REDUCTION = "reduction"
    """Many values to one, along axes."""
    ALONG = "along"
    """Every value from all those along one axis: softmax, cumsum, normalize."""
    ORDER = "order"
    """By rank along one axis: sort, argsort, top_k, argmax."""
    INDEX = "index"
    """Moves values by place: take, one_hot, slices, pairs."""


class Monotone(Enum):
    """How the value goes with one argument."""

    UP = "up"
    DOWN = "down"
    BY_GRAD = "by grad"
    """The sign depends on the place: ask the range of `grad`, where `domain` holds all the way."""
    UNORDERED = "unordered"
    """Not a question for this argument (a condition, an index), or no answer: the value jumps."""


class Curvature(Enum):
    """The shape of the value, jointly in all arguments."""

    CONVEX = "convex"
    CONCAVE = "concave"
    AFFINE = "affine"
    NEITHER = "neither"


class RangeRule(Enum):
    """Ranges that follow from other columns or from the operands."""

    FROM_MONOTONE = "from monotone"
    """The end points of the arguments, through `numpy`; only where monotone in every argument."""
    HULL = "hull"
    """The hull of the arguments that can be returned."""


Array = Any
"""A NumPy array, or a number: the columns take both, and NumPy's own types can't say that."""

PRIMITIVE = "PRIMITIVE"
"""`means`: nothing simpler to say it in; the tests bring an oracle of their own."""
EVERYWHERE = "EVERYWHERE"
"""`domain`: no argument is outside it."""
NO_KINK = "NO_KINK"
"""`at_kink`: differentiable wherever it is defined."""
ZERO = "ZERO"
"""`grad`: zero wherever it exists; no gradient flows."""
STOPPED = "STOPPED"
"""`grad`: stopped on purpose."""
BACKEND = "BACKEND"
"""`grad`: the framework's own; only for what stands in a second derivative. No law, and no analysis."""
NO_GUARD = "NO_GUARD"
"""`guard`: no single operand is to blame where the value is not finite."""
NOT_A_REDUCTION = "NOT_A_REDUCTION"
"""`masked`: takes no `where=`."""
NO_LIMITS = "NO_LIMITS"
"""`safe`: the derivative is finite on the whole domain, so no operand needs guarding."""


@dataclass(frozen=True, slots=True)
class Inner:
    """What an operation computes on its way.

    `most` says how large its numbers can be where that is larger than operands and value: a function as that of
    `range`. `shifted` operations subtract the largest operand from all of them. XLA may compute a product anew in
    that difference, which then is off by the product's rounding: by more than `exp` can bear, of large products.
    """

    most: Callable[..., Interval] | None
    shifted: bool = False


NOTHING_LARGER = Inner(None)
"""`inner`: nothing on the way can overflow where neither operands nor value do."""
SHIFTED = Inner(None, shifted=True)
"""`inner`: the same, of an operation that subtracts the largest operand from all of them."""

ANY_NUMBER = Interval(1.0, math.inf)
"""How many entries an axis has, where nothing is known."""


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a signature: `kind` is `float`, `int`, `bool`, `T` (any number), `axis` or `const`.

    `default` is the text after `=`, or None; `shape` the text within the brackets.
    """

    name: str
    kind: str
    shape: str
    default: str | None


@dataclass(frozen=True)
class Signature:
    """A signature, read: `name(args) -> kind[shape]`."""

    name: str
    args: tuple[Arg, ...]
    kind: str
    shape: str

    @cached_property
    def values(self) -> tuple[Arg, ...]:
        """The arguments that are values (operands of a node), `where` aside."""
        return tuple(a for a in self.args if a.kind not in ("axis", "const") and a.name != "where")

    @cached_property
    def attributes(self) -> tuple[Arg, ...]:
        """The arguments that are part of the structure: axes and whole-number constants."""
        return tuple(a for a in self.args if a.kind in ("axis", "const"))


_ARG = re.compile(r"(?P<name>\w+): (?P<kind>\w+)(?:\[(?P<shape>[^\]]*)\])?(?: = (?P<default>[^,]+))?")
_SIG = re.compile(r"(?P<name>\w+)\((?P<args>.*)\) -> (?P<kind>\w+)(?:\[(?P<shape>[^\]]*)\])?")


def read_signature(text: str) -> Signature:
    """Read `softplus(x: float[*s]) -> float[*s]`; a signature that can't be read is an error in the table."""
    whole = _SIG.fullmatch(text)
    if whole is None:
        raise AssertionError(f"not a signature: {text!r}")
    pieces = re.split(r", (?=\w+: )", whole["args"]) if whole["args"] else []
    found = [_ARG.fullmatch(piece) for piece in pieces]
    if not all(found):
        raise AssertionError(f"arguments not understood: {text!r}")
    args = tuple(Arg(m["name"], m["kind"], m["shape"] or "", m["default"]) for m in found if m)
    return Signature(whole["name"], args, whole["kind"], whole["shape"] or "")


def for_finite(function: Callable[..., Any]) -> Callable[..., Any]:
    """A `numpy` column with no number for infinite operands, where the template has none."""

    def column(*operands: Any, **attributes: Any) -> Any:
        infinite = reduce(np.logical_or, map(np.isinf, operands))
        return np.where(infinite, np.nan, function(*operands, **attributes))

    return column


@dataclass(frozen=True, kw_only=True)
class Op:
    """One function of the language. No field has a default: a forgotten rule is an import error."""

    sig: str
    """Name, argument types and axes, result: `read_signature`. The axes of the result are one of these texts.

    `*s`: operands meet. `*s - axis`: and the axes are reduced. `*s, k`: the axis has `k` entries. `*s +
    classes`: one axis more. `*s at axis`: operands meet, the axis is reduced. `as indices`, `as second`:
    the axes of the second operand. `*s, n`: the last axis went through a matrix. `*s as pairs`, `*s from
    pairs`: the axis under its other name. `axis`: that axis alone. `*s + axis`: an indexed axis spreads
    again. `*s selected`: the axis was indexed. `*s sliced`: part of it is left. Nothing: a scalar.
    """
    family: Family
    means: str
    """The same value in simpler functions, or PRIMITIVE."""
    doc: str
    """One sentence for the reference page; the convention at a kink stands in `at_kink`."""
    example: str
    """`call -> value`, run by the tests, shown in the reference."""
    latex: str
    """Template over the argument names."""
    domain: str
    """Where the value is defined: a condition in the language, or EVERYWHERE."""
    guard: str
    """What to put in place of an operand, so that it lies within the domain and the value can't overflow: an
    expression in which that operand alone is named; or NO_GUARD."""
    monotone: tuple[Monotone, ...]
    """One per value argument."""
    range: RangeRule | Callable[..., Interval]
    """Where the value lies. A function takes an interval per value argument; then the constants of an
    elementwise row by name, or else `n`, the number of entries along its axes. Ask `range_of`."""
    inner: Inner
    """What is computed on the way and could overflow: NOTHING_LARGER for most. Ask `inner_of`."""
    curvature: Curvature
    grad: tuple[str, ...]
    """Per value argument, in the language itself; `g` is the incoming gradient, `out` the value."""
    at_kink: str
    """`f'(a) = b`, one value per argument, several apart by `;`; or NO_KINK. The tests read and run it."""
    safe: tuple[float | None, ...] | str
    """Per value argument a point well inside the domain, to guard an operand with, or None where any number will do;
    or NO_LIMITS for all."""
    masked: str
    """A reduction under `where=c`, in the language, or NOT_A_REDUCTION."""
    numpy: Callable[..., Any]
    """The meaning in floats: values in order, attributes by name. Values have the full rank of the
    layout, with size 1 where an axis is absent, reduced or selected; so has the result. `axis` is a
    position, or a tuple of them in a reduction. A shape rule may add attributes: `to` (`pairs`), `axis`
    (`one_hot`, `take`, `matmul`), `time` (`ctc_loss`)."""
    keras: str
    """Template over arguments and attributes for `keras.ops`; the names it may use are `ops`, `shims`, and
    `dtype`, the type of the data. It does not put arguments in parentheses: the operators' rows leave that to
    the printer."""

    @cached_property
    def signature(self) -> Signature:
        """The signature, read."""
        return read_signature(self.sig)

    @property
    def name(self) -> str:
        """The name that a formula calls it by."""
        return self.signature.name

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) in ("", None, ()) and self.signature.values:
                raise AssertionError(f"{self.name}: column {field.name} is empty")
        values = len(self.signature.values)
        if len(self.grad) != values or len(self.monotone) != values:
            raise AssertionError(f"{self.name}: grad and monotone need one entry for each argument")
        for arg in self.signature.values:
            if "{" + arg.name + "}" not in self.keras or "{" + arg.name + "}" not in self.latex:
                raise AssertionError(f"{self.name}: a template leaves out {arg.name}")

    @property
    def guarded(self) -> str | None:
        """The name of the argument that `guard` guards; None where there is no guard."""
        named = re.findall(r"\w+", self.guard)
        return None if self.guard == NO_GUARD else next(a.name for a in self.signature.values if a.name in named)

    def inner_of(self, *operands: Interval, n: Interval = ANY_NUMBER, **constants: float) -> Interval | None:
        """Where what is computed on the way lies; None where nothing needs looking at but operands and value."""
        if self.inner.most is None:
            return None
        sizes = {} if self.family is Family.ELEMENTWISE else {"n": n}
        with np.errstate(all="ignore"):
            return self.inner.most(*operands, **(sizes or constants))

    def range_of(self, *operands: Interval, n: Interval = ANY_NUMBER, **constants: float) -> Interval:
        """Where the value lies for operands in these intervals, reduced over `n` entries."""
        with np.errstate(all="ignore"):
            if callable(self.range):
                sizes = {} if self.family is Family.ELEMENTWISE else {"n": n}
                return self.range(*operands, **(sizes or constants))
            if self.range is RangeRule.FROM_MONOTONE:
                return by_ends(self.numpy, [m is Monotone.UP for m in self.monotone], *operands)
        pairs = zip(operands, self.monotone, strict=True)
        returned = [x for x, monotone in pairs if monotone is not Monotone.UNORDERED]
        return returned[0].hull(*returned[1:])
