"""Graph to formula: a graph printed in the language itself, shared values bound to names.

A gradient, or a rewritten formula, reads as the user would have written it; functions that only the compiler may
call stand there under their own names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lossdsl.backends.precedence import ATOM, INFIX, join
from lossdsl.ir.node import Node, reachable, uses
from lossdsl.ops import row
from lossdsl.types import Dim

SIGNS = {
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
    "logical_and": "and", "logical_or": "or",
}  # fmt: skip
LEVELS = {"logical_or": 0, "logical_and": 1}
COMPARE = 3
LONGEST = 72
"""Longest expression before it gets a name."""


def formula_text(root: Node, names: Mapping[Node, str]) -> str:
    """The statements and the last expression that give a node."""
    nodes = reachable([root])
    counts = uses(nodes)
    texts: dict[Node, tuple[str, int]] = {}
    lines: list[str] = []
    taken: set[str] = set()
    for node in nodes:
        text = _text(node, texts)
        worth = node in names or counts.get(node, 0) > 1 or len(text[0]) > LONGEST
        if node is not root and node.inputs and worth:
            name = _fresh(names.get(node, node.op), node in names, taken)
            lines.append(f"{name} = {text[0]}")
            text = name, ATOM
        texts[node] = text
    return "\n".join([*lines, texts[root][0]])


def short(node: Node, limit: int = 60) -> str:
    """One expression for a node; where it is long, operands are left out, the longest first."""
    texts: dict[Node, tuple[str, int]] = {}
    for inner in reachable([node]):
        shown = {operand: texts[operand] for operand in inner.inputs}
        text, binding = _text(inner, shown)
        for operand in sorted(shown, key=lambda x: len(shown[x][0]), reverse=True):
            if len(text) > limit:
                shown[operand] = "...", ATOM
                text, binding = _text(inner, shown)
        texts[inner] = (text, binding) if len(text) <= limit else ("...", ATOM)
    return texts[node][0]


def _fresh(wanted: str, own: bool, taken: set[str]) -> str:
    name, number = (wanted, 0) if own else (f"{wanted}_1", 1)
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def _text(node: Node, texts: Mapping[Node, tuple[str, int]]) -> tuple[str, int]:
    match node.op:
        case "const":
            return repr(node.value), ATOM if node.value >= 0 else INFIX["negative"][1]
        case "input":
            return str(node.attr("name")), ATOM
        case "vector":
            return _row(node.attr("values")), ATOM
        case "matrix":
            rows = node.attr("values")
            assert isinstance(rows, tuple)
            return f"[{', '.join(_row(row) for row in rows)}]", ATOM
        case "dim":
            return f"size({node.attr('size')})", ATOM
        case "cast":
            return texts[node.inputs[0]]
    operands = [texts[operand] for operand in node.inputs]
    if node.op in INFIX:
        return join(node.op, operands)
    if node.op in SIGNS:
        level = LEVELS.get(node.op, COMPARE)
        left, right = (text if binding > level else f"({text})" for text, binding in operands)
        return f"{left} {SIGNS[node.op]} {right}", level
    if node.op == "logical_not":
        return f"not {operands[0][0] if operands[0][1] > COMPARE else f'({operands[0][0]})'}", 2
    return f"{node.op}({', '.join([*(text for text, _ in operands), *_attributes(node)])})", ATOM


def _row(values: object) -> str:
    assert isinstance(values, tuple)
    return f"[{', '.join(repr(v) for v in values)}]"


def _attributes(node: Node) -> list[str]:
    found, known = [], [argument.name for argument in row(node.op).signature.attributes]
    for key, value in node.attrs:
        if key not in known or value is None:
            continue
        found.append(f"{key}={_axes(node, value) if isinstance(value, tuple) else _plain(value)}")
    return found


def _plain(value: object) -> str:
    return str(value) if isinstance(value, Dim) else repr(value)


def _axes(node: Node, axes: Sequence[object]) -> str:
    """Axes as numbers from the end of the operand's own list, the batch by name."""
    own = [axis.id for axis in node.inputs[0].type.axes]
    shown = ["batch" if a == "batch" else str(own.index(a) - len(own)) if a in own else str(a) for a in map(str, axes)]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"
