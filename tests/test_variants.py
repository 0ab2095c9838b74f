"""What a graph may be computed as: the same numbers, by the ways that were seen, and by no others."""

from __future__ import annotations

import numpy as np
import pytest
from graph_oracle import value
from laws_rules import sides
from mpmath import mp

from lossdsl.analysis.variants import variants
from lossdsl.ir.node import Node
from lossdsl.rewrite.rules import Rule

WAYS = {
    # a constant goes to any other part of a sum
    "3 + (x + y)": ["x + (3 + y)", "y + (3 + x)"],
    "3 + (x - y)": ["x + (3 - y)"],
    "(x - y) - 3": ["x + (0 - (3 + y))"],
    "3 - (x - y)": ["(3 + y) - x"],
    "3 + ((x - y) + 2 * x)": ["(x - y) + (3 + 2 * x)", "2 * x + (x + (3 - y))"],
    # products are another matter
    "3 * (x * y)": [],
    "3 * (x / y)": [],
    # constants that meet are added up
    "3 + (x + 4)": ["7 + x", "x + 7"],
    # no common factor is taken out
    "x * y + x * exp(y)": [],
    # one quotient for several
    "x / y / exp(y)": ["x / (y * exp(y))"],
    "x / (y / exp(y))": ["x * exp(y) / y"],
    "1 / (x / y)": ["y / x"],
    "x / y / (exp(y) / x)": ["x * x / (y * exp(y))"],
}
"""Other ways than the first, which is as it was written."""


@pytest.mark.parametrize("text", WAYS)
def test_ways(text: str) -> None:
    """All of them, no others, and all give the same in exact numbers."""
    driven, node, _ = sides(Rule("way", text, text))
    found = variants(driven.elaborated.builder, node)
    wanted = [node, *(sides(Rule("way", text, other))[2] for other in WAYS[text])]
    random = np.random.default_rng(len(text))
    data = {name: random.normal(size=(1, 3)).round(2) for name in ("y_true", "y_pred")}
    with mp.workdps(40):
        numbers = [np.ravel(value(each, driven.layout, data)) for each in found]
    assert all(abs(a - b) < 1e-30 for other in numbers for a, b in zip(numbers[0], other, strict=True))
    assert all(any(same(each, way) for way in wanted) for each in found)


@pytest.mark.parametrize(("text", "other"), [(text, other) for text, others in WAYS.items() for other in others])
def test_way(text: str, other: str) -> None:
    driven, node, way = sides(Rule("way", text, other))
    assert any(same(each, way) for each in variants(driven.elaborated.builder, node))


def same(one: Node, other: Node) -> bool:
    """Whether two nodes are alike, but for the order of what commutes."""
    if one.is_const and other.is_const:
        return float(one.value) == float(other.value)
    if one.op != other.op or one.attrs != other.attrs:
        return False
    orders = [other.inputs, other.inputs[::-1]] if one.op in ("add", "multiply") else [other.inputs]
    return any(all(map(same, one.inputs, order)) for order in orders)
