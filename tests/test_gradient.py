"""The compiler's gradient against slopes that mpmath measures: the library, every row, random formulas, kinks."""

from __future__ import annotations

import re
from typing import Any

import cases
import numpy as np
import pytest
from formulas import CASES
from graph_oracle import Driven, slope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from law_tools import smooth
from strategies import expressions

from lossdsl import library
from lossdsl.checked import analyse
from lossdsl.errors import LossError
from lossdsl.ops import OPS
from lossdsl.ops.op import NO_KINK, Family, Op

TOLERANCE = 2e-8
"""Of a sum of products in float64, relative to their size."""


def agrees(driven: Driven, wrt: str = "y_pred", seeds: int = 2) -> int:
    """Hold the gradient against slopes in random directions; how many of them there were."""
    found = driven.gradient(wrt)
    count = 0
    for seed in range(seeds):
        way = np.random.default_rng(seed).normal(size=driven.data[wrt].shape)
        wanted = slope(driven.root, driven.layout, driven.data, wrt, way, driven.upstream())
        if wanted is None:
            continue
        scale = 1 + np.sum(np.abs(found * way))
        assert abs(np.sum(found * way) - float(wanted)) <= TOLERANCE * scale, (
            f"{driven.text}\nby {wrt}: {np.sum(found * way)}, slope {float(wanted)}\n{driven.data}"
        )
        count += 1
    return count


def agrees_beside_the_value(driven: Driven) -> None:
    """The gradient that is computed in the value's pass is that of a sum, times a number."""
    same = 0.375 * driven.gradient("y_pred", ones=True)
    size = 1 + np.max(np.abs(same), initial=0)
    np.testing.assert_allclose(driven.slope_of_sum(0.375), same, atol=1e-11 * size, err_msg=driven.text)


# -- the library


def library_data(name: str, rank: int) -> tuple[Driven, bool] | None:
    """A library loss with data of its own kind, or None where it does not take that rank."""
    signature = analyse(library.text(name)).signature
    random = np.random.default_rng(rank)
    stars = max(0, rank - signature.y_pred.least) if signature.y_pred.has_star else 0
    if signature.y_pred.least + stars != rank:
        return None

    def shape(declared: Any) -> tuple[int, ...]:
        found: list[int] = []
        for axis in declared.axes:
            found += [2] * stars if axis == "*" else [4 if axis == "batch" else axis if isinstance(axis, int) else 3]
        return tuple(found)

    pred = random.uniform(0.1, 0.9, shape(signature.y_pred))
    label = signature.y_true.kind in ("label", "int")
    true = (
        random.integers(0, 3, shape(signature.y_true)) if label else random.uniform(0.1, 0.9, shape(signature.y_true))
    )
    return Driven(library.text(name), true, pred), label


ENTRY_BY_ENTRY = [
    name
    for name in library.names()
    if library.family(name) in ("regression", "robust") and "stop_gradient" not in library.text(name)
]


@pytest.mark.parametrize("name", ENTRY_BY_ENTRY)
def test_library(name: str) -> None:
    """By both inputs, at several ranks; `tests/library` holds every loss against an oracle, by y_pred."""
    ran = 0
    for rank in (1, 2, 3):
        found = library_data(name, rank)
        if found is None:
            continue
        driven, label = found
        ran += agrees(driven)
        agrees_beside_the_value(driven)
        if not label:
            agrees(driven, "y_true", 1)
    assert ran, f"{name}: no slope to compare with"


# -- every way in which formulas are written


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("best", [True, False], ids=["rewritten", "as-written"])
def test_formulas(case: Any, best: bool) -> None:
    true, pred = case.data()
    driven = Driven(case.text, true, pred, case.params, best)
    agrees(driven)
    agrees_beside_the_value(driven)
    if not driven.label and "stop_gradient" not in case.text:
        agrees(driven, "y_true", 1)


# -- every row

ROWS = [op for op in OPS.values() if smooth(op)]
SPECIAL = {
    "where": ("where(y_true > 0, y_pred, -y_pred)", "where(y_true > 0, 3, y_pred)"),
    "clip": ("clip(y_pred, -1, 2)", "clip(y_true, y_pred - 1, y_pred)"),
    "take": ("take(y_pred[:, 0] + 0 * y_true, y_true)",),
    "matmul": ("matmul(y_pred, [[1, 2], [3, 4]])",),
}


def elementwise_texts(op: Op) -> list[str]:
    if op.name in SPECIAL:
        return list(SPECIAL[op.name])
    if len(op.signature.values) == 1:
        return [f"{op.name}(y_pred) + 0 * y_true"]
    return [f"{op.name}(y_pred, y_true)", f"{op.name}(y_true, y_pred)", f"{op.name}(y_pred, y_pred + y_true)"]


def elementwise_points(op: Op) -> tuple[np.ndarray, np.ndarray]:
    (case,) = cases.cases(op)
    numbers = [x for x in case.args.values() if x.dtype == float]
    return numbers[0], numbers[-1]


