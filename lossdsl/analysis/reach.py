"""Whether a gradient can reach `y_pred`, and where it was lost."""

from __future__ import annotations

from collections.abc import Sequence

from lossdsl.ir.node import CAST, INPUT, Node
from lossdsl.ops import INTERNAL, OPS
from lossdsl.ops.op import STOPPED, ZERO


def reached(nodes: Sequence[Node], name: str = "y_pred") -> dict[Node, bool]:
    """For each node (operands first) whether a change of the input changes it smoothly."""
    found: dict[Node, bool] = {}
    for node in nodes:
        if node.op == INPUT:
            found[node] = node.attr("name") == name
        elif node.op == CAST:
            found[node] = found[node.inputs[0]] and node.attr("dtype") == "float"
        else:
            found[node] = any(flows(node, i) and found[x] for i, x in enumerate(node.inputs))
    return found


def flows(node: Node, index: int) -> bool:
    """Whether a gradient goes from a node to an operand of it."""
    row = OPS.get(node.op) or INTERNAL.get(node.op)
    return row is not None and row.grad[index] not in (ZERO, STOPPED)


def lost_at(nodes: Sequence[Node]) -> Node | None:
    """The first node that the gradient enters and does not leave; None where `y_pred` is not there at all."""
    found = reached(nodes)
    for node in nodes:
        if not found[node] and any(found[operand] for operand in node.inputs):
            return node
    return None
