"""What is proved never to be NaN or infinite, what is an alarm and with which input, and how it is said."""

from __future__ import annotations

import math
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lossdsl
from lossdsl import check
from lossdsl.checked import analyse
from lossdsl.errors import LossError
from lossdsl.interval import LARGEST, Interval
from lossdsl.proof import ALARM, FAR, OPEN, PROVED, UNSEEN, Part, demand, inputs, prove


def parts(text: str, rewrite: bool = True) -> dict[str, Part]:
    checked = analyse(text)
    return {part.name: part for part in prove(checked if rewrite else replace(checked, best=False)).parts}


def near(part: Part) -> str:
    """The verdict, for undeclared data of ordinary size."""
    return PROVED if part.reach >= FAR else part.verdict


LABELS = "y_true: float[batch, k] in [0, 1]\ny_pred: float[batch, k]\n"
PROBABILITIES = "y_true: float[batch, k] in [0, 1]\ny_pred: prob[batch, k]\n"
FAMILIES = {
    "cross-entropy of a softmax": (LABELS + "-sum(y_true * log(softmax(y_pred)))", None),
    "binary cross-entropy of a sigmoid": (
        LABELS + "-mean(y_true * log(sigmoid(y_pred)) + (1 - y_true) * log(1 - sigmoid(y_pred)))",
        None,
    ),
    "softmax by hand": (LABELS + "-sum(y_true * log(exp(y_pred) / sum(exp(y_pred), axis=-1)))", None),
    "divergence of a variational auto-encoder": (
        "y_pred: float[batch, k, 2]\n-0.5 * sum(1 + y_pred[..., 1] - square(y_pred[..., 0]) - exp(y_pred[..., 1]))",
        "y_pred: float[batch, k, 2]\ns = clip(y_pred[..., 1], -30, 30)\n"
        "-0.5 * sum(1 + s - square(y_pred[..., 0]) - exp(s))",
    ),
    "deviation of a variational auto-encoder": (
        "y_pred: float[batch, k, 2]\nmean(square(y_true - y_pred[..., 0]) / sqrt(exp(y_pred[..., 1])))",
        "y_pred: float[batch, k, 2] in [-1e6, 1e6]\ny_true: float[batch, k] in [-1e6, 1e6]\n"
        "mean(square(y_true - y_pred[..., 0]) / sqrt(exp(clip(y_pred[..., 1], -30, 30))))",
    ),
    "free energy of a Boltzmann machine": ("mean(log(exp(y_pred) + 1) - y_true)", None),
    "adversarial": (
        PROBABILITIES + "-mean(log(y_pred) + log(1 - y_true))",
        PROBABILITIES + "-mean(log(maximum(y_pred, epsilon)) + log(maximum(1 - y_true, epsilon)))",
    ),
    "a constant that is merged away": (LABELS + "-mean((1 - y_true) * log(1 - sigmoid(y_pred) + 1e-15))", None),
    "ranking": ("-mean(log(sigmoid(y_true - y_pred)))", None),
}
"""The nine families of 75 of the 79 numerical bugs in the GRIST benchmark (Yan et al., FSE 2021), as losses; the second
text is the mended form, where rewriting does not find it. The other four divide fixed-point numbers, and are no losses."""


@pytest.mark.parametrize("family", FAMILIES)
def test_a_known_bug_is_an_alarm_and_its_mended_form_is_proved(family: str) -> None:
    buggy, mended = FAMILIES[family]
    found = parts(buggy, rewrite=False)["value"]
    assert near(found) == ALARM
    assert found.witness is not None
    assert not math.isfinite(found.witness.result)
    for part in parts(mended or buggy).values():
        assert near(part) == PROVED, part


