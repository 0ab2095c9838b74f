"""The tables: results as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import accuracy_report, proof_report
from benchmarks.data import SIZES
from benchmarks.goals import LOSS_LIMIT, SMALL, WIDE, geometric_mean, goals, ratios, rows, small_call
from benchmarks.tables import table

Results = dict[str, Any]

MODES = {"eager": "Eager calls", "graph": "Plain graphs", "xla": "XLA"}
RATIOS = (("eager", "ours"), ("eager", "ours_jit"), ("graph", "ours"), ("graph", "ours_jit"), ("xla", "ours"))
"""The five ways of running our side."""
LABELS = ["eager", "eager, jit", "graph", "graph, jit", "XLA"]
LOSERS = 30
SHOWN = "mean_squared_error", "huber", "penalised_error", "cce_from_logits", "binary_focal_crossentropy", "tversky"
"""Losses of the short table, slow ones among them."""
MARKS = ("<!-- speed: `make bench` writes this table -->", "<!-- /speed -->")

HOW = """\
*By hand* is the formula as one writes it with `keras.ops` in a `keras.losses.Loss` (`benchmarks/handwritten.py`),
*Keras* the built-in loss, *ours* a compiled formula as it comes, *ours, jit* the same with `jit_compile=True`.
*Eager* is a plain call, with a tape around it where the gradient is asked for; *graph* a `tf.function` around loss
and gradient; *XLA* the same with `jit_compile=True`. The gradient is by the predictions. The *copy* is the floor:
one pass over memory that reads the data and, for the gradient, writes an array of its size. JAX (`jit`) and torch
(eager) run the formula by hand on the same arrays, each in a process of its own.

