"""The reference of the tests: syntax trees evaluated with mpmath, hundreds of digits, no type, no graph, no NumPy
function of the package. Values are NumPy arrays of Python objects (mpf and bool) in full rank, as the table's own.

It knows every primitive of the operation table by a definition of its own, and all else by the row's `means`.
`Floats` evaluates the same trees through the table's NumPy columns, to judge texts in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

from lossdsl.ops import INTERNAL, OPERATORS, OPS
from lossdsl.ops.op import PRIMITIVE, Family, Op
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse_expression

NAN, INF = mpmath.mpf("nan"), mpmath.mpf("inf")


def row(name: str) -> Op:
    return OPS[name] if name in OPS else INTERNAL[name]


def evaluate(text: str | ast.Expr, env: Mapping[str, Any], digits: int = 800, *, batch: bool = False) -> Any:
    """The value of an expression, exactly enough: an object array (0-d for a number).

    `env` holds floats, arrays (lists), and axis arguments (ints, tuples) by name. With `batch`, a reduction that
    names no axis leaves position 0 alone.
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


# -- the walk, shared by both ---------------------------------------------------------------------------------------


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


def _open(
    tree: Any, env: Mapping[str, Any], meaning: Exact | Floats, todo: list[Any], done: list[Any]
) -> None:
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


def _chain(
    signs: tuple[str, ...], values: tuple[Any, ...], operator: Callable[[str], Callable[..., Any]]
) -> Any:
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
            x = _sliced(x, axis, bound(item.lower), bound(item.upper))
        elif not isinstance(item, ast.Ellipsis):
            x = _selected(x, bound(item), axis)
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
    """The axes of size 1 that a layout would have given the operands, where a text was written without one."""
    first = np.asarray(operands[0])
    if op.name == "one_hot" and first.ndim == 0:
        return [first.reshape(1)]
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
        return _exactly(array)

    def axis(self, op: Op, axis: Any, operand: Any) -> Any:
        return _axes(op, axis, operand, self.batch)

    def call(self, op: Op, operands: Any, attributes: Mapping[str, Any]) -> Any:
        if op.means != PRIMITIVE:
            names = [a.name for a in op.signature.values]
            return walk(op.means, {**dict(zip(names, operands, strict=True)), **attributes}, self)
        found = PRIMITIVES[op.name](*operands, **completed(op, operands, attributes))
        return _exactly(np.asarray(found, dtype=object))


def _number(x: Any) -> Any:
    return bool(x) if isinstance(x, (bool, np.bool_)) else x if isinstance(x, mpmath.mpf) else mp.mpf(x)


def _whole(array: Any) -> Any:
    return np.frompyfunc(_number, 1, 1)(array)


def _exactly(array: np.ndarray) -> np.ndarray:
    return np.asarray(_whole(array), dtype=object)


