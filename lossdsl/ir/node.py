"""The graph: interned, immutable, typed nodes in topological order.

Equality of nodes is identity, so a shared subexpression is one node and every pass is a loop over a list. Besides the
operation table's rows there are a few structural nodes: inputs, constants, sizes, casts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lossdsl.budgets import current
from lossdsl.errors import fail
from lossdsl.source import Span
from lossdsl.types import Dim, DType, Type

INPUT, CONST, VECTOR, MATRIX, DIM, CAST = "input", "const", "vector", "matrix", "dim", "cast"
STRUCTURAL = frozenset({INPUT, CONST, VECTOR, MATRIX, DIM, CAST})


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One value: `op` applied to `inputs`, with `attrs` (sorted pairs) that are part of the structure."""

    op: str
    inputs: tuple[Node, ...]
    attrs: tuple[tuple[str, object], ...]
    type: Type
    span: Span | None
    number: int

    def attr(self, name: str) -> object:
        """The attribute of that name, or None."""
        return next((value for key, value in self.attrs if key == name), None)

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that the operation works along."""
        found = self.attr("axis")
        return found if isinstance(found, tuple) else ()

    @property
    def value(self) -> float | int | bool:
        """The value of a scalar constant."""
        found = self.attr("value")
        assert isinstance(found, (bool, int, float)), self.op
        return found

    @property
    def is_const(self) -> bool:
        """Whether this is a scalar constant."""
        return self.op == CONST

    def __repr__(self) -> str:
        return f"<{self.number} {self.op}: {self.type.show()}>"


class Graph:
    """Makes nodes and keeps them; an equal node is made once."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._interned: dict[object, Node] = {}
        self._limit = current().nodes

    def add(
        self,
        op: str,
        inputs: Iterable[Node] = (),
        attrs: dict[str, object] | None = None,
        *,
        type: Type,
        span: Span | None = None,
    ) -> Node:
        """The node of that operation, made or found."""
        operands = tuple(inputs)
        pairs = tuple(sorted((attrs or {}).items()))
        # 1, 1.0 and True are equal to Python and different to us
        kinds = tuple(value.__class__ for _, value in pairs)
        key = (op, operands, pairs, kinds, type)
        found = self._interned.get(key)
        if found is None:
            if len(self.nodes) >= self._limit:
                place = span or next((n.span for n in reversed(self.nodes) if n.span is not None), None)
                raise fail("too-many-nodes", place, limit=self._limit)
            found = Node(op, operands, pairs, type, span, len(self.nodes))
            self.nodes.append(found)
            self._interned[key] = found
        return found

    def const(self, value: float | int | bool, span: Span | None = None) -> Node:
        """A scalar constant."""
        dtype = DType.BOOL if isinstance(value, bool) else DType.INT if isinstance(value, int) else DType.FLOAT
        return self.add(CONST, attrs={"value": value}, type=Type(dtype), span=span)

    def dim(self, size: Dim, span: Span | None = None) -> Node:
        """The size of an axis as a value; a constant where it is known."""
        if size.symbol is None:
            return self.const(size.offset, span)
        return self.add(DIM, attrs={"size": size}, type=Type(DType.INT), span=span)

    def cast(self, node: Node, dtype: DType) -> Node:
        """The node with elements of another kind; constants are left as they are, except bools."""
        if node.type.dtype is dtype:
            return node
        if node.is_const:
            value = node.value
            if dtype is DType.FLOAT:
                return self.const(float(value), node.span)
            if dtype is DType.INT and float(value).is_integer():
                return self.const(int(value), node.span)
        return self.add(CAST, [node], {"dtype": str(dtype)}, type=node.type.with_dtype(dtype), span=node.span)


def reachable(roots: Iterable[Node]) -> list[Node]:
    """Every node that the roots are made of, operands first."""
    seen: set[int] = set()
    found: list[Node] = []
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.number not in seen:
            seen.add(node.number)
            found.append(node)
            stack.extend(node.inputs)
    return sorted(found, key=lambda node: node.number)


def uses(nodes: Iterable[Node]) -> dict[Node, int]:
    """How often each node stands as an operand."""
    counts: dict[Node, int] = {}
    for node in nodes:
        for operand in node.inputs:
            counts[operand] = counts.get(operand, 0) + 1
    return counts


def show(roots: Iterable[Node]) -> Iterator[str]:
    """One line per node: `%3 = log(%2) : float[batch]`; equal graphs give equal text."""
    names: dict[Node, str] = {}
    for node in reachable(roots):
        names[node] = f"%{len(names)}"
        inner = [names[i] for i in node.inputs] + [f"{k}={v}" for k, v in node.attrs]
        yield f"{names[node]} = {node.op}({', '.join(inner)}) : {_full_type(node.type)}"


def _full_type(type: Type) -> str:
    axes = ", ".join(f"{a.id}={a.size}/{a.state.value}" for a in type.axes)
    return f"{type.dtype}[{axes}]"
