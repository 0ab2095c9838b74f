"""From text to tokens, with the budgets: what is refused here never reaches the parser."""

from __future__ import annotations

import re

from lark import Token
from lark.exceptions import UnexpectedCharacters

from lossdsl.budgets import Limits
from lossdsl.errors import LossError, diagnostic, fail
from lossdsl.source import Source, Span
from lossdsl.syntax.characters import check_characters, stray_character
from lossdsl.syntax.grammar import parser
from lossdsl.syntax.newlines import (
    CLOSERS,
    NEWLINE,
    OPENERS,
    OPERAND_ENDS,
    SEMICOLON,
    SIGNS,
    end_statements,
    span_of_token,
)
from lossdsl.syntax.numbers import misspelt_number

PARTNERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
CHAINS = {"POWER": 0, "NOT": 1, "ELSE": 2}
"""Operators that may stand on their own right side, by how loosely they bind; signs are as `POWER`."""
BREAKS = {
    **dict.fromkeys(("PLUS", "MINUS", "STAR", "SLASH", "LT", "LE", "EQ", "NE", "GE", "GT"), 1),
    **dict.fromkeys(("AND", "OR", "IF", "ELSE"), 2),
    **dict.fromkeys(("COMMA", "COLON", "ASSIGN", "_NEWLINE", "_SEMICOLON"), 3),
}
"""How many of the chains an operator ends: those that bind tighter than it does."""


def read_tokens(source: Source, budget: Limits) -> list[Token]:
    """The tokens of a formula: line ends sorted out, brackets in balance, size within the budget."""
    if len(source.text) > budget.characters:
        where = Span(source, budget.characters, budget.characters + 1)
        raise fail("too-long", where, limit=budget.characters, size=len(source.text))
    check_characters(source)
    tokens = end_statements(_lex(source, budget), source)
    _check_nesting(tokens, source, budget)
    if not tokens:
        raise fail("empty", Span(source, 0, min(1, len(source.text))))
    return tokens


def _lex(source: Source, budget: Limits) -> list[Token]:
    state = parser().parse_interactive(source.text)
    tokens: list[Token] = []
    last = Token("", "")
    try:
        for token in state.lexer_thread.lex(state.parser_state):  # type: ignore[no-untyped-call]
            if token.type in ("NUMBER", "NAME"):
                _check_word(last, token, source, budget)
            tokens.append(token)
            if len(tokens) > budget.tokens:
                raise fail("too-many-tokens", span_of_token(token, source), limit=budget.tokens)
            last = token
    except UnexpectedCharacters as error:
        raise stray_character(source, error.pos_in_stream or 0, tokens) from None
    return tokens if any(token.type not in (NEWLINE, SEMICOLON) for token in tokens) else []


_ADJACENT = re.compile(r"[A-Za-z0-9_.]*")


def _check_word(last: Token, token: Token, source: Source, budget: Limits) -> None:
    """A number or a name may not begin where a number ends: `2x`, `1_000`, `1..2`."""
    start = token.start_pos or 0
    if last.end_pos == start and last.type in ("NAME", "NUMBER") and "NUMBER" in (last.type, token.type):
        begin = last.start_pos or 0
        found = _ADJACENT.match(source.text, begin)
        raise misspelt_number(Span(source, begin, found.end() if found else start))
    limit = budget.literal if token.type == "NUMBER" else budget.name
    if len(token) > limit:
        code = "long-number" if token.type == "NUMBER" else "long-name"
        raise fail(code, span_of_token(token, source), limit=limit, size=len(token))


def _check_nesting(tokens: list[Token], source: Source, budget: Limits) -> None:
    """Count what the parser would have to remember: open brackets, and in each the operators that wait."""
    opened: list[tuple[Token, bool]] = []
    chains = [[0, 0, 0]]
    depth = 0
    before = ""
    for token in tokens:
        kind = token.type
        if kind in OPENERS:
            opened.append((token, before == "IN"))
            chains.append([0, 0, 0])
            depth += 1
        elif kind in CLOSERS:
            _close(opened, token, source)
            depth -= 1 + sum(chains.pop())
        else:
            unary = kind in SIGNS and before not in OPERAND_ENDS
            ended = 0 if unary else BREAKS.get(kind, 0)
            if ended:
                depth -= sum(chains[-1][:ended])
                chains[-1][:ended] = [0] * ended
            chain = 0 if unary else CHAINS.get(kind)
            if chain is not None:
                chains[-1][chain] += 1
                depth += 1
        if depth > budget.nesting:
            raise fail("too-deep", span_of_token(token, source), limit=budget.nesting)
        before = kind
    if opened:
        bracket = opened[-1][0]
        raise fail("unclosed-bracket", span_of_token(bracket, source), bracket=bracket)


def _close(opened: list[tuple[Token, bool]], closing: Token, source: Source) -> None:
    """Take off the bracket that is closed. That of a range, which is half-open at will, needs no partner."""
    place = span_of_token(closing, source)
    if not opened:
        raise fail("extra-bracket", place, bracket=closing)
    opening, of_range = opened.pop()
    if PARTNERS[opening.type] != closing.type and not of_range:
        labels = [(span_of_token(opening, source), "opened here"), (place, "closed here")]
        raise LossError(diagnostic("mismatched-bracket", place, labels=labels, opening=opening, closing=closing))
