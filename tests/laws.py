"""What a row of the operation table owes: one function per law, each raising AssertionError where a row
breaks it."""

from __future__ import annotations

from collections.abc import Callable

from laws_analysis import law_curvature, law_guard, law_infinity, law_inner, law_monotone, law_range
from laws_gradient import law_grad, law_grad_in_floats, law_kink, law_kinks_are_told, law_safe, law_zero_grad
from laws_meaning import law_complete, law_domain, law_example, law_masked, law_numpy, law_place_outside

from lossdsl.ops.op import Op

LAWS: list[Callable[[Op], None]] = [
    law_complete,
    law_example,
    law_numpy,
    law_domain,
    law_place_outside,
    law_masked,
    law_grad,
    law_zero_grad,
    law_grad_in_floats,
    law_kink,
    law_kinks_are_told,
    law_safe,
    law_range,
    law_infinity,
    law_inner,
    law_guard,
    law_monotone,
    law_curvature,
]
