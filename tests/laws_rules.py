"""What a rule of rewriting owes: one function per law, each raising AssertionError where a rule breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from graph_oracle import Driven
from mpmath import mp
from oracle import evaluate, floats

from lossdsl.backends import reference
from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.scope import Scope, SettledAxes
from lossdsl.gradient import upstream, vjp
from lossdsl.ir.node import Node
from lossdsl.rewrite.passes import cost, rewrite
from lossdsl.rewrite.rules import FAR, GRADIENT, LIGHTER, PRINTED, SIMPLIFY, STABILISE, Rule
from lossdsl.syntax.parse import parse_expression

RULES = (*STABILISE, *LIGHTER, *FAR, *SIMPLIFY, *GRADIENT, *PRINTED)
HARD = (0.0, 1.0, -1.0, 0.5, -0.5, -0.49999, 2.0, -3.0, 1e-9, -1e-9, 1e-20, 30.0, -30.0, 200.0, -200.0, 700.0, -700.0)
ENDS = (float("inf"), float("-inf"))
CONSTANTS = (0.5, -2.0, 3.0)
ROWS = (
    [1.0, 2.0, -3.0],
    [0.0, 0.0, 0.0],
    [1e-9, 5e-9, 0.0],
    [300.0, -300.0, 299.0],
    [0.2, 0.2, -1.5],
    [0.5, 40.0, 2.0],
)
DIGITS = 800
BETTER = {
    "xlogy": "0 * log(0) is NaN; the limit, and what everybody means, is 0",
    "xlog1py": "0 * log1p(-1) is NaN; as for xlogy",
    "xlog-ratio": "0 * log(0 / 1) is NaN; as for xlogy",
    "deviance-of-logs": "0 * (log(0) - log(1)) is NaN; as for xlogy",
    "difference-rest": "the quotient of two negative numbers has a logarithm",
    "difference-rest-turned": "as difference-rest",
    "common-factor": "an infinite factor of two values, one of them 0, is infinite as a factor of their sum",
    "common-factor-less": "as common-factor",
    "common-factor-of-number": "as common-factor",
    "weight-of-odds": "as common-factor",
    "choice-of-factor": "what was not chosen and is infinite no longer makes a NaN",
    "choice-of-no-factor": "as choice-of-factor",
    "common-divisor": "1 / 0 - 2 / 0 is NaN, as is no sum of infinities of two signs",
    "common-divisor-less": "as common-divisor",
    "inverse-times": "1 / x overflows where y / x need not",
    "xdivy-times": "x / y * y is x also where y is 0 or infinite",
    "direction": "0 / 0 is NaN; a vector of length 0 has no direction, which `normalize` gives as 0",
    "direction-by-inverse": "as for direction",
    "cosine": "as for direction",
    "minus-cosine": "as for direction",
}
"""Rules whose right side is defined where the left is not."""
ROUNDED = {
    "log-cosh-by-softplus": "log(2) is a rounded constant on the left",
    **dict.fromkeys(
        ("log-normal-cdf", "log-normal-tail", "log-half-normal-cdf", "log-half-normal-tail"),
        "sqrt(2) is a rounded constant on the left",
    ),
}
BETTER_SLOPE = {
    "xdivy-times": "x itself, with the derivative 1 also where y is 0",
    "xlogy-ratio": "the derivative where all are 0 is 0, as for xlogy; the left has 0 / 0 there",
    "abs-times-sign": "x itself, with the derivative 1 at 0; the left has 0 there",
    "root-of-square": "|x|, with the derivative 0 at 0; the left has 0 / 0 there",
    "root-of-squares": "as root-of-square",
    "norm-by-hand": "the derivative at 0 is 0, as the row of `norm` says; the left has 0 / 0 there",
    "root-mean-square": "the derivative at 0 is 0, as for `norm`; the left has 0 / 0 there",
    "bernoulli-by-hand": "there is no kink at 0; the left has two, of which it takes one side each",
    "bernoulli-by-maximum": "as bernoulli-by-hand",
    "log-beta": "the difference of two functions that are large, which the left rounds away",
    "log-dirichlet": "as log-beta",
    "gamma-entropy": "as log-beta",
    "gamma-entropy-of-exp": "as log-beta",
    "root-of-variance": "the derivative of equal entries is 0, as the row of `std` says; the left has 0 / 0 there",
}
"""Rules whose derivative is the better one at some point; and why."""


def names(rule: Rule) -> set[str]:
    return set(re.findall(r"\b[xyzvwckp]\b", f"{rule.left} {rule.right} {rule.when}"))


def points(rule: Rule, ends: bool) -> list[dict[str, Any]]:
    """What the names stand for: hard points in all combinations, or rows of three along an axis."""
    wanted = sorted(names(rule) - {"c", "k", "p"})
    if "axis" in rule.left:
        some = {"p": np.array([[True, False, True]])} if "p" in names(rule) else {}
        lines = [dict(zip(wanted, rows, strict=True)) for rows in product(ROWS, repeat=len(wanted))]
        numbers = [{"c": c} for c in CONSTANTS] if "c" in names(rule) else [{}]
        return [
            {**{name: np.array([row]) for name, row in line.items()}, "axis": 1, **some, **number}
            for line, number in product(lines, numbers)
        ]
    numbers: Any = (
        (*HARD, *(ENDS if ends else ()))
        if len(wanted) == 1
        else (0.0, 1.0, -1.0, 0.5, -3.0, 1e-9, 200.0, *(ENDS if ends else ()))
    )
    if "erf(" in rule.left:  # beyond, it differs from 1 by less than the oracle sees
        numbers = [v for v in numbers if abs(v) <= 30]
    choices: list[Any] = [numbers for _ in wanted]
    keys = list(wanted)
    for name, values in (("c", CONSTANTS), ("k", CONSTANTS), ("p", (True, False))):
        if name in names(rule):
            keys.append(name)
            choices.append(values)
    return [dict(zip(keys, found, strict=True)) for found in product(*choices)]


def holds(rule: Rule, point: dict[str, Any]) -> bool:
    return not rule.when or bool(np.all(evaluate(rule.when, point, DIGITS)))


# -- laws of values


def law_value(rule: Rule, finite: bool = False) -> None:
    """Equal wherever the left is defined, and defined just where the left is; infinite data included.

    Of `finite` ones only where the left is a number.
    """
    count = 0
    for point in points(rule, ends=not finite and rule not in (*STABILISE, *LIGHTER, *PRINTED)):
        if not holds(rule, point):
            continue
        left, right = (np.ravel(evaluate(side, point, DIGITS)) for side in (rule.left, rule.right))
        for a, b in zip(left, right, strict=True):
            if isinstance(a, bool) or mp.isnan(a):
                none = mp.isnan(b) or (finite and mp.isinf(b))
                assert rule.name in BETTER or isinstance(a, bool) or none, f"{rule.name}: undefined at {point}"
                continue
            if finite and not mp.isfinite(a):
                continue
            count += 1
            least, share = (mp.mpf("1e-16"), 1e-12) if rule.name in ROUNDED else (mp.mpf("1e-300"), 1e-14)
            same = a == b if not mp.isfinite(a) else abs(a - b) <= abs(a) * share + least
            assert same, f"{rule.name}: {mp.nstr(a, 20)} became {mp.nstr(b, 20)} at {point}"
    assert count, f"{rule.name}: never defined"


def law_error(rule: Rule) -> None:
    """In floats the right is as near to the truth as the left, or within a few units of the last place."""
    for point in points(rule, ends=False):
        if not holds(rule, point):
            continue
        truth = np.ravel(evaluate(rule.left, point, DIGITS))
        sides = [np.ravel(floats(side, point)).astype(float) for side in (rule.left, rule.right)]
        for exact, before, after in zip(truth, *sides, strict=True):
            if isinstance(exact, bool) or not mp.isfinite(exact):
                continue
            errors = [float(abs(mp.mpf(float(x)) - exact)) if np.isfinite(x) else np.inf for x in (before, after)]
            allowed = max(errors[0], 8 * 2.2e-16 * float(abs(exact)), 1e-307)
            assert errors[1] <= allowed or abs(exact) > 1e300, (
                f"{rule.name}: off by {errors[1]:.1e} instead of {errors[0]:.1e} at {point}"
            )


def law_ends(rule: Rule) -> None:
    """In floats, infinite data give on the right what they give on the left."""
    for point in points(rule, ends=True):
        if "axis" not in point and holds(rule, point):
            left, right = (floats(side, point) for side in (rule.left, rule.right))
            np.testing.assert_array_equal(np.isnan(right), np.isnan(left), err_msg=f"{rule.name}: {point}")


# -- laws of graphs

PROVED = {
    "x >= 0": "square(y_pred)",
    "x > 0": "(1 + exp(y_pred))",
    "x > c": "(1 + exp(y_pred))",
    "x < c": "(-exp(y_pred))",
    "x >= 0 and c >= 0.25 and c <= 4": "square(y_pred)",
    "x > 0 or y >= 0": "(1 + exp(y_pred))",
    "x > 0 and (y > 0 or z >= 0)": "(1 + exp(y_pred))",
}
"""Something of `y_pred` of which the condition of a rule can be proved."""
DECIDED = {"p": "square(y_pred) >= 0", "not p": "square(y_pred) < 0"}
"""The same, of conditions themselves."""


@cache
def sides(rule: Rule) -> tuple[Driven, Node, Node]:
    """The two sides as graphs over one builder: x is y_pred, y is y_true."""
    whole = "axis" in rule.left
    driven = Driven("y_pred + y_true", np.zeros((1, 3)), np.zeros((1, 3)), best=False)
    builder = driven.elaborated.builder
    inputs = {str(n.attr("name")): n for n in builder.graph.nodes if n.op == "input"}

    def build(text: str, **values: Any) -> Node:
        elaborator = Elaborator(builder, uses={}, epsilon=0.0)
        found = elaborator.expression(parse_expression(text), Scope(values={**inputs, **values}, internal=True))
        assert not elaborator.diagnostics and isinstance(found, Node), elaborator.diagnostics
        return found

    env: dict[str, Any] = {"x": build(PROVED.get(rule.when, "y_pred"))}
    env |= {
        "y": build("sigmoid(y_true)" if "y <= 1" in rule.when else "y_true"),
        "z": build("square(y_pred)" if "z >= 0" in rule.when else "0.5 * y_pred"),
        "v": inputs["y_pred"],
        "w": inputs["y_true"],
        "p": build(DECIDED.get(rule.when, "y_true > 0.3")),
        "c": build("0.5"),
        "k": build("3.0"),
    }
    if whole:
        env["axis"] = SettledAxes((inputs["y_pred"].type.axes[-1].id,))
    return driven, build(rule.left, **env), build(rule.right, **env)


def law_type(rule: Rule) -> None:
    _, left, right = sides(rule)
    assert left.type.dtype is right.type.dtype, f"{rule.name}: {left.type.show()} became {right.type.show()}"
    assert {a.id for a in left.type.full} == {a.id for a in right.type.full}


def law_applies(rule: Rule) -> None:
    """The rule finds its own left side, says so, and is then done."""
    driven, left, right = sides(rule)
    made, applied = rewrite(driven.elaborated.builder, [left], (rule,))
    assert made[left] is right, f"{rule.name}: came out as {made[left]}"
    assert [(a.rule, a.before, a.after) for a in applied] == [(rule, left, right)]
    again, more = rewrite(driven.elaborated.builder, [right], (rule,))
    assert again[right] is right and not more, f"{rule.name}: goes on for ever"


def law_cost(rule: Rule) -> None:
    """Less work; what is there for the sake of accuracy may cost more."""
    _, left, right = sides(rule)
    assert cost([right]) < cost([left]), f"{rule.name}: {cost([left])} became {cost([right])}"


def law_slope(rule: Rule) -> None:
    """Both sides have one gradient, by both arguments, kinks included."""
    driven, left, right = sides(rule)
    builder = driven.elaborated.builder
    for name in ("y_pred", "y_true"):
        found = [vjp(builder, [side], [upstream(builder, left, "upstream")], name) for side in (left, right)]
        for row, other in product(ROWS, (*ROWS, [0.5, -2.0, 1.0])):
            data = {"y_pred": np.array([row]), "y_true": np.array([other])}
            data["upstream"] = np.ones_like(reference.evaluate(left, driven.layout, data))
            before, after = (reference.evaluate(x, driven.layout, data).ravel() for x in found)
            numbers = np.abs([*row, *other])
            # a derivative by small numbers may be large, and is rounded
            atol = 1e-9 + 1e-15 / np.min(numbers[numbers > 0], initial=1.0)
            close = np.isclose(after, before, rtol=1e-7, atol=atol) | (np.isnan(before) & np.isnan(after))
            value = reference.evaluate(left, driven.layout, data)
            assert close.all() or rule.name in BETTER_SLOPE or not np.isfinite(value).all(), (
                f"{rule.name}: by {name} {before} became {after} at {data}"
            )


SOUND = (law_value, law_slope)
WORTH_HAVING = (*SOUND, law_ends, law_cost)


def broken(rule: Rule, laws: Sequence[Callable[[Rule], None]] = WORTH_HAVING) -> list[str]:
    """What the laws that make a rule sound, or worth having, say against it."""
    said = []
    for law in laws:
        try:
            law(rule)
        except AssertionError as error:
            said.append(f"{law.__name__}: {error}")
    return said
