"""Numbers: from text to value, and what to say about those that are none."""

from __future__ import annotations

import math
import re

from lossdsl.errors import LossError, diagnostic, escape, fail
from lossdsl.source import Span


def number_value(span: Span) -> int | float:
    """The value of a number as written: an int where it has neither point nor exponent, else a float."""
    text = span.text
    if text.isdigit():
        if text[0] == "0" and text.strip("0"):
            raise fail("leading-zero", span, number=text, plain=text.lstrip("0"))
        return int(text)
    value = float(text)
    if math.isinf(value):
        raise fail("number-too-large", span, number=text)
    if value == 0.0 and re.search("[1-9]", text.lower().split("e")[0]):
        raise fail("number-too-small", span, number=text)
    return value


def misspelt_number(span: Span) -> LossError:
    """The error for letters, points or underscores that run on from a number."""
    text = span.text
    return LossError(diagnostic("malformed-number", span, number=text, help=_advice(text)))


def _advice(text: str) -> str:
    if re.fullmatch(r"[0-9]+(_[0-9]+)+(\.[0-9]*)?", text):
        return escape(f"digits are not grouped: write `{text.replace('_', '')}`")
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,12}|0[bB][01]{1,40}|0[oO][0-7]{1,16}", text):
        return f"numbers are decimal: write `{int(text, 0)}`"
    if ".." in text:
        return "a number has one decimal point; a range is written `in [1, 2]`"
    if re.fullmatch(r"[0-9.]+[jJ]", text):
        return "there are no complex numbers"
    if re.fullmatch(r"[0-9.]+[eE]", text):
        return escape(f"the exponent is missing: `{text}-3`, for example")
    product = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([A-Za-z_][A-Za-z0-9_]*)", text)
    if product:
        return escape(f"write `{product[1]}*{product[2]}` to multiply")
    return "a number is written like `2`, `0.5` or `1e-3`"