@pytest.mark.parametrize(
    ("text", "value", "gradient"),
    [
        ("mean(where(y_pred > 0, log(y_pred), 0))", PROVED, PROVED),
        ("mean(where(y_pred >= 0, log(y_pred), 0))", ALARM, ALARM),
        ("mean(where(y_pred > 1 and y_pred < 5, log(y_pred - 0.5), 0))", PROVED, PROVED),
        ("mean(where(not y_pred <= 1, log(y_pred), 0))", PROVED, PROVED),
        ("mean(where(abs(y_pred) < 0.5, log(1 - y_pred), 0))", PROVED, PROVED),
        ("mean(where(y_pred > 0, 0, log(y_pred)))", ALARM, ALARM),
        ("mean(where(y_pred > 0, log(sum(y_pred)), 0))", ALARM, ALARM),
        # what holds of one entry does not of its neighbours
        ("mean(where(y_pred > 1, log(sum(y_pred)), 0))", ALARM, ALARM),
        ("mean(sqrt(square(y_pred - y_true) + 1e-6))", PROVED, PROVED),
        ("mean(sqrt(abs(y_pred - y_true)))", PROVED, ALARM),
        ("mean(log(clip(y_pred, epsilon, 1)))", PROVED, PROVED),
        (PROBABILITIES + "mean(log(1 - clip(y_pred, 0, 1 - 1e-8)))", ALARM, ALARM),
        (PROBABILITIES + "mean(log(1 - clip(y_pred, 0, 1 - epsilon)))", PROVED, PROVED),
        (PROBABILITIES + "mean(log((1 - y_pred) + 1e-8))", PROVED, PROVED),
        (PROBABILITIES + "mean(log(y_pred + 1e-8))", PROVED, PROVED),
        ("mean(exp(y_pred))", ALARM, ALARM),
        ("mean(exp(-square(y_pred)))", PROVED, PROVED),
        # under XLA the shift of a softmax would be off by the product's rounding, which is done before
        ("y_pred: float[batch, k] in [-1000, 1000]\nmean(log_softmax(y_pred / 1e-8))", PROVED, PROVED),
        ("y_pred: float[batch, k] in [-1000, 1000]\nmean(log_softmax(y_pred / 1e-5))", PROVED, PROVED),
        # what a class leaves is never 0, but where it is the only one
        ("y_pred: float[batch, 3] in [-1000, 1000]\n-sum(log(1 - softmax(y_pred)))", PROVED, PROVED),
        ("y_pred: float[batch, k] in [-1000, 1000]\n-sum(log(1 - softmax(y_pred)))", ALARM, PROVED),
        ("mean(y_pred / (y_true - y_true + 1))", PROVED, PROVED),
        ("mean(y_pred / y_true)", ALARM, ALARM),
        ("y_true: float[batch, k] in (0, inf)\ny_pred: float[batch, k]\nmean(log(y_true) * y_pred)", PROVED, PROVED),
        ("mean(square(y_true - y_pred))", PROVED, PROVED),
        ("y_pred: float[batch, k] in [0, 60]\nmean(exp(y_pred))", PROVED, PROVED),
        ("y_pred: float[batch, k] in [0, 89]\nmean(exp(y_pred))", ALARM, ALARM),
        ("y_pred: float[batch, k] in {0, 1}\nmean(log(2 - y_pred))", PROVED, PROVED),
        # both axes of a product that is never laid out count
        ("y_true: float[batch, m] in [0, 1e15]\ny_pred: float[batch, k] in [0, 1e15]\nsum(y_true * y_pred)", OPEN, PROVED),
        ("y_true: label[batch]\ny_pred: logits[batch, c]\n-mean(take_along_axis(log_softmax(y_pred), y_true))",
         PROVED, PROVED),
    ],
)  # fmt: skip
def test_verdicts(text: str, value: str, gradient: str) -> None:
    found = parts(text)
    assert (near(found["value"]), near(found["gradient"])) == (value, gradient)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        ("mean(exp(-square(y_pred)))", math.inf),
        ("mean(1 / (1 + square(y_pred)))", math.inf),
        ("mean(relu(1 - square(y_pred)))", math.inf),
        ("mean(where(y_pred > 2, 0, tanh(exp(y_pred))))", math.inf),
        ("mean(square(y_pred) - square(y_true))", 1e15),
        ("mean(square(y_pred) * y_true)", 1e9),
        ("mean(exp(square(y_pred)) * relu(y_true))", 0.0),
        ("mean(maximum(y_pred, 1e39))", 0.0),
        ("mean(where(y_pred > y_true, 1e39, 0) - y_pred)", 0.0),
        ("mean(exp(-(y_pred + 1e39)))", math.inf),
        # parts of a sum or a product may overflow to both sides, or beside a 0
        ("mean(clip(sum(y_pred, axis=-1), 0, 1) + 0 * y_pred)", 1e24),
        ("mean(clip(sum(abs(y_pred), axis=-1), 0, 1) + 0 * y_pred)", math.inf),
        ("mean(clip(cumsum(y_pred), 0, 1))", 1e24),
        ("sum(clip(matmul(y_pred, [[1, -1], [1, 1]]), 0, 1))", 1e24),
        ("y_pred: float[batch, 3]\nmean(sigmoid(prod(y_pred, axis=-1)) + 0 * y_pred)", 1e12),
    ],
)
def test_infinities_that_do_no_harm(text: str, reach: float) -> None:
    """What overflows and comes to a finite value after all is no danger; `inf - inf` is, and so is `0 * inf`."""
    assert prove(analyse(text, rewrite=False), search=False).parts[0].reach == reach


