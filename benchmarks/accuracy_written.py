"""What a formula says, word for word, in mpmath: the truth where its epsilon decides.

A loss that keeps probabilities Keras' epsilon away from 0 and 1 is another loss there than the mathematics that it is
named after, on purpose. Such rows are judged by what is written, with constants as float32 has them: 1 - 1e-7 is there
1 - 1.2e-7, in Keras' own losses as well. Nothing is rewritten for that, nothing derived: every operation is the tests'
own definition of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.accuracy_grids import Grid
from benchmarks.oracles import fitted, value
from lossdsl.checked import EPSILON, analyse
from lossdsl.checker.check import Elaborated
from lossdsl.ir.node import show

ELSE = 1e-14
"""Another epsilon, far from Keras' own; 1 less it is still not 1 in float64."""

Values = Callable[[Any, Any], Any]


def written(text: str, grid: Grid) -> tuple[Values, Values] | None:
    """The values of a formula by its own epsilon and by another; None where it has none."""
    one = next(grid.each())
    shapes = np.shape(one.y_pred)[:1] if one.y_true is None else np.shape(one.y_true), np.shape(one.y_pred)
    pair = [analyse(text, epsilon=epsilon).program(*shapes).elaborated for epsilon in (EPSILON, ELSE)]
    if len({"\n".join(show([found.root])) for found in pair if found.root}) == 1:
        return None
    own, other = map(_values, pair)
    return own, other


def _values(elaborated: Elaborated) -> Values:
    def values(y_true: Any, y_pred: Any) -> Any:
        assert elaborated.root is not None
        given = {"y_true": np.zeros(len(y_pred)) if y_true is None else y_true, "y_pred": y_pred}
        types = elaborated.inputs.types
        data = {name: fitted(array, len(types[name].axes)) for name, array in given.items()}
        found = value(elaborated.root, elaborated.builder.layout.ids, data, np.float32)
        return found if found.size == 1 else found.reshape(len(y_pred), -1).mean(axis=1)

    return values
