"""The measure of proofs: what runs in a mode, what a table counts, and what the kept figures say."""

from __future__ import annotations

import json

import pytest

from benchmarks import proof, proof_report
from lossdsl.checked import analyse
from lossdsl.proof import prove

SHARE = "y_pred: prob[batch, k]\n"


def case(text: str) -> proof.Case:
    checked = analyse(text)
    found = prove(checked)
    return proof.Case("some", text, checked, found, 1.0, tuple(proof._data(checked, found)))


@pytest.mark.parametrize(
    ("text", "value", "gradient"),
    [
        (SHARE + "-mean(log(y_pred))", proof.MODES, proof.MODES),
        (SHARE + "mean(sqrt(y_pred))", (), proof.MODES),
        (SHARE + "mean(square(y_pred))", (), ()),
        ("y_pred: float[batch, k] in [0, 1]\nmean(square(pairs(y_pred)) / y_pred)", proof.MODES, proof.MODES),
        (SHARE + "square(mean(1 / y_pred, axis=(batch, -1)))", proof.MODES, proof.MODES),
    ],
)
def test_what_fails_is_seen(text: str, value: tuple[str, ...], gradient: tuple[str, ...]) -> None:
    assert proof.failing([case(text)]) == [{"value": list(value), "gradient": list(gradient)}]


def test_a_witness_is_among_the_data() -> None:
    """Only at 1 - 6e-8, which no corner is, is this infinite."""
    found = case(SHARE + "-mean(log(abs(y_pred - 0.99999994)))")
    assert found.proof.parts[0].witness is not None
    assert proof.failing([found])[0]["value"] == list(proof.MODES)


def test_a_table_counts() -> None:
    rows = [
        {"group": "g", "name": str(i), "part": "value", "verdict": verdict, "fails": fails, "milliseconds": 2.0 * i}
        for i, (verdict, fails) in enumerate(
            [("proved", []), ("proved", ["xla"]), ("alarm", ["eager"]), ("alarm", []), ("not proved", []),
             ("not proved", ["graph"]), ("not analysed", [])]
        )
    ]  # fmt: skip
    rows += [{**row, "part": "gradient"} for row in rows[:1]]
    assert proof_report.table_of(rows).splitlines()[2:] == [
        "| g: value    |      2 |      1 |      2 |    1 |          2 |            1 |          50 % |            1 | 6.0 |",
        "| g: gradient |      1 |      0 |      0 |    0 |          0 |            0 |             - |            0 | 0.0 |",
    ]


def test_nothing_that_was_run_was_missed() -> None:
    rows = json.loads(proof.KEPT.read_text("utf-8"))
    assert [row["name"] for row in rows if row["verdict"] == "proved" and row["fails"]] == []
    assert [row["name"] for row in rows if row["verdict"] == "alarm" and not row["fails"]] == []
