"""The clock: rivals take turns, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Calls = Mapping[str, Callable[[], object]]
Samples = dict[str, list[float]]

SAMPLE = 0.002
"""Seconds that one sample takes at least; shorter calls are repeated within it."""


@dataclass(frozen=True)
class Pace:
    """How long rivals take turns: about `seconds`, but between `least` and `most` rounds."""

    seconds: float
    least: int = 5
    most: int = 15


@dataclass(frozen=True)
class Figure:
    """A median with its quartiles, in seconds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: list[float]) -> Figure:
        """Of the samples of one rival."""
        low, median, high = (float(x) for x in np.percentile(samples, (25, 50, 75)))
        return cls(median, low, high)


def interleaved(calls: Calls, pace: Pace) -> Samples:
    """Seconds per call of each rival, round by round; every call has been warmed up by the caller."""
    repeats = {name: _repeats(call) for name, call in calls.items()}
    samples: Samples = {name: [] for name in calls}
    order = list(calls)
    gc.collect()
    gc.disable()
    try:
        started = time.perf_counter()
        for turn in range(pace.most):
            if turn >= pace.least and time.perf_counter() - started > pace.seconds:
                break
            for name in order:
                samples[name].append(_seconds(calls[name], repeats[name]))
            order.reverse()
    finally:
        gc.enable()
    return samples


def ratio(samples: Samples, ours: str, theirs: str) -> float:
    """The median of the ratios of the rounds: both sides of each were measured next to each other."""
    return float(np.median(np.array(samples[ours]) / np.array(samples[theirs])))


def _repeats(call: Callable[[], object]) -> int:
    return max(1, min(1000, math.ceil(SAMPLE / max(_seconds(call, 1), 1e-7))))


def _seconds(call: Callable[[], object], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats
