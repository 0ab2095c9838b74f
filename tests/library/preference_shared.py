"""What the oracles and claims for preferences share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from case import Claim

# -- oracles -----------------------------------------------------------------------------------------------


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """An oracle for one row, as the mean over the rows of each sample."""

    def oracle(t: Any, p: Any, **params: Any) -> Any:
        found = []
        for i in range(len(p)):
            rows = p[i].reshape(-1, p.shape[-1])
            true = [None] * len(rows) if t is None else t[i].reshape(len(rows), -1)
            lost = [function(a, b, **params) for a, b in zip(true, rows, strict=True)]
            found.append(sum(lost) / len(lost))
        return np.array(found)

    return oracle


# -- claims ------------------------------------------------------------------------------------------------


def same(name: str, what: str, left: Callable[[], Any], right: Callable[[], Any], rtol: float = 1e-7) -> Claim:
    return Claim(name, what, lambda: np.testing.assert_allclose(left(), right(), rtol=rtol, atol=1e-9))
