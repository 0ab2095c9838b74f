"""Graphs evaluated with mpmath, and slopes of them: what gradients and rewritten formulas are judged by.

Every value is the oracle's own definition of a primitive, or the row's `means`; no NumPy column, no gradient text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp
from oracle import Exact, row

from lossdsl import program
from lossdsl.backends import reference
from lossdsl.backends.positions import Positions
from lossdsl.checked import analyse
from lossdsl.ir.node import CAST, CONST, DIM, INPUT, MATRIX, VECTOR, Node, reachable
from lossdsl.program import Form
from lossdsl.types import BATCH, Dim

DIGITS = 60
STEP = mp.mpf(10) ** -25


def value(
    root: Node, layout: Sequence[str], data: Mapping[str, Any], kept: Any = float, stopped: Any = None
) -> np.ndarray:
    """The value of a node as an object array of mpf: the axes that it still has, as `reference.evaluate`.

    Constants are what a type of floats has, `kept`; `stopped` makes of numbers what no tiny step shows in.
    """
    positions = Positions(layout)
    found: dict[Node, Any] = {}
    for node in reachable([root]):
        if node.op == CONST and type(node.value) is float:
            found[node] = exactly(float(kept(node.value)))
        elif node.op == "stop_gradient" and stopped is not None:
            found[node] = stopped(found[node.inputs[0]])
        else:
            found[node] = _value(node, found, positions, data)
    result = np.asarray(found[root], dtype=object)
    if result.ndim == 0:
        return result.reshape((1,))
    lost = positions.lost(root.type)
    kept = np.squeeze(result, axis=lost) if lost else result
    return kept if root.type.has(BATCH) else kept.reshape((1,))


def _value(node: Node, found: Mapping[Node, Any], positions: Positions, data: Mapping[str, Any]) -> Any:
    exact = Exact()
    if node.op in (INPUT, VECTOR):
        array = exact.value(data[str(node.attr("name"))] if node.op == INPUT else node.attr("values"))
        shape = [1] * positions.rank
        for axis, size in zip(node.type.axes, array.shape, strict=True):
            shape[positions.layout.index(axis.id)] = size
        return array.reshape(shape)
    if node.op == CONST:
        return exact.value(node.value)
    if node.op == MATRIX:
        return exact.value(node.attr("values"))
    if node.op == DIM:
        return exact.value(_size(node.attr("size"), data))
    operands = [found[operand] for operand in node.inputs]
    if node.op == CAST:
        return np.frompyfunc(bool if node.attr("dtype") == "bool" else mp.mpf, 1, 1)(operands[0])
    attributes = positions.attributes(row(node.op), node)
    attributes = {k: _size(v, data) if isinstance(v, Dim) else v for k, v in attributes.items()}
    return exact.call(row(node.op), operands, attributes)


def _size(size: Any, data: Mapping[str, Any]) -> int:
    shapes = {f"{name}.{i}": n for name, array in data.items() for i, n in enumerate(np.shape(array))}
    found = size.value(dict(shapes))
    assert found is not None
    return found


def exactly(array: Any) -> Any:
    return Exact().value(np.asarray(array))


def slope(root: Node, layout: Sequence[str], data: Mapping[str, Any], name: str, direction: Any, upstream: Any) -> Any:
    """The derivative of `sum(upstream * value)` when an input moves; None where the two sides differ."""
    with mp.workdps(DIGITS):
        inputs = {key: exactly(array) for key, array in data.items()}
        way, weight = exactly(direction) * STEP, exactly(upstream)
        left, here, right = (
            mp.fsum(np.ravel(value(root, layout, {**inputs, name: inputs[name] + way * side}) * weight))
            for side in (-1, 0, 1)
        )
        sides = (here - left) / STEP, (right - here) / STEP
        if not all(mp.isfinite(side) for side in sides):
            return None
        jumps = abs(right - left) > mp.mpf("1e-12") * (1 + abs(here))
        smooth = not jumps and abs(sides[0] - sides[1]) <= mp.mpf("1e-12") * (1 + abs(sides[0]))
        return (right - left) / (2 * STEP) if smooth else None


def fitted(array: np.ndarray, rank: int) -> np.ndarray:
    """Data at the rank that the formula wants: axes of size 1 at the end come and go."""
    if array.ndim < rank:
        return array.reshape(*array.shape, *[1] * (rank - array.ndim))
    return array.reshape(array.shape[:rank]) if set(array.shape[rank:]) <= {1} else array


@dataclass(eq=False)
class Driven:
    """A formula with data, as the compiler takes it: the graph as written, and its form."""

    text: str
    y_true: Any
    y_pred: Any
    params: Mapping[str, Any] | None = None
    best: bool = True

    def __post_init__(self) -> None:
        checked = analyse(self.text, self.params)
        self.y_true = np.asarray(self.y_true, dtype=int if checked.label else float)
        self.y_pred = np.asarray(self.y_pred, dtype=float)
        shown = checked.program(self.y_true.shape, self.y_pred.shape)
        self.label = checked.label
        self.elaborated = shown.elaborated
        self.program = shown if self.best else program.build(shown.elaborated, (0.5, 0.5), False, best=False)
        self.root: Node = self.elaborated.root
        types = self.elaborated.inputs.types
        self.y_true = fitted(self.y_true, len(types["y_true"].axes))
        self.y_pred = fitted(self.y_pred, len(types["y_pred"].axes))
        self.data = {"y_true": self.y_true, "y_pred": self.y_pred}

    @property
    def layout(self) -> list[str]:
        return self.elaborated.builder.layout.ids

    def value(self) -> np.ndarray:
        """The value of the form that is printed, in float64."""
        return reference.evaluate(self.program.form.roots[0], self.layout, self.data)

    def written(self) -> np.ndarray:
        """The value of the formula as written, in float64."""
        return reference.evaluate(self.root, self.layout, self.data)

    def exact(self) -> np.ndarray:
        """The value of the formula as written, exactly."""
        with mp.workdps(DIGITS):
            return value(self.root, self.layout, self.data)

    def upstream(self, ones: bool = False) -> np.ndarray:
        shape = self.written().shape
        weights = np.ones(shape) if ones else np.resize([0.75, -1.5, 2.0, 0.5, -0.25], shape)
        return weights if self.root.type.full else weights.reshape(())

    def form(self, wrt: str = "y_pred") -> Form:
        return self.program.form.gradient(0, wrt)

    def gradient(self, wrt: str = "y_pred", ones: bool = False) -> np.ndarray:
        """The compiler's gradient, through its best form, in float64."""
        data = {**self.data, "upstream": self.upstream(ones)}
        found = reference.evaluate(self.form(wrt).roots[0], self.layout, data)
        return found.reshape(self.data[wrt].shape)

    def slope_of_sum(self, scale: float) -> np.ndarray:
        """The gradient of the sum of all values times a number, as it is computed beside the value."""
        found = reference.evaluate(self.program.form.slope(), self.layout, {**self.data, "scale": np.asarray(scale)})
        return np.broadcast_to(found, self.data["y_pred"].shape)
