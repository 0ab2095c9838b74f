"""`python -m benchmarks.proof`: how often what is said of a formula is right; with `--write` the table is kept.

Every formula is run on TensorFlow in eager calls, graphs and XLA, on corners and random numbers within its declared
ranges (undeclared data up to 1e6), and on the witness of its alarm.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

# Before Keras is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.update(CUDA_VISIBLE_DEVICES="-1", KERAS_BACKEND="tensorflow")

import click
import numpy as np

from benchmarks import proof_report, report
from benchmarks.modes import code, compiled
from benchmarks.proof_formulas import FORMULAS
from lossdsl import library
from lossdsl.checked import Checked, analyse
from lossdsl.proof import ALARM, FAR, PROVED, Part, Proof, inputs, prove
from lossdsl.proof.witness import sizes_of, trials

FOLDER = Path(__file__).parent
KEPT = FOLDER / "proof.json"
GROUP = 12
"""Formulas in one function: compiling takes longer than running."""
ROUNDS = 3
MODES = ("eager", "graph", "xla")
Data = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Case:
    """A formula, what is said of it, how long that took, and what it is run on."""

    group: str
    name: str
    checked: Checked
    proof: Proof
    milliseconds: float
    data: tuple[Data, ...]


def cases() -> Iterator[Case]:
    """The formulas as users write them, and the losses of the library."""
    named = [(f"{len(FORMULAS)} formulas", text, text) for text in FORMULAS]
    named += [(f"{len(library.names())} library losses", name, name) for name in library.names()]
    for group, name, text in named:
        checked = analyse(text)
        proof = prove(checked)
        yield Case(group, name, checked, proof, _milliseconds(text), tuple(_data(checked, proof)))


def _milliseconds(text: str) -> float:
    """What the proof takes, on a formula that was checked but not yet built."""
    times = []
    for _ in range(ROUNDS):
        checked = analyse(text)
        checked.display().gradient_source()
        start = time.perf_counter()
        prove(checked, search=False)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def _data(checked: Checked, proof: Proof) -> Iterator[Data]:
    """Trials at the first size that does, and at those at which alarms have a witness, with it in place of a sample."""
    form = checked.display().form
    some = False
    for size in sizes_of(form.builder):
        every = list(trials(form.roots[:1], form.builder, inputs(checked, FAR), size))
        largest = max((len(data["y_pred"]) for data in every), default=0)
        alike = [data for data in every if len(data["y_pred"]) == largest]
        seen = [
            _replace(data, part, i) for data in alike for i, part in enumerate(proof.parts) if _verdict(part) == ALARM
        ]
        if any(seen) or (alike and not some):
            yield from alike
        some = some or bool(alike)


def _verdict(part: Part) -> str:
    """What is said of data of ordinary size."""
    return PROVED if part.reach >= FAR else part.verdict


def _replace(data: Data, part: Part, sample: int) -> bool:
    """Put the witness of a part in, where it has that size."""
    found = part.witness
    given = {"y_true": found and found.y_true, "y_pred": found and found.y_pred}
    shapes = {name: np.shape(value) for name, value in given.items() if value is not None}
    if not shapes or any(shape != data[name].shape[1:] for name, shape in shapes.items()):
        return False
    for name in shapes:
        data[name][sample] = given[name]
    return True


# -- running ------------------------------------------------------------------------------------------------------


def failing(group: Sequence[Case]) -> list[dict[str, list[str]]]:
    """For each formula the modes in which its value, and its gradient, came out as NaN or infinite."""
    from keras import ops

    codes = [code(case.checked) for case in group]

    def run(arrays: list[list[dict[str, Any]]]) -> list[Any]:
        return [[_results(of, x) for x in every] for of, every in zip(codes, arrays, strict=True)]

    given = [[{name: ops.convert_to_tensor(x) for name, x in data.items()} for data in case.data] for case in group]
    found: list[dict[str, list[str]]] = [{"value": [], "gradient": []} for _ in group]
    for mode in MODES:
        for each, results in zip(found, compiled(run, mode)(given), strict=True):
            for place, name in enumerate(("value", "gradient")):
                parts = [result[place] for result in results if len(result) > place]
                if any(not np.all(np.isfinite(np.asarray(part))) for part in parts):
                    each[name].append(mode)
    return found


def _results(of: Any, data: dict[str, Any]) -> list[Any]:
    value = of.value(data["y_true"], data["y_pred"])
    if not hasattr(of, "pull_value"):
        return [value]
    from keras import ops

    upstream = ops.ones_like(value)
    return [value, of.pull_value(data["y_true"], data["y_pred"], upstream)]


def measured() -> list[dict[str, Any]]:
    """A row for the value and for the gradient of every formula."""
    rows, waiting = [], cases()
    while group := list(islice(waiting, GROUP)):
        if unrun := [case.name for case in group if not case.data]:
            raise SystemExit(f"no data for {unrun}")
        for case, fails in zip(group, failing(group), strict=True):
            for part in case.proof.parts:
                row = {"group": case.group, "name": case.name, "part": part.name, "verdict": _verdict(part)}
                rows.append({**row, "fails": fails[part.name], "milliseconds": round(case.milliseconds, 2)})
        print(f"{len(rows)} parts", flush=True)
    return rows


@click.command()
@click.option("--write", is_flag=True, help="Keep the figures in benchmarks/proof.json and RESULTS.md.")
def main(write: bool) -> None:
    """Measure, and print the table."""
    rows = measured()
    print(proof_report.table_of(rows))
    for row in rows:
        if bool(row["fails"]) != (row["verdict"] == ALARM):
            print(row["verdict"], row["part"], row["fails"], row["name"].replace("\n", "; "), flush=True)
    if write:
        KEPT.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", "utf-8")
        report.render_again()


if __name__ == "__main__":
    main()
