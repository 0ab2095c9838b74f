"""The reference of the tests: syntax trees evaluated with mpmath, to hundreds of digits.

It knows no types, no graph and no NumPy function of the package. Values are NumPy arrays of Python
objects (mpf and bool) in full rank, as the table's own.

It knows every primitive of the operation table by a definition of its own, and all else by the row's `means`.
`Floats` evaluates the same trees through the table's NumPy columns, to judge texts in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from mpmath import mp
from oracle_arrays import exactly
from oracle_primitives import PRIMITIVES, selected, sliced

from lossdsl.ops import INTERNAL, OPERATORS, OPS
from lossdsl.ops.op import PRIMITIVE, Family, Op
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression


def row(name: str) -> Op:
    return OPS[name] if name in OPS else INTERNAL[name]


def evaluate(text: str | ast.Expr, env: Mapping[str, Any], digits: int = 800, *, batch: bool = False) -> Any:
    """The value of an expression, exactly enough: an object array (0-d for a number).

    `env` holds floats, arrays (lists), and axis arguments (ints, tuples) by name. With `batch`, a
    reduction that names no axis leaves position 0 alone.
    """
    with mp.workdps(digits):
        return walk(text, env, Exact(batch))


def floats(text: str | ast.Expr, env: Mapping[str, Any]) -> np.ndarray:
    """The value of an expression in float64, through the NumPy columns of the table."""
    with np.errstate(all="ignore"):
        return np.asarray(walk(text, env, Floats()))


def parsed(text: str | ast.Expr, known: dict[str, ast.Expr] = {}) -> ast.Expr:  # noqa: B006  (a cache)
    if not isinstance(text, str):
        return text
    if text not in known:
        known[text] = parse_expression(text)
    return known[text]


# -- the walk, shared by both ------------------------------------------------------------------------------


def walk(text: str | ast.Expr, env: Mapping[str, Any], meaning: Exact | Floats) -> Any:
    """One pass over an explicit stack: `todo` holds trees and what to make of the values on top of `done`."""
    todo: list[Any] = [parsed(text)]
    done: list[Any] = []
    while todo:
        task = todo.pop()
        if isinstance(task, tuple):
            count, make = task
            values = done[len(done) - count :]
            del done[len(done) - count :]
            done.append(make(*values))
        else:
            _open(task, env, meaning, todo, done)
    (result,) = done
    return result


def _open(tree: Any, env: Mapping[str, Any], meaning: Exact | Floats, todo: list[Any], done: list[Any]) -> None:
    def then(make: Callable[..., Any], *trees: Any) -> None:
        todo.append((len(trees), make))
        todo.extend(reversed(trees))

    def operator(sign: str) -> Callable[..., Any]:
        return lambda *values: meaning.call(row(OPERATORS[sign]), values, {})

    match tree:
        case ast.Number() | ast.Boolean():
            done.append(meaning.value(tree.value))
        case ast.Name():
            done.append(_name(tree.id, env, meaning))
        case ast.Vector():
            then(lambda *items: np.stack(np.broadcast_arrays(*items)), *tree.items)
        case ast.Tuple():
            then(lambda *items: tuple(plain(i) for i in items), *tree.items)
        case ast.Unary(op="+"):
            todo.append(tree.operand)
        case ast.Unary():
            then(operator("unary-" if tree.op == "-" else tree.op), tree.operand)
        case ast.Binary():
            then(operator(tree.op), tree.left, tree.right)
        case ast.Compare():
            then(lambda *values: _chain(tree.ops, values, operator), *tree.operands)
        case ast.IfElse():
            then(operator("if-else"), tree.condition, tree.body, tree.orelse)
        case ast.Call():
            names = [k.name for k in tree.keywords]
            then(
                lambda *values: _call(row(tree.function), values, names, meaning),
                *tree.args,
                *(k.value for k in tree.keywords),
            )
        case ast.Subscript():
            then(lambda x: _subscript(x, tree.items, env, meaning), tree.operand)
        case _:
            raise AssertionError(f"the oracle does not read {type(tree).__name__}")


def _name(name: str, env: Mapping[str, Any], meaning: Exact | Floats) -> Any:
    if name in env:
        known = env[name]
        return known if known is None or isinstance(known, (tuple, str)) else meaning.value(known)
    return {"pi": meaning.pi, "batch": 0, "all": "all"}[name]


def _chain(signs: tuple[str, ...], values: tuple[Any, ...], operator: Callable[[str], Callable[..., Any]]) -> Any:
    links = [operator(sign)(values[i], values[i + 1]) for i, sign in enumerate(signs)]
    result = links[0]
    for link in links[1:]:
        result = operator("and")(result, link)
    return result


def _subscript(x: Any, items: tuple[Any, ...], env: Mapping[str, Any], meaning: Exact | Floats) -> Any:
    """`x[...]`, every axis kept, as `select` and `slice` keep it."""

    def bound(tree: Any) -> Any:
        return None if tree is None else plain(walk(tree, env, meaning))

    rest = [i for i, item in enumerate(items) if isinstance(item, ast.Ellipsis)]
    for i, item in enumerate(items):
        axis = i - len(items) if rest and i > rest[0] else i
        if isinstance(item, ast.Slice):
            x = sliced(x, axis, bound(item.lower), bound(item.upper))
        elif not isinstance(item, ast.Ellipsis):
            x = selected(x, bound(item), axis)
    return x


def _call(op: Op, values: tuple[Any, ...], names: list[str], meaning: Exact | Floats) -> Any:
    signature = op.signature.args
    places = len(values) - len(names)
    given = dict(zip([a.name for a in signature[:places]], values[:places], strict=True))
    given |= dict(zip(names, values[places:], strict=True))
    operands = [given[a.name] for a in op.signature.values]
    attributes = {}
    for argument in op.signature.attributes:
        value = plain(given[argument.name]) if argument.name in given else _default(op, argument.default)
        attributes[argument.name] = meaning.axis(op, value, operands[0]) if argument.kind == "axis" else value
    if "where" in given:
        env = {op.signature.values[0].name: operands[0], "c": given["where"], **attributes}
        return walk(op.masked, env, meaning)
    return meaning.call(op, _laid_out(op, operands, attributes), attributes)


def _laid_out(op: Op, operands: list[Any], attributes: Mapping[str, Any]) -> list[Any]:
    """The axes of size 1 that a layout would have given the operands, where a text was written without
    one."""
    first = np.asarray(operands[0])
    if op.name == "one_hot" and first.ndim == 0:
        return [first.reshape(1)]
    if op.name == "windows" and first.ndim == 1:
        return [first[..., np.newaxis]]
    if op.name == "unwindows" and np.ndim(operands[1]) < first.ndim:
        return [first, np.asarray(operands[1])[..., np.newaxis]]
    if op.name in ("ctc_loss", "ctc_gradient") and first.ndim == 2:
        return [first[..., np.newaxis], np.asarray(operands[1])[np.newaxis, np.newaxis]]
    if op.name in ("pairs", "unpairs") and first.ndim == attributes["axis"] + 1:
        return [first[..., np.newaxis]]
    if op.name == "take_along_axis" and np.ndim(operands[1]) < first.ndim:
        return [first, np.expand_dims(operands[1], attributes["axis"])]
    return operands


def _default(op: Op, text: str | None) -> Any:
    if text in (None, "none"):
        return None
    return 0 if text == "batch" else float(text) if "." in text else int(text)


def plain(value: Any) -> Any:
    """An attribute as Python's own: an int where it is whole."""
    if isinstance(value, (tuple, str, int)) or value is None:
        return value
    number = np.asarray(value, dtype=object).item()
    return int(number) if number == int(number) else float(number)


