"""A loss as plain values: what a config holds, a log records, and a cache compares.

A spec needs no framework. It checks its formula when it is made, so that a mistake shows while configs load.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from lossdsl.checked import LANGUAGE, analyse
from lossdsl.errors import Diagnostic, LossError, diagnostic, fail
from lossdsl.source import Span

if TYPE_CHECKING:
    from lossdsl.keras import Loss

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")
"""What Keras does with one value per sample, as it names it."""
_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_WORDS = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}


@dataclass(frozen=True)
class LossSpec:
    """A formula and everything that makes a loss of it: equal, hashable, and written down in one piece.

    `params` holds plain numbers, truth values and lists, copied from what is given; don't change it. A name
    that a scope can't carry, an unknown reduction or a wrong formula is a `LossError` here, not in epoch 1.
    """

    formula: str
    params: dict[str, Any] = field(default_factory=dict)
    reduction: str = "sum_over_batch_size"
    name: str | None = None
    dtype: str | None = None
    logits: bool | str = "auto"
    strict: bool | float = False
    """Whether `compile` demands a proof that it is finite, or up to which size of undeclared data."""
    language: int = LANGUAGE

    def __post_init__(self) -> None:
        if not isinstance(self.formula, str):
            raise fail("spec-form", None, found=_kind(self.formula))
        if not isinstance(self.params, Mapping | None):
            raise _setting("params", self.params, "it is a mapping of names to values")
        for name, value in (
            ("params", {str(k): plain(str(k), v) for k, v in (self.params or {}).items()}),
            ("reduction", "none" if self.reduction is None else self.reduction),
            ("logits", check_logits(self.logits)),
            ("strict", check_strict(self.strict)),
            ("dtype", getattr(self.dtype, "name", self.dtype)),
        ):
            object.__setattr__(self, name, value)
        self._check_settings()
        analyse(self.formula, self.params)

    def _check_settings(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise _setting("reduction", self.reduction, f"it is one of {', '.join(REDUCTIONS)}")
        if self.name is not None and not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            raise _setting("name", self.name, "it has letters, digits, `_`, `.`, `-`, `/` and `>`, and no `_` first")
        if not isinstance(self.dtype, str | None):
            raise _setting("dtype", self.dtype, "it is the name of a float type or of a policy")
        if type(self.language) is not int or self.language < 1:
            raise _setting("language", self.language, "it is a whole number from 1")
        if self.language > LANGUAGE:
            raise fail("spec-version", None, found=self.language, known=LANGUAGE)

    @classmethod
    def parse(cls, value: object) -> LossSpec:
        """A spec from a formula, from a mapping with a `formula`, or from a spec."""
        if isinstance(value, LossSpec):
            return value
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, Mapping) or "formula" not in value:
            raise fail("spec-form", None, found=_kind(value))
        if wrong := unknown_settings(value, [f.name for f in fields(cls)]):
            raise LossError(wrong)
        return cls(**{str(key): item for key, item in value.items()})

    @classmethod
    def from_json(cls, text: str) -> LossSpec:
        """The spec that `to_json` wrote."""
        try:
            value = json.loads(text, object_pairs_hook=_no_key_twice)
        except LossError:
            raise
        except (ValueError, RecursionError) as error:
            raise fail("config-unreadable", None, kind="JSON", reason=error) from None
        return cls.parse(value)

    def to_dict(self) -> dict[str, Any]:
        """The smallest mapping that `parse` reads back; only plain values."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("formula", "params")}
        default = {f.name: f.default for f in fields(self)}
        result: dict[str, Any] = {"formula": self.formula}
        if self.params:
            result["params"] = {name: _copy(value) for name, value in self.params.items()}
        return result | {name: value for name, value in kept.items() if value != default[name]}

    def to_json(self) -> str:
        """`to_dict` as JSON; a number that JSON has no word for is written as text, which `parse` accepts."""
        return json.dumps(_finite(self.to_dict()), allow_nan=False)

    def compile(self, *, jit_compile: bool | str = "auto") -> Loss:
        """The `keras.losses.Loss`; this is where Keras is loaded."""
        from lossdsl.keras import compile

        return compile(
            self.formula,
            params=self.params,
            name=self.name,
            reduction=self.reduction,
            dtype=self.dtype,
            logits=self.logits,
            strict=self.strict,
            jit_compile=jit_compile,
        )

    def __str__(self) -> str:
        return self.formula

    def __repr__(self) -> str:
        rest = [f"{name}={value!r}" for name, value in self.to_dict().items() if name != "formula"]
        return f"lossdsl.LossSpec({', '.join([repr(self.formula), *rest])})"

    def __hash__(self) -> int:
        params = tuple(sorted((name, _frozen(value)) for name, value in self.params.items()))
        settings = self.reduction, self.name, self.dtype, self.logits, self.strict, self.language
        return hash((self.formula, params, *settings))

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema of both forms, for editors and validators."""
        number = {"type": ["number", "boolean", "string"]}
        row = {"type": "array", "items": {"type": "number"}}
        value = {"anyOf": [number, row, {"type": "array", "items": row}]}
        formula = {"type": "string", "format": "lossdsl-formula"}
        properties = {
            "formula": formula,
            "params": {"type": "object", "additionalProperties": value},
            "reduction": {"enum": [*REDUCTIONS, None]},
            "name": {"type": ["string", "null"], "pattern": f"^{_NAME.pattern}$"},
            "dtype": {"type": ["string", "null"]},
            "logits": {"enum": ["auto", True, False]},
            "strict": {"type": ["boolean", "number", "string"], "exclusiveMinimum": 0},
            "language": {"type": "integer", "minimum": 1, "maximum": LANGUAGE},
        }
        whole = {
            "type": "object",
            "properties": properties,
            "required": ["formula"],
            "additionalProperties": False,
        }
        return {"title": "LossSpec", "anyOf": [formula, whole]}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> dict[str, Any]:
        """How pydantic reads and writes a field of this type; pydantic's schemas are plain dicts."""
        return {
            "type": "function-plain",
            "function": {"type": "no-info", "function": cls.parse},
            "serialization": {"type": "function-plain", "function": cls.to_dict},
        }

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return cls.json_schema()


