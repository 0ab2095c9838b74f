"""Registers a class with Keras under a name that saved files hold for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import keras

T = TypeVar("T", bound=type)
F = TypeVar("F", bound=Callable[..., Any])


def registered(cls: T) -> T:
    """Register as `lossdsl>NAME`; a class that Keras has already is used again, so that there is only one."""
    known: T | None = keras.saving.get_registered_object(f"lossdsl>{cls.__name__}")
    if known is not None:
        return known
    cls.__module__ = "lossdsl"
    cls.autograph_info__ = {}  # type: ignore[attr-defined]
    done: T = keras.saving.register_keras_serializable("lossdsl", cls.__name__)(cls)
    return done


def unconverted(method: F) -> F:
    """Leave a method alone inside a user's `tf.function`: AutoGraph would rewrite everything that it calls.

    The attribute is what `tf.autograph.experimental.do_not_convert` sets; a class needs it as well, since
    AutoGraph looks at the object that is called.
    """
    method.autograph_info__ = {}  # type: ignore[attr-defined]
    return method
