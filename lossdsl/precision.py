"""The float types of a loss: what a number becomes in them, and in which type the loss computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossdsl.errors import fail
from lossdsl.interval import LARGEST


@dataclass(frozen=True)
class Precision:
    """A type that data are rounded to: digits of its significand, the exponent of its smallest number, its largest."""

    name: str
    digits: int
    lowest: int
    largest: float

    @property
    def is_half(self) -> bool:
        """Whether data are rounded to it, but the loss computes in float32."""
        return self.digits < FLOAT32.digits

    @property
    def computing(self) -> Precision:
        """The type in which the loss computes."""
        return FLOAT32 if self.is_half else self

    @property
    def computed(self) -> type[np.floating[Any]]:
        """The same, as NumPy has it."""
        return np.float64 if self.digits > FLOAT32.digits else np.float32

    def rounded(self, numbers: Any) -> np.ndarray[Any, Any]:
        """The nearest numbers of this type; infinite beyond the largest."""
        with np.errstate(over="ignore"):
            given = np.asarray(numbers, np.float64).astype(self.computed)
        if not self.is_half:
            return given
        exponents = np.maximum(np.frexp(given)[1] - self.digits, self.lowest)
        exact = given.astype(np.float64)
        found = np.where(np.isfinite(exact), np.ldexp(np.rint(np.ldexp(exact, -exponents)), exponents), exact)
        return np.where(np.abs(found) > self.largest, np.copysign(np.inf, found), found).astype(np.float32)

    def of(self, number: float) -> float:
        """What is left of one number."""
        return float(self.rounded(number))


FLOAT32 = Precision("float32", 24, -149, LARGEST)
PRECISIONS = {
    each.name: each
    for each in (
        Precision("float16", 11, -24, 65504.0),
        Precision("bfloat16", 8, -133, 3.3895313892515355e38),
        FLOAT32,
        Precision("float64", 53, -1074, 1.7976931348623157e308),
    )
}


def precision(dtype: Any) -> Precision:
    """The type of that name, or in which a policy of that name computes: `mixed_float16` in float16.

    A type or policy of a framework goes by its `name`. Raises LossError where it is no float type that is known.
    """
    name = str(getattr(dtype, "name", dtype))
    found = PRECISIONS.get(name.removeprefix("mixed_"))
    if found is None:
        allowed = f"it is one of {', '.join(PRECISIONS)}"
        raise fail("spec-setting", None, setting="dtype", found=repr(name), allowed=allowed)
    return found
