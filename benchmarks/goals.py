"""What the project wants of its speed, and whether the figures say so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any, NamedTuple

WIDE, SMALL = "4096x1000", "32x10"
LOSS_LIMIT = 1.05
"""No single loss may take longer than this, relative to the formula by hand."""


class Goal(NamedTuple):
    """A figure beside what is wanted of it; smaller is better, unless `more`."""

    what: str
    limit: float
    measured: float
    note: str = ""
    more: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side."""
        return self.measured >= self.limit if self.more else self.measured <= self.limit


def geometric_mean(values: Iterable[float]) -> float:
    """The mean for ratios."""
    found = list(values)
    return math.exp(sum(map(math.log, found)) / len(found))


def goals(results: dict[str, Any]) -> list[Goal]:
    """All goals that these results speak of."""
    return [*_speed(results), *_memory(results), *_compiler(results)]


def rows(results: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    """The rows of the speed section where all the columns named have the values named."""
    return [row for row in results.get("speed", []) if all(row[name] == value for name, value in wanted.items())]


def ratios(results: dict[str, Any], ours: str, to: str = "to_hand", **wanted: Any) -> dict[str, float]:
    """Ratios by loss, where both sides were measured."""
    return {row["loss"]: row[to][ours] for row in rows(results, **wanted) if ours in row[to]}


def _worst(found: dict[str, float]) -> str:
    name = max(found, key=lambda loss: found[loss])
    return f"worst {found[name]:.2f}, {name}"


def _speed(results: dict[str, Any]) -> Iterator[Goal]:
    wide = {"size": WIDE, "gradient": True}
    asked = (
        ("eager call", "eager", "ours", 0.35),
        ("plain graph, as it comes", "graph", "ours", 0.75),
        ("plain graph, jit_compile=True", "graph", "ours_jit", 0.5),
        ("XLA", "xla", "ours", 0.85),
    )
    every = {}
    for what, mode, ours, limit in asked:
        if found := ratios(results, ours, mode=mode, **wide):
            what = f"{what}: ours / by hand, geometric mean"
            yield Goal(what, limit, geometric_mean(found.values()), _worst(found))
    for mode, ours in (("eager", "ours_jit"), *((mode, ours) for _, mode, ours, _ in asked)):
        found = ratios(results, ours, mode=mode, **wide)
        every |= {f"{loss} ({mode}, {ours})": ratio for loss, ratio in found.items()}
    if every:
        above = sum(ratio > LOSS_LIMIT for ratio in every.values())
        note = f"{above} of {len(every)} above; {_worst(every)}"
        yield Goal("any single loss and mode: ours / by hand", LOSS_LIMIT, max(every.values()), note)
    if found := ratios(results, "ours", "to_floor", mode="xla", transcendental=False, **wide):
        note = f"geometric mean {geometric_mean(found.values()):.2f}; {_worst(found)}"
        yield Goal("XLA, no transcendental function: ours / copy, the worst", 2.5, max(found.values()), note)
    for ours, limit in (("ours", 0.8), ("ours_jit", 0.6)):
        if found := small_call(results, ours):
            how = "as it comes" if ours == "ours" else "jit_compile=True"
            what = f"small eager call, {how}: ours / built-in, geometric mean"
            yield Goal(what, limit, geometric_mean(found.values()), _worst(found))


def small_call(results: dict[str, Any], ours: str) -> dict[str, float]:
    """An eager call without a tape on small data, relative to Keras' own loss."""
    found = rows(results, size=SMALL, gradient=False, mode="eager")
    return {row["loss"]: row["to_keras"][ours] for row in found if ours in row["to_keras"]}


def _memory(results: dict[str, Any]) -> Iterator[Goal]:
    found = [row["bytes"] for row in results.get("memory", []) if "hand" in row["bytes"]]
    for ours, how in (("ours", "as it comes"), ("ours_jit", "jit_compile=True")):
        by_hand = sum(row["hand"] for row in found)
        if by_hand:
            above = sum(row[ours] > 0.5 * row["hand"] for row in found)
            note = f"{above} of {len(found)} losses above a half"
            measured = sum(row[ours] for row in found) / by_hand
            yield Goal(f"peak memory in a graph, {how}: ours / by hand, all losses together", 0.5, measured, note)


def _compiler(results: dict[str, Any]) -> Iterator[Goal]:
    found = results.get("compiler")
    if not found:
        return
    check, compiled = found["check"], found["compile"]
    yield Goal("formulas checked per second", 1000, len(check) / sum(check.values()), "the library's own", more=True)
    note = f"worst {1e3 * max(compiled.values()):.0f}"
    yield Goal("compile, without tracing, median (ms)", 5, 1e3 * median(compiled.values()), note)
    for part in ("check", "compile"):
        per_term = [row[part] for row in found["sums"]]
        if len(per_term) > 1:
            span = f"{found['sums'][0]['terms']:,} to {found['sums'][-1]['terms']:,} terms"
            yield Goal(f"{part}, time per term, {span}: last / first", 1.5, per_term[-1] / per_term[0])
