"""Generated code against the graph itself: the same numbers on Keras, eager and traced, and the same text as ever."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from formulas import CASES, Case

from lossdsl.backends import reference
from lossdsl.checked import Checked, analyse
from lossdsl.errors import LossError
from lossdsl.program import Program, aligned

GOLDEN = Path(__file__).parent / "golden" / "code"
ALIVE = np.array([True, False, True, True])


def arrays(checked: Checked, program: Program, case: Case) -> dict[str, np.ndarray]:
    """The data of a case at the ranks that the code expects."""
    true, pred = case.data()
    found = {}
    for name, array, rank in (("y_true", true, program.true_rank), ("y_pred", pred, program.pred_rank)):
        shape = aligned(array.shape, rank) if rank else array.shape
        assert shape is not None
        found[name] = array.reshape([size for size in shape if size is not None])
    found["y_true"] = found["y_true"].astype("int32" if checked.label else "float32")
    return found


def expected(program: Program, data: dict[str, np.ndarray]) -> np.ndarray:
    """The value of the graph as it was built, before any rewriting: NumPy, node by node, in float64."""
    elaborated = program.elaborated
    assert elaborated.root is not None
    exact = {name: x.astype(float) if x.dtype == "float32" else x for name, x in data.items()}
    return reference.evaluate(elaborated.root, elaborated.builder.layout.ids, exact)


def close(found: Any, wanted: np.ndarray) -> None:
    found = np.asarray(found)
    assert found.shape == wanted.shape
    assert np.isfinite(wanted).all()
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def reduced(program: Program, parts: tuple[Any, ...]) -> Any:
    """The terms, each reduced as its kind says, added up."""
    total: Any = 0.0
    for term, part in zip(program.terms, parts, strict=True):
        values = np.asarray(part, dtype=np.float64)
        if term.kind in ("mean", "sum"):
            flat = values.reshape(len(values), -1)
            values = flat.mean(1) if term.kind == "mean" else flat.sum(1)
        total = total + values
    return total


@pytest.fixture(scope="module")
def frameworks() -> SimpleNamespace:
    import tensorflow as tf
    from keras import ops

    from lossdsl.backends import shims

    return SimpleNamespace(tf=tf, ops=ops, shims=shims)


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_keras_gives_what_the_graph_means(case: Case, frameworks: SimpleNamespace) -> None:
    checked = analyse(case.text, case.params, measure=True)
    program = checked.program(case.true, case.pred)
    data = arrays(checked, program, case)
    wanted = expected(program, data)
    code = program.load(frameworks.ops, frameworks.shims)
    tensors = [frameworks.ops.convert_to_tensor(data[name]) for name in ("y_true", "y_pred")]

    close(code.value(*tensors), wanted)
    close(reduced(program, code.terms(*tensors)), wanted)

    unknown = [frameworks.tf.TensorSpec([None] * x.ndim, x.dtype) for x in (data["y_true"], data["y_pred"])]
    traced = frameworks.tf.function(
        lambda *xs: (code.value(*xs), code.terms(*xs)), autograph=False, input_signature=unknown
    )
    value, parts = traced(*tensors)
    close(value, wanted)
    close(reduced(program, parts), wanted)


@pytest.mark.keras
@pytest.mark.parametrize(
    "case", [c for c in CASES if analyse(c.text, c.params, measure=True).couples != "none"], ids=lambda case: case.name
)
def test_dead_samples_are_left_out_of_what_couples(case: Case, frameworks: SimpleNamespace) -> None:
    checked = analyse(case.text, case.params, measure=True)
    try:
        program = checked.program(case.true, case.pred, alive=True)
    except LossError as error:
        assert {d.code for d in error.diagnostics} == {"coupling-needs-all"}
        return
    data = arrays(checked, program, case)
    code = program.load(frameworks.ops, frameworks.shims)
    for alive in (ALIVE, np.ones(4, bool)):
        wanted = expected(program, {**data, "alive": alive})
        tensors = [frameworks.ops.convert_to_tensor(x) for x in (*data.values(), alive)]
        close(code.value(*tensors), wanted)
        close(reduced(program, code.terms(*tensors)), wanted)
        # what is left is the loss of the samples that are left
        alone = checked.program((alive.sum(), *case.true[1:]), (alive.sum(), *case.pred[1:]))
        rest = expected(alone, {name: x[alive] for name, x in data.items()})
        close(wanted if len(wanted) == 1 else wanted[alive], rest)


def test_a_plain_formula_has_no_use_for_dead_samples() -> None:
    """Where nothing couples samples the code for dead ones is the code without."""
    for case in CASES:
        checked = analyse(case.text, case.params, measure=True)
        if checked.couples == "none":
            with_alive = checked.program(case.true, case.pred, alive=True).source
            plain = with_alive.replace(", alive=None)", ")").replace(", alive)", ")")
            assert plain == checked.program(case.true, case.pred).source


# -- the text -----------------------------------------------------------------------------------------------------

SHOWN = (
    "axis-left-standing",
    "vector-inner",
    "select",
    "total-variation",
    "labels-column",
    "channels-first",
    "nt-xent",
    "barlow",
    "terms",
    "library",
)


@pytest.mark.parametrize("name", SHOWN)
def test_the_text_is_the_golden_text(name: str, request: pytest.FixtureRequest) -> None:
    """The code is meant to be read: a change of it is a change to look at (`--update-golden` takes it)."""
    case = next(case for case in CASES if case.name == name)
    source = analyse(case.text, case.params).program(case.true, case.pred).source
    text = "".join(f"# {line}\n" for line in case.text.splitlines()) + f"\n{source}"
    golden = GOLDEN / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_no_golden_text_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(SHOWN)


def test_equal_formulas_have_equal_text() -> None:
    once, twice = (analyse(CASES[0].text).program(CASES[0].true, CASES[0].pred).source for _ in range(2))
    assert once == twice


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("mean(log(1 - y_pred + 1e-8))", True),
        ("mean(sqrt(1e-12 + (y_pred - 3)))", True),
        ("mean(square(1 - (y_pred + 1e-9)))", True),
        ("mean(log(1 - y_pred + 1e-3))", False),
        ("mean(log(y_pred + 1e-8))", False),
        ("mean(square(y_pred - y_true + 1e-8))", False),
    ],
)
def test_a_constant_that_would_vanish_in_another_is_kept_apart_from_it(text: str, apart: bool) -> None:
    program = analyse(text).program((4, 3), (4, 3))
    assert ("ops.maximum" in program.source) is apart
    as_written = analyse(text, rewrite=False).program((4, 3), (4, 3))
    assert "ops.maximum" not in as_written.source
