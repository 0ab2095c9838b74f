"""The parser's loop over Lark's tables, which builds our syntax tree as it goes.

Lark's own loop makes a tree of its own first, and takes each atom up the ladder of precedence a rule at a time: from
`atom` to `expression` in ten reductions that change nothing. Here such a climb is looked up once, by where it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lark import Token
from lark.parsers.lalr_analysis import Shift

from lossdsl.syntax.grammar import parser

END = "$END"

Placed = tuple[int, int, Any]
"""A token or what was built, with its place: start, end."""
Build = Callable[[str, list[Placed]], Placed]
"""Makes the node of a rule, by its name, from what it is made of."""


class UnexpectedTokenError(Exception):
    """No formula goes on with this token; at the end, with none of them."""

    def __init__(self, token: Token | None) -> None:
        super().__init__(token)
        self.token = token


@dataclass(frozen=True, slots=True)
class _Rule:
    origin: str
    size: int
    inlined: bool
    """Leaves its parts to the rule that it stands in."""
    single: bool
    """Leaves no node where it has but one part."""
    name: str


@dataclass(frozen=True)
class Machine:
    """Lark's tables as whole numbers: a token shifts to a state, or (below 0) reduces by a rule."""

    steps: dict[int, dict[str, int]]
    rules: list[_Rule]
    start: int
    end: int
    climbs: dict[tuple[int, int, str], int] = field(default_factory=dict)
    """Where a lone part ends up: by the state below it, its own, and the token that follows."""

    def run(self, tokens: Sequence[Token], build: Build) -> Any:
        """What the tokens make. Raises UnexpectedTokenError."""
        states, parts = [self.start], list[Any]()
        steps, climbs = self.steps, self.climbs
        for token in (*tokens, None):
            kind = END if token is None else token.type
            while (step := steps[states[-1]].get(kind)) is not None and step < 0:
                rule = self.rules[~step]
                if rule.size == 1 and rule.single:
                    key = states[-2], states[-1], kind
                    states[-1] = climbs.get(key) or self._climb(key)
                    continue
                made = _made(rule, parts[-rule.size :], build)
                del states[-rule.size :], parts[-rule.size :]
                parts.append(made)
                states.append(steps[states[-1]][rule.origin])
                if token is None and states[-1] == self.end:
                    return made[2]
            if step is None or token is None:
                raise UnexpectedTokenError(token)
            states.append(step)
            parts.append((token.start_pos, token.end_pos, token))
        raise AssertionError("the end of a formula is always an end or an error")

    def _climb(self, key: tuple[int, int, str]) -> int:
        below, state, kind = key
        while (step := self.steps[state].get(kind)) is not None and step < 0:
            rule = self.rules[~step]
            if not (rule.size == 1 and rule.single):
                break
            state = self.steps[below][rule.origin]
        self.climbs[key] = state
        return state


def _made(rule: _Rule, parts: list[Any], build: Build) -> Any:
    """What a rule leaves of its parts; a list is of a rule that was inlined."""
    flat: list[Placed] = []
    for part in parts:
        if isinstance(part, list):
            flat += part
        else:
            flat.append(part)
    if rule.inlined:
        return flat
    return flat[0] if rule.single and len(flat) == 1 else build(rule.name, flat)


@cache
def machine() -> Machine:
    """The machine of our grammar."""
    tables = parser().parse_interactive("").parser_state.parse_conf
    rules: dict[Any, int] = {}

    def step(action: Any, argument: Any) -> int:
        return argument if action is Shift else ~rules.setdefault(argument, len(rules))

    steps = {state: {kind: step(*each) for kind, each in row.items()} for state, row in tables.states.items()}
    return Machine(steps, [_rule(each) for each in rules], tables.start_state, tables.end_state)


def _rule(rule: Any) -> _Rule:
    origin = str(rule.origin.name)
    single = bool(rule.options.expand1) and not rule.alias
    return _Rule(origin, len(rule.expansion), origin.startswith("_"), single, str(rule.alias or origin))
