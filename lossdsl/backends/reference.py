"""The meaning in NumPy: the graph evaluated node by node in float64. No code generation, so each checks the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossdsl.backends.positions import Positions
from lossdsl.errors import fail
from lossdsl.ir.node import CAST, CONST, DIM, INPUT, MATRIX, VECTOR, Node, reachable
from lossdsl.ops import row
from lossdsl.types import BATCH, Dim

Array = np.ndarray[Any, Any]
KINDS = {"float": np.float64, "int": np.int64, "bool": np.bool_}


def evaluate(root: Node, layout: list[str], data: Mapping[str, Array], dtype: type = np.float64) -> Array:
    """The value of a node for data of the expected ranks: the axes it still has, in the order of the layout.

    With another `dtype` every step is rounded to it.
    """
    positions = Positions(layout)
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in reachable([root]):
            values[node] = _value(node, values, positions, data, dtype)
    result: Array = np.asarray(values[root], dtype=dtype)
    if result.ndim == 0:
        return result.reshape((1,))
    batch = () if root.type.has(BATCH) else (0,)
    lost = tuple(i for i in positions.lost(root.type))
    kept = np.squeeze(result, axis=lost) if lost else result
    return kept.reshape((1,)) if batch else kept


def _value(node: Node, values: Mapping[Node, Any], positions: Positions, data: Mapping[str, Array], dtype: type) -> Any:
    kinds = {**KINDS, "float": dtype}
    if node.op == INPUT:
        array = data[str(node.attr("name"))]
        return _laid_out(array.astype(dtype) if array.dtype.kind == "f" else array, node, positions)
    if node.op == CONST:
        return node.value if isinstance(node.value, (bool, int)) else dtype(node.value)
    if node.op == VECTOR:
        return _laid_out(np.asarray(node.attr("values"), dtype=dtype), node, positions)
    if node.op == MATRIX:
        return np.asarray(node.attr("values"), dtype=dtype)
    if node.op == DIM:
        return _size(node.attr("size"), data)
    operands = [values[operand] for operand in node.inputs]
    if node.op == CAST:
        return np.asarray(operands[0]).astype(kinds[str(node.attr("dtype"))])
    op = row(node.op)
    attributes = positions.attributes(op, node)
    attributes = {k: _size(v, data) if isinstance(v, Dim) else v for k, v in attributes.items()}
    try:
        found = op.numpy(*operands, **attributes)
    except IndexError as error:
        raise fail("index-outside", node.span, function=node.op, reason=error) from None
    return found if np.asarray(found).dtype.kind != "f" else np.asarray(found, dtype)


def _laid_out(array: Array, node: Node, positions: Positions) -> Array:
    """An array with an axis of size 1 wherever the layout has one that it lacks."""
    shape = [1] * positions.rank
    for axis, size in zip(node.type.axes, array.shape, strict=True):
        shape[positions.layout.index(axis.id)] = size
    return array.reshape(shape)


def _size(size: object, data: Mapping[str, Array]) -> int:
    assert isinstance(size, Dim)
    shapes = {f"{name}.{i}": n for name, array in data.items() for i, n in enumerate(array.shape)}
    found = size.value(dict(shapes))
    assert found is not None
    return found
