"""Losses written as formulas: checked, explained, and compiled to real `keras.losses.Loss` objects.

Importing this package loads no framework. `compile`, `metric` and `Loss` load Keras when they are first asked
for; a saved model finds the class `lossdsl>Loss` because the import hook registers it as soon as Keras is
imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lossdsl import hook

if TYPE_CHECKING:
    from lossdsl.api import Report, check, eject, evaluate
    from lossdsl.budgets import Limits, limits
    from lossdsl.errors import Diagnostic, LossError
    from lossdsl.keras import Loss, Metric, compile, metric
    from lossdsl.spec import LossSpec

__version__ = "0.1.0"

__all__ = [
    "Diagnostic",
    "Limits",
    "Loss",
    "LossError",
    "LossSpec",
    "Metric",
    "Report",
    "check",
    "compile",
    "eject",
    "evaluate",
    "limits",
    "metric",
]

_HOMES = {
    "lossdsl.api": ("Report", "check", "eject", "evaluate"),
    "lossdsl.budgets": ("Limits", "limits"),
    "lossdsl.errors": ("Diagnostic", "LossError"),
    "lossdsl.keras": ("Loss", "Metric", "compile", "metric"),
    "lossdsl.spec": ("LossSpec",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, and keep it."""
    if name not in _HOME:
        raise AttributeError(f"module 'lossdsl' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


hook.install()
