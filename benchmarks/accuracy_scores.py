"""How far computed numbers are from the truth: units in the last place, Herbie's bits, and what nothing excuses."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp

Array = Any

LARGEST = {"float32": 2.0**128 - 2.0**104, "float16": 65504.0, "bfloat16": 2.0**128 - 2.0**120}
"""What a type can hold. Values and gradients of half types come back in them."""
TINY = mp.mpf(2) ** -126
"""The smallest normal number of float32. Below it frameworks flush to 0: an error of that size is none."""
GROSS, NOTABLE = mp.mpf("1e-3"), mp.mpf("1e-6")
ILL, SLACK = 2, 8
"""A row is apart where a rounding of its inputs moves the truth by more than `ILL` units in the last place. Its error
is then held against that move, `SLACK` times it."""
NAN_BITS = 32


def unit(x: Any) -> Any:
    """A unit in the last place of a float32 of this size."""
    if abs(x) < TINY:
        return TINY
    return mp.ldexp(mp.mpf(1), mp.frexp(x)[1] - 24)


def score(
    found: Array, wanted: Array, moved: Array, keep: Array, gradient: bool, dtype: str = "float32"
) -> dict[str, float]:
    """The figures of some rows, each with several numbers, judged by the largest."""
    ulps, tally, worst_apart = [], {"nan": 0, "gross": 0, "dead": 0, "rows": 0, "apart": 0, "over": 0}, 0.0
    for row in np.flatnonzero(keep):
        size = max(abs(x) for x in wanted[row])
        if mp.isnan(size) or size > LARGEST[dtype]:
            continue
        tally["rows"] += 1
        if not np.all(np.isfinite(found[row])):
            tally["nan"] += 1
            continue
        error = max(abs(mp.mpf(float(f)) - w) for f, w in zip(found[row], wanted[row], strict=True))
        ulp = unit(size)
        if gradient and error > NOTABLE and size > TINY and not np.any(found[row]):
            tally["dead"] += 1
        if moved[row] > ILL * ulp:
            tally["apart"] += 1
            share = float(error / (SLACK * moved[row]))
            worst_apart = max(worst_apart, share)
            tally["over"] += share > 1
            continue
        ulps.append(float(error / ulp))
        tally["gross"] += bool(error > GROSS * size and size > TINY)
    return {**tally, "worst_apart": worst_apart, **_spread(ulps, tally["nan"])}


def _spread(ulps: list[float], lost: int) -> dict[str, float]:
    if not ulps:
        return {"max": 0.0, "median": 0.0, "p99": 0.0, "bits": float(NAN_BITS) if lost else 0.0}
    bits = [min(np.log2(1 + each), NAN_BITS) for each in ulps] + [NAN_BITS] * lost
    return {
        "max": max(ulps),
        "median": float(np.median(ulps)),
        "p99": float(np.percentile(ulps, 99)),
        "bits": float(np.mean(bits)),
    }
