"""Calls: of an operation of the table, of a `def`, of a library loss (the last two are expanded in place)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from lossdsl import library
from lossdsl.checker import axes, declared, names
from lossdsl.checker.names import did_you_mean, unknown_function
from lossdsl.checker.scope import ABSENT, AxisArgument, Scope, SettledAxes, Value
from lossdsl.errors import LossError, diagnostic, fail
from lossdsl.ir.axes import all_but_batch, is_pairs
from lossdsl.ir.node import DIM, INPUT, Node
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import NOT_A_REDUCTION, Family, Op
from lossdsl.source import Source, Span
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse, parse_expression
from lossdsl.types import BATCH, DType, State

if TYPE_CHECKING:
    from lossdsl.checker.elaborate import Elaborator

_KEPT = "leave it out: a reduction keeps its place, and lines up again"
FOREIGN = {"dim": "write `axis`", "dims": "write `axis`", "keepdims": _KEPT, "keepdim": _KEPT, "keep_dims": _KEPT}
"""Arguments of other libraries, and what to do instead."""
FACTORS = frozenset({"negative_slope", "alpha"})
"""Structural constants that are any number; all others are whole."""
ALONG_ONE = frozenset({"logsumexp", "norm", "max"})
"""Reductions that are nearly always meant along one axis, as their partners softmax, normalize and argmax are."""

_expression = cache(parse_expression)


@lru_cache(maxsize=256)
def library_formula(name: str, text: str) -> ast.Formula:
    """The syntax tree of a library loss; errors show the place in its own text."""
    return parse(Source(text, f"<{name}>"))


def library_loss(name: str, uses: Mapping[str, str]) -> tuple[str, str] | None:
    """The full name of a library loss and its definition: the one that came with the formula, or today's."""
    full = library.ALIASES.get(name, name)
    text = uses.get(full) or (library.text(full) if library.known(full) else None)
    return (full, text) if text else None


def call(elaborator: Elaborator, expr: ast.Call, scope: Scope) -> None:
    """Do a call: push what must be evaluated, and what to make of it."""
    definition = scope.function(expr.function)
    if definition is not None:
        _definition(elaborator, expr, *definition, scope)
    elif expr.function in OPS:
        _operation(elaborator, expr, OPS[expr.function], scope)
    elif scope.internal and expr.function in INTERNAL:
        _operation(elaborator, expr, INTERNAL[expr.function], scope)
    elif found := library_loss(expr.function, elaborator.uses):
        _library(elaborator, expr, *found, scope)
    else:
        raise unknown_function(expr.function, scope.span(expr.name_span), scope)


def bind(expr: ast.Call, names: Sequence[str], required: Sequence[str], scope: Scope) -> dict[str, ast.Expr]:
    """Arguments by parameter name. Raises LossError for too many, unknown, twice given or missing ones."""
    function = expr.function
    if len(expr.args) > len(names):
        place = scope.span(expr.args[len(names)])
        most = "1 argument" if len(names) == 1 else f"{len(names)} arguments"
        raise fail("too-many-arguments", place, function=function, most=most, given=len(expr.args))
    given = dict(zip(names, expr.args, strict=False))
    for keyword in expr.keywords:
        place = scope.span(keyword)
        if keyword.name not in names:
            help = FOREIGN.get(keyword.name, "") if "axis" in names else ""
            help = help or did_you_mean(keyword.name, list(names)) or f"it takes {', '.join(names)}"
            wrong = diagnostic("unknown-argument", place, help=help, name=keyword.name, function=function)
            raise LossError(wrong)
        if keyword.name in given:
            raise fail("argument-twice", place, name=keyword.name, function=function)
        given[keyword.name] = keyword.value
    missing = [name for name in required if name not in given]
    if missing:
        raise fail("missing-argument", scope.span(expr), function=function, name=missing[0])
    return given


# -- operations ---------------------------------------------------------------------------------------------------


