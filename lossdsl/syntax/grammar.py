"""The parser, built once from `loss.lark`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lark import Lark

PACKAGE = Path(__file__).resolve().parent.parent


def grammar_text() -> str:
    """The grammar: inside the package where it was installed from a wheel, beside it in a checkout."""
    places = (PACKAGE / "grammar", PACKAGE.parent / "grammar")
    for place in places:
        if (place / "loss.lark").is_file():
            return (place / "loss.lark").read_text("utf-8")
    raise FileNotFoundError(f"loss.lark is missing from this installation of lossdsl; looked in {places}")


@cache
def parser() -> Lark:
    """The parser of whole formulas; building it takes as long as parsing a hundred of them."""
    return Lark(
        grammar_text(),
        start="formula",
        parser="lalr",
        lexer="basic",
        # Places of nodes are read off their tokens, punctuation included: half the price of Lark's own way.
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
