"""Characters that no formula holds: all but printable ASCII, and the signs that the language does not have.

Nothing is folded into ASCII: a name that looks like `y_true` and is not would be somebody's trap.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lark import Token

from lossdsl.errors import LossError, diagnostic, escape, fail
from lossdsl.source import Source, Span
from lossdsl.syntax.numbers import misspelt_number

_SUSPECT = re.compile(r"#[^\n]*|[^\t\n\r -~]|\r(?!\n)")
_LETTERS = dict(zip("аеорсухіјѕкмтАВЕКМНОРСТХУІЈЅ", "aeopcyxijskmtABEKMHOPCTXYIJS", strict=True))
"""Cyrillic letters that look like Latin ones."""
_SIGNS = {
    **dict.fromkeys("\u00d7\u00b7\u22c5\u2217\u2219", "*"),
    **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014", "-"),
    **dict.fromkeys("\u00f7\u2044\u2215", "/"),
    **dict.fromkeys("\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb", "'"),
    **{"\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2227": "and", "\u2228": "or", "\u00ac": "not"},
    **{"\u221a": "sqrt()", "\u2211": "sum()", "\u00b2": "**2", "\u00b3": "**3", "\u221e": "inf"},
}
"""Signs that people paste from papers and word processors: products, minus, division, quotes, comparisons."""


def check_characters(source: Source) -> None:
    """Refuse what is not ASCII, line ends aside, and in comments whatever does not print."""
    for found in _SUSPECT.finditer(source.text):
        if found[0][0] != "#":
            raise _foreign(Span(source, found.start(), found.end()))
        if not found[0].rstrip("\r").isprintable():
            _check_comment(source, found.start(), found.end())


def _check_comment(source: Source, start: int, stop: int) -> None:
    for at in range(start, stop):
        char = source.text[at]
        line_end = char == "\r" and at == stop - 1
        if not (char.isprintable() or char == "\t" or line_end or unicodedata.category(char) == "Zs"):
            raise _foreign(Span(source, at, at + 1))


def _foreign(span: Span) -> LossError:
    char = span.text
    point = f"U+{ord(char):04X}"
    name = unicodedata.name(char, "")
    shown = f" ({name.lower()})" if name else ""
    return LossError(diagnostic("foreign-character", span, point=point, name=shown, help=_meant(char)))


def _meant(char: str) -> str:
    if char == "\ufeff":
        return "this is a byte order mark: save the file as UTF-8 without one (`utf-8-sig` reads past it)"
    if unicodedata.category(char) == "Cf":
        return "it can't be seen, and may change how the line looks: delete it"
    if unicodedata.category(char) == "Cs":
        return "this is half of a character: the text was decoded wrongly"
    if unicodedata.category(char) == "Zs":
        return "it looks like a space: type a plain one"
    if char == "\r":
        return "lines end with a line feed"
    greek = re.fullmatch(r"GREEK SMALL LETTER (?:FINAL )?([A-Z]+)", unicodedata.name(char, ""))
    if greek:
        return f"write its name: `{greek[1].lower().replace('lamda', 'lambda')}`"
    digit = str(unicodedata.decimal(char, ""))
    plain = _LETTERS.get(char) or _SIGNS.get(char) or digit or unicodedata.normalize("NFKC", char)
    if plain.isascii() and plain.isprintable():
        return f"it looks like `{plain}`: type that instead"
    return "a formula is written in ASCII; comments may hold any letters"


_STRAY = (
    ("quote", re.compile("['\"`]")),
    ("attribute", re.compile(r"\.\s*[A-Za-z_]")),
    ("bit-operator", re.compile(r"[&|~]")),
    ("exclamation", re.compile("!")),
    ("question-mark", re.compile(r"\?")),
    ("modulo", re.compile("%")),
    ("matrix-product", re.compile("@")),
    ("backslash", re.compile(r"\\")),
)
_WORDS = {"&": "and", "|": "or", "~": "not"}
_PATH = re.compile(r"\.\s*[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_LIBRARIES = frozenset({"tf", "tensorflow", "np", "numpy", "jnp", "jax", "torch", "keras", "K", "ops", "math"})


def stray_character(source: Source, at: int, tokens: Sequence[Token]) -> LossError:
    """The error for a character that begins no token; `tokens` stand before it."""
    last = tokens[-1] if tokens else None
    if source.text[at] == "." and last is not None and last.type == "NUMBER" and last.end_pos == at:
        return misspelt_number(Span(source, last.start_pos or 0, at + 1))
    code = next((code for code, sign in _STRAY if sign.match(source.text, at)), "stray-character")
    span = Span(source, at, at + 1)
    if code == "attribute":
        return _attribute(source, at, last)
    if code == "bit-operator":
        return fail(code, span, sign=span.text, word=_WORDS[span.text])
    return fail(code, span, sign=span.text)


def _attribute(source: Source, at: int, last: Token | None) -> LossError:
    """The error for `x.shape`; after the name of a library the advice is the function alone."""
    found = _PATH.match(source.text, at)
    stop = found.end() if found else at + 1
    start = at
    if last is not None and last.type == "NAME" and last.end_pos == at:
        start = last.start_pos or 0
    span = Span(source, start, stop)
    name = span.text.rsplit(".", 1)[-1].strip()
    if last is not None and last in _LIBRARIES and start < at:
        alone = name.removeprefix("reduce_") or name
        advice = f"functions stand alone: write `{alone}`"
    elif source.text[stop:].startswith("()") and start < at:
        advice = f"functions come first: write `{escape(name)}({escape(last)})`"
    else:
        advice = "a formula sees numbers only; its functions are listed by `lossdsl functions`"
    return LossError(diagnostic("attribute", span, path=span.text, help=advice))
