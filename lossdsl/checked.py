"""A formula that was checked: what it means, and its programs for the shapes that come. Imports no framework."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from lossdsl.analysis.root import couples
from lossdsl.budgets import current
from lossdsl.checker.calls import library_formula, library_loss
from lossdsl.checker.check import Elaborated, Meaning, choose, elaborate
from lossdsl.checker.declared import check_memory, data_declarations, within
from lossdsl.checker.signature import Shape, Signature
from lossdsl.errors import Diagnostic, LossError, fail
from lossdsl.guards import Inserted, NoGradientError, inserted
from lossdsl.ir.node import show
from lossdsl.program import Program, Term, aligned, build, looks_at, terms_of
from lossdsl.rewrite.logits import ACTIVATIONS, has_logarithm
from lossdsl.source import Source, Span
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse

LANGUAGE = 1
"""The version of the language that this compiler speaks; saved losses name theirs."""
EPSILON = 1e-7
"""`epsilon` where no framework says otherwise: Keras' own default."""
MOST_ENTRIES = 65_536
"""Numbers in one vector or matrix parameter."""


@dataclass(eq=False)
class Checked:
    """A formula without errors, its parameters and its signature."""

    source: Source
    formula: ast.Formula
    params: dict[str, Any]
    meaning: Meaning
    signature: Signature
    stars: int
    elaborated: Elaborated
    best: bool = True
    """Whether its code is rewritten to its best form."""
    _programs: dict[Hashable, Program] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """A copy is checked anew: the graph of a long formula is too deep for `pickle` and `copy`."""
        meaning = self.meaning
        again = partial(analyse, uses=meaning.uses, epsilon=meaning.epsilon, measure=meaning.measure, rewrite=self.best)
        return again, (self.source, self.params)

    @property
    def text(self) -> str:
        """The formula, as typed."""
        return self.source.text

    @property
    def uses(self) -> dict[str, str]:
        """The library losses that the formula names, with their definitions."""
        return dict(self.elaborated.used)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is probably not meant."""
        return self.elaborated.diagnostics

    @property
    def label(self) -> bool:
        """Whether `y_true` is a whole-number label."""
        return self.signature.y_true.kind in ("label", "int")

    @cached_property
    def couples(self) -> str:
        """`none`, `rows` (each sample's value depends on others) or `batch` (one number for the batch)."""
        assert self.elaborated.root is not None
        return couples(self.elaborated.root)

    @cached_property
    def key(self) -> Hashable:
        """Equal for formulas that mean the same: the same graph, parameters and signature."""
        assert self.elaborated.root is not None
        graph = "\n".join(show([self.elaborated.root]))
        terms = current_terms(self.elaborated)
        return graph, str(self.signature), self.fill, self.meaning.epsilon, terms, self.best

    @cached_property
    def fill(self) -> tuple[float, float]:
        """A harmless value for each input, inside its declared range: what stands in for dead samples."""
        found = data_declarations(self.formula)
        return _fill(found.get("y_true"), self.label), _fill(found.get("y_pred"), False)

    @cached_property
    def may_use_logits(self) -> bool:
        """Whether the logits that probabilities came of could serve it better than the probabilities."""
        assert self.elaborated.root is not None
        return self.best and self.signature.y_pred.kind in ("prob", "float") and has_logarithm([self.elaborated.root])

    def program(
        self,
        true_shape: Sequence[int | None],
        pred_shape: Sequence[int | None],
        *,
        alive: bool = False,
        activation: str | None = None,
    ) -> Program:
        """The program for data of these shapes (None where a size is not known yet).

        With an `activation`, its `y_pred` is the logits of the formula's. Raises LossError where ranks or sizes can't
        meet, naming both shapes at the place in the formula.
        """
        found, sizes = self._built(true_shape, pred_shape, alive, activation)
        found.check_memory(sizes, Span(self.source, 0, len(self.source.text)))
        return found

    def _built(
        self,
        true_shape: Sequence[int | None],
        pred_shape: Sequence[int | None],
        alive: bool = False,
        activation: str | None = None,
    ) -> tuple[Program, dict[str, int | None]]:
        """The same with the sizes that are known, however much memory they ask for."""
        whole = Span(self.source, 0, len(self.source.text))
        stars = self._stars(true_shape, pred_shape, whole)
        key = stars, alive, activation
        found = self._programs.get(key)
        if found is None:
            again = elaborate(self.formula, self.signature, stars, self.meaning, alive=alive, activation=activation)
            if again.errors:
                raise LossError(again.errors)
            fill = self.fill if activation is None else (self.fill[0], 0.0)
            found = self._programs[key] = build(again, fill, alive, self.best, activation)
        sizes = self._sizes(found, true_shape, pred_shape, whole)
        data = f"y_true has shape {_tuple(true_shape)}, y_pred {_tuple(pred_shape)}"
        found.check_sizes(sizes, whole, data)
        return found, sizes

    def from_logits(
        self,
        true_shape: Sequence[int | None],
        pred_shape: Sequence[int | None],
        activation: str,
        *,
        alive: bool = False,
    ) -> Program | None:
        """The program on the logits that an activation made `y_pred` of, or None where probabilities do as well.

        That is also where it can't be had: what is wrong with the data is said where the probabilities are used.
        """
        with suppress(LossError):
            found = self.program(true_shape, pred_shape, alive=alive, activation=activation)
            same_axes = activation == "sigmoid" or len(pred_shape) == found.pred_rank
            return found if found.gains and same_axes else None
        return None

    def display(self, activation: str | None = None) -> Program:
        """The program to show where no data has come: at rank 2 where the formula takes it."""
        return self._built(*self._shapes_shown, activation=activation)[0]

    @property
    def _shapes_shown(self) -> tuple[tuple[None, ...], tuple[None, ...]]:
        true, pred = self.signature.y_true, self.signature.y_pred
        stars = self._shown[0]
        return (None,) * (true.least + true.has_star * stars), (None,) * (pred.least + pred.has_star * stars)

    @cached_property
    def activations(self) -> tuple[str, ...]:
        """What may have made `y_pred`, so that the logits serve the formula better; at the rank that is shown."""
        if not self.may_use_logits:
            return ()
        return tuple(a for a in ACTIVATIONS if self.from_logits(*self._shapes_shown, a) is not None)

    @cached_property
    def guards(self) -> tuple[Inserted, ...]:
        """What keeps the gradient finite where a branch is not taken; at the rank that is shown."""
        form = self.display().form
        with suppress(NoGradientError):
            return () if self.meaning.measure else tuple(inserted(form.builder, form.rewritten[:1]))
        return ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms of the loss, and the weights that each takes, at the rank that is shown."""
        return terms_of(self._shown[1])

    @cached_property
    def _shown(self) -> tuple[int, Elaborated]:
        """How many further axes to show the formula with, and its graph there."""
        if self.signature.has_star and self.signature.y_pred.least + self.stars < 2:
            more = elaborate(self.formula, self.signature, self.stars + 1, self.meaning)
            if not more.errors:
                return self.stars + 1, more
        return self.stars, self.elaborated

    @cached_property
    def uses_true(self) -> bool:
        """Whether the formula looks at y_true."""
        assert self.elaborated.root is not None
        return looks_at([self.elaborated.root], "y_true")

    def _stars(self, true_shape: Sequence[int | None], pred_shape: Sequence[int | None], whole: Span) -> int:
        """How many further axes the data has where the signature has `*`."""
        both = (
            ("y_pred", self.signature.y_pred, pred_shape),
            ("y_true", self.signature.y_true, true_shape),
        )
        for name, shape, given in both:
            if not given:
                raise fail("no-batch-axis", whole, name=name)
            if len(given) > (limit := current().axes):
                raise fail("too-many-axes", shape.span or whole, name=name, count=len(given), limit=limit)
        for name, shape, given in both:
            if shape.has_star and (name == "y_pred" or self.uses_true):
                return max(0, len(given) - shape.least)
        return 0

    def _sizes(
        self,
        program: Program,
        true_shape: Sequence[int | None],
        pred_shape: Sequence[int | None],
        whole: Span,
    ) -> dict[str, int | None]:
        sizes: dict[str, int | None] = {}
        for name, shape, rank, declared in (
            ("y_true", true_shape, program.true_rank, self.signature.y_true),
            ("y_pred", pred_shape, program.pred_rank, self.signature.y_pred),
        ):
            if rank == 0:
                sizes["y_true.0"] = shape[0]
                continue
            fitted = aligned(shape, rank) if len(shape) + 1 >= rank else None
            other = pred_shape if name == "y_true" else true_shape
            if fitted is None or self._invented(program, name, len(shape), other):
                shapes = {"true": _tuple(true_shape), "pred": _tuple(pred_shape)}
                span = declared.span or whole
                raise fail("rank-differs", span, name=name, declared=declared, rank=rank, **shapes)
            sizes |= {f"{name}.{i}": size for i, size in enumerate(fitted)}
        batch = {sizes["y_true.0"], sizes["y_pred.0"]} - {None}
        if len(batch) > 1:
            raise fail("batch-differs", whole, true=_tuple(true_shape), pred=_tuple(pred_shape))
        return sizes

    def _invented(self, program: Program, name: str, given: int, other: Sequence[int | None]) -> bool:
        """Whether data lacks its last axis, and that axis has more than one entry in the other input.

        Labels (8, 5) are no (8, 5, 1) against predictions (8, 5, 2): their last axis is another one.
        Rank 1 is (8, 1) whatever it meets.
        """
        types = program.elaborated.inputs.types
        mine, others = types[name].axes, types["y_pred" if name == "y_true" else "y_true"].axes
        if not 2 <= given < len(mine):
            return False
        place = next((i for i, axis in enumerate(others) if axis.id == mine[given].id), None)
        return place is not None and place < len(other) and other[place] not in (1, None)


def current_terms(elaborated: Elaborated) -> tuple[str, ...]:
    """The names of the terms."""
    return tuple(name for name, _ in elaborated.terms)


def analyse(
    formula: str | Source,
    params: Mapping[str, object] | None = None,
    *,
    uses: Mapping[str, str] | None = None,
    epsilon: float = EPSILON,
    measure: bool = False,
    rewrite: bool = True,
) -> Checked:
    """Parse and check a formula. Raises LossError with every error there is.

    `uses` are definitions of library losses that came with it; a `measure` needs no gradient; without `rewrite` the
    code computes what was written, as it was written.
    """
    source, tree, signature, stars, found, meaning = examine(formula, params, uses, epsilon, measure)
    if found.errors:
        raise LossError((*found.errors, *(d for d in found.diagnostics if d not in found.errors)))
    return Checked(source, tree, dict(meaning.params), meaning, signature, stars, found, rewrite)


def examine(
    formula: str | Source,
    params: Mapping[str, object] | None,
    uses: Mapping[str, str] | None,
    epsilon: float,
    measure: bool,
) -> tuple[Source, ast.Formula, Signature, int, Elaborated, Meaning]:
    """Parse and check; errors of meaning are in the result. Raises LossError for text that can't be read."""
    if not isinstance(formula, (str, Source)):
        raise fail("not-a-formula", None, kind=type(formula).__name__)
    source = Source(formula) if isinstance(formula, str) else formula
    tree = parse(source)
    check_memory(tree)
    if len(params or {}) > (limit := current().parameters):
        raise fail("too-many-parameters", tree.span, limit=limit)
    plain = {str(name): _plain(str(name), value) for name, value in (params or {}).items()}
    place = tree.span
    tree, named = _whole(tree, plain, uses or {})
    meaning = Meaning(plain, dict(uses or {}), epsilon, measure, named, place if named else None)
    signature, stars, found = choose(tree, meaning)
    return source, tree, signature, stars, found, meaning


def _whole(
    tree: ast.Formula, params: Mapping[str, object], uses: Mapping[str, str]
) -> tuple[ast.Formula, dict[str, str]]:
    """The formula to check: a bare name of a library loss is its whole definition, parameters and all."""
    if tree.statements or not isinstance(tree.result, ast.Name) or tree.result.id in params:
        return tree, {}
    found = library_loss(tree.result.id, uses)
    return (tree, {}) if found is None else (library_formula(*found), dict([found]))


def _plain(name: str, value: object) -> object:
    """A parameter as plain Python values, or an error: finite numbers, truth values, lists of numbers."""
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, bool) or (isinstance(value, (int, float)) and _reasonable(value)):
        return value
    if isinstance(value, (list, tuple)) and 0 < len(value) <= MOST_ENTRIES:
        rows = [item for item in value if isinstance(item, (list, tuple))]
        items = [x for row in rows for x in row] if rows else list(value)
        numbers = all(isinstance(x, (int, float)) and not isinstance(x, bool) and _reasonable(x) for x in items)
        if numbers and len(items) <= MOST_ENTRIES and len(rows) in (0, len(value)) and items:
            return [list(row) for row in rows] if rows else list(value)
    raise fail("parameter-type", None, name=name, found=_found(value))


def _found(value: object) -> str:
    """What a parameter is that can't be one."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, (int, float)):
        return "larger than any float"
    if isinstance(value, (list, tuple)):
        entries = sum(len(row) if isinstance(row, (list, tuple)) else 1 for row in value)
        if entries > MOST_ENTRIES:
            return f"a list of more than {MOST_ENTRIES} numbers"
        return "a list of anything but finite numbers" if entries else "an empty list"
    return f"of type {type(value).__name__}"


def _reasonable(value: float) -> bool:
    return abs(value) < 2**1023 and math.isfinite(value)


def _fill(declaration: ast.Declaration | None, label: bool) -> float:
    usual = 0.0 if label else 0.5
    allowed = declaration.range if declaration is not None else None
    if allowed is None or within(allowed, usual):
        return usual
    if allowed.members:
        return allowed.members[0]
    if allowed.lower is not None and allowed.upper is not None:
        return (allowed.lower + allowed.upper) / 2
    return allowed.lower + 1 if allowed.lower is not None else (allowed.upper or 0.0) - 1


def _tuple(shape: Sequence[int | None]) -> str:
    inner = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


__all__ = ["EPSILON", "LANGUAGE", "Checked", "Shape", "analyse", "examine"]