# -- primitives, value by value -------------------------------------------------------------------------------------


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Value by value; NaN goes in and comes out, a complex result is no result."""

    def guarded(*values: Any) -> Any:
        numbers = [mp.mpf(v) for v in values]
        if any(mp.isnan(v) for v in numbers):
            return NAN
        try:
            result = function(*numbers)
        except (ValueError, ZeroDivisionError, mpmath.libmp.ComplexResult):
            return NAN
        return NAN if isinstance(result, mpmath.mpc) else result

    return lambda *arrays: np.frompyfunc(guarded, len(arrays), 1)(*arrays)


def raw(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: np.frompyfunc(function, len(arrays), 1)(*arrays)


def _divide(a: Any, b: Any) -> Any:
    if b == 0:
        return NAN if a == 0 else INF if a > 0 else -INF
    return a / b


def _power(a: Any, b: Any) -> Any:
    if b == 0:
        return mp.one
    if a == 0:
        return mp.zero if b > 0 else INF
    if a < 0 and b != mp.floor(b):
        return NAN
    return mp.power(a, int(b) if a < 0 else b)


def _log(x: Any) -> Any:
    return -INF if x == 0 else NAN if x < 0 else mp.log(x)


def _round(x: Any) -> Any:
    low = mp.floor(x)
    rest = x - low
    up = rest > mp.mpf(1) / 2 or (rest == mp.mpf(1) / 2 and low % 2 == 1)
    return low + 1 if up else low


def _log_gamma(x: Any) -> Any:
    if x <= 0 and x == mp.floor(x):
        return INF
    return (
        mp.re(mp.loggamma(x)) if x > 0 else mp.log(abs(mp.pi / mp.sin(mp.pi * x))) - mp.re(mp.loggamma(1 - x))
    )


def _arctan2(a: Any, b: Any) -> Any:
    return mp.zero if a == 0 and b == 0 else mp.atan2(a, b)


def _erfinv(x: Any) -> Any:
    return x * INF if abs(x) == 1 else NAN if abs(x) > 1 else mp.erfinv(x)


# -- primitives, along axes -----------------------------------------------------------------------------------------


def along(function: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    """A function of lists, on every line along an axis."""

    def apply(x: Any, axis: int, **more: Any) -> Any:
        moved = np.moveaxis(x, axis, -1)
        lines = [function(list(line), **more) for line in moved.reshape(-1, moved.shape[-1])]
        return np.moveaxis(_array(lines).reshape(*moved.shape[:-1], -1), -1, axis)

    return apply


def _array(nested: list[Any]) -> np.ndarray:
    result = np.empty((len(nested), len(nested[0])), dtype=object)
    for i, line in enumerate(nested):
        for j, item in enumerate(line):
            result[i, j] = item
    return result


def reduced(function: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    """A function of a list to one value, over several axes, which keep size 1."""

    def apply(x: Any, axis: tuple[int, ...]) -> Any:
        if not axis:
            return x
        last = tuple(range(-len(axis), 0))
        moved = np.moveaxis(x, axis, last)
        lines = [
            function(list(line)) for line in moved.reshape(-1, math.prod(moved.shape[x.ndim - len(axis) :]))
        ]
        shape = [1 if i in {a % x.ndim for a in axis} else n for i, n in enumerate(x.shape)]
        return _array([lines]).reshape(shape)

    return apply


def _running(line: list[Any]) -> list[Any]:
    return [mp.fsum(line[: i + 1]) for i in range(len(line))]


def _ranked(line: list[Any]) -> list[int]:
    return sorted(range(len(line)), key=lambda i: line[i])


def _best(line: list[Any], k: int) -> list[int]:
    return sorted(range(len(line)), key=lambda i: -line[i])[:k]


def _others(x: Any, axis: Any) -> Any:
    result = np.empty(x.shape, dtype=object)
    axes = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    for at in np.ndindex(x.shape):
        same = (
            i
            for i in np.ndindex(x.shape)
            if i != at and all(i[k] == at[k] or k in axes for k in range(x.ndim))
        )
        result[at] = mp.fprod(x[i] for i in same)
    return result


def _laid(values: list[Any], rank: int, axis: int) -> np.ndarray:
    shape = [1] * rank
    shape[axis] = -1
    return _array([values]).reshape(shape)


def _one_hot(x: Any, num_classes: int, axis: int) -> Any:
    classes = _laid([mp.mpf(i) for i in range(num_classes)], x.ndim, axis)
    return raw(lambda a, b: mp.mpf(1) if a == b else mp.mpf(0))(x, classes)


def _take(x: Any, indices: Any, axis: int = 0) -> Any:
    table = x.reshape(-1)
    return raw(lambda i: table[int(i)] if 0 <= i < len(table) else NAN)(indices)


def _pick(x: Any, indices: Any, axis: int) -> Any:
    shape = np.broadcast_shapes(
        tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)), indices.shape
    )
    wide = np.broadcast_to(x, tuple(x.shape[i] if i == axis % x.ndim else n for i, n in enumerate(shape)))
    places = np.broadcast_to(indices, shape)
    result = np.empty(shape, dtype=object)
    for at in np.ndindex(shape):
        from_there = list(at)
        from_there[axis] = int(places[at])
        inside = 0 <= from_there[axis] < x.shape[axis]
        result[at] = wide[tuple(from_there)] if inside else NAN
    return result


def _scattered(x: Any, like: Any, indices: Any, axis: int) -> Any:
    result = _zeros(like.shape)
    places = np.broadcast_to(indices, x.shape)
    for at in np.ndindex(x.shape):
        there = list(at)
        there[axis] = int(places[at])
        result[tuple(there)] += x[at]
    return result


def _added(x: Any, like: Any, indices: Any, axis: int = 0) -> Any:
    result = _zeros((like.size,))
    for value, place in zip(*(a.reshape(-1) for a in np.broadcast_arrays(x, indices)), strict=True):
        result[int(place)] += value
    return result.reshape(like.shape)


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    return _exactly(np.zeros(shape))


def _part(rank: int, axis: int, indices: Any) -> tuple[Any, ...]:
    return tuple(indices if i == axis % rank else slice(None) for i in range(rank))


def _sliced(x: Any, axis: int, start: int | None = None, stop: int | None = None) -> Any:
    return x[_part(x.ndim, axis, list(range(x.shape[axis]))[start:stop])]


def _padded(x: Any, like: Any, axis: int, start: int | None = None, stop: int | None = None) -> Any:
    result = _zeros(like.shape)
    result[_part(x.ndim, axis, list(range(like.shape[axis]))[start:stop])] = x
    return result


def _selected(x: Any, index: int, axis: int) -> Any:
    return x[_part(x.ndim, axis, [index])]


def _pad_selected(x: Any, like: Any, index: int, axis: int) -> Any:
    result = _zeros(like.shape)
    result[_part(x.ndim, axis, [index])] = x
    return result


def _times(x1: Any, x2: Any, axis: int = -1) -> Any:
    """An axis through a matrix, entry by entry."""
    line = along(lambda v: [mp.fsum(v[i] * x2[i, j] for i in range(len(v))) for j in range(x2.shape[1])])
    return line(x1, axis=axis)


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "add": each(lambda a, b: a + b),
    "subtract": each(lambda a, b: a - b),
    "multiply": each(lambda a, b: a * b),
    "divide": each(_divide),
    "power": each(_power),
    "negative": each(lambda a: -a),
    "less": raw(lambda a, b: bool(a < b)),
    "less_equal": raw(lambda a, b: bool(a <= b)),
    "greater": raw(lambda a, b: bool(a > b)),
    "greater_equal": raw(lambda a, b: bool(a >= b)),
    "equal": raw(lambda a, b: bool(a == b)),
    "not_equal": raw(lambda a, b: bool(a != b)),
    "logical_and": raw(lambda a, b: bool(a and b)),
    "logical_or": raw(lambda a, b: bool(a or b)),
    "logical_not": raw(lambda a: not a),
    "where": raw(lambda c, a, b: a if c else b),
    "sqrt": each(lambda a: NAN if a < 0 else mp.sqrt(a)),
    "exp": each(mp.exp),
    "log": each(_log),
    "floor": each(mp.floor),
    "round": each(_round),
    "isnan": raw(lambda a: bool(mp.isnan(a))),
    "isfinite": raw(lambda a: bool(mp.isfinite(a))),
    "stop_gradient": lambda x: x,
    "sin": each(mp.sin),
    "cos": each(mp.cos),
    "arctan": each(mp.atan),
    "arcsin": each(mp.asin),
    "arccos": each(mp.acos),
    "arctan2": each(_arctan2),
    "erf": each(mp.erf),
    "erfinv": each(_erfinv),
    "lgamma": each(_log_gamma),
    "digamma": each(mp.digamma),
    "trigamma": each(lambda a: mp.psi(1, a)),
    "sum": reduced(mp.fsum),
    "prod": reduced(mp.fprod),
    "max": reduced(max),
    "min": reduced(min),
    "any": reduced(any),
    "others_prod": _others,
    "cumsum": along(_running),
    "flip": along(lambda line: line[::-1]),
    "sort": along(sorted),
    "argsort": along(_ranked),
    "argmax": along(lambda line: [line.index(max(line))]),
    "top_k": along(lambda line, k: [line[i] for i in _best(line, k)]),
    "top_k_indices": along(_best),
    "one_hot": _one_hot,
    "take": _take,
    "take_along_axis": _pick,
    "gather_along_axis": _pick,
    "scatter_along_axis": _scattered,
    "scatter_add": _added,
    "expand_dims": lambda x, axis: x,
    "size": lambda x, axis: math.prod(x.shape[a] for a in axis),
    "index": lambda x, axis: _laid([mp.mpf(i) for i in range(x.shape[axis])], x.ndim, axis),
    "pairs": lambda x, axis, to: np.swapaxes(x, axis, to),
    "unpairs": lambda x, axis, to: np.swapaxes(x, axis, to),
    "matmul": _times,
    "matmul_transposed": lambda x1, x2, axis=-1: _times(x1, x2.T, axis),
    "select": _selected,
    "slice": _sliced,
    "pad_select": _pad_selected,
    "pad_slice": _padded,
    "spread": lambda x, like: np.broadcast_to(x, like.shape),
}
