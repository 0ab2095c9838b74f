"""Graph to Python: straight-line code over `keras.ops` that is meant to be read.

Only names vetted here and templates of the operation table reach the text; nothing of the user's is printed but
numbers and, as comments and variable names, his own words. Imports no framework.
"""

from __future__ import annotations

import keyword
import math
import re
import string
from collections.abc import Mapping, Sequence

from lossdsl.backends.positions import Positions
from lossdsl.backends.precedence import ATOM, INFIX, join
from lossdsl.ir.node import CONST, DIM, INPUT, MATRIX, VECTOR, Node, reachable, uses
from lossdsl.ops import INTERNAL, OPS, row
from lossdsl.ops.op import Family, Op
from lossdsl.types import BATCH, Dim, DType

LONGEST = 88
"""Longest expression before it gets a variable of its own."""
TAKEN = frozenset(
    {"ops", "shims", "dtype", "y_true", "y_pred", "alive", "upstream", "scale", "value", "terms", "float"}
)
KEEPDIMS = ", keepdims=True"
ITSELF = "{x}"
"""The template of an operation that changes the type alone: the operand, bound as tightly as it is."""
MADE_OF = {"where": ("x1", "x2"), "spread": ("x",)}
"""Operands that give a call its type, where another operand has none to give."""
NO_NUMBERS = {
    "arctan2": ("x1", "x2"),
    "logaddexp": ("x1", "x2"),
    "log_bernoulli": ("z",),
    "less_sigmoid": ("z",),
    "times_exp": ("y",),
    "relative_gap": ("x", "y"),
    "log_difference": ("x", "y"),
    "damped": ("x1", "x2"),
    "log_beta_exp": ("x", "y"),
    "exp_digamma_gap": ("x", "y"),
    "lgamma_rise": ("x",),
    "lgamma_rise_slope": ("x",),
    "digamma_rise": ("x", "n"),
    "digamma_gap": ("x",),
    "logaddexp_gap": ("x", "y"),
    "sigmoid_gap": ("y",),
}
"""Operands that have to be tensors: of a number the code would make one in float32, whatever the data are."""