def test_far_data_are_told_of_by_how_far_the_proof_goes() -> None:
    found = parts("mean(square(y_true - y_pred))")["value"]
    assert found.reach == 1e15
    assert found.verdict == ALARM  # at 2e19
    assert parts("y_pred: float[batch, k] in [-1e6, 1e6]\nmean(square(y_pred))")["value"].reach == math.inf


@pytest.mark.parametrize(
    "text", ["mean(log(y_pred))", "mean(y_true / y_pred)", "mean(exp(y_pred))", "mean(log(1 - y_pred) + log(y_pred))"]
)
def test_a_witness_fails_where_it_is_run(text: str) -> None:
    for name, part in parts(text).items():
        seen = part.witness
        assert seen is not None
        pred = np.asarray(seen.y_pred, np.float32)[None]
        true = np.zeros_like(pred) if seen.y_true is None else np.asarray(seen.y_true, np.float32)[None]
        if name == "value":
            with np.errstate(all="ignore"):
                assert not np.isfinite(np.float32(lossdsl.evaluate(text, true, pred))).all()


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("mean(log(y_pred))", "mean(log(maximum(y_pred, epsilon)))"),
        (
            "mean(y_true/(y_pred - 1))",
            "mean(y_true/where(y_pred - 1 < 0, minimum(y_pred - 1, -epsilon), maximum(y_pred - 1, epsilon)))",
        ),
        ("mean(y_pred ** -1)", "mean(where(y_pred < 0, minimum(y_pred, -epsilon), maximum(y_pred, epsilon)) ** -1)"),
        ("mean(y_pred ** 0.5)", "mean(maximum(y_pred, epsilon) ** 0.5)"),
        ("mean(1 / abs(y_pred))", "mean(1 / maximum(abs(y_pred), epsilon))"),
        ("mean(y_true / 2 / y_pred ** 2)", "mean(y_true / 2 / maximum(y_pred ** 2, epsilon))"),
        (
            "mean(log(y_pred) + log(1 - y_pred))",
            "mean(log(maximum(y_pred, epsilon)) + log(maximum(1 - y_pred, epsilon)))",
        ),
        ("mean(exp(y_pred))", "mean(exp(minimum(y_pred, 60)))"),
    ],
)
def test_a_guard_that_was_proved_is_offered(text: str, guarded: str) -> None:
    found = parts(text)["value"]
    assert found.repair == guarded
    assert near(parts(guarded)["value"]) == PROVED


def test_a_guard_is_proved_for_the_formula_as_it_runs() -> None:
    """Without rewriting there is an exponential that overflows, whatever guards the logarithm."""
    text = "y_pred: prob[batch, *]\nmean(log(y_pred) + log(exp(1000 * y_pred)))"
    assert parts(text)["value"].repair
    assert not parts(text, rewrite=False)["value"].repair


