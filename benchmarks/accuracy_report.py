"""The tables of `benchmarks.accuracy`: a function of its figures and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.tables import table

Row = dict[str, Any]
LIMITS = {"value": (0.5, 4.0, 0.6), "gradient": (float("inf"), 8.0, 1.0)}
"""Median and 99th percentile, units in the last place, of each loss; bits, the mean over losses."""
PARTS = {"naive": "Formulas as users write them", "library": "Losses of the library"}

ABOUT = """\
`make accuracy`. Every loss of the library and formulas as users write them, on data at which losses break: magnitudes
from 0 to 1e30, probabilities from 1e-37 to 1 - 2^-24, logits far out, equal and nearly equal numbers (seed {seed}).
The truth is the mathematics of each in mpmath with {digits} digits, its gradient the difference quotient of that:
nothing of the compiler rewrites or derives it. Rows are judged by what the formula says, evaluated as written and also
in mpmath, where it means to be another than the mathematics that it is named after: where its *epsilon* decides (the
value is another with another epsilon), with constants as float32 has them; and where it says *otherwise* for a reason
of its own, as a cap, or the oracle has no number, or an integral that is not so exact.

Errors are in units in the last place of float32 (ulp), those of a gradient by its largest entry; bits are Herbie's,
the mean of log2(1 + ulp), a NaN counting 32. A row is *gross* where it is wrong by more than a thousandth, *dead* where
a gradient is 0 and should not be. Rows whose truth float32 can't hold, and gradients at a kink, are left out.

Rows that are ill-conditioned by nature are told apart by a computed condition: moving every input by half an ulp moves
the truth by more than 2 ulp. Their error may be 8 times that move; *over* counts those beyond it. The figures are the
worst of eager, graph and XLA. Half types are for storing, and computed in float32: of them the NaN and infinities are
counted, in a graph and under XLA, on data that the type has. *Keras* is its own function on the same data, judged by
the same truth.
"""

WHY = """\
Where a goal is missed, and why, so far as it was looked into:

- *Medians* above half a unit: values of several functions and sums, each rounded. Less is not to be had in float32.
- *Nearly parallel vectors* (SI-SDR and its kin, cosines near -1): their distance is lost in rounding.
- *Gradients like `exp(x) - t`* near the `x` where they are 0 (Poisson, geometric): an exact form takes twice the time.
- *Sums of large terms* that leave a small one (survival over many times, distillation, ranks): the terms are
  exact, their sum has their rounding.
- *`1 - p + 1e-8`* and `p + 1e-8` near p = 1 (formula 03): two logarithms would have to be computed.
- *Ties* that only rounding makes or breaks: the gradient goes to another entry.
- *Products of numbers near the smallest*: frameworks flush to 0.
"""


def render(found: Row) -> str:
    """All tables as Markdown."""
    lines = ["# Accuracy\n", ABOUT.format(**found)]
    if found["failures"]:
        lines += ["Not measured:\n", *(f"- {each}" for each in found["failures"]), ""]
    lines += ["## Goals\n", goals(found["rows"]), "", WHY]
    for part, title in PARTS.items():
        rows = [row for row in found["rows"] if row["part"] == part]
        if rows:
            lines += [f"## {title}\n", losses(rows), ""]
    return "\n".join(lines)


def worst(rows: Sequence[Row], what: str, figure: str) -> float:
    """The largest of a figure over modes."""
    return max((row[what][figure] for row in rows), default=0)


def by_name(rows: Sequence[Row], rival: str) -> dict[str, list[Row]]:
    """The rows of a rival in float32, loss by loss."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["rival"] == rival and row["dtype"] == "float32":
            found.setdefault(row["name"], []).append(row)
    return found


# -- goals


def goals(rows: Sequence[Row]) -> str:
    """What is to be reached, by how many losses it is missed, and how Keras does on those that it has."""
    body = []
    for rival, title in (("ours", "ours"), ("keras", "Keras")):
        named = by_name(rows, rival)
        for what, goal, misses in GOALS:
            missing = [name for name, each in named.items() if misses(each)]
            body.append([title, what, goal, f"{len(named) - len(missing)} of {len(named)}"])
        for what in LIMITS:
            bits = [worst(each, what, "bits") for each in named.values()]
            mean = sum(bits) / max(len(bits), 1)
            body.append([title, f"{what}: bits, mean over losses", f"≤ {LIMITS[what][2]}", f"{mean:.2f}"])
        half = [row for row in rows if row["rival"] == rival and row["dtype"] != "float32"]
        missing = {row["name"] for row in half if row["value"]["nan"] or row["gradient"]["nan"]}
        body.append([title, "half types: NaN or infinity", "0", f"{len(named) - len(missing)} of {len(named)}"])
    return table(["", "goal for every loss", "to reach", "reached by"], body)


def _more(what: str, figure: str, limit: float) -> Callable[[Sequence[Row]], bool]:
    return lambda rows: worst(rows, what, figure) > limit


GOALS = (
    *((f"{what}: NaN or infinity", "0", _more(what, "nan", 0)) for what in LIMITS),
    *((f"{what}: grossly wrong rows", "0", _more(what, "gross", 0)) for what in LIMITS),
    ("gradient: dead rows", "0", _more("gradient", "dead", 0)),
    ("value: median, ulp", "≤ 0.5", _more("value", "median", LIMITS["value"][0])),
    *(
        (f"{what}: 99th percentile, ulp", f"≤ {LIMITS[what][1]:g}", _more(what, "p99", LIMITS[what][1]))
        for what in LIMITS
    ),
    *((f"{what}: ill-conditioned rows over their bound", "0", _more(what, "over", 0)) for what in LIMITS),
)


# -- losses


def losses(rows: Sequence[Row]) -> str:
    """A line for each loss, and below it that of Keras."""
    body = []
    keras = by_name(rows, "keras")
    for name, each in by_name(rows, "ours").items():
        body.append(_line(f"`{name}`", each, rows))
        if name in keras:
            body.append(_line("— Keras", keras[name], rows))
    head = ["", "rows", "epsilon", "otherwise", "apart", "value: max", "median", "p99", "bits", "NaN", "gross", "over"]
    head += ["gradient: max", "median", "p99", "bits", "NaN", "gross", "dead", "over", "half: NaN"]
    return table(head, body)


def _line(title: str, each: Sequence[Row], rows: Sequence[Row]) -> list[str]:
    first = each[0]
    counted = (first["value"]["rows"], first["epsilon"], first["otherwise"], first["value"]["apart"])
    cells = [title.replace("|", "\\|"), *map(str, counted)]
    for what, counts in (("value", ("nan", "gross", "over")), ("gradient", ("nan", "gross", "dead", "over"))):
        cells += [_short(worst(each, what, figure)) for figure in ("max", "median", "p99", "bits")]
        cells += [str(int(worst(each, what, figure))) for figure in counts]
    same = [row for row in rows if (row["name"], row["rival"]) == (first["name"], first["rival"])]
    half = [row for row in same if row["dtype"] != "float32"]
    return [*cells, str(int(max((row["value"]["nan"] + row["gradient"]["nan"] for row in half), default=0)))]


def _short(x: float) -> str:
    return f"{x:.0e}" if x >= 1000 else f"{x:.2g}"
