"""What is proved never to be NaN or infinite is not, for random formulas, in eager calls, graphs and XLA."""

from __future__ import annotations

import json
from itertools import islice

import pytest
from fuzz_proof import KEPT, Claim, claims, failures, table

from lossdsl.analysis import finite
from lossdsl.checked import analyse
from lossdsl.ir.build import Builder
from lossdsl.proof import OPEN, PROVED, prove

SIZE = 25
"""Formulas in one function: compiling takes longer than running."""


def tried(seed: int, count: int) -> list[str]:
    found, waiting = [], claims(seed, count)
    while group := list(islice(waiting, SIZE)):
        found += [text for mode in ("eager", "graph", "xla") for text in failures(group, mode)]
    return found


@pytest.mark.parametrize("seed", range(11, 21))
def test_what_is_proved_holds(seed: int) -> None:
    """2,000 formulas, in parts that can run side by side."""
    assert tried(seed, count=200) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30, 50))
def test_what_is_proved_holds_of_many(seed: int) -> None:
    assert tried(seed, count=500) == []


def test_a_wrong_proof_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were domains and overflow not looked at, the first formulas would tell."""
    monkeypatch.setattr(finite, "holds", lambda *_: True)
    monkeypatch.setattr(finite, "overflows", lambda *_: False)
    group = list(islice(claims(seed=12, count=60), SIZE))
    assert failures(group, "eager")


def test_a_wrong_number_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that landed: a sum that counts an operand without its axis once, not once an entry."""
    text = "y_true: float[batch] in [0, 1]\ny_pred: float[batch, k] in [-10, 10]\nsum(log_softmax(y_pred) * y_true)"

    def found() -> list[str]:
        return failures([Claim(text, analyse(text), True, True)], "eager")

    assert not found()
    monkeypatch.setattr(Builder, "_whole", lambda _self, _op, operands, *_: operands)
    assert len(found()) == 2 and all("\nis wrong in float32 for " in told for told in found())


@pytest.mark.parametrize(
    ("mode", "range", "text", "kept"),
    [
        ("xla", "in [-1000, 1000]", "mean(log_softmax(y_pred / 1e-8))", False),
        ("xla", "in [0, 1]", "mean(log((1 - y_pred) + 1e-8))", True),
        ("xla", "in (0, 1]", "mean((y_pred - y_pred) / y_pred / y_pred + y_pred)", False),
        ("graph", "in [0, 1]", "mean(log((1 - y_pred) + 1e-8))", True),
        ("xla", "in [98, 200]", "mean(sqrt(y_pred / 49 - 2))", False),
        ("xla", "in [98, 200]", "mean(sqrt(xdivy(y_pred, 49) - 2))", False),
        ("xla", "in [0, 1]", "mean(sqrt(1 - mean(y_pred, axis=-1)) + 0 * y_pred)", False),
        ("xla", "in [-1,1]", "mean(sqrt(mean(y_pred, axis=-1) + 1) + 0 * y_pred)", False),
        ("graph", "in [0.25, 1]", "mean(sqrt(1 / y_pred - 1))", False),
        ("graph", "in [0.25, 1]", "mean(sqrt(xdivy(1, y_pred) - 1))", False),
        ("graph", "in [0.25, 1]", "mean(sqrt(y_pred ** -1 - 1))", False),
        ("graph", "in [1, 1]", "mean(where(1 / (y_pred - y_pred + 1) < 1, arcsin(2 + y_pred), 0))", False),
        ("graph", "in [0.1, 5]", "mean(1 / ((y_pred - y_pred * sigmoid(20 * y_pred)) + epsilon))", True),
    ],
)
def test_what_runs_is_not_what_was_written(mode: str, range: str, text: str, kept: bool) -> None:
    """The reasons for six rules: a product within a shift, constants that are merged, or moved to where they vanish,
    quotients of quotients, which become one, and by numbers or sizes, which become products, and an inverse that is off by a
    unit in the last place. What rewriting can do about it, it does."""
    checked = analyse(f"y_pred: float[batch, k] {range}\n{text}", rewrite=False)
    claim = Claim(checked.text, checked, True, False)
    assert not failures([claim], "eager")
    assert failures([claim], mode)
    assert prove(checked, search=False).parts[0].verdict == OPEN
    mended = analyse(checked.text)
    assert not kept or prove(mended, search=False).parts[0].verdict == PROVED
    assert not kept or not failures([Claim(checked.text, mended, True, False)], mode)


FAR = "y_true: float[batch, k] in [0, inf)\ny_pred: float[batch, k] in [0, inf)\n"


