"""Types of values: what the elements are, and an ordered list of axes.

An axis is an identity (a name), not a position: two values meet where their axes have the same identity. An axis
that a value once had and lost keeps its place in the list, as reduced or selected, so that axis numbers go on
meaning what they meant for the input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, IntEnum
from functools import cached_property

BATCH = "batch"
PAIRS = "pairs"
WINDOW = "window"


class DType(IntEnum):
    """What the elements are; the order is that of promotion."""

    BOOL = 0
    INT = 1
    FLOAT = 2

    def __str__(self) -> str:
        return self.name.lower()


class State(Enum):
    """Whether an axis is there, was reduced (the value spreads along it), or was indexed away (it does not)."""

    FULL = "full"
    REDUCED = "reduced"
    SELECTED = "selected"


@dataclass(frozen=True, slots=True)
class Dim:
    """The size of an axis: `(symbol + offset) // step + after`, or just `offset` where it is known.

    A symbol names an axis of an input, as `y_pred.1`; its value is known when the first real shapes arrive.
    """

    symbol: str | None
    offset: int
    step: int = 1
    after: int = 0

    def __str__(self) -> str:
        return str(self.offset) if self.symbol is None else self.spelled(self.symbol)

    def spelled(self, name: str) -> str:
        """The size, with another name for its symbol."""
        inner = _plus(name, self.offset)
        if self.step == 1:
            return inner
        return _plus(f"{f'({inner})' if self.offset else inner}//{self.step}", self.after)

    def shift(self, by: int) -> Dim:
        """The size that is larger by `by`."""
        if self.step == 1:
            return replace(self, offset=self.offset + by)
        return replace(self, after=self.after + by)

    def divided(self, step: int) -> Dim:
        """The size over a whole number, rounded down."""
        if self.symbol is None or step == 1:
            return replace(self, offset=self.offset // step)
        return Dim(self.symbol, self.offset + self.step * self.after, self.step * step)

    def value(self, sizes: dict[str, int | None]) -> int | None:
        """The number, where `sizes` knows the symbol."""
        if self.symbol is None:
            return self.offset
        known = sizes.get(self.symbol)
        return None if known is None else (known + self.offset) // self.step + self.after


def _plus(name: str, number: int) -> str:
    return f"{name}{number:+d}" if number else name


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a value: its identity, its size, and whether it is still there."""

    id: str
    size: Dim
    state: State = State.FULL

    def turned(self, state: State) -> Axis:
        """The same axis in another state."""
        return replace(self, state=state)


@dataclass(frozen=True)
class Type:
    """The type of a value: its elements and its axes, in the order of the layout.

    Made often and asked often, so what follows from it is kept.
    """

    dtype: DType
    axes: tuple[Axis, ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.dtype, self.axes))

    @cached_property
    def ids(self) -> frozenset[str]:
        """The identities of the axes that are there."""
        return frozenset(a.id for a in self.full)

    @cached_property
    def full(self) -> tuple[Axis, ...]:
        """The axes that are there."""
        return tuple(a for a in self.axes if a.state is State.FULL)

    def axis(self, identity: str) -> Axis | None:
        """The axis of that identity, in whatever state, or None where the value never had it."""
        return next((a for a in self.axes if a.id == identity), None)

    def has(self, identity: str) -> bool:
        """Whether the axis is there."""
        return identity in self.ids

    def with_dtype(self, dtype: DType) -> Type:
        """The same axes with other elements."""
        return replace(self, dtype=dtype)

    def show(self, sizes: dict[str, int | None] | None = None) -> str:
        """`float[batch, classes]`; with `sizes`, numbers in place of the names that they belong to."""
        if not self.full:
            return str(self.dtype)
        return f"{self.dtype}[{', '.join(_show(a, sizes or {}) for a in self.full)}]"


def _show(axis: Axis, sizes: dict[str, int | None]) -> str:
    known = axis.size.value(sizes)
    if known is not None:
        return str(known)
    return axis.size.spelled(axis.id.split(":")[-1])