class Printer:
    """Prints one function body; every node becomes text once, shared and named ones a variable."""

    def __init__(self, positions: Positions, names: Mapping[Node, str], roots: Sequence[Node]) -> None:
        self.positions = positions
        self.names = names
        self.nodes = reachable(roots)
        self.counts = uses(self.nodes)
        for root in roots:
            self.counts[root] = self.counts.get(root, 0) + 1
        self.thin = thin(positions, self.nodes, roots)
        self.short = short(self.nodes, roots)
        self.lines: list[str] = []
        self._text: dict[Node, tuple[str, int]] = {}
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}

    def body(self, roots: Sequence[Node]) -> list[str]:
        """The lines that compute everything but the roots' own last form."""
        for node in self.nodes:
            if node.op == INPUT:
                self._input(node)
        for node in self.nodes:
            if node in roots and self.counts[node] == 1 and node not in self.names:
                continue
            self._place(node)
        dtype = any("dtype" in text for text in (*self.lines, *(self._expression(r)[0] for r in roots)))
        return ["dtype = y_pred.dtype", *self.lines] if dtype else self.lines

    def text(self, node: Node) -> tuple[str, int]:
        """The text of a node, and how tightly it binds."""
        if node not in self._text:
            self._text[node] = self._expression(node)
        return self._text[node]

    def _input(self, node: Node) -> None:
        name = str(node.attr("name"))
        missing = self.positions.missing(node.type)
        if not node.type.axes:  # a number for the batch travels as shape (1,)
            self.lines.append(f"{name} = ops.reshape({name}, {(1,) * self.positions.rank})")
        elif missing:
            axes = missing[0] if len(missing) == 1 else missing
            self.lines.append(f"{name} = ops.expand_dims({name}, axis={axes})")

    def _place(self, node: Node) -> None:
        text, binding = self._expression(node)
        shared = self.counts.get(node, 0) > 1 and node.op not in (CONST, INPUT)
        if not shared and node not in self.names and len(text) <= LONGEST:
            self._text[node] = (text, binding)
            return
        if node.op == CONST:
            self._text[node] = (text, binding)
            return
        variable = self._variable(node)
        self.lines.append(f"{variable} = {text}")
        self._text[node] = (variable, ATOM)

    def _variable(self, node: Node) -> str:
        wanted = self.names.get(node, node.op)
        name = re.sub(r"[^A-Za-z0-9_]", "", wanted).strip("_")[:40] or "v"
        if name[0].isdigit() or keyword.iskeyword(name) or name in TAKEN:
            name = f"{name}_" if not name[0].isdigit() else f"v{name}"
        if node not in self.names or name in self._used:
            number = self._counts.get(name, 0) + 1
            while f"{name}_{number}" in self._used:
                number += 1
            self._counts[name] = number
            name = f"{name}_{number}"
        self._used.add(name)
        return name

    def _expression(self, node: Node) -> tuple[str, int]:
        match node.op:
            case "const":
                return _number(node.value)
            case "input":
                return str(node.attr("name")), ATOM
            case "vector" | "matrix":
                return self._constant(node), ATOM
            case "dim":
                return self._dim(node), ATOM
            case "cast":
                dtype = {"float": "dtype", "int": '"int32"', "bool": '"bool"'}[str(node.attr("dtype"))]
                return f"ops.cast({self.text(node.inputs[0])[0]}, {dtype})", ATOM
        if node.op in INFIX and not _mixes_whole_numbers(node):
            return join(node.op, [self.text(operand) for operand in node.inputs])
        if row(node.op).keras == ITSELF:
            return self.text(node.inputs[0])
        if node.op in INFIX:
            return f"ops.{node.op}({', '.join(self.text(operand)[0] for operand in node.inputs)})", ATOM
        return self._call(node), ATOM

    def _call(self, node: Node) -> str:
        op = row(node.op)
        operands = dict(zip((a.name for a in op.signature.values), (self.text(x)[0] for x in node.inputs), strict=True))
        if node.op == "clip" and (node.inputs[0].is_const or node.inputs[0].type.ids != node.type.ids):
            # keras.ops wants a tensor, of the shape of the result
            return "ops.minimum(ops.maximum({x}, {x_min}), {x_max})".format(**operands)
        operands |= self._typed(node, operands)
        attributes = {k: self._attribute(v) for k, v in self.positions.attributes(op, node).items()}
        if node.op == "contraction":
            operands = {k: self._squeezed(v, x) for (k, v), x in zip(operands.items(), node.inputs, strict=True)}
            attributes |= self._einsum(node)
        # before the operands go in: what they keep is their own affair
        thin = node in self.thin and op.family is Family.REDUCTION
        template = op.keras.replace(KEEPDIMS, "") if thin else op.keras
        return template.format(**operands, **attributes)

    def _typed(self, node: Node, operands: Mapping[str, str]) -> dict[str, str]:
        """The operands that are numbers, which have no type, in that of the data, where that is needed."""
        numbers = {a.name for a, x in zip(row(node.op).signature.values, node.inputs, strict=True) if x.op == CONST}
        made = MADE_OF.get(node.op, ())
        first = made[:1] if numbers.issuperset(made) and node.type.dtype is DType.FLOAT else ()
        wanted = [*first, *(name for name in NO_NUMBERS.get(node.op, ()) if name in numbers)]
        return {name: f"ops.convert_to_tensor({operands[name]}, dtype)" for name in wanted}

    def _attribute(self, value: object) -> str:
        if isinstance(value, Dim):
            return self._size(value)
        if isinstance(value, tuple) and len(value) == 1:
            return str(value[0])
        return repr(value)

    def _einsum(self, node: Node) -> dict[str, str]:
        """The subscripts of a contraction, over tensors of full rank."""
        letters = string.ascii_letters[: self.positions.rank]
        left, right = (
            "".join(letters[i] for i in range(self.positions.rank) if i not in gone)
            for gone in (self._thin(node.inputs[0]), self._thin(node.inputs[1]))
        )
        gone = {self.positions.layout.index(axis) for axis in node.axes}
        out = "".join(c for i, c in enumerate(letters) if i not in gone and (c in left or c in right))
        hollow = tuple(i for i, c in enumerate(letters) if c not in out)
        return {"subscripts": f'"{left},{right}->{out}"', "missing": repr(hollow)}

    def _squeezed(self, text: str, node: Node) -> str:
        thin = tuple(sorted(self._thin(node)))
        return f"ops.squeeze({text}, axis={thin})" if thin else text

    def _thin(self, node: Node) -> set[int]:
        return {i for i, identity in enumerate(self.positions.layout) if not node.type.has(identity)}

    def _constant(self, node: Node) -> str:
        values = node.attr("values")
        assert isinstance(values, tuple)
        if node.op == MATRIX:
            rows = ", ".join(f"[{', '.join(_number(v)[0] for v in row)}]" for row in values)
            return f"ops.convert_to_tensor([{rows}], dtype=dtype)"
        text = f"ops.convert_to_tensor([{', '.join(_number(v)[0] for v in values)}], dtype=dtype)"
        place, rank = self.positions.layout.index(node.type.axes[0].id), self.positions.rank
        first = place if node in self.short else 0
        shape = ", ".join("-1" if i == place else "1" for i in range(first, rank))
        return text if shape == "-1" else f"ops.reshape({text}, ({shape}))"

    def _dim(self, node: Node) -> str:
        size = node.attr("size")
        assert isinstance(size, Dim)
        return self._size(size)

    def _size(self, size: Dim) -> str:
        if size.symbol is None:
            return str(size.offset)
        name, place = size.symbol.rsplit(".", 1)
        # the tensor may have gained axes of size 1: find the axis where it lies now
        source = next((n for n in self.nodes if n.op == INPUT and n.attr("name") == name), None)
        at = self.positions.layout.index(source.type.axes[int(place)].id) if source else int(place)
        text = f"ops.shape({name})[{at}]"
        for sign, number in (("+", size.offset), ("//", size.step), ("+", size.after)):
            if number != (sign == "//"):
                text = f"({text} {sign if number > 0 else '-'} {abs(number)})"
        return text