def _axes(op: Op, axis: Any, operand: Any, batch: bool) -> Any:
    rank = np.ndim(operand)
    if axis is None or axis == "all":
        first = 1 if batch and axis is None else 0
        return tuple(range(first, rank))
    if op.family is Family.REDUCTION or op.name in ("size", "others_prod"):
        return axis if isinstance(axis, tuple) else (axis,)
    return axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis


class Floats:
    """Values in float64; every call goes to the row's NumPy column."""

    pi = math.pi

    def value(self, value: Any) -> Any:
        return np.asarray(value)

    def axis(self, op: Op, axis: Any, operand: Any) -> Any:
        return _axes(op, axis, operand, batch=False)

    def call(self, op: Op, operands: Any, attributes: Mapping[str, Any]) -> Any:
        wanted = [a.kind for a in op.signature.values]
        inputs = [
            np.asarray(x).astype(float) if kind in ("float", "T") and np.asarray(x).dtype != float else x
            for x, kind in zip(operands, wanted, strict=True)
        ]
        return op.numpy(*inputs, **completed(op, inputs, attributes))


def completed(op: Op, operands: Any, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that shape rules add."""
    found = dict(attributes)
    if op.name in ("pairs", "unpairs"):
        found.setdefault("to", found["axis"] + 1)
    if op.name in ("windows", "unwindows"):
        shape = np.shape(operands[-1])
        found.setdefault("to", max(i for i, n in enumerate(shape) if n == 1 and i != found["axis"] % len(shape)))
    if op.name in ("ctc_loss", "ctc_gradient"):
        places = next(i for i, n in reversed(list(enumerate(np.shape(operands[0])))) if n == 1)
        others = [i for i in range(-3, 0) if i != places - np.ndim(operands[0])]
        found = {"time": others[0], "axis": others[1], "to": places} | found
    if op.name == "one_hot":
        found.setdefault("axis", -1)
    return found


class Exact:
    """Values in mpmath's floats, as many digits as the caller set."""

    def __init__(self, batch: bool = False) -> None:
        self.batch = batch

    @property
    def pi(self) -> Any:
        return self.value(+mp.pi)

    def value(self, value: Any) -> Any:
        array = np.asarray(value, dtype=object)
        return exactly(array)

    def axis(self, op: Op, axis: Any, operand: Any) -> Any:
        return _axes(op, axis, operand, self.batch)

    def call(self, op: Op, operands: Any, attributes: Mapping[str, Any]) -> Any:
        if op.means != PRIMITIVE:
            names = [a.name for a in op.signature.values]
            return walk(op.means, {**dict(zip(names, operands, strict=True)), **attributes}, self)
        found = PRIMITIVES[op.name](*operands, **completed(op, operands, attributes))
        return exactly(np.asarray(found, dtype=object))
