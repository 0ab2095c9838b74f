"""How large a formula may be: budgets in pieces and steps, never in seconds, so that a refusal repeats.

A formula may come from a stranger's file. The defaults leave room for any loss that a person would write (a
sum of a thousand terms) and stop what only an attack or an accident would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The budgets. Each is the largest that is still allowed."""

    characters: int = 65_536
    """Length of the text, comments included; looked at before anything reads the text."""
    tokens: int = 16_384
    """Words, numbers and signs of the text."""
    nesting: int = 64
    """Brackets inside brackets, and what nests without any: `---x`, `2**2**2`, `not not x`, `else`s."""
    literal: int = 40
    """Characters of one number."""
    name: int = 120
    """Characters of one name."""
    statements: int = 512
    """Statements of a formula, of all kinds."""
    bindings: int = 256
    """Statements `name = ...` of a formula."""
    parameters: int = 64
    """Declared names other than `y_true` and `y_pred`."""
    nodes: int = 60_000
    """Nodes of the graph, its gradient and rewriting included."""
    expansion_steps: int = 40_000
    """Nodes built while functions (from a `def` or the library) are put in place of their calls."""
    rewrite_steps: int = 100_000
    """Tries of a rewriting rule at a node; what is left after them stays as it is."""
    axes: int = 8
    """Axes of the data, batch included; frameworks have no kernels for many more."""
    errors: int = 50
    """Errors said about one formula; what comes after them is not looked for."""
    tensor_bytes: int = 2 * 2**30
    """Size of the largest tensor that a loss may make; looked at before it is made."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise ValueError(f"the limit {field.name} is a whole number above zero, not {value!r:.80}")


DEFAULT = Limits()
"""The limits where nobody set others; always those of the compiler's own texts."""

_CURRENT: ContextVar[Limits] = ContextVar("lossdsl_limits", default=DEFAULT)


def current() -> Limits:
    """The limits in force here."""
    return _CURRENT.get()


@contextmanager
def limits(**changes: int) -> Iterator[Limits]:
    """Other limits within a `with` block, in this thread or task only: `with limits(nesting=100): ...`."""
    token = _CURRENT.set(replace(_CURRENT.get(), **changes))
    try:
        yield _CURRENT.get()
    finally:
        _CURRENT.reset(token)
