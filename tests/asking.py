"""How the tests of meaning ask: the value of a formula, the codes of its errors, its terms, its signature."""

from __future__ import annotations

from typing import Any

import numpy as np

import lossdsl
from lossdsl.checked import analyse
from lossdsl.errors import LossError

value = lossdsl.evaluate


def data(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers between -2 and 2 that are all different."""
    return np.random.default_rng(seed).uniform(-2, 2, shape)


def probs(*shape: int, seed: int = 0) -> np.ndarray:
    """Probabilities along the last axis."""
    powers = np.exp(data(*shape, seed=seed))
    return powers / powers.sum(-1, keepdims=True)


def refusal(
    text: str, true: tuple[int, ...] | None = None, pred: tuple[int, ...] | None = None, **params: object
) -> LossError:
    """The error of a formula, alone or with data of these shapes."""
    try:
        checked = analyse(text, params)
        if true is not None:
            checked.program(true, true if pred is None else pred)
    except LossError as error:
        return error
    raise AssertionError(f"nothing is wrong with {text!r}")


def codes(
    text: str, true: tuple[int, ...] | None = None, pred: tuple[int, ...] | None = None, **params: object
) -> list[str]:
    """The codes of what is wrong, in order."""
    return [diagnostic.code for diagnostic in refusal(text, true, pred, **params).diagnostics]


def terms(
    text: str, true: tuple[int, ...], pred: tuple[int, ...] | None = None, **params: Any
) -> list[tuple[str, int]]:
    """Of each term its kind, and the highest rank of weights that it takes."""
    program = analyse(text, params).program(true, true if pred is None else pred)
    return [(term.kind, term.rank) for term in program.terms]


def signature(text: str, **params: object) -> str:
    """The inferred signature, on one line."""
    return str(analyse(text, params).signature).replace("\n", "; ")


def couples(text: str) -> str:
    return analyse(text).couples


def warned(text: str) -> list[str]:
    return [diagnostic.code for diagnostic in analyse(text).warnings]
