"""A formula, checked: the signature that holds, the graph for given ranks, the root, and everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lossdsl.analysis.reach import lost_at, reached
from lossdsl.budgets import current
from lossdsl.checker import lints
from lossdsl.checker.calls import library_formula, library_loss
from lossdsl.checker.declared import bind_parameters, check_declarations, data_declarations
from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.names import INPUTS, RESERVED, did_you_mean, mentioned, walk
from lossdsl.checker.scope import Poison, Scope
from lossdsl.checker.signature import MOST_STARS, STAR, Inputs, Signature, at_rank, candidates
from lossdsl.errors import Diagnostic, LossError, diagnostic, fail
from lossdsl.ir.axes import Constraint, Layout, is_free, is_pairs, is_window
from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.messages import Severity
from lossdsl.messages.meaning import NAMES
from lossdsl.ops import spelled
from lossdsl.source import Span
from lossdsl.syntax import ast
from lossdsl.types import BATCH, DType

BUDGETS = frozenset({"too-many-steps", "too-many-nodes", "too-many-errors"})
SHAPELESS = BUDGETS | frozenset(NAMES) | {"parameter-missing", "parameter-unused", "parameter-range"}
"""Errors that another signature can't mend."""
MOST_PASSES = 8
"""How often a formula is gone through again because a vector found its axis; one vector needs two passes."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a formula is given besides its text."""

    params: Mapping[str, object]
    uses: Mapping[str, str]
    epsilon: float
    measure: bool = False
    """Whether it is only looked at: a measure needs no gradient."""
    named: Mapping[str, str] = field(default_factory=dict)
    """The library loss, with its definition, whose bare name the formula is."""
    place: Span | None = None
    """Where that name stands."""


@dataclass(eq=False, slots=True)
class Elaborated:
    """The graph of a formula for one signature and one rank, or what is wrong with it."""

    builder: Builder
    inputs: Inputs
    root: Node | None
    names: Mapping[Node, str]
    terms: tuple[tuple[str, Node], ...]
    used: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]
    steps: int
    """What it took, in steps of the elaborator."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What stops."""
        return tuple(d for d in self.diagnostics if d.severity is Severity.ERROR)

    @property
    def constraints(self) -> list[Constraint]:
        """Sizes that must hold once shapes are known."""
        declared = [Constraint(a, b, "==", span) for a, b, span in self.inputs.sizes]
        return [*declared, *self.builder.constraints]


def choose(formula: ast.Formula, meaning: Meaning) -> tuple[Signature, int, Elaborated]:
    """The first signature that checks, the least number of further axes that it needs, and its graph.

    Where none checks, the one with the fewest errors; between equals, one that does not ask labels to be labels.
    All that are tried after the first share one budget.
    """
    best: tuple[Signature, int, Elaborated] | None = None
    spent = 0
    for signature in (*_of_library(formula, meaning.uses), *candidates(formula)):
        for stars in range(MOST_STARS + 1 if signature.has_star else 1):
            found = elaborate(formula, signature, stars, meaning)
            errors = found.errors
            if all(d.code in SHAPELESS for d in errors) or not BUDGETS.isdisjoint(d.code for d in errors):
                return signature, stars, found
            if best is None or _wrong(found) < _wrong(best[2]):
                best = signature, stars, found
            spent += found.steps
            if spent > current().expansion_steps // 2:
                return best
    assert best is not None
    return best


def _of_library(formula: ast.Formula, uses: Mapping[str, str]) -> Iterator[Signature]:
    """The signatures of library losses that get the data as it is: they say more of it than a guess does."""
    if data_declarations(formula):
        return
    own = {s.name for s in formula.statements if isinstance(s, ast.Definition)}
    evaluated = [s for s in formula.statements if not isinstance(s, ast.Definition)]
    for part in (p for tree in (*evaluated, formula.result) if tree is not None for p in walk(tree)):
        if isinstance(part, ast.Call) and part.function not in own and (found := library_loss(part.function, uses)):
            callee = library_formula(*found)
            wanted = list(data_declarations(callee))
            given = [a.id for a in part.args[: len(wanted)] if isinstance(a, ast.Name)]
            declared = next(candidates(callee))
            if given == wanted and not _as_any(declared):
                yield declared


def _as_any(signature: Signature) -> bool:
    """Whether it says no more than that both have the same axes, which is the first guess in any case."""
    both = signature.y_true, signature.y_pred
    return all(shape.axes == (BATCH, STAR) for shape in both) and signature.y_true.kind != "label"


def _wrong(found: Elaborated) -> tuple[int, bool]:
    return len(found.errors), any(error.code == "needs-index" for error in found.errors)


