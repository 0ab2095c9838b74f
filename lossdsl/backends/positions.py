"""From axes to positions: how every value lies in memory.

A value that has any axes is a tensor of full rank, with size 1 where an axis of the layout is absent, reduced or
selected; a value without axes is a number. The language knows nothing of this; both back ends share it.
"""

from __future__ import annotations

from collections.abc import Sequence

from lossdsl.ir.node import Node
from lossdsl.ops.op import Family, Op
from lossdsl.types import BATCH, Type


class Positions:
    """The places of axes in tensors of full rank."""

    def __init__(self, layout: Sequence[str]) -> None:
        self.layout = tuple(layout)
        self.rank = len(layout)

    def of(self, identity: str) -> int:
        """The place of an axis: -1 for the last, else counted from the left."""
        place = self.layout.index(identity)
        return -1 if place == self.rank - 1 else place

    def all_of(self, identities: Sequence[str]) -> tuple[int, ...]:
        """The places of several axes, in order."""
        return tuple(sorted((self.of(i) for i in identities), key=lambda place: place % self.rank))

    def attributes(self, op: Op, node: Node) -> dict[str, object]:
        """The attributes of a node as its row wants them: axes as places, a tuple for a reduction."""
        found = dict(node.attrs)
        found.pop("default", None)
        for attribute in op.signature.attributes:
            found.setdefault(attribute.name, None)
        for key in ("axis", "to", "time"):
            axes = found.get(key)
            if isinstance(axes, tuple):
                places = self.all_of(axes)
                found[key] = places if op.family is Family.REDUCTION or len(places) > 1 else places[0]
        return found

    def missing(self, type: Type) -> tuple[int, ...]:
        """The places at which a value of that type has no axis of its own (absent from its list)."""
        own = {axis.id for axis in type.axes}
        return tuple(i for i, identity in enumerate(self.layout) if identity not in own)

    def lost(self, type: Type) -> tuple[int, ...]:
        """The places, batch aside, at which a value has no entries to tell apart."""
        return tuple(i for i, identity in enumerate(self.layout) if not type.has(identity) and identity != BATCH)