def _operation(elaborator: Elaborator, expr: ast.Call, op: Op, scope: Scope) -> None:
    args = op.signature.args
    given = bind(expr, [a.name for a in args], [a.name for a in args if a.default is None], scope)
    given = {name: e for name, e in given.items() if not _is_absent(e, scope)}
    _two_values(op, given, len(expr.args) > 1, scope)
    wanted = [a for a in args if a.kind != "axis" and (a.name in given or a.default not in (None, "none"))]
    exprs = [given.get(a.name) or _expression(a.default or "") for a in wanted]

    def build(*nodes: Node) -> Node | None:
        found = dict(zip([a.name for a in wanted], nodes, strict=True))
        places = {a.name: scope.span(e) for a, e in zip(wanted, exprs, strict=True) if a.name in given}
        return _apply(elaborator, op, found, given.get("axis"), scope, scope.span(expr), places)

    elaborator.evaluate(exprs, scope, build)


def _is_absent(expr: ast.Expr, scope: Scope) -> bool:
    return scope.internal and isinstance(expr, ast.Name) and scope.value(expr.id) is ABSENT


def _two_values(op: Op, given: Mapping[str, ast.Expr], bare: bool, scope: Scope) -> None:
    """`max(a, b)`: the second argument of a reduction is an axis; say so where it is plainly a value.

    A `bare` 0, without `axis=`, is one too: `max(x, 0)` is meant as `maximum`, and would reduce the batch.
    """
    second = given.get("axis")
    elementwise = {"max": "maximum", "min": "minimum"}.get(op.name)
    if second is None or elementwise is None:
        return
    plain = isinstance(second, (ast.Binary, ast.Call, ast.Compare, ast.Subscript))
    number = isinstance(second, ast.Number) and (isinstance(second.value, float) or (bare and second.value == 0))
    if isinstance(second, ast.Name) and scope.axis(second.id) is None and second.id not in ("all", "pairs"):
        value = scope.value(second.id)
        plain = isinstance(value, Node) and not value.is_const
    if plain or number:
        raise fail("two-values", scope.span(second), function=op.name, elementwise=elementwise)


def _apply(
    elaborator: Elaborator,
    op: Op,
    found: dict[str, Node],
    axis: ast.Expr | None,
    scope: Scope,
    span: Span,
    places: Mapping[str, Span],
) -> Node | None:
    """The node of an operation whose operands are known; a masked reduction is pushed as its text."""
    operands = [found[a.name] for a in op.signature.values]
    if op.name == "pairs" and any(is_pairs(full.id) for full in operands[0].type.full):
        raise fail("pairs-of-pairs", span)
    attrs: dict[str, object] = {}
    for attribute in op.signature.attributes:
        if attribute.kind == "axis":
            attrs["axis"] = _axis(op, operands[0], axis, attribute.default, scope, span)
            if axis is None and op.name in ("mean", "sum"):
                attrs["default"] = True
            if axis is None and op.name in ALONG_ONE and not any(s.at for s in scope.chain()):
                _warn_of_all(elaborator, op, operands[0], span)
        elif attribute.name in found:
            attrs[attribute.name] = _constant(found[attribute.name], attribute.name, places.get(attribute.name, span))
    builder = elaborator.builder
    if op.name == "size":
        return _size(elaborator, operands[0], attrs, span)
    if op.name == "expand_dims":
        return builder.apply(op.name, operands, attrs, span) if attrs["axis"] else operands[0]
    spans = [places.get(a.name, span) for a in op.signature.values]
    if op.masked == NOT_A_REDUCTION:
        _whole_axis(elaborator, op, attrs, span)
        return builder.apply(op.name, operands, attrs, span, spans)
    gone = attrs["axis"]
    assert isinstance(gone, tuple)
    where = found.get("where")
    if where is not None and where.type.dtype is not DType.BOOL:
        raise fail("needs-condition", places.get("where", span), function=op.name, type=where.type.show())
    if where is not None:
        _fits(where, operands[0], places.get("where", span))
    if not gone and where is None:
        return _nothing_to_reduce(elaborator, op, operands[0], span)
    alive = elaborator.alive_on(operands[0], gone, span)
    if where is not None and alive is not None:
        where = builder.apply("logical_and", [where, alive], span=span)
    condition = where or alive
    if condition is None:
        return builder.apply(op.name, operands, attrs, span, spans)
    _masked(elaborator, op, operands[0], condition, gone, span)
    return None


