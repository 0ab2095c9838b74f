"""What names mean at one place of a formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lossdsl.ir.node import Node
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import Axis


class Poison:
    """The value of an expression that was wrong; whatever uses it is silent, so an error is said once."""


POISON = Poison()


class Absent:
    """An argument that was not given: a `grad` text passes it on, and the call goes without."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class AxisArgument:
    """An axis given to a parameter of a `def`: what was written, and where it means something."""

    expr: ast.Expr
    scope: Scope


@dataclass(frozen=True, slots=True)
class SettledAxes:
    """Axes by identity, for the texts of the operation table."""

    ids: tuple[str, ...]


Value = Node | Poison | Absent | AxisArgument | SettledAxes


@dataclass(eq=False, slots=True)
class Scope:
    """Values, functions and axis names; a name not found here is looked for in the parent.

    `at` is the place to blame for everything made here, where the text is not the user's own. `internal` opens the
    functions that only the operation table may call; `active` names the expansions that are under way.
    """

    parent: Scope | None = None
    values: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, ast.Definition] = field(default_factory=dict)
    axes: dict[str, Axis] = field(default_factory=dict)
    at: Span | None = None
    internal: bool = False
    path: str = ""
    active: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def value(self, name: str) -> Value | None:
        """What a name stands for."""
        for scope in self.chain():
            if name in scope.values:
                scope.used.add(name)
                return scope.values[name]
        return None

    def function(self, name: str) -> tuple[ast.Definition, Scope] | None:
        """The `def` of that name, and the scope that its body sees."""
        return next(((s.functions[name], s) for s in self.chain() if name in s.functions), None)

    def axis(self, name: str) -> Axis | None:
        """A declared axis."""
        return next((s.axes[name] for s in self.chain() if name in s.axes), None)

    def names(self) -> set[str]:
        """Every name that stands for a value here."""
        return {name for scope in self.chain() for name in scope.values}

    def span(self, tree: ast.Tree | Span) -> Span:
        """The place to show for a piece of syntax."""
        place = next((s.at for s in self.chain() if s.at is not None), None)
        return place or (tree if isinstance(tree, Span) else tree.span)