Rivals take turns in one process, and agree on value and gradient before any clock starts. A time is the median of
the rounds, with half of the interquartile range; a ratio is the median of the ratios of the rounds. Below 1, ours is
faster. GPUs are left out. Losses over classes or features are left out at (16, 256, 256, 1), which has one of them;
CTC, which is no formula over entries, and Circle, which is over pairs of samples, are left out everywhere.
"""


WHY = """\
Where a goal is missed, and why, so far as it was looked into (the memory is measured, parsing profiled, the rest read
off XLA's programs and the generated code):

- *Eager, as it comes*: a plain TensorFlow function runs operation by operation, and each writes its result to memory;
  what is spared is Python, casts, and the passes that simplifying the gradient removes. `jit_compile=True` fuses it.
- *Peak memory in a plain graph*: the same. Value and gradient together hold about one array of the data's size less
  than by hand. XLA holds none.
- *Single losses*: `log1p`, `expm1` and two logarithms of a focal loss cost more than the `log`, `exp` and one
  logarithm that the formula by hand makes do with; they keep the digits, and mean the same for labels between 0 and 1.
  Linex computes `exp(x) - 1 - x` by a series where x is small, of which the formula by hand has no digit left.
- *XLA against the copy*: a loss that needs sums over a sample before its gradient reads the data twice and more.
- *Checks per second, time to compile*: the profiles at the end of this page. Half of a check is reading the text, in
  Python; the rest, and the derivation of the gradient, is spread over many small steps.
"""

FOLDER = Path(__file__).parent


def elsewhere() -> str:
    """The tables of accuracy and of proofs, from the files that other commands than `make bench` write."""
    kept = (json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in ("accuracy", "proof", "fuzz"))
    accuracy, proofs, runs = kept
    body = [[str(run[name]) for name in RUN] for run in runs]
    return f"""\
## Accuracy

Values and gradients of every loss, and of formulas as users write them, against mpmath on hard data (`make accuracy`).
[`ACCURACY.md`](ACCURACY.md) says how they are judged, has each loss, and why a goal is missed.

{accuracy_report.goals(accuracy["rows"])}
## Proofs and alarms

{proof_report.ABOUT}
{proof_report.table_of(proofs)}
## Proofs tried on random formulas

Formulas whose value or gradient is proved to be finite, run on corners and random numbers, on TensorFlow in eager
calls, graphs and XLA; a NaN, an infinity or a wrong number is a failure (`make fuzz`).

{table(RUN, body)}"""


RUN = ["on", "seed", "formulas", "values", "gradients", "failures", "minutes"]


def render(results: Results) -> str:
    """All that was measured, as one Markdown text."""
    parts = [_head(results), _failures(results), _goals(results)]
    if any(not goal.met for goal in goals(results)):
        parts.append(WHY)
    for mode, title in MODES.items():
        parts.append(_milliseconds(results, mode, title))
    parts += [_all_ratios(results, size) for size in SIZES]
    parts += [
        _losers(results),
        _small_calls(results),
        _memory(results),
        _training(results),
        _compiler(results),
        elsewhere(),
    ]
    return "\n".join(part for part in parts if part)


def render_again() -> None:
    """RESULTS.md anew, after other tables than its own have changed."""
    results = json.loads((FOLDER / "results.json").read_text("utf-8"))
    (FOLDER / "RESULTS.md").write_text(render(results), "utf-8")


def summary(results: Results) -> str:
    """What the README shows: the times of a few losses by hand and ours, in every mode, and all of them together."""
    body = []
    for name in SHOWN:
        cells = []
        for mode, ours in RATIOS:
            for row in rows(results, loss=name, mode=mode, size=WIDE, gradient=True):
                seconds = row["seconds"]
                cells.append(f"{_time(seconds['hand'], spread=False)} → {_time(seconds.get(ours), spread=False)}")
        body.append([name, *cells])
    means = [ratios(results, ours, mode=mode, size=WIDE, gradient=True).values() for mode, ours in RATIOS]
    count = len(means[0])
    body.append([f"ratio, mean of {count}", *(_ratio(geometric_mean(each)) for each in means)])
    return table(["ms by hand → ours", *LABELS], body)


def in_readme(readme: str, results: Results) -> str:
    """The README with the summary between its two marks."""
    before, _, rest = readme.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n\n{summary(results)}\n{MARKS[1]}{after}"


def number(x: float) -> str:
    """About three figures, never an exponent."""
    places = next((places for limit, places in ((99.95, 0), (9.995, 1), (0.9995, 2)) if x >= limit), 3)
    return f"{x:.{places}f}"


def _time(figure: dict[str, float] | None, unit: float = 1e3, spread: bool = True) -> str:
    if figure is None:
        return "-"
    half = (figure["high"] - figure["low"]) / 2
    return number(figure["median"] * unit) + (f" ±{number(half * unit)}" if spread else "")


def _ratio(x: float | None) -> str:
    return "-" if x is None else f"{x:.2f}"


def _head(results: Results) -> str:
    lines = [f"- {name}: {value}" for name, value in results["machine"].items()]
    took = f"took {results['seconds'] / 60:.1f} minutes"
    notes = [f"- {note}" for note in results.get("notes", [])]
    return "\n".join(["# Benchmarks", "", f"`{results['command']}`, {took}, on:", "", *lines, *notes, "", HOW])


def _failures(results: Results) -> str:
    failed = results.get("failures", [])
    return "\n".join(["## Failed", "", *(f"- {line}" for line in failed), ""]) if failed else ""


def _goals(results: Results) -> str:
    body = [
        [goal.what, f"{'≥' if goal.more else '≤'} {goal.limit:g}", number(goal.measured), _yes(goal.met), goal.note]
        for goal in goals(results)
    ]
    header = ["value and gradient at (4096, 1000), unless it says otherwise", "goal", "measured", "met", "note"]
    return f"## Goals\n\n{table(header, body)}" if body else ""


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


def _milliseconds(results: Results, mode: str, title: str) -> str:
    """Times of one mode on wide data, value and gradient; the backend that runs this way beside them."""
    found = rows(results, mode=mode, size=WIDE, gradient=True)
    if not found:
        return ""
    jit = mode != "xla"
    other = {"eager": "torch", "xla": "jax"}.get(mode, "")
    beside = {row["loss"]: row["seconds"] for row in results.get("rivals", []) if _is(row, other, WIDE)}
    header = ["loss", "copy", "by hand", "Keras", "ours", *(["ours, jit"] if jit else []), *([other] if beside else [])]
    header += ["ours/hand", *(["jit/hand"] if jit else []), "ours/copy"]
    body = []
    for row in found:
        seconds = row["seconds"]
        cells = [_time(seconds["floor"], spread=False)]
        cells += [_time(seconds.get(name)) for name in ("hand", "keras", "ours", *(["ours_jit"] if jit else []))]
        cells += [_time(beside.get(row["loss"]), spread=False)] if beside else []
        names = ("ours", "ours_jit") if jit else ("ours",)
        cells += [*(_ratio(row["to_hand"].get(name)) for name in names), _ratio(row["to_floor"]["ours"])]
        body.append([row["loss"], *cells])
    return f"## {title}: value and gradient at (4096, 1000), milliseconds\n\n{table(header, body)}"


def _is(row: dict[str, Any], backend: str, size: str) -> bool:
    return bool(row["backend"] == backend and row["size"] == size)


def _all_ratios(results: Results, size: str) -> str:
    """Ratios to the formula by hand: value and gradient, then the value alone."""
    names = dict.fromkeys(row["loss"] for row in rows(results, size=size))
    if not names:
        return ""
    columns = [ratios(results, ours, mode=m, size=size, gradient=g) for g in (True, False) for m, ours in RATIOS]
    body = [[name, *(_ratio(column.get(name)) for column in columns)] for name in names]
    means = [_ratio(geometric_mean(column.values()) if column else None) for column in columns]
    header = ["loss", *LABELS, *(f"value: {label}" for label in LABELS)]
    shape = ", ".join(map(str, SIZES[size]))
    return f"## All ratios at ({shape}): ours / by hand\n\n{table(header, [*body, ['geometric mean', *means]])}"


def _losers(results: Results) -> str:
    """Where ours is slower than the formula by hand, whatever the size."""
    found = [
        (row["to_hand"][name], row, name)
        for row in results.get("speed", [])
        for name in ("ours", "ours_jit")
        if row["to_hand"].get(name, 0) > LOSS_LIMIT
    ]
    if not found:
        return ""
    found.sort(key=lambda each: -each[0])
    body = [
        [row["loss"], name.replace("_", ", "), row["mode"], row["size"], _part(row), _ratio(ratio)]
        for ratio, row, name in found[:LOSERS]
    ]
    total = sum(name in row["to_hand"] for row in results["speed"] for name in ("ours", "ours_jit"))
    first = (
        f"## Where ours is slower\n\nAbove {LOSS_LIMIT} in {len(found)} of {total} comparisons; the worst of them:\n\n"
    )
    return first + table(["loss", "which", "mode", "size", "part", "ours/hand"], body)


def _part(row: dict[str, Any]) -> str:
    return "gradient" if row["gradient"] else "value"


def _small_calls(results: Results) -> str:
    found = [row for row in rows(results, size=SMALL, gradient=False, mode="eager") if "keras" in row["seconds"]]
    if not found:
        return ""
    ours, jit = small_call(results, "ours"), small_call(results, "ours_jit")
    body = [
        [
            row["loss"],
            *(_time(row["seconds"].get(name), unit=1e6) for name in ("hand", "keras", "ours", "ours_jit")),
            _ratio(ours.get(row["loss"])),
            _ratio(jit.get(row["loss"])),
        ]
        for row in found
    ]
    header = ["loss", "by hand", "Keras", "ours", "ours, jit", "ours/Keras", "jit/Keras"]
    return (
        f"## The call itself: `loss(y_true, y_pred)` on (32, 10), eager, no tape, microseconds\n\n{table(header, body)}"
    )


def _memory(results: Results) -> str:
    found = results.get("memory", [])
    if not found:
        return ""
    names = {
        "hand": "by hand",
        "keras": "Keras",
        "ours": "ours",
        "ours_jit": "ours, jit",
        "jax": "JAX",
        "torch": "torch",
    }
    names = {name: label for name, label in names.items() if any(name in row["bytes"] for row in found)}

    def cell(row: dict[str, Any], name: str) -> str:
        return f"{row['bytes'][name] / 2**20:.0f}" if name in row["bytes"] else "-"

    body = [[row["loss"], *(cell(row, name) for name in names)] for row in found]
    size = found[0]["size"].replace("x", ", ")
    text = f"## Peak memory of value and gradient in a graph at ({size}), MiB above inputs and gradient\n\n"
    return text + table(["loss", *names.values()], body)


def _training(results: Results) -> str:
    found = results.get("training", [])
    if not found:
        return ""
    names = {"hand": "by hand", "keras": "Keras", "ours": "ours", "ours_jit": "ours, jit"}
    body = [
        [
            row["loss"],
            "yes" if row["jit"] else "no",
            *(_time(row["seconds"].get(name)) for name in names),
            *(_ratio(row["to_keras"].get(name)) for name in ("ours", "ours_jit")),
        ]
        for row in found
    ]
    header = ["loss", "XLA step", *names.values(), "ours/Keras", "jit/Keras"]
    title = "## `fit`: a step of a small segmentation model, 8 images of 128 x 128, 21 classes, milliseconds"
    return f"{title}\n\n{table(header, body)}"


def _compiler(results: Results) -> str:
    found = results.get("compiler")
    if not found:
        return ""
    parts = ("check", "compile", "eject")
    body = [[name, *(number(1e3 * found[part][name]) for part in parts)] for name in found["check"]]
    body.append(["median", *(number(1e3 * median(found[part].values())) for part in parts)])
    sympy = {row["terms"]: row["compile"] for row in found["sympy"]}
    sums = [
        [
            f"{row['terms']:,}",
            *(number(1e6 * row[part]) for part in ("check", "compile")),
            number(1e6 * sympy[row["terms"]]) if row["terms"] in sympy else "-",
        ]
        for row in found["sums"]
    ]
    process = found["process"]
    lines = [
        "## The compiler: each formula of the library, milliseconds, nothing traced\n",
        table(["loss", *parts], body),
        *(
            _profile(found["profile"][part], what)
            for part, what in (("check", "a check"), ("compile", "a compilation"))
        ),
        "## The compiler: a long sum, microseconds per term\n",
        table(["terms", "check", "value and gradient code", "sympy: parse, diff, lambdify(cse=True)"], sums),
        "## The compiler: whole processes, milliseconds\n",
        table(
            ["process", "time", "beyond Python's own start"],
            [
                [label, number(1e3 * process[name]), number(1e3 * (process[name] - process["python"]))]
                for name, label in (("import", "`import lossdsl`"), ("check", "`lossdsl check`"))
            ],
        ),
    ]
    return "\n".join(lines)


def _profile(shares: dict[str, float], what: str) -> str:
    body = [[stage, f"{share:.0%}"] for stage, share in shares.items()]
    return f"## The compiler: where the time of {what} goes\n\n{table(['stage', 'share'], body)}"