def _warn_of_all(elaborator: Elaborator, op: Op, operand: Node, span: Span) -> None:
    if len(all_but_batch(operand.type)) > 1:
        elaborator.report(diagnostic("reduces-all", span, function=op.name, type=operand.type.show()))


def _axis(
    op: Op, operand: Node, given: ast.Expr | None, default: str | None, scope: Scope, span: Span
) -> tuple[str, ...]:
    if op.name == "expand_dims":
        assert given is not None
        number = axes.whole_number_of(given, scope)
        return axes.missing_axis(operand.type, number, scope)
    if given is None and default == "none":
        return all_but_batch(operand.type)
    if given is None:
        # the default is text of the table: what is wrong with it is blamed on the call
        given, scope = _expression(default or ""), Scope(scope, at=span, internal=scope.internal)
    found = axes.settle(given, operand.type, scope)
    if len(found) != 1 and op.family is not Family.REDUCTION and op.name != "size" and not scope.internal:
        raise fail("one-axis-only", scope.span(given), function=op.name)
    return found


def _constant(node: Node, argument: str, place: Span) -> object:
    """A structural constant; only `num_classes` may be the size of an axis."""
    if argument == "num_classes" and node.op == DIM:
        return node.attr("size")
    if argument in FACTORS:
        if not node.is_const:
            raise fail("needs-number", place, argument=f"`{argument}`", value=node.type.show())
        return node.value
    return axes.whole_number(node, f"`{argument}`", place)


def _size(elaborator: Elaborator, operand: Node, attrs: dict[str, object], span: Span) -> Node:
    """The number of entries along axes, as a product of sizes."""
    builder, gone = elaborator.builder, attrs["axis"]
    result: Node | None = None
    for axis in operand.type.full:
        if axis.id in gone:  # type: ignore[operator]
            size = names.size_of(elaborator, axis, span)
            result = size if result is None else builder.apply("multiply", [result, size], span=span)
    return builder.graph.const(1, span) if result is None else result


def _fits(condition: Node, operand: Node, span: Span) -> None:
    """A condition picks entries of the value: along an axis that the value lost there is nothing to pick."""
    lost = [a.id for a in condition.type.full if (own := operand.type.axis(a.id)) and own.state is State.REDUCED]
    if lost:
        raise fail("where-of-reduced", span, axis=lost[0], type=operand.type.show())


def _nothing_to_reduce(elaborator: Elaborator, op: Op, operand: Node, span: Span) -> Node:
    """A reduction of one entry: the entry itself, its size for `norm`, no spread for `var` and `std`."""
    if op.name == "norm":
        return elaborator.builder.apply("abs", [operand], span=span)
    if op.name in ("var", "std"):
        return elaborator.builder.apply("subtract", [operand, operand], span=span)
    return operand


def _whole_axis(elaborator: Elaborator, op: Op, attrs: dict[str, object], span: Span) -> None:
    """Dead samples can't be left out of a sort or a softmax over the batch."""
    along = attrs.get("axis", ())
    coupled = any(axis in (BATCH, "pairs") for axis in along)  # type: ignore[attr-defined]
    if elaborator.alive and coupled and op.name not in ("pairs", "index"):
        raise fail("coupling-needs-all", span, function=op.name)


def _masked(elaborator: Elaborator, op: Op, operand: Node, condition: Node, gone: tuple[str, ...], span: Span) -> None:
    builder = elaborator.builder
    if any(not condition.type.has(axis) for axis in gone):
        shape = builder.apply("where", [condition, operand, operand], span=span)
        condition = builder.apply("spread", [condition, shape], span=span)
    name = op.signature.values[0].name
    values: dict[str, Value] = {name: operand, "c": condition, "axis": SettledAxes(gone)}
    inner = Scope(values=values, internal=True, at=span)
    alive, elaborator.alive = elaborator.alive, False
    elaborator.push((elaborator._expr, _expression(op.masked), inner), (setattr, elaborator, "alive", alive))


# -- expansions ---------------------------------------------------------------------------------------------------


