"""Where the time of the compiler goes: shares of a profile, by stage."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Sequence

Stages = dict[str, tuple[str, ...]]
"""What a stage is called, and the functions whose time is its own, callees included; no stage lies within another."""

CHECK: Stages = {
    "tokens: Lark's lexer, line ends, brackets": ("tokens.py:read_tokens",),
    "the parser over Lark's tables, and the syntax tree": ("lalr.py:run",),
    "names, types and axes: the graph": ("check.py:elaborate",),
}
COMPILE: Stages = {
    "the text's tree": ("parse.py:parse",),
    "names, types and axes: the graph, twice": ("check.py:elaborate",),
    "rewriting": ("passes.py:rewrite",),
    "the gradient: guards and adjoints": ("gradient.py:vjp",),
    "the gradient's scales": ("scales.py:gather_scales",),
    "printing": ("keras_text.py:functions",),
    "vetting what was printed": ("load.py:vet",),
}


def shares(action: Callable[[], object], stages: Stages) -> dict[str, float]:
    """The share of each stage in the time of an action's second run, and what is left, by `cProfile`."""
    action()
    profile = cProfile.Profile()
    profile.runcall(action)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    found = {stage: sum(_seconds(stats, name) for name in names) / whole for stage, names in stages.items()}
    return {**found, "all else": 1 - sum(found.values())}


def _seconds(stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]], wanted: str) -> float:
    """The time of a function with all that it calls; KeyError where none of its name ran."""
    file, function = wanted.split(":")
    found = [each[3] for (path, _, name), each in stats.items() if name == function and path.endswith(f"/{file}")]
    if not found:
        raise KeyError(wanted)
    return sum(found)


def measure(
    check: Callable[[str], object], compile: Callable[[str], object], texts: Sequence[str]
) -> dict[str, object]:
    """Shares for checking and for compiling some formulas."""
    return {
        "check": shares(lambda: [check(text) for text in texts], CHECK),
        "compile": shares(lambda: [compile(text) for text in texts], COMPILE),
    }
