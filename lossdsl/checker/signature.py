"""The shapes of the data: what is declared, the candidates for what is not, and their axes at a given rank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lossdsl.budgets import current
from lossdsl.checker.declared import data_declarations
from lossdsl.errors import fail
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import BATCH, Axis, Dim, DType, Type

STAR = "*"
LAST = "last"
MOST_STARS = 3
"""How many further axes the text is tried with before it is called wrong."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One input: its kind and its axes, each a name, a size, or `*` for any further axes."""

    kind: str
    axes: tuple[str | int, ...]
    span: Span | None = None

    @property
    def has_star(self) -> bool:
        """Whether any further axes may stand."""
        return STAR in self.axes

    @property
    def least(self) -> int:
        """The lowest rank."""
        return len(self.axes) - self.has_star

    def __str__(self) -> str:
        return f"{self.kind}[{', '.join(map(str, self.axes))}]"


@dataclass(frozen=True, slots=True)
class Signature:
    """The shapes of both inputs."""

    y_true: Shape
    y_pred: Shape

    @property
    def has_star(self) -> bool:
        """Whether any further axes may stand, in the same number wherever `*` does."""
        return self.y_true.has_star or self.y_pred.has_star

    def __str__(self) -> str:
        return f"y_true: {self.y_true}\ny_pred: {self.y_pred}"


def candidates(formula: ast.Formula) -> Iterator[Signature]:
    """Signatures to try, most usual first; the first that checks is the formula's."""
    found = data_declarations(formula)
    true, pred = (_declared(found.get(name)) for name in ("y_true", "y_pred"))
    if pred is None or not pred.axes:
        yield from _without_pred(true, pred)
    elif true is None or not true.axes:
        yield from _without_true(true, pred)
    else:
        yield Signature(true, pred)


def _declared(declaration: ast.Declaration | None) -> Shape | None:
    if declaration is None:
        return None
    axes = tuple(a.value for a in declaration.axes or ())
    limit = current().axes
    if len(axes) > limit:
        span = declaration.axes[limit].span if declaration.axes else declaration.span
        raise fail("too-many-axes", span, name=declaration.name, count=len(axes), limit=limit)
    if axes and axes[0] != BATCH:
        raise fail("batch-first", declaration.span, name=declaration.name)
    for axis in declaration.axes or ():
        if axes.count(axis.value) > 1 and isinstance(axis.value, str):
            raise fail("name-bound-twice", axis.span, name=axis.value)
        if axis.value in ("all", "pairs") or (isinstance(axis.value, int) and axis.value < 1):
            raise fail("axis-not-understood", axis.span, text=axis.value)
    return Shape(declaration.kind, axes, declaration.span)


def _without_true(true: Shape | None, pred: Shape) -> Iterator[Signature]:
    kind = true.kind if true else None
    span = true.span if true else None
    if kind != "label":
        yield Signature(Shape(kind or "float", pred.axes, span), pred)
    if kind != "label" and len(pred.axes) > 1:
        yield Signature(Shape(kind or "float", pred.axes[:-1], span), pred)
    if kind in (None, "label", "int") and len(pred.axes) > 1:
        yield Signature(Shape(kind or "label", pred.axes[:-1], span), pred)


