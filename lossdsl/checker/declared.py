"""Declarations against what is given: parameters of a formula, arguments of a library loss, declared ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lossdsl.budgets import current
from lossdsl.checker.names import INPUTS, RESERVED, did_you_mean
from lossdsl.checker.scope import POISON, Scope, Value
from lossdsl.errors import Diagnostic, LossError, diagnostic, fail
from lossdsl.ir.axes import Constraint, is_free
from lossdsl.ir.build import Builder
from lossdsl.ir.node import MATRIX, VECTOR, Node
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import Axis, Dim, DType

if TYPE_CHECKING:
    from lossdsl.checker.elaborate import Elaborator

KINDS = ("float", "int", "bool", "prob", "logits", "label")
PARAMETER_KINDS = ("float", "int", "bool")


def data_declarations(formula: ast.Formula) -> dict[str, ast.Declaration]:
    """The declarations of `y_true` and `y_pred`."""
    return {s.name: s for s in formula.statements if isinstance(s, ast.Declaration) and s.name in INPUTS}


def check_declarations(elaborator: Elaborator, formula: ast.Formula) -> None:
    """What is wrong with declarations themselves: kinds, names, ranges, twice the same."""
    seen: set[str] = set()
    for statement in formula.statements:
        if not isinstance(statement, ast.Declaration):
            continue
        kinds = KINDS if statement.name in INPUTS else PARAMETER_KINDS
        if statement.kind not in kinds:
            help = did_you_mean(statement.kind, list(kinds)) or f"one of {', '.join(kinds)}"
            span = statement.kind_span
            elaborator.report(diagnostic("unknown-kind", span, help=help, kind=statement.kind))
        if statement.name in RESERVED and (statement.name, statement.kind) != ("axis", "int"):
            elaborator.report(diagnostic("reserved-name", statement.name_span, name=statement.name))
        if statement.name in seen:
            elaborator.report(diagnostic("name-bound-twice", statement.name_span, name=statement.name))
        seen.add(statement.name)
        if statement.name in INPUTS and statement.default is not None:
            elaborator.report(diagnostic("input-with-default", statement.default.span, name=statement.name))
        data = statement.name in INPUTS
        if data and statement.kind == "prob" and statement.range is not None and not _probable(statement.range):
            span = statement.range.span
            elaborator.report(diagnostic("prob-range", span, name=statement.name, range=_shown(statement.range)))


def _probable(allowed: ast.RangeDecl) -> bool:
    """Whether all numbers of a range lie in [0, 1]."""
    low, high = allowed.lower, allowed.upper
    return low is not None and high is not None and 0.0 <= low <= high <= 1.0


def _shown(allowed: ast.RangeDecl) -> str:
    """A range as it is written."""
    return allowed.span.text.removeprefix("in").strip()


def check_memory(formula: ast.Formula) -> None:
    """Raise LossError where data are declared too large for the memory that is allowed."""
    for declaration in data_declarations(formula).values():
        axes = [axis.value for axis in declaration.axes or ()]
        shape = f"{declaration.kind}[{', '.join(map(str, axes))}]"
        if wrong := too_large([size for size in axes if isinstance(size, int)], shape, declaration.span):
            raise LossError(wrong)


def too_large(sizes: Sequence[int], shape: str, span: Span) -> Diagnostic | None:
    """What to say of a tensor of these sizes, if it needs more memory than is allowed."""
    wanted = math.prod(sizes) * 4
    if wanted <= current().tensor_bytes:
        return None
    return diagnostic("tensor-too-large", span, size=round(wanted / 2**30, 1), shape=shape)


def bind_parameters(
    elaborator: Elaborator, formula: ast.Formula, given: Mapping[str, object], scope: Scope, place: Span | None
) -> None:
    """Give every parameter its value: what the caller gave, or the declared default.

    What is wrong with a given one is shown at `place`, where that is not the declaration.
    """
    declared = {s.name: s for s in formula.statements if isinstance(s, ast.Declaration) and s.name not in INPUTS}
    for name, declaration in declared.items():
        scope.values[name] = _declared(elaborator, declaration, given, scope, place)
    for name, value in given.items():
        if name not in declared and name not in INPUTS:
            scope.values[name] = _node(elaborator.builder, name, value, None, formula.span)


def _declared(
    elaborator: Elaborator,
    declaration: ast.Declaration,
    given: Mapping[str, object],
    scope: Scope,
    place: Span | None,
) -> Value:
    name = declaration.name
    axis = _axis_of(declaration, scope)
    if name in given:
        span = place or declaration.name_span
        node: Value = _node(elaborator.builder, name, given[name], axis, span)
    elif declaration.default is not None:
        node, span = elaborator.expression(declaration.default, scope), declaration.default.span
        if isinstance(node, Node) and node.op == VECTOR:
            node = _under_its_name(elaborator.builder, name, node, axis, span)
    else:
        elaborator.report(diagnostic("parameter-missing", declaration.name_span, name=name))
        return POISON
    if isinstance(node, Node):
        try:
            check_value(declaration, node, span)
            return _as_declared(elaborator.builder, declaration, node, span)
        except LossError as error:
            elaborator.report(*error.diagnostics)
            return POISON
    return node


def _under_its_name(builder: Builder, name: str, node: Node, axis: str | None, span: Span) -> Node:
    """A vector literal as the parameter that it is the default of; its own axis was for nothing."""
    values, literal = node.attr("values"), node.type.axes[0].id
    assert isinstance(values, tuple)
    if is_free(literal):
        builder.layout.drop(literal)
    return builder.vector(name, values, axis, span)


def _as_declared(builder: Builder, declaration: ast.Declaration, node: Node, span: Span) -> Node:
    """A parameter in its declared kind, so that a float is no structure, and of its declared sizes."""
    values = node.attr("values")
    sizes = [axis.value for axis in declaration.axes or ()]
    names = [size for size in sizes if isinstance(size, str)]
    if isinstance(values, tuple):
        own = (len(values), len(values[0])) if isinstance(values[0], tuple) else (len(values),)
        same = len(own) == len(sizes) and all(s == n for s, n in zip(sizes, own, strict=True) if s not in names)
        if sizes and not same:
            shape, kind = ", ".join(map(str, own)), f"{declaration.kind}[{', '.join(map(str, sizes))}]"
            raise fail("parameter-kind", span, name=declaration.name, kind=kind, value=f"of shape ({shape})")
    if node.is_const and declaration.kind in ("int", "float"):
        return builder.graph.const((int if declaration.kind == "int" else float)(node.value), span)
    return node


def _axis_of(declaration: ast.Declaration, scope: Scope) -> str | None:
    """The axis that a parameter `w: float[time]` lies on."""
    if not declaration.axes or len(declaration.axes) != 1 or not isinstance(declaration.axes[0].value, str):
        return None
    name = declaration.axes[0].value
    found = scope.axis(name)
    if found is None:
        raise fail("parameter-axis-unknown", declaration.axes[0].span, axis=name, name=declaration.name)
    return found.id


def _node(builder: Builder, name: str, value: object, axis: str | None, span: Span) -> Node:
    """A parameter value as a constant node."""
    if isinstance(value, (bool, int, float)):
        return builder.graph.const(value, span)
    assert isinstance(value, (list, tuple))
    if value and isinstance(value[0], (list, tuple)):
        rows = tuple(tuple(float(v) for v in row) for row in value)
        return builder.matrix(name, rows, span)
    return builder.vector(name, tuple(float(v) for v in value), axis, span)


def check_value(declaration: ast.Declaration, node: Node, span: Span) -> None:
    """A constant against the declared kind and range. Raises LossError."""
    values: tuple[object, ...] = ()
    if node.is_const:
        values = (node.value,)
    elif node.op == VECTOR:
        found = node.attr("values")
        assert isinstance(found, tuple)
        values = found
    for value in values:
        assert isinstance(value, (bool, int, float))
        if (declaration.kind == "bool") is not isinstance(value, bool) or (
            declaration.kind == "int" and not float(value).is_integer()
        ):
            kind = declaration.kind
            raise fail("parameter-kind", span, name=declaration.name, kind=kind, value=value)
        if declaration.range is not None and not within(declaration.range, float(value)):
            shown = _shown(declaration.range)
            raise fail("parameter-range", span, name=declaration.name, value=value, range=shown)


def within(allowed: ast.RangeDecl, value: float) -> bool:
    """Whether a number lies in a declared range."""
    if allowed.members is not None:
        return value in allowed.members
    lower = -math.inf if allowed.lower is None else allowed.lower
    upper = math.inf if allowed.upper is None else allowed.upper
    above = value >= lower if allowed.lower_closed else value > lower
    return above and (value <= upper if allowed.upper_closed else value < upper)


def argument(builder: Builder, declaration: ast.Declaration, node: Node, scope: Scope, span: Span) -> None:
    """An argument of a library loss against its declaration; declared axis names are taken from it."""
    if declaration.kind in ("label", "int") and declaration.name in INPUTS:
        if node.type.dtype is DType.FLOAT:
            raise fail("needs-index", span, function=declaration.span.source.name.strip("<>"), type=node.type.show())
    elif declaration.name not in INPUTS and node.op != MATRIX:
        check_value(declaration, node, span)
    if declaration.axes is not None and declaration.name in INPUTS:
        _name_axes(builder, declaration, node, scope, span)


def _name_axes(builder: Builder, declaration: ast.Declaration, node: Node, scope: Scope, span: Span) -> None:
    assert declaration.axes is not None
    axes = list(node.type.full)
    names = [a.value for a in declaration.axes]
    star = names.index("*") if "*" in names else None
    fixed = len(names) - (star is not None)
    if len(axes) < fixed or (star is None and len(axes) != fixed):
        shown = f"{declaration.kind}[{', '.join(map(str, names))}]"
        pieces = {"type": node.type.show(), "declared": shown, "name": declaration.name}
        raise fail("argument-axes", span, **pieces)
    after = 0 if star is None else len(names) - star - 1
    before = names if star is None else names[:star]
    tail = names[len(names) - after :] if after else []
    placed = [*zip(before, axes, strict=False), *zip(tail, axes[len(axes) - after :], strict=True)]
    for name, axis in placed:
        _name_axis(builder, name, axis, scope, span)


def _name_axis(builder: Builder, name: str | int, axis: Axis, scope: Scope, span: Span) -> None:
    if isinstance(name, int):
        wanted = Dim(None, name)
        if axis.size != wanted:
            builder.constraints.append(Constraint(axis.size, wanted, "==", span))
    else:
        scope.axes.setdefault(name, axis)
