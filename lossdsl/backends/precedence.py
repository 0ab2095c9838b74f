"""How tightly Python's operators bind, for printing generated code with no more parentheses than it needs."""

from __future__ import annotations

INFIX = {
    "add": ("+", 4),
    "subtract": ("-", 4),
    "multiply": ("*", 5),
    "divide": ("/", 5),
    "negative": ("-", 6),
    "power": ("**", 7),
}
"""Operations printed as operators: the sign, and how tightly it binds."""
ATOM = 9


def join(name: str, operands: list[tuple[str, int]]) -> tuple[str, int]:
    """The text of an operator over operands (text, binding), and how tightly it binds."""
    sign, level = INFIX[name]
    if name == "negative":
        return f"-{_wrap(operands[0], level)}", level
    left, right = operands
    if name == "power":
        return f"{_wrap(left, level + 1)} ** {_wrap(right, level - 1)}", level
    # `a - (b - c)` and `a + (b + c)`: floats are not associative, so the grouping is kept
    return f"{_wrap(left, level)} {sign} {_wrap(right, level + 1)}", level


def _wrap(operand: tuple[str, int], level: int) -> str:
    text, binding = operand
    return text if binding >= level else f"({text})"