def _without_pred(true: Shape | None, pred: Shape | None) -> Iterator[Signature]:
    kind = pred.kind if pred else "float"
    span = pred.span if pred else None
    if true is None or not true.axes:
        whole = Shape(kind, (BATCH, STAR, LAST), span)
        classes = replace(whole, axes=(BATCH, STAR, "classes"))
        given = true.kind if true else None
        place = true.span if true else None
        if given != "label":
            yield Signature(Shape(given or "float", whole.axes, place), whole)
        if given != "label":
            yield Signature(Shape(given or "float", (BATCH, STAR), place), whole)
        if given in (None, "label", "int"):
            yield Signature(Shape(given or "label", (BATCH, STAR), place), classes)
        return
    if true.kind != "label" and true.axes == (BATCH,):
        # one number per sample meets any axes of the predictions: quantiles, mixtures
        yield Signature(true, Shape(kind, (BATCH, STAR, LAST), span))
    same = Signature(true, Shape(kind, true.axes, span))
    longer = Signature(true, Shape(kind, (*true.axes, "classes"), span))
    yield from (longer, same) if true.kind == "label" else (same, longer)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Both inputs at a given rank: their types, the axis order, declared axis names, and sizes that must hold."""

    types: Mapping[str, Type]
    layout: tuple[str, ...]
    names: Mapping[str, Axis]
    sizes: tuple[tuple[Dim, Dim, Span | None], ...]


def at_rank(signature: Signature, stars: int) -> Inputs:
    """The types of the inputs where `*` stands for `stars` axes."""
    lists = {
        "y_pred": _spread(signature.y_pred, stars),
        "y_true": _spread(signature.y_true, stars),
    }
    ids = _identities(lists["y_pred"], lists["y_true"])
    said = _said(signature)
    types: dict[str, Type] = {}
    names: dict[str, Axis] = {}
    sizes: list[tuple[Dim, Dim, Span | None]] = []
    for name, shape in (("y_true", signature.y_true), ("y_pred", signature.y_pred)):
        axes = []
        for i, (identity, item) in enumerate(zip(ids[name], lists[name], strict=True)):
            symbol = Dim(f"{name}.{i}", 0)
            size = Dim(None, item) if isinstance(item, int) else symbol
            if size is not symbol:
                sizes.append((symbol, size, shape.span))
            axes.append(Axis(identity, size))
            if item == BATCH or (isinstance(item, str) and item in said):
                other = names.get(item)
                if other is not None and other.size != size:
                    sizes.append((size, other.size, shape.span))
                names[item] = axes[-1]
        dtype = {"label": DType.INT, "int": DType.INT, "bool": DType.BOOL}.get(shape.kind, DType.FLOAT)
        types[name] = Type(dtype, tuple(axes))
    return Inputs(types, _layout(ids, signature.y_true.span or signature.y_pred.span), names, tuple(sizes))


def _said(signature: Signature) -> set[str | int]:
    """The axis names that the text itself declares."""
    shapes = [shape for shape in (signature.y_true, signature.y_pred) if shape.span is not None]
    return {axis for shape in shapes for axis in shape.axes}


def _spread(shape: Shape, stars: int) -> list[str | int]:
    """The axes with `*` written out as `*1`, `*2`, ..."""
    result: list[str | int] = []
    for axis in shape.axes:
        result.extend([f"*{i + 1}" for i in range(stars)] if axis == STAR else [axis])
    return result


def _identities(pred: list[str | int], true: list[str | int]) -> dict[str, list[str]]:
    """Names where an axis has one; else the other input's name at the same place from the left; else the place."""

    def of(mine: list[str | int], other: list[str | int]) -> list[str]:
        found = []
        for i, axis in enumerate(mine):
            twin = other[i] if i < len(other) else None
            borrowed = isinstance(axis, int) and isinstance(twin, str) and twin not in mine
            identity = twin if borrowed else axis
            found.append(identity if isinstance(identity, str) else str(i))
        return found

    return {"y_pred": of(pred, true), "y_true": of(true, pred)}


def _layout(ids: Mapping[str, list[str]], span: Span | None) -> tuple[str, ...]:
    """One order for all axes: those of `y_pred`, and each further one of `y_true` after its left neighbour."""
    order = list(ids["y_pred"])
    previous = BATCH
    for identity in ids["y_true"]:
        if identity not in order:
            order.insert(order.index(previous) + 1, identity)
        previous = identity
    shared = [identity for identity in ids["y_true"] if identity in ids["y_pred"]]
    if shared != [identity for identity in ids["y_pred"] if identity in ids["y_true"]]:
        raise fail("axes-in-another-order", span, order=", ".join(shared))
    return tuple(order)