def _axis_parameters(definition: ast.Definition) -> set[str]:
    """The parameters that the body uses as axes: their arguments are axes too, not values."""
    found, stack = {"axis"}, [definition.body]
    while stack:
        tree = stack.pop()
        if isinstance(tree, ast.Call):
            values = [k.value for k in tree.keywords if k.name == "axis"]
            kinds = [a.kind for a in OPS[tree.function].signature.args] if tree.function in OPS else []
            values += [value for value, kind in zip(tree.args, kinds, strict=False) if kind == "axis"]
            found |= {value.id for value in values if isinstance(value, ast.Name)}
        for part in ast.parts(tree):
            stack.extend(p for p in (part if isinstance(part, tuple) else (part,)) if isinstance(p, ast.Tree))  # type: ignore[misc]
    return found


def _definition(elaborator: Elaborator, expr: ast.Call, definition: ast.Definition, outer: Scope, scope: Scope) -> None:
    names = [p.name for p in definition.parameters]
    if definition.name in scope.active:
        raise fail("recursive-definition", scope.span(expr.name_span), name=definition.name)
    given = bind(expr, names, [p.name for p in definition.parameters if p.default is None], scope)
    along = _axis_parameters(definition)
    inner = Scope(
        outer,
        at=next((s.at for s in scope.chain() if s.at is not None), None),
        path=elaborator.path(),
        active=scope.active | {definition.name},
    )
    evaluated = []
    for parameter in definition.parameters:
        argument = given.get(parameter.name, parameter.default)
        assert argument is not None
        home = scope if parameter.name in given else outer
        if parameter.name in along:
            inner.values[parameter.name] = AxisArgument(argument, home)
        else:
            evaluated.append((parameter.name, argument, home))

    def expand(*nodes: Node) -> None:
        inner.values.update(zip([name for name, _, _ in evaluated], nodes, strict=True))
        elaborator.push((elaborator._expr, definition.body, inner))

    tasks = [(elaborator._expr, argument, home) for _, argument, home in evaluated]
    elaborator.push(*tasks, (elaborator._combine, len(evaluated), expand))


def _library(elaborator: Elaborator, expr: ast.Call, name: str, text: str, scope: Scope) -> None:
    if name in scope.active:
        raise fail("recursive-definition", scope.span(expr.name_span), name=name)
    elaborator.used[name] = text
    formula = library_formula(name, text)
    declarations = [s for s in formula.statements if isinstance(s, ast.Declaration)]
    required = [d.name for d in declarations if d.default is None]
    given = bind(expr, [d.name for d in declarations], required, scope)
    span = scope.span(expr)
    inner = Scope(at=span, path=elaborator.path(), active=scope.active | {name})
    along = {d.name for d in declarations if d.name == "axis" and d.name in given}
    inner.values.update({n: AxisArgument(given[n], scope) for n in along})
    evaluated = [d for d in declarations if d.name not in along]

    def expand(*nodes: Node) -> None:
        for declaration, node in zip(evaluated, nodes, strict=True):
            place = scope.span(given[declaration.name]) if declaration.name in given else span
            declared.argument(elaborator.builder, declaration, node, inner, place)
            inner.values[declaration.name] = node
        if _takes_probabilities(declarations, inner):
            elaborator.of_probabilities.append((span, name))
        elaborator.push((elaborator._formula, formula, inner), (elaborator.note_library, name))

    tasks = [
        (elaborator._expr, given[d.name], scope) if d.name in given else (elaborator._expr, d.default, inner)
        for d in evaluated
    ]
    elaborator.push(*tasks, (elaborator._combine, len(evaluated), expand))


def _takes_probabilities(declarations: Sequence[ast.Declaration], inner: Scope) -> bool:
    """Whether a library loss gets the predictions as they are and takes them for probabilities."""
    pred, logits = inner.values.get("y_pred"), inner.values.get("from_logits")
    if not isinstance(pred, Node) or pred.op != INPUT or pred.attr("name") != "y_pred":
        return False
    declared_so = any(d.name == "y_pred" and d.kind == "prob" for d in declarations)
    return declared_so or (isinstance(logits, Node) and logits.is_const and logits.value is False)