def elaborate(
    formula: ast.Formula,
    signature: Signature,
    stars: int,
    meaning: Meaning,
    *,
    alive: bool = False,
    activation: str | None = None,
) -> Elaborated:
    """The graph of a formula where `*` stands for `stars` axes; errors are in the result, not raised.

    With an `activation` the input called `y_pred` is logits, of which that makes what the formula means by the name.
    """
    bound: dict[str, str] = {}
    for _ in range(MOST_PASSES):
        inputs = at_rank(signature, stars)
        builder = Builder(Layout(inputs.layout), bound)
        elaborator = Elaborator(builder, uses=meaning.uses, epsilon=meaning.epsilon, alive=alive)
        elaborator.used.update(meaning.named)
        root, scope = _run(elaborator, formula, inputs, meaning, activation)
        if not builder.newly_bound:
            break
        bound = builder.bound
    builder.derived = True
    if root is not None and not _has_errors(elaborator):
        root = _check_root(elaborator, root, formula, meaning.measure)
        _drop_unused(builder, root)
    if not _has_errors(elaborator):
        elaborator.report(*lints.lint(elaborator, formula, scope, signature, root))
    nodes = tuple((name, v) for name, v in elaborator.terms if isinstance(v, Node))
    return Elaborated(
        builder,
        inputs,
        root,
        elaborator.names,
        nodes,
        elaborator.used,
        elaborator.diagnostics,
        elaborator.steps,
    )


def _run(
    elaborator: Elaborator, formula: ast.Formula, inputs: Inputs, meaning: Meaning, activation: str | None
) -> tuple[Node | None, Scope]:
    graph = elaborator.builder.graph
    scope = Scope(axes=dict(inputs.names))
    try:
        for name in INPUTS:
            node = graph.add(INPUT, attrs={"name": name}, type=inputs.types[name])
            scope.values[name] = _activated(elaborator.builder, activation, node) if name == "y_pred" else node
        check_declarations(elaborator, formula)
        _unknown_parameters(elaborator, formula, meaning)
        bind_parameters(elaborator, formula, meaning.params, scope, meaning.place)
        value = elaborator.run(formula, scope)
    except LossError as error:
        elaborator.report(*error.diagnostics)
        return None, scope
    return (None if isinstance(value, Poison) or not isinstance(value, Node) else value), scope


def _drop_unused(builder: Builder, root: Node | None) -> None:
    """Take back the axes of vectors of which only entries are used."""
    free = {identity for identity in builder.layout.ids if is_free(identity)}
    if free and root is not None:
        used = {axis.id for node in reachable([root]) for axis in node.type.axes}
        for identity in free - used:
            builder.layout.drop(identity)


def _activated(builder: Builder, activation: str | None, logits: Node) -> Node:
    """Probabilities of logits; softmax goes along the last axis."""
    if activation is None:
        return logits
    along = {"axis": (logits.type.axes[-1].id,)} if activation == "softmax" else {}
    return builder.apply(activation, [logits], along)


def _has_errors(elaborator: Elaborator) -> bool:
    return any(d.severity is Severity.ERROR for d in elaborator.diagnostics)


def _unknown_parameters(elaborator: Elaborator, formula: ast.Formula, meaning: Meaning) -> None:
    """Given parameters that the formula has no use for, or that may not be parameters."""
    if not meaning.params:
        return
    known = mentioned(formula)
    declared = {s.name for s in formula.statements if isinstance(s, ast.Declaration)}
    for name in meaning.params:
        if name in RESERVED and name in declared:
            continue
        if (name in RESERVED and name != "axis") or name in INPUTS:
            elaborator.report(diagnostic("reserved-name", None, name=name))
        elif name not in known:
            help = did_you_mean(name, sorted(known - set(INPUTS)))
            if meaning.named:
                mine = sorted(declared - set(INPUTS))
                help = help or (f"its parameters are {', '.join(mine)}" if mine else "it has no parameters")
            elaborator.report(diagnostic("parameter-unused", meaning.place or formula.span, help=help, name=name))


def _check_root(elaborator: Elaborator, root: Node, formula: ast.Formula, measure: bool) -> Node | None:
    """The root as a float, or None having said what keeps it from being a loss."""
    span = formula.result.span if formula.result else formula.span
    try:
        for axis in root.type.full:
            if is_free(axis.id):
                raise fail("vector-without-axis", span)
            if is_pairs(axis.id):
                raise fail("pairs-left-standing", span, type=root.type.show())
            if is_window(axis.id):
                raise fail("windows-left-standing", span, type=root.type.show())
        nodes = reachable([root])
        for node in nodes:
            if node.op == "divide" and node.inputs[1].is_const and node.inputs[1].value == 0:
                raise fail("division-by-zero", node.span or span)
        if not measure and not reached(nodes)[root]:
            lost = lost_at(nodes)
            if lost is None:
                raise fail("y_pred-unused", span)
            raise fail("no-gradient", lost.span or span, function=spelled(lost.op))
        if not root.type.has(BATCH) and root.type.full:
            raise fail("batch-reduced-positions", span, type=root.type.show())
        return elaborator.builder.graph.cast(root, DType.FLOAT)
    except LossError as error:
        elaborator.report(*error.diagnostics)
        return None
