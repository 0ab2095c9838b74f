"""What a formula says, word for word, in mpmath.

Nothing is rewritten for that, nothing derived: every operation is the tests' own definition of it. It is the truth
where the mathematics that a loss is named after says something else: where an epsilon keeps probabilities away from 0
and 1, where the definition has a cap, where an oracle is an integral that can't be had so exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accuracy_grids import Grid
from benchmarks.oracles import fitted, plain, value
from lossdsl.checked import EPSILON, analyse
from lossdsl.checker.check import Elaborated
from lossdsl.ir.node import show

ELSE = 1e-14
"""Another epsilon, far from Keras' own; 1 less it is still not 1 in float64."""

Values = Callable[[Any, Any], Any]


class Written(NamedTuple):
    """The values of a formula: with its constants exactly, and moved by what float64 leaves of them.

    If it has an epsilon: in float32's constants, by it and by another.
    """

    exact: Values
    moved: Values
    epsilon: tuple[Values, Values] | None


def written(text: str, grid: Grid) -> Written:
    """A formula for the data of a grid."""
    one = next(grid.each())
    shapes = np.shape(one.y_pred)[:1] if one.y_true is None else np.shape(one.y_true), np.shape(one.y_pred)
    own, other = (analyse(text, epsilon=epsilon).program(*shapes).elaborated for epsilon in (EPSILON, ELSE))
    same = _shown(own) == _shown(other)
    pair = None if same else (_values(own, np.float32), _values(other, np.float32))
    return Written(_values(own, float), _values(own, lambda x: np.nextafter(x, np.inf)), pair)


def _shown(elaborated: Elaborated) -> str:
    assert elaborated.root is not None
    return "\n".join(show([elaborated.root]))


def _values(elaborated: Elaborated, kept: Callable[[float], Any]) -> Values:
    """The values with constants as a type of floats has them: 1 - 1e-7 is 1 - 1.2e-7 in float32, in Keras as well."""

    def values(y_true: Any, y_pred: Any) -> Any:
        assert elaborated.root is not None
        given = {"y_true": np.zeros(len(y_pred)) if y_true is None else y_true, "y_pred": y_pred}
        types = elaborated.inputs.types
        data = {name: fitted(array, len(types[name].axes)) for name, array in given.items()}
        found = value(elaborated.root, elaborated.builder.layout.ids, data, kept, plain.held)
        return found if found.size == 1 else found.reshape(len(y_pred), -1).mean(axis=1)

    return values
