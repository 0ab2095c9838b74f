"""What is not wrong but probably not meant: warnings over the checked graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lossdsl.checker.names import mentioned
from lossdsl.checker.scope import Scope
from lossdsl.checker.signature import Signature
from lossdsl.errors import Diagnostic, diagnostic
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.syntax import ast
from lossdsl.types import State

if TYPE_CHECKING:
    from lossdsl.checker.elaborate import Elaborator

OF_PROBABILITIES = ("log", "log2", "log10", "log1p")
OF_LOGITS = ("sigmoid", "softmax", "log_sigmoid", "log_softmax", "softplus")


def lint(
    elaborator: Elaborator, formula: ast.Formula, scope: Scope, signature: Signature, root: Node | None
) -> Iterator[Diagnostic]:
    """Every warning."""
    yield from _unused(formula, scope)
    if root is not None:
        yield from _roles(root, signature)
        yield from _library(elaborator, root, signature)
        yield from _axes(root)


def _unused(formula: ast.Formula, scope: Scope) -> Iterator[Diagnostic]:
    terms = any(isinstance(statement, ast.Term) for statement in formula.statements)
    summed = terms and formula.result is None
    read = set().union(*(mentioned(p) for p in _parts(formula))) if terms and not summed else set()
    for statement in formula.statements:
        dropped = isinstance(statement, ast.Term) and not summed and statement.name not in read
        if dropped or (isinstance(statement, ast.Binding) and statement.name not in scope.used):
            yield diagnostic("unused-binding", statement.name_span, name=statement.name)
        elif isinstance(statement, ast.Declaration) and statement.name not in scope.used:
            yield diagnostic("unused-declaration", statement.name_span, name=statement.name)


def _parts(formula: ast.Formula) -> Iterator[ast.Tree]:
    """Everything that is evaluated."""
    for statement in formula.statements:
        if isinstance(statement, (ast.Binding, ast.Term)):
            yield statement.value
    if formula.result is not None:
        yield formula.result


def _roles(root: Node, signature: Signature) -> Iterator[Diagnostic]:
    kinds = {"y_true": signature.y_true.kind, "y_pred": signature.y_pred.kind}
    for node in reachable([root]):
        for operand in node.inputs:
            kind = kinds.get(str(operand.attr("name"))) if operand.op == INPUT else None
            if kind == "logits" and node.op in OF_PROBABILITIES:
                yield diagnostic("log-of-logits", node.span, function=node.op)
            if kind == "prob" and node.op in OF_LOGITS:
                yield diagnostic("activation-of-probabilities", node.span, function=node.op)


def _library(elaborator: Elaborator, root: Node, signature: Signature) -> Iterator[Diagnostic]:
    """A library loss is reduced: what varies inside a sample can't weigh it. And it may want probabilities."""
    for node in reachable([root]):
        for loss, other in (node.inputs, node.inputs[::-1]) if node.op == "multiply" else ():
            lost = {a.id for a in loss.type.axes if a.state is State.REDUCED}
            name = elaborator.library.get(loss)
            if name is not None and lost & other.type.ids:
                yield diagnostic("library-weighted", node.span, name=name, type=loss.type.show())
    if signature.y_pred.kind == "logits":
        for span, name in elaborator.of_probabilities:
            yield diagnostic("logits-as-probabilities", span, name=name)


def _axes(root: Node) -> Iterator[Diagnostic]:
    for node in reachable([root]):
        if node.op in ("softmax", "log_softmax", "sort", "cumsum"):
            axis = node.inputs[0].type.axis(node.axes[0])
            if axis is not None and axis.size.value({}) == 1:
                yield diagnostic("axis-of-one", node.span, function=node.op)
