"""How the axes of values go together: the layout that orders them, the meeting of two values, axis arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lossdsl.errors import Diagnostic, LossError, diagnostic, fail
from lossdsl.source import Span
from lossdsl.types import BATCH, PAIRS, WINDOW, Axis, Dim, State, Type


@dataclass(frozen=True, slots=True)
class Constraint:
    """Two sizes that must be equal (`==`), or one that must be at least another (`>=`), once shapes are known."""

    left: Dim
    right: Dim
    relation: str
    span: Span | None
    types: tuple[Type, ...] = ()
    spans: tuple[Span | None, ...] = ()

    def broken(self, sizes: dict[str, int | None]) -> Diagnostic | None:
        """What to say where the sizes are known and do not hold."""
        left, right = self.left.value(sizes), self.right.value(sizes)
        if left is None or right is None:
            return None
        if left == right or (self.relation == ">=" and left >= right):
            return None
        if self.relation == ">=":
            return diagnostic("axis-too-short", self.span, size=left, needed=right)
        shown = [t.show(sizes) for t in self.types]
        if len(shown) != 2:
            return diagnostic("declared-size", self.span, size=left, declared=right)
        pairs = zip(self.spans, shown, strict=True)
        labels = [(span, label) for span, label in pairs if span is not None]
        help = _LABELS if "y_true" in (_one(self.left, left), _one(self.right, right)) else ""
        return diagnostic("shapes-differ", self.span, labels=labels, help=help, left=shown[0], right=shown[1])


_LABELS = "if the labels are one number per sample, declare them: `y_true: float[batch]`"


def _one(size: Dim, value: int) -> str:
    """The input that has but one entry along an axis, if it is one."""
    return (size.symbol or "").split(".")[0] if value == 1 else ""


class Layout:
    """The order of every axis of a formula; the code generator turns it into positions."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = list(ids)

    def place(self, identity: str, after: str | None = None) -> None:
        """Make room for an axis, right after another or at the end."""
        if identity not in self.ids:
            self.ids.insert(self.ids.index(after) + 1 if after else len(self.ids), identity)

    def drop(self, identity: str) -> None:
        """Take back the room of an axis that no value lies on."""
        self.ids.remove(identity)

    def sort(self, axes: Sequence[Axis]) -> tuple[Axis, ...]:
        """The axes in the order of the layout."""
        return tuple(sorted(axes, key=lambda axis: self.ids.index(axis.id)))


def is_free(identity: str) -> bool:
    """Whether this is the axis of a vector that has not met anything yet."""
    return identity.startswith("free:")


def is_pairs(identity: str) -> bool:
    """Whether this is an axis that `pairs` made; a declared name may begin with the same letters."""
    return identity == PAIRS or identity.startswith(f"{PAIRS}:")


def pair_of(identity: str) -> str:
    """The axis on which the samples (or entries) of another stand again."""
    return PAIRS if identity == BATCH else f"{PAIRS}:{identity}"


def is_window(identity: str) -> bool:
    """Whether this is an axis that `windows` made."""
    return identity == WINDOW or identity.startswith(f"{WINDOW}:")


def lost(axes: Sequence[Axis], gone: Sequence[str], state: State) -> tuple[Axis, ...]:
    """The axes, some of them lost. Of a window nothing is left, so that numbers mean what they meant before it."""
    return tuple(a.turned(state) if a.id in gone else a for a in axes if a.id not in gone or not is_window(a.id))


def meet(
    layout: Layout, types: Sequence[Type], spans: Sequence[Span | None], span: Span | None, *, derived: bool
) -> tuple[tuple[Axis, ...], list[Constraint]]:
    """The axes of an elementwise result, and the sizes that must agree. Raises where they can't meet.

    A value that was indexed spreads along the axis that it lost only in `derived` graphs: a person has to say so.
    """
    found: dict[str, Axis] = {}
    owner: dict[str, int] = {}
    constraints: list[Constraint] = []
    for i, type in enumerate(types):
        for axis in type.axes:
            known = found.get(axis.id)
            if known is None:
                found[axis.id], owner[axis.id] = axis, i
                continue
            both = (types[owner[axis.id]], type)
            where = (spans[owner[axis.id]], spans[i])
            found[axis.id] = _join(known, axis, both, where, span, constraints, derived=derived)
            if found[axis.id] is axis:
                owner[axis.id] = i
    return layout.sort(list(found.values())), constraints


def _join(
    left: Axis,
    right: Axis,
    types: tuple[Type, Type],
    spans: tuple[Span | None, Span | None],
    span: Span | None,
    constraints: list[Constraint],
    *,
    derived: bool,
) -> Axis:
    states = {left.state, right.state}
    if states == {State.FULL}:
        constraint = Constraint(left.size, right.size, "==", span, types, spans)
        if left.size != right.size:
            if left.size.symbol == right.size.symbol and left.size.step == right.size.step:
                raise _differ("shapes-differ", types, spans, span)
            constraints.append(constraint)
        return left
    if states == {State.FULL, State.SELECTED}:
        full = left if left.state is State.FULL else right
        if full.size != Dim(None, 1) and not derived:
            raise _differ("selected-meets-full", types, spans, span, axis=full.id)
        return full
    if State.FULL in states:
        return left if left.state is State.FULL else right
    return left if left.state is State.SELECTED else right


def _differ(
    code: str,
    types: tuple[Type, Type],
    spans: tuple[Span | None, Span | None],
    span: Span | None,
    axis: str = "",
) -> LossError:
    shown = [type.show() for type in types]
    labels = [(s, label) for s, label in zip(spans, shown, strict=True) if s is not None]
    return LossError(diagnostic(code, span, labels=labels, left=shown[0], right=shown[1], axis=axis))


def by_number(type: Type, number: int, span: Span | None) -> Axis:
    """The axis that a number names: it counts the value's own list, lost axes included."""
    count = len(type.axes)
    if not -count <= number < count:
        raise fail("axis-out-of-range", span, number=number, type=type.show(), count=count)
    return require_full(type, type.axes[number], number, span)


def require_full(type: Type, axis: Axis, shown: object, span: Span | None) -> Axis:
    """The axis, which must still be there; the message says how it was lost and what is left."""
    if axis.state is State.FULL:
        return axis
    code = "axis-already-reduced" if axis.state is State.REDUCED else "axis-indexed-away"
    left = [f"{i - len(type.axes)} is {a.id}" for i, a in enumerate(type.axes) if a.state is State.FULL]
    raise fail(code, span, axis=shown, left=", ".join(left) or "no axis is left")


def all_but_batch(type: Type) -> tuple[str, ...]:
    """The axes that a reduction takes where it names none."""
    return tuple(a.id for a in type.full if a.id != BATCH)
