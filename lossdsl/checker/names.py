"""What a name stands for, what a name may be given to, and what an unknown name was probably meant to be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from heapq import nlargest
from typing import TYPE_CHECKING

from lossdsl import library
from lossdsl.budgets import DEFAULT
from lossdsl.checker.scope import Absent, AxisArgument, Scope, SettledAxes, Value
from lossdsl.errors import LossError, diagnostic, fail
from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node
from lossdsl.ops import ALIASES, OPS
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import BATCH, PAIRS, Axis, Dim, DType, Type

if TYPE_CHECKING:
    from lossdsl.checker.elaborate import Elaborator

INPUTS = ("y_true", "y_pred")
CONSTANTS = ("pi", "epsilon")
AXIS_WORDS = ("batch", "all", "pairs")
MOST_COMPARED = 8
"""How many known names a misspelt one is compared with letter by letter."""
RESERVED = frozenset(
    {"axis", "g", "out", "formula", "params", "name", "reduction", "dtype", "jit_compile", "uses"}
    | {"rewrite", "gradient", "logits", "strict", "class_name", "epoch", "step", "epochs", "inf", "nan", *AXIS_WORDS}
)
"""Names that no parameter may have: words of the language, and arguments of `compile` now or later."""


def lookup(elaborator: Elaborator, expr: ast.Name, scope: Scope) -> Value:
    """The value of a name. Raises LossError where it has none."""
    found = scope.value(expr.id)
    span = scope.span(expr)
    if isinstance(found, (Absent, AxisArgument, SettledAxes)):
        raise fail("axis-as-value", span, name=expr.id)
    if found is not None:
        return found
    builder = elaborator.builder
    if expr.id == "pi":
        return builder.graph.const(math.pi, span)
    if expr.id == "epsilon":
        return builder.graph.const(elaborator.epsilon, span)
    axis = scope.axis(expr.id)
    if axis is not None:
        return size_of(elaborator, axis, span)
    raise unknown_name(expr.id, span, scope)


def size_of(elaborator: Elaborator, axis: Axis, span: Span) -> Node:
    """The number of entries along an axis; of samples, those that count."""
    builder = elaborator.builder
    if axis.id in (BATCH, PAIRS) and elaborator.alive:
        return builder.apply("sum", [alive(builder)], {"axis": (BATCH,)}, span)
    return builder.graph.dim(axis.size, span)


def unknown_name(name: str, span: Span, scope: Scope) -> LossError:
    """The error for a name that stands for nothing, with the likeliest spelling."""
    if name in ("inf", "nan", "NaN", "Infinity", "infinity"):
        return fail("not-a-number", span, name=name)
    if name in OPS or library.known(name) or scope.function(name) is not None:
        return fail("function-as-value", span, name=name)
    known = sorted({*scope.names(), *CONSTANTS, *(n for s in scope.chain() for n in s.axes)})
    whole = span.source.text.strip() == name
    help = did_you_mean(name, known) or (_among_losses(name, ()) if whole else "")
    return LossError(diagnostic("unknown-name", span, name=name, help=help))


def did_you_mean(name: str, known: list[str]) -> str:
    """A line of advice with the closest spelling, or nothing."""
    close = _closest(name, tuple(known)) if 2 < len(name) <= DEFAULT.name else None
    return f"did you mean `{close}`?" if close else ""


@lru_cache(maxsize=1024)
def _closest(name: str, known: tuple[str, ...]) -> str | None:
    """The closest spelling. Only a few that share most letters are compared in earnest, which takes far longer."""
    matcher = SequenceMatcher(b=name)

    def likeness(other: str) -> float:
        matcher.set_seq1(other)
        return matcher.quick_ratio()

    close = get_close_matches(name, nlargest(MOST_COMPARED, known, key=likeness), n=1, cutoff=0.6)
    return close[0] if close else None


def mark_used(tree: ast.Tree, scope: Scope) -> None:
    """Names of a branch that a constant leaves out: not evaluated, and yet not unused."""
    for name in mentioned(tree):
        scope.value(name)


def mentioned(tree: ast.Tree) -> set[str]:
    """Every name that a piece of syntax declares or reads."""
    parts = list(walk(tree))
    declared = {part.name for part in parts if isinstance(part, ast.Declaration)}
    return declared | {part.id for part in parts if isinstance(part, ast.Name)}


def walk(tree: ast.Tree) -> Iterator[ast.Tree]:
    """A piece of syntax and every piece in it, in the order of the text."""
    stack: list[object] = [tree]
    while stack:
        part = stack.pop()
        if isinstance(part, ast.Tree):
            yield part
            stack.extend(reversed(ast.parts(part)))
        elif isinstance(part, tuple):
            stack.extend(reversed(part))


def _among_losses(name: str, others: Iterable[str]) -> str:
    """Advice with a library loss (`DiceLoss` is `dice`) or another name that this one is like."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for likely in (snake, re.sub(r"_?loss$", "", snake)):
        if library.known(likely) and likely != name:
            return f"did you mean `{likely}`?"
    return did_you_mean(name, sorted({*others, *library.names(), *library.ALIASES}))


def unknown_function(name: str, span: Span, scope: Scope) -> LossError:
    """The error for a function that does not exist, with ours for a foreign one."""
    if name in ALIASES:
        return LossError(diagnostic("unknown-function", span, name=name, help=f"use `{ALIASES[name]}`"))
    defined = {n for s in scope.chain() for n in s.functions}
    help = _among_losses(name, {*OPS, *defined})
    return LossError(diagnostic("unknown-function", span, name=name, help=help))


def taken(name: str, scope: Scope) -> str | None:
    """Why a name can't be bound here: the code of a message, or None where it can."""
    if name in INPUTS:
        return "input-rebound"
    if name in AXIS_WORDS or scope.axis(name) is not None:
        return "axis-name-bound"
    if name in scope.values:
        return "name-bound-twice"
    return None


def define(elaborator: Elaborator, definition: ast.Definition, scope: Scope) -> None:
    """Take note of a `def`; an operation of the language can't be redefined, a library loss can."""
    name, span = definition.name, definition.name_span
    if name in OPS:
        elaborator.report(diagnostic("operation-redefined", span, name=name))
    elif name in scope.functions:
        elaborator.report(diagnostic("name-bound-twice", span, name=name))
    names = [parameter.name for parameter in definition.parameters]
    for parameter in definition.parameters:
        if names.count(parameter.name) > 1:
            elaborator.report(diagnostic("name-bound-twice", parameter.span, name=parameter.name))
            break
    scope.functions[name] = definition


def matrix(builder: Builder, name: str, rows: tuple[tuple[float, ...], ...], span: Span | None) -> Node:
    """A matrix constant from its rows, which must be equally long."""
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise fail("ragged-matrix", span)
    return builder.matrix(name, rows, span)


def alive(builder: Builder) -> Node:
    """The input that says which samples count."""
    axis = Axis(BATCH, Dim("y_pred.0", 0))
    return builder.graph.add(INPUT, attrs={"name": "alive"}, type=Type(DType.BOOL, (axis,)))
