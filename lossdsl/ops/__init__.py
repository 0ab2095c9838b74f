"""The operation table: the functions of the language, the internal ones, the operators, other spellings."""

from __future__ import annotations

from collections.abc import Iterable

from lossdsl.ops import (
    activation,
    alignment,
    along,
    arithmetic,
    comparison,
    elementwise,
    gamma,
    index,
    internal,
    near,
    order,
    places,
    reduction,
    shares,
    signal,
    special,
    squares,
    stable,
    tails,
    trigonometry,
)
from lossdsl.ops.op import Op

_MODULES = (
    arithmetic,
    comparison,
    elementwise,
    trigonometry,
    activation,
    special,
    reduction,
    along,
    order,
    index,
    signal,
    alignment,
)


def _named(rows: Iterable[Op]) -> dict[str, Op]:
    table: dict[str, Op] = {}
    for op in rows:
        if op.name in table:
            raise AssertionError(f"two rows are called {op.name}")
        table[op.name] = op
    return table


OPS: dict[str, Op] = _named(op for module in _MODULES for op in module.ROWS)
"""The functions that a formula can call."""

INTERNAL: dict[str, Op] = _named(
    (
        *internal.ROWS,
        *places.ROWS,
        *special.INTERNAL_ROWS,
        *signal.INTERNAL_ROWS,
        *alignment.INTERNAL_ROWS,
        *stable.ROWS,
        *near.ROWS,
        *squares.ROWS,
        *gamma.ROWS,
        *shares.ROWS,
        *tails.ROWS,
    )
)
"""Those that only the table's own texts and the compiler can."""

OPERATORS: dict[str, str] = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "**": "power",
    "unary-": "negative",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
    "and": "logical_and",
    "or": "logical_or",
    "not": "logical_not",
    "if-else": "where",
}
"""The row of each operator. `unary+` has none: it is its operand."""

_SIGNS = {name: sign.removeprefix("unary") for sign, name in OPERATORS.items() if sign != "if-else"}


def row(name: str) -> Op:
    """The row of an operation, internal ones included; KeyError where there is none."""
    return OPS[name] if name in OPS else INTERNAL[name]


def spelled(name: str) -> str:
    """How a formula usually writes an operation: by its sign, where it has one."""
    return _SIGNS.get(name, name)


ALIASES: dict[str, str] = {
    "absolute": "abs",
    "acos": "arccos",
    "amax": "max",
    "amin": "min",
    "asin": "arcsin",
    "atan": "arctan",
    "atan2": "arctan2",
    "ceiling": "ceil",
    "clamp": "clip",
    "clip_by_value": "clip",
    "expit": "sigmoid",
    "fabs": "abs",
    "fmax": "maximum",
    "fmin": "minimum",
    "gammaln": "lgamma",
    "gather": "take",
    "ifelse": "where",
    "ln": "log",
    "logsigmoid": "log_sigmoid",
    "log_sum_exp": "logsumexp",
    "l2_normalize": "normalize",
    "neg": "negative",
    "onehot": "one_hot",
    "pow": "power",
    "product": "prod",
    "psi": "digamma",
    "reduce_logsumexp": "logsumexp",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_std": "std",
    "reduce_sum": "sum",
    "reduce_variance": "var",
    "sgn": "sign",
    "sqr": "square",
    "stdev": "std",
    "swish": "silu",
    "topk": "top_k",
    "variance": "var",
}
"""Other people's spellings of functions, for suggestions."""
