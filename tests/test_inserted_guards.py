"""The guards that go in by themselves: which there are, that they are told, and that they change no value used."""

from __future__ import annotations

import pytest

from lossdsl import check, evaluate

LOG = "mean(where(y_pred > 0, log(y_pred), 0))"


@pytest.mark.parametrize(
    ("text", "guards"),
    [
        (LOG, ["guarded, for the gradient: `log(y_pred)` takes 1 for `y_pred` where not `y_pred > 0`"]),
        ("mean(log(y_pred))", []),
        (
            "mean(where(y_true > 0, 0, log(y_pred)))",
            ["guarded, for the gradient: `log(y_pred)` takes 1 for `y_pred` where `y_true > 0`"],
        ),
        ("mean(where(y_pred > 0, square(y_pred), 0))", []),
        (
            "mean(where(y_pred > 4, sqrt(y_pred - 4), 0))",
            ["guarded, for the gradient: `sqrt(y_pred - 4)` takes 1 for `y_pred - 4` where not `y_pred > 4`"],
        ),
        (
            "mean(where(y_true > 0, where(y_pred > 1, 1 / y_pred, 0), 0))",
            ["guarded, for the gradient: `1 / y_pred` takes 1 for `y_pred` where not `y_true > 0 and y_pred > 1`"],
        ),
    ],
)  # fmt: skip
def test_guards_are_told(text: str, guards: list[str]) -> None:
    assert [line for line in check(text).render().splitlines() if line.startswith("guarded")] == guards


def test_many_guards_are_counted() -> None:
    parts = " + ".join(f"where(y_pred > {i}, log(y_pred - {i}), 0)" for i in range(1, 7))
    lines = check(f"mean({parts})").render().splitlines()
    assert sum(line.startswith("guarded") for line in lines) == 3
    assert "and 3 more such guards: --format json names them" in lines
    assert len(check(f"mean({parts})").to_dict()["guards"]) == 6


def test_guards_for_a_program() -> None:
    assert check(LOG).to_dict()["guards"] == [
        {"operation": "log(y_pred)", "operand": "y_pred", "used": "y_pred > 0", "point": 1.0}
    ]


def test_a_measure_needs_none_and_a_gradient_that_is_not_ours_has_none() -> None:
    assert check("mean(q)").guards == ()
    assert evaluate(LOG, [[0.0]], [[-1.0]]) == [0.0]
