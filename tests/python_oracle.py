"""Python's own parser as an oracle: our expressions are written, and nest, as Python's do."""

from __future__ import annotations

import ast as python
from typing import Any

from lossdsl.syntax import ast

SIGNS = {
    python.Add: "+", python.Sub: "-", python.Mult: "*", python.Div: "/", python.Pow: "**",
    python.And: "and",
    python.Or: "or", python.Not: "not", python.USub: "-", python.UAdd: "+", python.Lt: "<",
    python.LtE: "<=",
    python.Gt: ">", python.GtE: ">=", python.Eq: "==", python.NotEq: "!=",
}  # fmt: skip
Shape = tuple[Any, ...]
ANYWHERE = (-1, -1)


def from_python(node: Any) -> Shape:
    """Python's tree as nested tuples: kind, parts, and place."""
    match node:
        case python.Slice(lower=lower, upper=upper, step=None):
            return ("slice", lower and from_python(lower), upper and from_python(upper))
        case python.Constant(value=value):
            shape: Shape = ("ellipsis",) if value is ... else ("constant", type(value), value)
        case python.Name(id=name):
            shape = ("name", name)
        case python.List(elts=items):
            shape = ("vector", *map(from_python, items))
        case python.Tuple(elts=items):
            shape = ("tuple", *map(from_python, items))
        case python.UnaryOp(op=op, operand=operand):
            shape = ("unary", SIGNS[type(op)], from_python(operand))
        case python.BinOp(left=left, op=op, right=right):
            shape = ("binary", SIGNS[type(op)], from_python(left), from_python(right))
        case python.BoolOp(op=op, values=[*values]):
            shape = from_python(values[0])
            for value in values[1:]:  # Python joins `a and b and c` into one node; here each `and` is one
                right = from_python(value)
                shape = ("binary", SIGNS[type(op)], shape, right, ANYWHERE)
            shape = shape[:-1]
        case python.Compare(left=left, ops=ops, comparators=rest):
            shape = ("compare", *(SIGNS[type(op)] for op in ops), *map(from_python, [left, *rest]))
        case python.IfExp(body=body, test=test, orelse=orelse):
            shape = ("if", *map(from_python, [body, test, orelse]))
        case python.Call(func=python.Name(id=name), args=args, keywords=keywords):
            named = [("keyword", k.arg, from_python(k.value)) for k in keywords]
            shape = ("call", name, *map(from_python, args), *named)
        case python.Subscript(value=value, slice=index):
            items = index.elts if isinstance(index, python.Tuple) else [index]
            shape = ("subscript", from_python(value), *map(from_python, items))
        case _:
            raise AssertionError(python.dump(node))
    return (*shape, (node.col_offset, node.end_col_offset))


def from_ours(node: Any) -> Shape:
    """Our tree in the same form."""
    match node:
        case None:
            return None  # type: ignore[return-value]
        case ast.Slice(lower=lower, upper=upper):
            return ("slice", from_ours(lower), from_ours(upper))
        case ast.Keyword(name=name, value=value):
            return ("keyword", name, from_ours(value))
        case ast.Ellipsis():
            shape: Shape = ("ellipsis",)
        case ast.Number(value=value) | ast.Boolean(value=value):
            shape = ("constant", type(value), value)
        case ast.Name(id=name):
            shape = ("name", name)
        case ast.Vector(items=items):
            shape = ("vector", *map(from_ours, items))
        case ast.Tuple(items=items):
            shape = ("tuple", *map(from_ours, items))
        case ast.Unary(op=op, operand=operand):
            shape = ("unary", op, from_ours(operand))
        case ast.Binary(op=op, left=left, right=right):
            shape = ("binary", op, from_ours(left), from_ours(right))
        case ast.Compare(ops=ops, operands=operands):
            shape = ("compare", *ops, *map(from_ours, operands))
        case ast.IfElse(body=body, condition=condition, orelse=orelse):
            shape = ("if", *map(from_ours, [body, condition, orelse]))
        case ast.Call(function=name, args=args, keywords=keywords):
            shape = ("call", name, *map(from_ours, [*args, *keywords]))
        case ast.Subscript(operand=operand, items=items):
            if len(items) == 1 and isinstance(items[0], ast.Tuple):
                items = items[0].items  # Python has one tree for `x[(a, b)]` and `x[a, b]`
            shape = ("subscript", from_ours(operand), *map(from_ours, items))
        case _:
            raise AssertionError(node)
    return (*shape, (node.span.start, node.span.stop))


def agree(ours: Any, theirs: Any, text: str) -> None:
    """The same tree at the same places; our place of `(a)` has its brackets, Python's hasn't."""
    if not isinstance(ours, tuple) or not isinstance(theirs, tuple):
        assert ours == theirs
    elif len(ours) == 2 and isinstance(ours[0], int):
        if theirs == ANYWHERE:
            return
        (start, stop), (begin, end) = ours, theirs
        assert start <= begin <= end <= stop, text
        assert text[start:begin].strip(" \t(") == text[end:stop].strip(" \t)") == "", text
        assert text[start:begin].count("(") == text[end:stop].count(")"), text
    else:
        assert len(ours) == len(theirs), text
        for a, b in zip(ours, theirs, strict=True):
            agree(a, b, text)


def check_against_python(tree: ast.Expr, text: str) -> None:
    """Whether Python reads the text as the same tree, and sees its pieces at the same places."""
    theirs = python.parse(f"({text})", mode="eval").body
    for node in python.walk(theirs):
        if hasattr(node, "col_offset"):
            node.col_offset -= 1
            node.end_col_offset -= 1
    agree(from_ours(tree), from_python(theirs), text)