@pytest.mark.parametrize("op", [r for r in ROWS if r.family is Family.ELEMENTWISE], ids=lambda op: op.name)
def test_elementwise_rows(op: Op) -> None:
    """Sample by sample: each has its own slope."""
    first, second = elementwise_points(op)
    keep = (np.abs(first) < 30) & (np.abs(second) < 30)
    count = 0
    for text in elementwise_texts(op):
        for a, b in zip(first[keep], second[keep], strict=True):
            pred, true = (b, a) if text.startswith(f"{op.name}(y_true, ") else (a, b)
            driven = Driven(text, [true], [pred])
            if np.isfinite(driven.written()).all():
                count += agrees(driven, seeds=1)
    assert count, f"{op.name}: no point has a slope"


ALONG = ("{}(y_pred)", "{}(y_pred, axis=1)", "{}(y_pred, where=y_true > -0.5)", "{}(y_pred, axis=(1, 2))")


@pytest.mark.parametrize(
    "op",
    [r for r in ROWS if r.family in (Family.REDUCTION, Family.ALONG, Family.ORDER)],
    ids=lambda op: op.name,
)
def test_rows_along_axes(op: Op) -> None:
    random = np.random.default_rng(1)
    names = {a.name for a in op.signature.args}
    count = 0
    for text in ALONG:
        if ("where" in text and "where" not in names) or ("(1, 2)" in text and op.family is not Family.REDUCTION):
            continue
        call = text.format(op.name).replace("(y_pred", "(y_pred, k=2" if "k" in names else "(y_pred")
        for zeros in (0.0, 0.4):
            pred = random.normal(size=(2, 3, 4))
            pred = np.where(random.uniform(size=pred.shape) < zeros, 0.0, pred)
            count += agrees(Driven(f"sum(sin({call})) + 0 * sum(y_true)", random.normal(size=pred.shape), pred))
    assert count, f"{op.name}: no slope"


# -- random formulas


def random_formula(text: str, seed: int, coupled: bool) -> None:
    random = np.random.default_rng(seed)
    true, pred = random.normal(size=(2, 3, 2)).round(1), random.normal(size=(2, 3, 2)).round(1)
    formula = (
        f"e = {text} + 0 * y_pred\nmean(e) * mean(e, axis=batch) + max(e)"
        if coupled
        else f"mean({text}) + 0 * sum(y_pred)"
    )
    try:
        driven = Driven(formula, true[0] + 0.03, pred[0] + 0.01)
    except LossError as error:
        assert error.diagnostics[0].code == "constant-not-finite"
        return
    if np.isfinite(driven.written()).all() and np.max(np.abs(driven.written())) < 1e6:
        agrees(driven, seeds=1)
        agrees(driven, "y_true", 1)


RANDOM = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@settings(RANDOM, max_examples=300)
@given(expressions(), st.integers(0, 999), st.booleans())
def test_random_formulas(text: str, seed: int, coupled: bool) -> None:
    random_formula(text, seed, coupled)


@pytest.mark.slow
@settings(RANDOM, max_examples=1000)
@given(expressions(depth=4), st.integers(0, 999), st.booleans())
def test_more_random_formulas(text: str, seed: int, coupled: bool) -> None:
    random_formula(text, seed, coupled)


# -- kinks

CLAIM = re.compile(r"(?P<name>\w+)'\((?P<args>.*)\) = (?P<values>.*)")
KINKED = [op for op in OPS.values() if op.at_kink != NO_KINK and smooth(op)]


@pytest.mark.parametrize("op", [r for r in KINKED if r.family is Family.ELEMENTWISE], ids=lambda op: op.name)
@pytest.mark.parametrize("best", [True, False], ids=["rewritten", "as-written"])
def test_kinks_of_elementwise_rows(op: Op, best: bool) -> None:
    """A whole formula takes the convention that the row states, argument by argument."""
    for claim in op.at_kink.split("; "):
        match = CLAIM.fullmatch(claim)
        assert match
        arguments = match["args"].split(", ")
        for i, said in enumerate(match["values"].split(", ")):
            written = [*arguments[:i], "y_pred", *arguments[i + 1 :]]
            other = [0.0]
            if len(op.grad) == 2:
                written[1 - i], other = "y_true", [float(arguments[1 - i])]
            driven = Driven(f"{op.name}({', '.join(written)}) + 0 * y_true", other, [float(arguments[i])], None, best)
            found = driven.gradient(ones=True).ravel()
            np.testing.assert_allclose(found, [float(said)], err_msg=f"{claim}, argument {i}")


@pytest.mark.parametrize("op", [r for r in KINKED if r.family is not Family.ELEMENTWISE], ids=lambda op: op.name)
def test_kinks_of_other_rows(op: Op) -> None:
    for claim in op.at_kink.split("; "):
        match = CLAIM.fullmatch(claim)
        assert match
        vector, _, more = match["args"].partition("]")
        data = np.array([[float(x) for x in vector.strip("[").split(",")]])
        wanted = [float(x) for x in match["values"].strip("[]").split(",")]
        driven = Driven(f"sum({op.name}(y_pred{more})) + 0 * sum(y_true)", data, data)
        if op.name == "normalize":
            wanted = [0.0] * data.size
        np.testing.assert_allclose(driven.gradient(ones=True), [wanted], err_msg=claim)