def test_a_witness_has_the_sizes_that_the_formula_asks_for() -> None:
    found = parts("m = [[1, 2], [3, 4]]\nmean(log(matmul(y_pred, m)))")["value"]
    assert found.verdict == ALARM
    assert np.shape(found.witness.y_pred if found.witness else ()) == (2,)


TOO_LARGE = """\
<formula>:1:1: error[tensor-too-large]: this would need 372.5 GiB: float[batch, 99999999999]
 1 | y_pred: float[batch, 99999999999] in [0, 1]; sum(y_pred)
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: smaller axes, a smaller batch where samples are paired, or `lossdsl.limits(tensor_bytes=...)`"""


@pytest.mark.parametrize("size", [2147483647, 2147483648, 99999999999])
def test_a_declared_axis_that_no_memory_holds_is_an_error(size: int) -> None:
    report = check(f"y_pred: float[batch, {size}] in [0, 1]; sum(y_pred)")
    assert (report.ok, [found.code for found in report.diagnostics]) == (False, ["tensor-too-large"])
    if size == 99999999999:
        assert report.render() == TOO_LARGE


@pytest.mark.parametrize(
    "text",
    [
        "y_pred: float[batch, 99999999999] in [-1, 1]; sum(log(y_pred))",
        "y_true: label[batch, 9999]\ny_pred: float[batch, 9999]\nsum(log(expand_dims(y_pred, -1) * one_hot(y_true, 65536)))",
    ],
)
def test_what_is_too_large_to_be_tried_has_no_witness(text: str) -> None:
    with lossdsl.limits(tensor_bytes=2**60):
        report = check(text)
    assert report.guards == ()
    assert {part["verdict"] for part in report.to_dict()["finite"]} == {OPEN}


@pytest.mark.parametrize(("size", "proved"), [(2**24, True), (20_000_000, False)])
def test_a_size_that_is_declared_is_reckoned_with(size: int, proved: bool) -> None:
    """2e31 times 2^24 is below the largest float, 20 million times that is beyond; an axis is as long as its twin."""
    axes = f"y_pred: float[batch, {size}] in [0, 1]\n"
    alone = parts(axes + "sum(2e31 * y_pred)")["value"]
    twin = parts(f"y_true: float[batch, k] in [0, 1]\n{axes}sum(2e31 * y_true * y_pred)")["value"]
    assert (alone.verdict == PROVED, twin.verdict == PROVED) == (proved, proved)


def test_what_is_not_proved_and_not_refuted_is_said_to_be_open() -> None:
    """`exp(x) / (1 + exp(x))` cancels; nothing here sees it."""
    found = parts(PROBABILITIES + "mean(sqrt(y_pred * y_true - y_true * y_pred * y_true))")["value"]
    assert found.verdict == OPEN


def test_a_gradient_that_is_not_ours_is_not_proved() -> None:
    """Of `xdivy(x, 0)` the table has no derivative to give."""
    found = parts("mean(where(y_true > 0, xdivy(erf(y_pred), 0), 0.5) + y_pred)")["gradient"]
    assert found.verdict != PROVED
    unseen = Part("gradient", 0.0, None, (), None, analysed=False)
    refusal = unseen.refusal(1.0)
    assert (unseen.verdict, refusal is not None) == (UNSEEN, True)
    assert refusal is None or refusal.help == "use a function whose derivative is known, or leave `strict` out"
    assert list(unseen.render()) == ["gradient: not analysed: it is the framework's own"]


def test_functions_may_vanish_near_0() -> None:
    """XLA's `erf` of the smallest normal number is 0: found by random formulas."""
    text = "y_pred: float[batch, k] in (0, 1]\nmean((y_pred - y_pred) / erf(y_pred) + y_pred)"
    assert parts(text)["value"].verdict == OPEN


def test_declared_data() -> None:
    text = "y_true: label[batch]\ny_pred: float[batch, k] in (0, 3]\nmean(y_pred, axis=-1) * y_true"
    found = inputs(analyse(text), LARGEST)
    assert found["y_true"] == Interval(0.0, 2.0**24)
    assert (found["y_pred"].lo > 0.0, found["y_pred"].hi) == (True, 3.0)