@pytest.mark.parametrize(
    ("text", "part", "mode"),
    [
        (FAR + "mean(clip(-square(y_pred) * log(maximum(y_true, 1e-9)), 0, 1))", "value", "eager"),
        (FAR + "mean(erf((y_true * y_pred) * exp(-minimum(y_pred, 200))))", "value", "eager"),
        (FAR + "mean(xlogy(xlogy(y_pred, y_pred), 1e-7) + 0 * y_true)", "gradient", "eager"),
        (FAR + "mean(erf(2 * y_pred * y_true / y_true))", "value", "xla"),
    ],
)
def test_what_overflows_on_the_way(text: str, part: str, mode: str) -> None:
    """An infinity times what may be 0 between its ends, or only in float32, is NaN; and nothing cancels it."""
    claim = Claim(text, analyse(text), part == "value", part == "gradient")
    assert failures([claim], mode)
    found = {each.name: each.verdict for each in prove(claim.checked, search=False).parts}
    assert found[part] != PROVED


def test_a_constant_is_not_moved_between_halves_of_an_exponential() -> None:
    """TensorFlow finds the deviation of nothing to be 0 in a graph, and would square the half."""
    text = "y_true: float[batch, k] in [-1000, 1000]\ny_pred: float[batch, k] in [-1, 1]\n"
    text += "mean(std(y_pred, axis=-1, where=-1 > 0) / exp(y_true) + 0 * y_pred)"
    assert not failures([Claim(text, analyse(text), True, True)], "graph")


def test_a_product_may_vanish_on_the_way() -> None:
    """In a graph small arrays are multiplied first, and 1e-25 * 1e-25 is 0."""
    text = "y_true: float[batch] in [1e-25, 1]\ny_pred: float[batch, k] in [1e25, 1e30]\n"
    checked = analyse(text + "mean(log(y_true * y_pred * y_true))", rewrite=False)
    claim = Claim(checked.text, checked, True, False)
    assert not failures([claim], "eager")
    assert failures([claim], "graph")
    assert prove(checked, search=False).parts[0].verdict != PROVED


def test_a_product_may_overflow_on_the_way() -> None:
    """Twice the largest number, before it is multiplied by 0."""
    text = "y_pred: float[batch, 1]\nmean(sigmoid(y_pred * y_pred) + 0 * y_pred)"
    claim = Claim(text, analyse(text), False, True)
    assert not failures([claim], "eager")
    assert failures([claim], "graph")
    assert prove(claim.checked, search=False).parts[1].verdict == OPEN


SMALL = "y_true: float[batch, k] in [0, 1e20]\ny_pred: float[batch, k] in [0, 1e-15]\n"


@pytest.mark.parametrize(
    "text", ["mean(1e25 * (y_true * y_pred))", "mean(1e25 * (y_pred * y_true))", "mean(y_pred * y_true / 1e-25)"]
)
def test_a_constant_of_a_product_goes_to_either_part(text: str) -> None:
    """In a graph; and there it overflows, whichever way round they are written."""
    claim = Claim(SMALL + text, analyse(SMALL + text), True, False)
    assert not failures([claim], "eager")
    assert failures([claim], "graph")
    assert prove(claim.checked, search=False).parts[0].verdict == OPEN


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_a_constant_of_a_quotient_stays(mode: str) -> None:
    text = (
        "y_true: float[batch, k] in [0, 1e-15]\ny_pred: float[batch, k] in [1e-10, 1]\nmean(1e30 * (y_true / y_pred))"
    )
    claim = Claim(text, analyse(text), True, False)
    assert prove(claim.checked, search=False).parts[0].verdict == PROVED
    assert not failures([claim], mode)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize(
    "inner",
    ["({})", "flip({})", "sum({})", "mean({}, axis=-1)", "prod({})", "cumsum({})", "sort({})", "max({}, axis=-1)"],
)
@pytest.mark.parametrize("axis", ["k", "1"])
def test_constants_that_are_kept_apart(mode: str, inner: str, axis: str) -> None:
    """XLA sees through a sum over one entry, and what only moves entries."""
    checked = analyse(f"y_pred: float[batch, {axis}] in [0, 1]\nmean(log({inner.format('1 - y_pred')} + 1e-9))")
    assert {part.name: part.verdict for part in prove(checked, search=False).parts}["value"] == PROVED
    assert not failures([Claim(checked.text, checked, True, False)], mode)
    as_written = prove(analyse(checked.text, rewrite=False), search=False).parts[0]
    assert as_written.verdict == OPEN


def test_the_page_of_runs_is_current() -> None:
    runs = json.loads(KEPT.read_text("utf-8"))
    assert KEPT.with_name("FUZZ.md").read_text("utf-8") == table(runs)
    assert not any(run["failures"] for run in runs)
