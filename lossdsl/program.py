"""A formula for given ranks: the generated code, the terms of its root, and the sizes that it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from lossdsl.analysis.root import RootTerm, root_terms
from lossdsl.backends.keras_text import function, functions
from lossdsl.backends.load import load
from lossdsl.backends.positions import Positions
from lossdsl.checker.check import Elaborated
from lossdsl.errors import LossError, diagnostic
from lossdsl.ir.node import Node, reachable
from lossdsl.limits import current
from lossdsl.rewrite.contract import contract
from lossdsl.source import Span

Sizes = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the root: how it is reduced, and the highest rank of weights or mask that it takes."""

    name: str | None
    kind: str
    rank: int


@dataclass(eq=False)
class Program:
    """The code of a formula for inputs of given ranks; `source` defines `value` and `terms`."""

    source: str
    true_rank: int
    pred_rank: int
    shared: int
    fill: tuple[float, float]
    terms: tuple[Term, ...]
    elaborated: Elaborated
    nodes: tuple[Node, ...]
    _loaded: dict[int, SimpleNamespace] = field(default_factory=dict)

    def load(self, ops: Any, shims: Any) -> SimpleNamespace:
        """`value(y_true, y_pred)` and `terms(y_true, y_pred[, alive])` over a namespace of operations."""
        if id(ops) not in self._loaded:
            name = f"<lossdsl {abs(hash(self.source)):x}>"
            self._loaded[id(ops)] = load(self.source, name, ops=ops, shims=shims)
        return self._loaded[id(ops)]

    def check_sizes(self, sizes: Sizes, whole: Span, data: str) -> None:
        """Raise LossError where known sizes break what the formula needs, or ask for a tensor too large.

        `data` is the shapes as they came, for the message.
        """
        for constraint in self.elaborated.constraints:
            broken = constraint.broken(dict(sizes))
            if broken is not None:
                help = f"{broken.help}\nthe data: {data}".strip()
                raise LossError(replace(broken, span=broken.span or whole, help=help))
        limit = current().tensor_bytes
        for node in self.nodes:
            dims = [axis.size.value(dict(sizes)) for axis in node.type.full]
            known = [size for size in dims if size is not None]
            if math.prod(known) * 4 > limit:
                pieces = {"size": round(math.prod(known) * 4 / 2**30, 1), "shape": node.type.show(dict(sizes))}
                raise LossError(diagnostic("tensor-too-large", node.span or whole, **pieces))


def build(elaborated: Elaborated, fill: tuple[float, float], alive: bool) -> Program:
    """The program of a formula that was elaborated without errors."""
    root = elaborated.root
    assert root is not None
    builder, inputs = elaborated.builder, elaborated.inputs
    names = _names(elaborated)
    pred, true = inputs.types["y_pred"], inputs.types["y_true"]
    terms = root_terms(builder, root, dict(zip((n for _, n in elaborated.terms), (t for t, _ in elaborated.terms), strict=True)), pred)
    value, *parts = contract(builder, [root, *(term.node for term in terms)])
    positions = Positions(builder.layout.ids)
    data = ["y_true", "y_pred"]
    source = "\n\n".join(
        [
            function("value", [*data, *(["alive=None"] if alive else [])], positions, names, value),
            functions("terms", [*data, *(["alive"] if alive else [])], positions, names, parts),
        ]
    )
    return Program(
        source=source,
        true_rank=len(true.axes),
        pred_rank=len(pred.axes),
        shared=_shared(elaborated),
        fill=fill,
        terms=tuple(_term(term) for term in terms),
        elaborated=elaborated,
        nodes=tuple(reachable([value, *parts])),
    )


def _names(elaborated: Elaborated) -> dict[Node, str]:
    return dict(elaborated.names)


def _term(term: RootTerm) -> Term:
    return Term(term.name, term.kind, term.rank)


def _shared(elaborated: Elaborated) -> int:
    """How many axes from the left the labels have in common with the predictions."""
    true, pred = (elaborated.inputs.types[n].axes for n in ("y_true", "y_pred"))
    count = 0
    for a, b in zip(true, pred, strict=False):
        if a.id != b.id:
            break
        count += 1
    return count


def aligned(shape: Sequence[int | None], rank: int) -> tuple[int | None, ...] | None:
    """A shape at another rank: trailing axes of size 1 dropped or added; None where that can't be."""
    result = list(shape)
    while len(result) > rank:
        if result.pop() not in (1, None):
            return None
    return (*result, *[1] * (rank - len(result)))
