"""What `python -m benchmarks.proof` found, as a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.tables import table
from lossdsl.proof import ALARM, OPEN, PROVED, UNSEEN

HEAD = ["", "proved", "missed", "alarms", "true", "not proved", "of them fail", "warnings true", "not analysed", "ms"]
ABOUT = """\
Whether value and gradient are proved to be finite for data within the declared ranges (undeclared data up to 1e6), of
the losses of the library and of formulas as users write them (`python -m benchmarks.proof`). All of them are run on
TensorFlow in eager calls, graphs and XLA. *Missed* is what is proved and fails all the same, *true* the alarms that do
fail; among the *warnings* what is not proved counts as well, and is false where nothing was seen to fail. *ms* is the
median time of a proof.
"""


def table_of(rows: Sequence[dict[str, Any]]) -> str:
    """A line for the values, and for the gradients, of each group."""
    body = []
    for group in dict.fromkeys(row["group"] for row in rows):
        for part in ("value", "gradient"):
            here = [row for row in rows if (row["group"], row["part"]) == (group, part)]
            said = {v: [row for row in here if row["verdict"] == v] for v in (PROVED, ALARM, OPEN, UNSEEN)}
            fail = {v: sum(bool(row["fails"]) for row in said[v]) for v in said}
            warned = len(said[ALARM]) + len(said[OPEN])
            figures = [len(said[PROVED]), fail[PROVED], len(said[ALARM]), fail[ALARM], len(said[OPEN]), fail[OPEN]]
            share = f"{100 * (fail[ALARM] + fail[OPEN]) / warned:.0f} %" if warned else "-"
            time = f"{statistics.median(row['milliseconds'] for row in here):.1f}"
            body.append([f"{group}: {part}", *map(str, figures), share, str(len(said[UNSEEN])), time])
    return table(HEAD, body)
