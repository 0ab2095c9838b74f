"""Settings of a live loss or metric: how they are checked, written to a Keras config, and read back."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from lossdsl.checked import LANGUAGE, Checked, analyse
from lossdsl.errors import Long, LossError, diagnostic, fail
from lossdsl.source import Source, Span
from lossdsl.spec import REDUCTIONS, plain

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "formula": ((str,), "text"),
    "params": ((dict, type(None)), "a mapping"),
    "uses": ((dict, type(None)), "a mapping of names to definitions"),
    "reduction": ((str, type(None)), "one of Keras' reductions"),
    "name": ((str, type(None)), "text"),
    "dtype": ((str, type(None)), "the name of a dtype"),
    "jit_compile": ((str, bool), '"auto", true or false'),
    "rewrite": ((bool,), "true or false"),
    "gradient": ((str,), '"ours" or "backend"'),
    "logits": ((str, bool), '"auto" or false'),
    "strict": ((bool, int, float, str), "true, false or a number"),
    "language": ((int,), "a whole number"),
    "epsilon": ((float, int, type(None)), "a number"),
}


def checked_formula(
    formula: str | Source,
    params: Mapping[str, object] | None,
    uses: Mapping[str, str] | None,
    epsilon: float,
    *,
    measure: bool = False,
    rewrite: bool = True,
) -> Checked:
    """The formula, analysed with plain parameters, under the saved meaning of the library losses it names."""
    if not isinstance(formula, str | Source):
        raise fail("saved-value", None, name="formula", found=kind_of(formula), wanted="text")
    if not isinstance(rewrite, bool):
        raise fail("spec-setting", None, setting="rewrite", found=repr(rewrite), allowed="it is True or False")
    values = {str(name): plain(str(name), value) for name, value in (params or {}).items()}
    checked = analyse(formula, values, uses=uses, epsilon=epsilon, measure=measure, rewrite=rewrite)
    if uses:
        _compare(checked)
    return checked


def _compare(checked: Checked) -> None:
    """Say where the library of today would make another loss of the same text."""
    today: Mapping[str, str] = {}
    try:
        other = analyse(checked.source, checked.params, epsilon=checked.meaning.epsilon, measure=True)
        if other.key == checked.key:
            return
        today = other.uses
    except LossError:
        pass  # a library loss that is gone, or one that no longer fits: the saved one still holds
    for name, saved in checked.uses.items():
        now = today.get(name, "(no such loss)")
        if now != saved:
            warn("library-changed", checked, name=name, saved=Long(saved), today=Long(now))


def warn(code: str, checked: Checked | None, **pieces: object) -> None:
    """Show a warning at the formula; Python itself shows each text once."""
    span = None if checked is None else whole(checked)
    warnings.warn(diagnostic(code, span, **pieces).render(), UserWarning, stacklevel=4)  # type: ignore[arg-type]


def whole(checked: Checked) -> Span:
    """The loss itself within the formula, for what has no smaller place."""
    result = checked.formula.result
    return Span(checked.source, 0, len(checked.source.text)) if result is None else result.span


def check_name(name: str | None, default: str) -> str:
    """A name that TensorFlow takes as a scope; anything else fails only inside `fit`."""
    if name is None:
        return default
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        allowed = "a name has letters, digits, `_`, `.`, `-`, `/` and `>`, and begins with a letter, a digit or `.`"
        raise fail("spec-setting", None, setting="name", found=repr(name), allowed=allowed)
    return name


def check_reduction(reduction: str | None) -> str | None:
    """One of Keras' reductions, as given."""
    if reduction is not None and reduction not in REDUCTIONS:
        allowed = f"it is one of {', '.join(REDUCTIONS)}"
        raise fail("spec-setting", None, setting="reduction", found=repr(reduction), allowed=allowed)
    return reduction


def check_gradient(gradient: str) -> str:
    """`ours` or `backend`, or an error."""
    if gradient not in ("ours", "backend"):
        allowed = '"ours", or "backend" for forward mode and torch.func'
        raise fail("spec-setting", None, setting="gradient", found=repr(gradient), allowed=allowed)
    return gradient


def check_epsilon(epsilon: float | None) -> float:
    """The number that a formula calls `epsilon`: Keras' own, or as given."""
    value = keras.config.epsilon() if epsilon is None else epsilon
    if not 0 <= value < 1:
        raise fail("spec-setting", None, setting="epsilon", found=value, allowed="it is a small positive number")
    return float(value)


def check_jit(jit_compile: bool | str) -> bool | str:
    """`"auto"`: as the surrounding graph does."""
    if jit_compile not in ("auto", True, False):
        allowed = 'it is "auto", True or False'
        raise fail("spec-setting", None, setting="jit_compile", found=repr(jit_compile), allowed=allowed)
    return jit_compile


def check_dtype(dtype: Any) -> tuple[str | None, str]:
    """The dtype as it was given (a policy by its name), and what floats are rounded to."""
    try:
        policy = keras.dtype_policies.get(dtype or keras.config.floatx())
        used = policy.compute_dtype
    except (ValueError, TypeError) as error:
        raise _bad_dtype(dtype) from error
    if used is None or "float" not in used:
        raise _bad_dtype(dtype)
    return (None if dtype is None else policy.name), used


def _bad_dtype(dtype: object) -> LossError:
    allowed = "it is a float type such as float32, or a policy such as mixed_float16"
    return fail("spec-setting", None, setting="dtype", found=repr(dtype), allowed=allowed)


def write_config(checked: Checked, **settings: Any) -> dict[str, Any]:
    """Plain values that JSON can hold; settings that are None are left out, `reduction` aside."""
    config: dict[str, Any] = {"formula": checked.text, "language": LANGUAGE}
    if checked.params:
        config["params"] = dict(checked.params)
    if checked.uses:
        config["uses"] = dict(checked.uses)
    return config | {name: v for name, v in settings.items() if v is not None or name == "reduction"}


def read_config(config: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """The constructor's arguments, after the checks that a file from elsewhere needs."""
    names = [*known, "language"]
    if unknown := [str(key) for key in config if key not in names]:
        raise fail("saved-key", None, names=", ".join(map(repr, unknown)))
    if "formula" not in config:
        raise fail("saved-value", None, name="formula", found="missing", wanted="text")
    for name, value in config.items():
        kinds, wanted = _KINDS[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and name in ("language", "epsilon")):
            raise fail("saved-value", None, name=name, found=kind_of(value), wanted=wanted)
    for name, value in (config.get("uses") or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise fail("saved-value", None, name="uses", found=kind_of(value), wanted=_KINDS["uses"][1])
    if config.get("language", LANGUAGE) > LANGUAGE:
        raise fail("spec-version", None, found=config["language"], known=LANGUAGE)
    return {name: value for name, value in config.items() if name != "language"}


def kind_of(value: object) -> str:
    """What a value is, for a message."""
    return "None" if value is None else f"of type {type(value).__name__}"
