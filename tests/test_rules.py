"""The laws of rewriting: every rule on its own, and counter-examples rejected."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from laws_rules import (
    BETTER,
    BETTER_SLOPE,
    RULES,
    SOUND,
    WORTH_HAVING,
    broken,
    law_applies,
    law_cost,
    law_ends,
    law_error,
    law_slope,
    law_type,
    law_value,
    sides,
)

from lossdsl.checker.elaborate import Elaborator
from lossdsl.checker.scope import Scope
from lossdsl.ir.node import Node
from lossdsl.rewrite.passes import rewrite
from lossdsl.rewrite.roots import BY_ROOTS
from lossdsl.rewrite.rules import FAR, GRADIENT, LIGHTER, NOT_SOUND, PRINTED, SIMPLIFY, STABILISE, SUMS, Rule
from lossdsl.syntax.parse import parse_expression


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule(rule: Rule) -> None:
    law_value(rule)
    law_type(rule)
    law_applies(rule)
    if rule not in PRINTED:
        law_slope(rule)
    if rule in (*STABILISE, *LIGHTER, *FAR, *PRINTED):
        law_error(rule)
    if rule in (*SIMPLIFY, *GRADIENT):
        law_cost(rule)
    if rule in SIMPLIFY:
        law_ends(rule)


@pytest.mark.parametrize("rule", SUMS, ids=lambda rule: rule.name)
def test_identity(rule: Rule) -> None:
    """What takes the place of a term is that term less what cancels: in value, type and gradient."""
    core, rest = re.fullmatch(r"(.*) \+ (\(.*\))", rule.right).groups()
    whole = replace(rule, left=f"{rule.left} - {rest}", right=core)
    law_value(whole, finite=True)
    law_type(whole)
    law_slope(whole)
    law_error(whole)
    driven, left, right = sides(whole)
    made, applied = rewrite(driven.elaborated.builder, [left], (rule,))
    assert made[left] is right, f"{rule.name}: came out as {made[left]}"
    assert [(a.rule, a.before, a.after) for a in applied] == [(rule, left, right)]


@pytest.mark.parametrize("rule", NOT_SOUND, ids=lambda rule: rule.name)
def test_not_sound(rule: Rule) -> None:
    """At least one law rejects it."""
    assert broken(rule), rule.name
    assert rule.why


@pytest.mark.parametrize("rule", [r for r in RULES if r.when], ids=lambda rule: rule.name)
def test_conditions_are_needed(rule: Rule) -> None:
    laws = (*SOUND, law_error) if rule in (*STABILISE, *LIGHTER) else WORTH_HAVING
    assert not broken(rule, laws)
    assert broken(replace(rule, when=""), laws)


@pytest.mark.parametrize("rule", [r for r in RULES if re.search(r"\b[xyzv]\b", r.when)], ids=lambda rule: rule.name)
def test_conditions_are_proved(rule: Rule) -> None:
    """Of data nothing is believed, whatever is declared."""
    driven, left, _ = sides(replace(rule, when=""))
    made, applied = rewrite(driven.elaborated.builder, [left], (rule,))
    assert made[left] is left and not applied


@pytest.mark.parametrize("name", sorted({*BETTER, *BETTER_SLOPE}))
def test_exceptions_are_rules(name: str) -> None:
    assert name in {rule.name for rule in (*RULES, *SUMS, *BY_ROOTS.values())}


HARMLESS = {
    "times-exp": "y_pred * exp(sigmoid(y_true))",
    "over-exp": "y_pred / exp(sigmoid(y_true))",
    "log-ratio": "log((2 + square(y_pred)) / sigmoid(y_true))",
}
"""Left sides of which the condition against it can be proved."""


@pytest.mark.parametrize("rule", [r for r in RULES if r.unless], ids=lambda rule: rule.name)
def test_what_is_harmless_is_left_alone(rule: Rule) -> None:
    """Where ranges prove that there is nothing to gain, the cheaper left side stays."""
    driven, _, _ = sides(rule)
    builder = driven.elaborated.builder
    inputs = {str(n.attr("name")): n for n in builder.graph.nodes if n.op == "input"}
    left = HARMLESS[rule.name]
    elaborator = Elaborator(builder, uses={}, epsilon=0.0)
    node = elaborator.expression(parse_expression(left), Scope(values={**inputs}, internal=True))
    assert isinstance(node, Node)
    made, applied = rewrite(builder, [node], (rule,))
    assert made[node] is node and not applied
    _, applied = rewrite(builder, [node], (replace(rule, unless=""),))
    assert [each.rule.name for each in applied] == [rule.name]


def test_names_are_told_apart() -> None:
    every = [rule.name for rule in (*RULES, *NOT_SOUND)]
    assert len(set(every)) == len(every)
