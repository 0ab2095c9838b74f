"""Makes `lossdsl>Loss` known to Keras as soon as Keras is imported, so that lossdsl needs no framework.

Keras finds a saved class by its registered name alone. The hook acts on one name, `keras`, and stays, since
Keras may be imported a second time. What goes wrong in lossdsl is a warning here: `import keras` must not
fail for it. `import lossdsl.keras` is the eager way, for processes in which another hook serves Keras first.
"""

from __future__ import annotations

import importlib
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

KERAS_SIDE = ("lossdsl.backends.live", "lossdsl.backends.runtime", "lossdsl.backends.shims", "lossdsl.keras")
"""The modules, and those whose names begin so, that hold on to the Keras they were imported with."""
PUBLIC = ("Loss", "Metric", "compile", "metric")
"""What `lossdsl` keeps of them."""


class KerasHook:
    """A finder that lets the others find Keras and adds one step after its import."""

    def __init__(self) -> None:
        self._local = threading.local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of `keras` with registration after it; None for any other name."""
        if name != "keras" or getattr(self._local, "busy", False):
            return None
        self._local.busy = True
        try:
            spec = self._found(name, path, target)
        finally:
            self._local.busy = False
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            register()

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _found(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in [finder for finder in sys.meta_path if finder is not self]:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                return spec
        return None


def install() -> None:
    """Install the hook, once; where Keras is there already, register at once."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != KerasHook.__name__]
    sys.meta_path.insert(0, KerasHook())
    keras = sys.modules.get("keras")
    if keras is not None and not getattr(keras.__spec__, "_initializing", False):
        register()


def register() -> None:
    """Import the Keras side; again, if Keras is not the one it was imported with."""
    try:
        keras = importlib.import_module("keras")
        if getattr(sys.modules.get("lossdsl.backends.live"), "keras", keras) is not keras:
            forget()
        importlib.import_module("lossdsl.backends.live")
    except Exception as error:
        from lossdsl.errors import diagnostic

        reason = f"{type(error).__name__}: {error}"
        warnings.warn(diagnostic("keras-not-ready", None, reason=reason).render(), RuntimeWarning, stacklevel=2)


def forget() -> None:
    """Drop modules that belong to a Keras that is no longer the one in use."""
    for name in [name for name in sys.modules if name.startswith(KERAS_SIDE)]:
        del sys.modules[name]
    package = sys.modules.get("lossdsl")
    for name in PUBLIC:
        vars(package).pop(name, None) if package else None
