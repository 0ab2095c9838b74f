"""The only way to make a node of the operation table: types, axes, sizes and constants are settled here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossdsl.errors import fail
from lossdsl.ir.axes import Constraint, Layout, is_free, meet, pair_of
from lossdsl.ir.node import CAST, DIM, MATRIX, VECTOR, Graph, Node
from lossdsl.ir.shapes import SHAPES
from lossdsl.ops import row, spelled
from lossdsl.ops.op import Family, Op
from lossdsl.source import Span
from lossdsl.types import BATCH, Axis, Dim, DType, State, Type

KEEPS_BOOL = frozenset({"where", "pairs", "unpairs", "select", "slice", "expand_dims", "spread"})
"""Operations that move truth values about; all others count a truth value as 0 or 1."""
ROUNDS = frozenset({"floor", "ceil", "round"})
"""Operations that make a whole number of a constant."""
LIKE_SECOND = "as second"
"""The shape text of operations that lay their first operand out like another."""
EXACT_WHOLE = 2**53
"""Whole numbers up to here are exact in float64."""


class Builder:
    """Makes typed nodes in one graph, over one layout; remembers sizes to check and axes that vectors took."""

    def __init__(self, layout: Layout, bound: Mapping[str, str] | None = None) -> None:
        self.graph = Graph()
        self.layout = layout
        self.constraints: list[Constraint] = []
        self.bound: dict[str, str] = dict(bound or {})
        """The axis that each vector's own axis turned out to be; found in one pass, used in the next."""
        self.newly_bound = False
        self.derived = False
        """Whether what is built is derived from a checked formula: rules against slips no longer hold."""
        self._places: list[Span | None] = []

    def place(self, index: int) -> Span | None:
        """Where an operand of the operation at hand is written."""
        return self._places[index]

    def apply(
        self,
        name: str,
        operands: Sequence[Node],
        attrs: Mapping[str, object] | None = None,
        span: Span | None = None,
        spans: Sequence[Span | None] = (),
    ) -> Node:
        """The node `name(*operands)`; `attrs` are settled (axes as identities). Raises LossError.

        `spans` are the places of the operands as written here: a shared node remembers only its first.
        """
        op = row(name)
        attributes: dict[str, Any] = dict(attrs or {})
        operands = self._whole(op, operands, attributes)
        self._places = list(spans) or [node.span for node in operands]
        inputs = [self._kind(op, i, node) for i, node in enumerate(operands)]
        dtype = self._result_kind(op, inputs)
        inputs = self._promote(op, inputs)
        if op.family is Family.ELEMENTWISE and all(node.is_const for node in inputs):
            return self._fold(op, inputs, attributes, dtype, span)
        if name == "divide" and _is_zero(inputs[0]) and _is_size(inputs[1]):
            return self.graph.const(0.0, span)  # where the size is 0 there is no entry that it counts in
        axes, wanted = SHAPES[op.signature.shape](self, op, inputs, attributes, span)
        self.constraints.extend(wanted)
        if name == "select" and inputs[0].op == VECTOR:
            return self._entry(inputs[0], attributes["index"], span)
        return self.graph.add(name, inputs, attributes, type=Type(dtype, axes), span=span)

    def _entry(self, vector: Node, index: int, span: Span | None) -> Node:
        """An entry of a vector constant, a whole number where it is one, so that it may be part of the structure."""
        values = vector.attr("values")
        assert isinstance(values, tuple)
        number = float(values[index])
        return self.graph.const(int(number) if number.is_integer() else number, span)

    def meet(self, nodes: Sequence[Node], span: Span | None) -> tuple[tuple[Axis, ...], list[Constraint]]:
        """The axes of an elementwise result; a vector that meets its first value takes its last axis."""
        types = self._bind([node.type for node in nodes], span)
        return meet(self.layout, types, self._places, span, derived=self.derived)

    def _bind(self, types: list[Type], span: Span | None) -> list[Type]:
        free = {axis.id for type in types for axis in type.full if is_free(axis.id)}
        if not free:
            return types
        placed = [type for type in types if any(not is_free(a.id) for a in type.axes)]
        lasts = [type.axes[-1] for type in placed if not is_free(type.axes[-1].id)]
        if placed:
            target = self._last_axis(lasts, span)
        elif len(free) > 1:
            target = sorted(free)[0]
        else:
            return types
        rename = {identity: target for identity in free if identity != target}
        if rename:
            self.bound.update(rename)
            self.newly_bound = True
        return [_renamed(type, rename) for type in types]

    def _last_axis(self, lasts: Sequence[Axis], span: Span | None) -> str:
        last = max(lasts, key=lambda axis: self.layout.ids.index(axis.id), default=None)
        if last is None or last.id == BATCH or last.state is State.SELECTED:
            raise fail("vector-without-axis", span)
        return last.id

    def vector(self, name: str, values: tuple[float, ...], axis: str | None, span: Span | None) -> Node:
        """A vector constant, on a named axis or on one that it takes from what it first meets."""
        identity = axis or self.bound.get(f"free:{name}", f"free:{name}")
        while identity in self.bound:
            identity = self.bound[identity]
        self.layout.place(identity)
        type = Type(DType.FLOAT, (Axis(identity, Dim(None, len(values))),))
        return self.graph.add(VECTOR, attrs={"values": values, "name": name}, type=type, span=span)

    def matrix(self, name: str, rows: tuple[tuple[float, ...], ...], span: Span | None) -> Node:
        """A matrix constant; only `matmul` takes it."""
        return self.graph.add(MATRIX, attrs={"values": rows, "name": name}, type=Type(DType.FLOAT), span=span)

    def pairs_axis(self, identity: str) -> str:
        """The axis on which the entries of another stand again, placed right after it."""
        twin = pair_of(identity)
        self.layout.place(twin, after=identity)
        return twin

    def _kind(self, op: Op, index: int, node: Node) -> Node:
        arg, place = op.signature.values[index], self._places[index]
        dtype = node.type.dtype
        if node.op == MATRIX and (op.name, index) not in (("matmul", 1), ("matmul_transposed", 1)):
            raise fail("matrix-only-matmul", place)
        if arg.kind == "bool" and dtype is not DType.BOOL:
            raise fail("needs-condition", place, function=spelled(op.name), type=node.type.show())
        if arg.kind == "int" and dtype is DType.FLOAT:
            raise fail("needs-index", place, function=op.name, type=node.type.show())
        return node

    def _result_kind(self, op: Op, inputs: Sequence[Node]) -> DType:
        kind = op.signature.kind
        if kind != "T":
            return DType[kind.upper()]
        found = max(
            (n.type.dtype for n, a in zip(inputs, op.signature.values, strict=True) if a.kind == "T"),
            default=DType.FLOAT,
        )
        if op.signature.shape == LIKE_SECOND:
            return inputs[0].type.dtype
        return DType.INT if found is DType.BOOL and op.name not in KEEPS_BOOL else found

    def _promote(self, op: Op, inputs: Sequence[Node]) -> list[Node]:
        """Operands in the kind that the row asks for; number constants stay as written (they adapt)."""
        numbers = [n.type.dtype for n, a in zip(inputs, op.signature.values, strict=True) if a.kind == "T"]
        common = max(numbers, default=DType.FLOAT)
        if op.signature.shape == LIKE_SECOND:
            return list(inputs)
        if common is DType.BOOL and op.name not in KEEPS_BOOL:
            common = DType.INT
        wanted = {"T": common, "float": DType.FLOAT, "int": DType.INT, "bool": DType.BOOL}
        result = []
        for node, arg in zip(inputs, op.signature.values, strict=True):
            keep = node.op == MATRIX or (node.is_const and node.type.dtype is not DType.BOOL)
            result.append(node if keep else self.graph.cast(node, wanted[arg.kind]))
        return result

    def _whole(self, op: Op, operands: Sequence[Node], attributes: Mapping[str, Any]) -> Sequence[Node]:
        """Operands of a row that works along axes: those that lack one are spread, since it counts their entries there.

        A contraction alone knows which of its operands lacks what.
        """
        along = op.family in (Family.ALONG, Family.REDUCTION) and op.signature.shape != LIKE_SECOND
        if not along or len(operands) < 2 or op.name == "contraction":
            return operands
        lacking = [sum(not x.type.has(axis) for axis in attributes["axis"]) for x in operands]
        like = operands[lacking.index(min(lacking))]
        return [self._spread(x, like) if count else x for x, count in zip(operands, lacking, strict=True)]

    def _spread(self, node: Node, like: Node) -> Node:
        covers = all(like.type.has(axis.id) for axis in node.type.axes)
        return self.apply("spread", [node, like if covers else self.apply("add", [node, like])])

    def _fold(
        self, op: Op, inputs: Sequence[Node], attributes: Mapping[str, Any], dtype: DType, span: Span | None
    ) -> Node:
        """Constants in float64; a result that is not a finite number is an error at its place."""
        values = [node.value for node in inputs]
        with np.errstate(all="ignore"):
            try:
                raw = op.numpy(*(v if isinstance(v, bool) else np.float64(v) for v in values), **attributes)
            except (ZeroDivisionError, OverflowError, FloatingPointError):
                raw = math.nan
        number = float(raw)
        if dtype is DType.BOOL:
            return self.graph.const(bool(raw), span)
        if not math.isfinite(number):
            raise fail("constant-not-finite", span, function=spelled(op.name), value=number)
        whole = (dtype is DType.INT or op.name in ROUNDS) and number.is_integer() and abs(number) < EXACT_WHOLE
        return self.graph.const(int(number) if whole else number, span)


def _is_zero(node: Node) -> bool:
    return node.is_const and node.value == 0


def _is_size(node: Node) -> bool:
    return node.op == DIM or (node.op == CAST and node.inputs[0].op == DIM)


def _renamed(type: Type, rename: Mapping[str, str]) -> Type:
    axes = tuple(Axis(rename.get(a.id, a.id), a.size, a.state) for a in type.axes)
    return Type(type.dtype, axes)