def thin(positions: Positions, nodes: Sequence[Node], roots: Sequence[Node]) -> set[Node]:
    """Nodes that can do without the axes that they lost: the reductions at the end, and what is made of them.

    Such a node is used by others like it alone, so that nothing needs the axes to line up, and reads as a person
    would write it.
    """
    found = {node for node in nodes if _may_be_thin(positions, node)}
    numbers = _numbers(nodes)
    consumers: dict[Node, list[Node]] = {}
    for node in nodes:
        for operand in node.inputs:
            consumers.setdefault(operand, []).append(node)
    doubtful = list(nodes)
    while doubtful:
        node = doubtful.pop()
        if node not in found or _stays_thin(positions, node, found, numbers, consumers.get(node, [])):
            continue
        found.discard(node)
        doubtful.extend([*node.inputs, *consumers.get(node, [])])
    return found


def short(nodes: Sequence[Node], roots: Sequence[Node]) -> set[Node]:
    """Vectors that need no axes of size 1 before their own: they only ever meet tensors that have them."""
    found = {node for node in nodes if node.op == VECTOR and node not in roots}
    for node in nodes:
        whole = _elementwise(node) and any(x.op != VECTOR and x.type.axes for x in node.inputs)
        found -= set() if whole else set(node.inputs)
    return found


def _may_be_thin(positions: Positions, node: Node) -> bool:
    row = _row(node)
    if row is None or not node.type.has(BATCH) or not positions.lost(node.type):
        return False
    gone = tuple(sorted(positions.layout.index(axis) for axis in node.axes))
    reduced = row.family is Family.REDUCTION and KEEPDIMS in row.keras and gone == positions.lost(node.type)
    return reduced or row.family is Family.ELEMENTWISE


def _numbers(nodes: Sequence[Node]) -> set[Node]:
    """Nodes that are plain numbers in the code, which go with any shape; an input is none, though it has no axes."""
    found: set[Node] = set()
    for node in nodes:
        if node.op in (CONST, DIM) or (not node.type.axes and node.inputs and found.issuperset(node.inputs)):
            found.add(node)
    return found


def _stays_thin(
    positions: Positions, node: Node, found: set[Node], numbers: set[Node], consumers: Sequence[Node]
) -> bool:
    lost = positions.lost(node.type)
    if any(c not in found or not _elementwise(c) or positions.lost(c.type) != lost for c in consumers):
        return False
    return not _elementwise(node) or all(x in found or x in numbers for x in node.inputs)


def _row(node: Node) -> Op | None:
    return OPS.get(node.op) or INTERNAL.get(node.op)


def _elementwise(node: Node) -> bool:
    row = _row(node)
    return row is not None and row.family is Family.ELEMENTWISE


def _mixes_whole_numbers(node: Node) -> bool:
    """Whether two tensors of whole numbers meet: labels may have 64 bits, and places have 32."""
    return node.type.dtype is DType.INT and sum(not operand.is_const for operand in node.inputs) > 1


def _number(value: float | int | bool) -> tuple[str, int]:
    """A number as Python writes it; negative ones bind like a minus."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")', ATOM
    return repr(value), (ATOM if value >= 0 else INFIX["negative"][1])


def function(name: str, arguments: Sequence[str], positions: Positions, names: Mapping[Node, str], root: Node) -> str:
    """A Python function that gives the value of one root: per sample, then positions left standing."""
    printer = Printer(positions, names, [root])
    body = printer.body([root])
    body = [*body, f"return {_last_form(printer, root)}"]
    return _define(name, arguments, body)


def functions(
    name: str, arguments: Sequence[str], positions: Positions, names: Mapping[Node, str], roots: Sequence[Node]
) -> str:
    """A Python function that gives a tuple of roots."""
    printer = Printer(positions, names, roots)
    body = printer.body(roots)
    values = ", ".join(_last_form(printer, root) for root in roots)
    return _define(name, arguments, [*body, f"return ({values},)"])


def _define(name: str, arguments: Sequence[str], body: Sequence[str]) -> str:
    return "\n".join([f"def {name}({', '.join(arguments)}):", *(f"    {line}" for line in body), ""])


def _last_form(printer: Printer, root: Node) -> str:
    """The root without the axes that it lost; a reduction at the very end just does not keep them."""
    positions, text = printer.positions, printer.text(root)[0]
    if not root.type.has(BATCH):
        return f"ops.reshape({text}, (1,))"
    lost = positions.lost(root.type)
    if not lost or root in printer.thin:
        return text
    last = positions.rank - 1
    places = tuple(-1 if i == last and len(lost) == 1 else i for i in lost)
    return f"ops.squeeze({text}, axis={places[0] if len(places) == 1 else places})"
