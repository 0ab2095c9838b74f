"""`python -m benchmarks.accuracy`: how right values and gradients are; with `--write` the tables are kept."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# Before Keras is imported, here and in every process that does the work.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.update(CUDA_VISIBLE_DEVICES="-1", KERAS_BACKEND="tensorflow")

import click

from benchmarks import accuracy_report, report
from benchmarks.accuracy_cases import Subject, subjects
from benchmarks.accuracy_grids import SEED
from benchmarks.accuracy_truth import DIGITS

LIMIT = 4
"""The 99th percentile, in units in the last place, from which a line of progress tells it."""
PATIENCE = 120
"""Seconds for one subject: an oracle may meet numbers that it was not written for."""
FOLDER = Path(__file__).parent
SMOKE = ("05 log(sigmoid(y_pred))", "huber")


def measure(name: str) -> dict[str, Any]:
    """The figures of one subject, or what went wrong; in a process of its own, so by name."""
    from benchmarks.accuracy_run import judge

    subject = next(each for each in known() if each.name == name)
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(PATIENCE)
    try:
        return {"rows": judge(subject)}
    except Exception as error:  # the other subjects are still worth measuring; the command fails in the end
        return {"failure": f"{name}: {type(error).__name__}: {error}", "trace": traceback.format_exc()}
    finally:
        signal.alarm(0)


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"no truth within {PATIENCE} seconds")


def known(found: list[Subject] = []) -> list[Subject]:  # noqa: B006  (once for each process)
    if not found:
        found.extend(subjects())
    return found


def results(names: Sequence[str], workers: int) -> Iterator[dict[str, Any]]:
    """The figures of each, in order."""
    if workers == 1:
        yield from map(measure, names)
        return
    # a fresh process now and then: thousands of compiled functions are not given back
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=60) as pool:
        yield from pool.imap(measure, names)


def summary(name: str, result: dict[str, Any]) -> str:
    """What is bad about our own figures, in a line."""
    bad: dict[str, float] = {}
    for row in result.get("rows", []):
        if row["rival"] == "ours":
            for what in ("value", "gradient"):
                for key in ("nan", "gross", "dead", "over", "p99") if row["dtype"] == "float32" else ("nan",):
                    bad[f"{what} {key}"] = max(bad.get(f"{what} {key}", 0), row[what][key])
    told = [f"{key} {x:.3g}" for key, x in bad.items() if x > (LIMIT if key.endswith("p99") else 0)]
    return ", ".join([name, *told, *([result["failure"]] if "failure" in result else [])])


def raw(found: dict[str, Any]) -> str:
    """JSON, four digits each, a row to a line."""

    def short(x: Any) -> Any:
        if isinstance(x, dict):
            return {key: short(value) for key, value in x.items()}
        return float(f"{x:.4g}") if isinstance(x, float) else x

    rows = ",\n".join(f"  {json.dumps(short(row))}" for row in found["rows"])
    rest = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in found.items() if key != "rows")
    return f'{{\n{rest}"rows": [\n{rows}\n]\n}}\n'


@click.command()
@click.option("--only", default="", help="Subjects whose names begin so, with commas between.")
@click.option("--smoke", is_flag=True, help="Two subjects: whether it runs.")
@click.option("--workers", default=os.cpu_count() or 1, help="Processes.")
@click.option("--write", is_flag=True, help="Write ACCURACY.md and accuracy.json.")
@click.option("--output", default=FOLDER, type=click.Path(path_type=Path, file_okay=False), help="Where to write them.")
def main(only: str, smoke: bool, workers: int, write: bool, output: Path) -> None:
    """Judge every loss of the library, and formulas as users write them, by mpmath on hard data."""
    started = time.perf_counter()
    names = [each.name for each in known()]
    if smoke:
        names = [name for name in names if name in SMOKE]
    if only:
        names = [name for name in names if name.startswith(tuple(only.split(",")))]
    found: dict[str, Any] = {"seed": SEED, "digits": DIGITS, "failures": [], "rows": []}
    for done, (name, result) in enumerate(zip(names, results(names, workers), strict=True), 1):
        found["rows"] += result.get("rows", [])
        if "failure" in result:
            found["failures"].append(result["failure"])
            print(result["trace"], file=sys.stderr)
        seconds = time.perf_counter() - started
        print(f"{done} of {len(names)}, {seconds:.0f} s: {summary(name, result)}", file=sys.stderr, flush=True)
    found = json.loads(raw(found))
    text = accuracy_report.render(found)
    print(text)
    if write:
        output.mkdir(parents=True, exist_ok=True)
        (output / "ACCURACY.md").write_text(text, "utf-8")
        (output / "accuracy.json").write_text(raw(found), "utf-8")
        if output == FOLDER:
            report.render_again()
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()
