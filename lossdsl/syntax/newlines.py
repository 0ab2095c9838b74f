"""Which line ends end a statement: the one part of the syntax that a context-free grammar can't say.

A line end is taken out where it cannot end a statement: inside brackets, after an operator, and before a
line whose first token cannot begin a statement. The one case that would silently mean something else than it
shows, a line that begins with a sign and is indented deeper than its statement, is an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from lark import Token

from lossdsl.errors import fail
from lossdsl.source import Source, Span

NEWLINE = "_NEWLINE"
SEMICOLON = "_SEMICOLON"
OPENERS = frozenset({"LPAR", "LSQB", "LBRACE"})
CLOSERS = frozenset({"RPAR", "RSQB", "RBRACE"})
OPERAND_ENDS = CLOSERS | {"NAME", "NUMBER", "TRUE", "FALSE", "ELLIPSIS"}
"""The tokens after which a statement may end; after any other (an operator, a comma) it goes on."""
SIGNS = frozenset({"PLUS", "MINUS"})
BEGINNERS = SIGNS | {"NAME", "NUMBER", "TRUE", "FALSE", "LPAR", "LSQB", "NOT", "DEF", "TERM"}
"""The tokens with which a statement may begin."""
TAB = 8


def span_of_token(token: Token, source: Source) -> Span:
    """The place of a token."""
    return Span(source, token.start_pos or 0, token.end_pos or 0)


def end_statements(tokens: Sequence[Token], source: Source) -> list[Token]:
    """The tokens without the line ends that end no statement."""
    if not any(token.type == NEWLINE for token in tokens):
        return list(tokens)
    ends = _ends(tokens)
    indent = _first_indent(tokens[0], source)
    for i in ends:
        sign = tokens[i + 1]
        if sign.type in SIGNS and tokens[i - 1].type != SEMICOLON and _indent(tokens[i]) > indent:
            raise fail("indented-sign", span_of_token(sign, source), sign=sign)
        indent = _indent(tokens[i])
    kept = set(ends)
    return [token for i, token in enumerate(tokens) if token.type != NEWLINE or i in kept]


def _ends(tokens: Sequence[Token]) -> list[int]:
    """Where the line ends stand that end a statement.

    One counter serves all brackets: a stack would come to grief over the range `[0, inf)`.
    """
    ends = []
    depth = 0
    for i, token in enumerate(tokens):
        if token.type in OPENERS:
            depth += 1
        elif token.type in CLOSERS:
            depth = max(0, depth - 1)
        elif token.type == NEWLINE and depth == 0 and 0 < i < len(tokens) - 1:
            before, after = tokens[i - 1].type, tokens[i + 1].type
            if (before in OPERAND_ENDS or before == SEMICOLON) and after in BEGINNERS:
                ends.append(i)
    return ends


def _indent(newline: Token) -> int:
    """How far the line after a line end is indented."""
    return len(newline[newline.rfind("\n") + 1 :].expandtabs(TAB))


def _first_indent(first: Token, source: Source) -> int:
    """The indentation of the first statement.

    On the first line of a triple-quoted string nothing shows it, and it counts as none: then a sign on the line
    below is an error where it might have been meant as the loss, never the loss where it wasn't.
    """
    if first.type == NEWLINE:
        return _indent(first)
    return len(source.text[: first.start_pos].expandtabs(TAB))