def unknown_settings(given: Iterable[object], known: Sequence[str], span: Span | None = None) -> Diagnostic | None:
    """What is to be said of settings of a loss where only these are known; None where it has no others."""
    names = ", ".join(repr(str(key)) for key in given if key not in known)
    return diagnostic("spec-key", span, names=names, known=", ".join(known)) if names else None


def plain(name: str, value: object, depth: int = 2) -> Any:
    """A parameter's value in plain Python; numbers may come as text (YAML reads `1e-3` so) or from NumPy."""
    tolist = getattr(value, "tolist", None)
    value = tolist() if callable(tolist) else value
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _number(name, value)
    if isinstance(value, Sequence) and not isinstance(value, bytes) and depth:
        return [plain(name, item, depth - 1) for item in value]
    raise fail("spec-value", None, name=name, found=_kind(value))


def _number(name: str, text: str) -> bool | int | float:
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    for read in (int, float):
        try:
            return read(word)
        except ValueError:
            continue
    raise fail("spec-value", None, name=name, found=f"the text {text!r}")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The mapping of a JSON object; of two equal keys Python would take the last, and say nothing."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise fail("config-unreadable", None, kind="JSON", reason=f"the key {key!r} stands there twice")
        found[key] = value
    return found


def check_logits(logits: object) -> bool | str:
    """`"auto"`, which True means as well, or False."""
    if logits is False or logits is True or logits == "auto":
        return "auto" if logits else False
    raise _setting("logits", logits, 'it is "auto", or False to use probabilities as they are')


def check_strict(strict: object) -> bool | float:
    """Whether a proof is demanded, or up to which size of undeclared data; no size at all is the same as True."""
    found = strict
    with suppress(LossError):
        found = plain("strict", strict)  # from NumPy, or text, which YAML makes of `1e6`
    if isinstance(found, bool):
        return found
    if isinstance(found, int | float | Fraction) and found > 0:
        return True if found > sys.float_info.max else float(found) or sys.float_info.min
    raise _setting("strict", strict, "it is True, False, or a size above 0")


def _setting(name: str, value: object, allowed: str) -> LossError:
    return fail("spec-setting", None, setting=name, found=repr(value), allowed=allowed)


def _kind(value: object) -> str:
    """What a value is, for a message; a mapping is named by its keys, not shown."""
    if value is None:
        return "None"
    if isinstance(value, Mapping):
        return "a mapping without `formula`"
    return f"of type {type(value).__name__}"


def _copy(value: Any) -> Any:
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
