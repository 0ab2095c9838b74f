"""The syntax tree: what was written, with the place of every piece.

Trees compare with `same`, which walks with a stack: a sum of a thousand terms is a thousand levels deep, and
the comparison (and the `repr`) that a dataclass writes for itself would recurse. Nothing here knows what a name means.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from lossdsl.source import Span


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Tree:
    """Any piece of syntax."""

    span: Span

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.span.text[:40]!r}>"


class Expr(Tree):
    """A piece of syntax that has a value."""

    __slots__ = ()


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Number(Expr):
    """`1`, `0.5`, `1e-3`: `value` is an int where the text has neither point nor exponent."""

    value: int | float


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Boolean(Expr):
    """`True` or `False`."""

    value: bool


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Name(Expr):
    """A name that stands for a value or, after `axis=`, for an axis."""

    id: str


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Vector(Expr):
    """`[a, b, c]`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Tuple(Expr):
    """`(a, b)`: only an axis argument accepts it."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Unary(Expr):
    """`-x`, `+x`, `not x`; `op` is the word or sign."""

    op: str
    operand: Expr


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Binary(Expr):
    """`x + y` and so on; `op` is one of `+ - * / **` (`^` is read as `**`) or `and`, `or`."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Compare(Expr):
    """`a < b <= c`: `ops` has one fewer than `operands`; each is one of `< <= > >= == !=`."""

    ops: tuple[str, ...]
    operands: tuple[Expr, ...]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class IfElse(Expr):
    """`body if condition else orelse`."""

    body: Expr
    condition: Expr
    orelse: Expr


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Keyword(Tree):
    """`name=value` in a call."""

    name: str
    value: Expr


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Call(Expr):
    """`function(a, b, key=c)`; `name_span` is the place of the function's name."""

    function: str
    name_span: Span
    args: tuple[Expr, ...]
    keywords: tuple[Keyword, ...]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Slice(Tree):
    """`lower:upper` in an index; a missing bound is None."""

    lower: Expr | None
    upper: Expr | None


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Ellipsis(Tree):
    """`...` in an index."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Subscript(Expr):
    """`x[..., 0]`, `x[:, 1:]`."""

    operand: Expr
    items: tuple[Expr | Slice | Ellipsis, ...]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class AxisDecl(Tree):
    """One axis of a declared shape: a name, a whole number, or `*` for any further axes."""

    value: str | int


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class RangeDecl(Tree):
    """`in [0, inf)`: bounds (None is infinite) and whether each is closed; or `in {0, 1}`: `members`."""

    lower: float | None
    upper: float | None
    lower_closed: bool
    upper_closed: bool
    members: tuple[float, ...] | None


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Declaration(Tree):
    """`y_pred: prob[batch, *]` or `gamma: float = 2.0 in [0, inf)`; `axes` is None where no shape is."""

    name: str
    kind: str
    axes: tuple[AxisDecl, ...] | None
    default: Expr | None
    range: RangeDecl | None
    name_span: Span
    kind_span: Span


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Binding(Tree):
    """`name = value`."""

    name: str
    value: Expr
    name_span: Span


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Parameter(Tree):
    """A parameter of a `def`, with its default value or None."""

    name: str
    default: Expr | None


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Definition(Tree):
    """`def f(x, k=1) = body`."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Expr
    name_span: Span


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Term(Tree):
    """`term name = value`."""

    name: str
    value: Expr
    name_span: Span


Statement = Declaration | Binding | Definition | Term


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Formula(Tree):
    """A whole formula: its statements, then the loss, which is None where named terms stand for it."""

    statements: tuple[Statement, ...]
    result: Expr | None


def parts(tree: Tree) -> list[object]:
    """The fields of a tree other than spans, in order."""
    kind = type(tree)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(f.name for f in fields(kind) if not f.name.endswith("span"))
    return [getattr(tree, name) for name in _NAMES[kind]]


_NAMES: dict[type[Tree], tuple[str, ...]] = {}


def same(left: object, right: object) -> bool:
    """Whether two trees are equal, spans aside."""
    stack = [(left, right)]
    while stack:
        a, b = stack.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, Tree) and isinstance(b, Tree):
            stack.extend(zip(parts(a), parts(b), strict=True))
        elif isinstance(a, tuple) and isinstance(b, tuple):
            if len(a) != len(b):
                return False
            stack.extend(zip(a, b, strict=True))
        elif a != b:
            return False
    return True