ALARMED = """\
y_true: float[batch, *, last]
y_pred: float[batch, *, last]
term: a mean over positions; takes weights of rank 1 to 2
uses the logits where y_pred comes out of a sigmoid or softmax (TensorFlow, torch); without them (JAX, another activation)
what rounding makes 0 or 1 is lost: there the gradient is 0, or the value infinite where nothing guards it
value: can be NaN or infinite
  `log(y_pred)` may leave its domain
    y_pred lies in [-10, 10]
  run: y_pred = 0: the value is -inf
gradient: can be NaN or infinite
  `upstream / size(y_pred.1) / y_pred` may leave its domain
    upstream / size(y_pred.1) lies in [0, 1]
    y_pred lies in [-10, 10]
  run: y_pred = 0: the gradient is inf
  proved with a guard, value and gradient:
    mean(log(maximum(y_pred, epsilon)))"""


def test_an_alarm_as_it_is_shown() -> None:
    assert check("mean(log(y_pred))").render() == ALARMED


def test_guards_that_differ_are_shown_each() -> None:
    lines = check("y_pred: prob[batch, *]; mean(exp(100 * y_pred) / (1 + exp(100 * y_pred)))").render().splitlines()
    once, both = "exp(minimum(100 * y_pred, 60))", "exp(100 * y_pred)"
    assert [line for line in lines if "guard" in line] == ["  proved with a guard:"] * 2
    assert [line.strip() for line in lines if once in line] == [
        f"y_pred: prob[batch, *]; mean({once} / (1 + {other}))" for other in (both, once)
    ]


def test_an_alarm_for_a_program() -> None:
    value, gradient = check("mean(log(y_pred))").to_dict()["finite"]
    assert (value["part"], value["verdict"], value["reach"]) == ("value", "alarm", 0.0)
    assert value["chain"] == [["y_pred", -10.0, 10.0]]
    assert value["witness"] == "y_pred = 0"
    assert gradient["repair"] == "mean(log(maximum(y_pred, epsilon)))"


@pytest.mark.parametrize(
    ("text", "strict", "refused"),
    [
        ("mean(square(y_true - y_pred))", False, 0),
        ("mean(square(y_true - y_pred))", 1e6, 0),
        ("mean(square(y_true - y_pred))", True, 2),
        (
            "y_true: float[batch, k] in [-9, 9]\ny_pred: float[batch, k] in [0, 9]\nmean(square(y_true - y_pred))",
            True,
            0,
        ),
        ("mean(log(y_pred))", 1e-3, 2),
        ("mean(sqrt(abs(y_pred - y_true)))", 1e6, 1),
    ],
)
def test_a_proof_may_be_demanded(text: str, strict: bool | float, refused: int) -> None:
    if not refused:
        demand(analyse(text), strict)
        return
    with pytest.raises(LossError) as caught:
        demand(analyse(text), strict)
    assert [found.code for found in caught.value.diagnostics] == ["not-proved"] * refused


def test_a_wrong_formula_has_no_proof() -> None:
    assert check("mean(q)").proof is None


def test_the_alarm_in_the_readme_is_what_is_shown() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    asked, shown = readme.split('$ lossdsl check "y_pred: prob')[1].split("```")[0].split('"\n[...]\n')
    lines = check(f"y_pred: prob{asked}").render().splitlines()
    assert textwrap.dedent(shown).splitlines() == lines[lines.index("value: can be NaN or infinite") :]


@pytest.mark.parametrize(("size", "refused"), [(11.0, False), (50.0, False), (5.0, False), (89.0, True), (True, True)])
def test_strict_asks_for_the_very_size(size: float, refused: bool) -> None:
    """Not for the next power of 10."""
    formula = "y_pred: float[batch, 10]\nmean(exp(y_pred))"
    if refused:
        with pytest.raises(lossdsl.LossError):
            demand(analyse(formula), size)
    else:
        demand(analyse(formula), size)
