"""What to say where the parser stops: each mistake is known by the tokens around the place.

The recognisers are tried in order, the particular before the general; each looks at the token that did not
fit, its neighbours, its statement and the bracket around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lark import Token

from lossdsl.errors import LossError, fail
from lossdsl.source import Source, Span
from lossdsl.syntax.newlines import BEGINNERS, CLOSERS, NEWLINE, OPENERS, OPERAND_ENDS, SEMICOLON, SIGNS

ENDS = frozenset({NEWLINE, SEMICOLON})
WORDS = frozenset({"AND", "OR", "NOT", "IF", "ELSE", "IN", "DEF", "TERM", "TRUE", "FALSE"})
ARITHMETIC = SIGNS | {"STAR", "SLASH", "POWER"}
COMPARISONS = frozenset({"LT", "LE", "EQ", "NE", "GE", "GT"})
OPERATORS = ARITHMETIC | COMPARISONS | {"AND", "OR", "NOT", "IF", "ELSE", "ASSIGN"}
VALUES = BEGINNERS - SIGNS - {"DEF", "TERM"}
PYTHON = frozenset(
    ("import", "from", "for", "while", "return", "class", "print", "with", "try", "raise", "del", "assert")
)
NOTHING = Token("", "")


def _types(tokens: Sequence[Token]) -> list[str]:
    return [token.type for token in tokens]


@dataclass(frozen=True)
class Situation:
    """The place where the parser stopped: `index` is that of the token that did not fit."""

    source: Source
    tokens: Sequence[Token]
    index: int

    def token(self, offset: int) -> Token:
        """The token so far from the one that did not fit; a blank one outside the text."""
        at = self.index + offset
        return self.tokens[at] if 0 <= at < len(self.tokens) else NOTHING

    @cached_property
    def at(self) -> Token:
        """The token that did not fit."""
        return self.token(0)

    @cached_property
    def before(self) -> Token:
        """The token before it, unless that belongs to the last statement."""
        return NOTHING if self.token(-1).type in ENDS else self.token(-1)

    @cached_property
    def statement(self) -> Sequence[Token]:
        """The tokens of its statement that stand before it."""
        start = self.index
        while start > 0 and self.tokens[start - 1].type not in ENDS:
            start -= 1
        return self.tokens[start : self.index]

    @cached_property
    def openers(self) -> list[Token]:
        """The brackets around it, the innermost last."""
        opened: list[Token] = []
        for token in self.statement:
            if token.type in OPENERS:
                opened.append(token)
            elif token.type in CLOSERS and opened:
                opened.pop()
        return opened

    @cached_property
    def levels(self) -> list[list[Token]]:
        """For each bracket around it (and none, first) the tokens there since the last comma."""
        levels: list[list[Token]] = [[]]
        for token in self.statement:
            if token.type in OPENERS:
                levels.append([])
            elif token.type in CLOSERS and len(levels) > 1:
                levels.pop()
            elif token.type == "COMMA":
                levels[-1].clear()
            else:
                levels[-1].append(token)
        return levels

    @cached_property
    def kinds(self) -> list[str]:
        """The types of the tokens of its statement that stand before it."""
        return _types(self.statement)

    @property
    def declares(self) -> bool:
        """Whether its statement is a declaration."""
        return self.kinds[:2] == ["NAME", "COLON"]

    @property
    def finished(self) -> bool:
        """Whether the statement could have ended before it."""
        return self.before.type in OPERAND_ENDS and not self.openers

    @property
    def over(self) -> bool:
        """Whether it ends a statement, or is the end of the text."""
        return not self.at.type or self.at.type in ENDS

    def glued(self, first: str, second: str) -> tuple[Token, Token] | None:
        """Two tokens of these types side by side without a space, where one is that which did not fit."""
        for a, b in ((self.before, self.at), (self.at, self.token(1))):
            if a.type == first and b.type == second and a.end_pos == b.start_pos:
                return a, b
        return None

    def span(self, first: Token | None = None, last: Token | None = None) -> Span:
        """The place of a token or of a stretch of them; at the end of the text, what follows it."""
        first = first or self.at
        if not first.type or first.type in ENDS:
            stop = self.token(-1).end_pos or 0
            return Span(self.source, stop, stop + 1)
        return Span(self.source, first.start_pos or 0, (last or first).end_pos or 0)

    def fail(self, code: str, first: Token | None = None, last: Token | None = None, **pieces: object) -> LossError:
        """The error of that name at a token or a stretch of them, or at the token that did not fit."""
        return fail(code, self.span(first, last), **{"text": self.at, **pieces})


def explain(source: Source, tokens: Sequence[Token], wrong: Token | None) -> LossError:
    """The error for a token at which the parser stopped; None is the end of the text."""
    index = next((i for i, token in enumerate(tokens) if token is wrong), len(tokens))
    here = Situation(source, tokens, index)
    for recogniser in _RECOGNISERS:
        found = recogniser(here)
        if found is not None:
            return found
    return here.fail("unexpected", text="the end" if here.over else here.at)


# ---- Words and signs of other languages


def _python(here: Situation) -> LossError | None:
    first = here.statement[0] if here.statement else NOTHING
    if here.before == "lambda" or (here.declares and first == "lambda"):
        return here.fail("lambda", here.before if here.before == "lambda" else first)
    if len(here.statement) == 1 and first in PYTHON and here.at.type in VALUES | {"COLON"}:
        return here.fail("python-statement", first, text=first)
    if here.at in ("for", "async") and here.openers:
        return here.fail("comprehension")
    if here.at == "is" and here.before.type in OPERAND_ENDS:
        return here.fail("identity")
    return None


def _signs(here: Situation) -> LossError | None:
    for code, first, second in (
        ("walrus", "COLON", "ASSIGN"),
        ("floor-division", "SLASH", "SLASH"),
        *(("augmented", sign, "ASSIGN") for sign in ARITHMETIC),
    ):
        pair = here.glued(first, second)
        if pair:
            return here.fail(code, *pair, sign=pair[0])
    for first, second, right in (
        ("ASSIGN", "GT", ">="), ("ASSIGN", "LT", "<="), ("LT", "GT", "!="), ("EQ", "ASSIGN", "=="),
        ("NE", "ASSIGN", "!="), ("ASSIGN", "EQ", "=="),
    ):  # fmt: skip
        pair = here.glued(first, second)
        if pair:
            return here.fail("comparison-sign", *pair, sign="".join(pair), right=right)
    return None


def _reserved(here: Situation) -> LossError | None:
    following = here.token(1).type
    named = following == "ASSIGN" or (following == "COLON" and not here.statement)
    if here.at.type in WORDS and (named or here.before.type in ("DEF", "TERM")):
        return here.fail("reserved-word", word=here.at)
    if here.at.type in ("DEF", "TERM") and here.statement and here.before.type not in OPERAND_ENDS:
        return here.fail("reserved-word", word=here.at)
    if here.at.type in ("ASSIGN", "COLON") and len(here.kinds) == 1 and here.before.type in WORDS:
        return here.fail("reserved-word", here.before, word=here.before)
    return None


# ---- Brackets


def _brackets(here: Situation) -> LossError | None:
    opener = here.openers[-1] if here.openers else None
    if here.at.type == "LBRACE" and not here.declares:
        return here.fail("braces")
    if opener is None or (here.declares and "IN" in here.kinds):
        return None
    if here.at.type == SEMICOLON:
        return here.fail("unclosed-bracket", opener, bracket=opener)
    if here.at.type in CLOSERS and here.before is opener:
        return here.fail("empty-brackets", opener, here.at)
    return None


# ---- Statements


def _two_statements(here: Situation) -> LossError | None:
    if not here.finished or here.at.type not in VALUES | {"DEF", "TERM"}:
        return None
    if here.at.type == "LPAR" and here.kinds == ["NAME", "COLON", "NAME"]:
        return here.fail("declaration-form")
    named = here.at.type == "NAME" and here.token(1).type in ("ASSIGN", "COLON")
    if named or here.at.type in ("DEF", "TERM") or "ASSIGN" in here.kinds or here.declares:
        return here.fail("two-statements")
    return None


def _declaration(here: Situation) -> LossError | None:
    if not here.declares:
        return None
    if len(here.statement) == 2:
        return here.fail("declaration-type")
    if "IN" in here.kinds:
        return here.fail("default-order" if here.at.type == "ASSIGN" and here.finished else "range-form")
    if "ASSIGN" in here.kinds:
        return here.fail("default-constant")
    if here.openers:
        return here.fail("shape-axis")
    return here.fail("declaration-form")


def _named_forms(here: Situation) -> LossError | None:
    first = here.kinds[0] if here.kinds else ""
    if first in ("DEF", "TERM") and "ASSIGN" not in _types(here.levels[0]):
        return here.fail("definition-form" if first == "DEF" else "term-form")
    return None


def _conditional(here: Situation) -> LossError | None:
    level = _types(here.levels[-1])
    waiting = level.count("IF") > level.count("ELSE")
    complete = here.before.type in OPERAND_ENDS
    if complete and waiting and (here.over or here.at.type in CLOSERS | {"COMMA"}):
        return here.fail("conditional-without-else", next(t for t in here.levels[-1] if t.type == "IF"))
    foreign = here.at.type == "COLON" or here.at in ("then", "elif")
    if (here.at.type == "IF" and not here.declares) or (complete and waiting and foreign):
        return here.fail("conditional-form")
    if here.at.type == "ELSE" and complete and not waiting:
        return here.fail("conditional-form")
    return None


# ---- Expressions


def _words(here: Situation) -> LossError | None:
    joined = here.at.type == "NOT" and here.token(1).type == "IN"
    if here.at.type == "IN" or joined:
        return here.fail("in-expression")
    if here.at.type == "NOT" and here.before.type in ARITHMETIC | COMPARISONS:
        return here.fail("not-operand", before=here.before)
    return None


def _equals(here: Situation) -> LossError | None:
    if here.at.type != "ASSIGN" or here.before.type not in OPERAND_ENDS:
        return None
    sign, name = here.token(-2), here.before
    gap = here.source.text[sign.end_pos or 0 : name.start_pos]
    if sign.type in OPERATORS and "\n" in gap:
        return here.fail("missing-after", sign, sign=sign)
    if here.openers or "ASSIGN" in here.kinds or here.kinds[0] in ("DEF", "TERM"):
        return here.fail("equals-sign")
    return here.fail("assignment-target", here.statement[0], here.before)


def _side_by_side(here: Situation) -> LossError | None:
    if here.before.type in OPERAND_ENDS and here.at.type in VALUES:
        return here.fail("missing-operator", here.before, here.at, before=here.before)
    return None


def _missing(here: Situation) -> LossError | None:
    if here.before.type in OPERAND_ENDS or not (here.over or here.at.type in OPERATORS | CLOSERS | {"COMMA"}):
        return None
    if here.before.type in OPERATORS:
        return here.fail("missing-after", here.before, sign=here.before)
    if here.over:
        return None
    return here.fail("missing-before", sign=here.at)


def _punctuation(here: Situation) -> LossError | None:
    if here.at.type in ("ELLIPSIS", "COMMA"):
        return here.fail(here.at.type.lower())
    if here.at.type != "COLON":
        return None
    inside = here.openers and here.openers[-1].type == "LSQB"
    return here.fail("slice-step" if inside and "COLON" in _types(here.levels[-1]) else "colon")


_RECOGNISERS: tuple[Callable[[Situation], LossError | None], ...] = (
    _python,
    _signs,
    _reserved,
    _brackets,
    _conditional,
    _two_statements,
    _declaration,
    _named_forms,
    _words,
    _equals,
    _side_by_side,
    _missing,
    _punctuation,
)
