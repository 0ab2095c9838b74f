"""What a stranger's config may hold in place of a formula, and what must become of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Case:
    """A hostile text. `code` is that of its first error, "" where it is legal; `at` is what is underlined."""

    text: str
    code: str = ""
    at: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    shapes: Sequence[Sequence[int]] = ()


def _lets(count: int, step: str) -> str:
    return "a0=y_pred;" + "".join(f"a{i + 1}={step.format(f'a{i}')};" for i in range(count)) + f"mean(a{count})"


def _defs(count: int, step: str, first: str = "x", more: str = "") -> str:
    head = f"def f0(x{more})={first};"
    return head + "".join(f"def f{i + 1}(x{more})={step.format(f'f{i}')};" for i in range(count))


PAIRS = "mean(abs(y_pred - pairs(y_pred)), axis=(pairs, -1))"

TABLE: dict[str, Case] = {
    "1 import": Case(text="__import__('os').system('id')", code="quote", at="'"),
    "2 attribute": Case(text="y_true.__class__", code="attribute", at="y_true.__class__"),
    "3 subclasses": Case(
        text="().__class__.__base__.__subclasses__()", code="attribute", at=".__class__.__base__.__subclasses__"
    ),
    "4 lambda": Case(text="(lambda: 1)()", code="lambda", at="lambda"),
    "4 comprehension": Case(text="[x for x in y_true]", code="comprehension", at="for"),
    "4 walrus": Case(text="x := 1", code="walrus", at=":="),
    "5 eval": Case(text="eval(y_true)", code="unknown-function", at="eval"),
    "5 open": Case(text="open(y_true)", code="unknown-function", at="open"),
    "6 template": Case(text="mean(y_pred) + {0.__class__}", code="malformed-number", at="0.__class__"),
    "6 conversion": Case(text="{y_true!r:>99999999}", code="exclamation", at="!"),
    "7 brackets": Case(text="(" * 65, code="too-deep", at="("),
    "8 brackets": Case(text="(" * 100_000 + "1" + ")" * 100_000, code="too-long"),
    "8 fewer brackets": Case(text="(" * 8_000 + "1" + ")" * 8_000, code="too-deep", at="("),
    "9 signs": Case(text="-" * 100_000 + "y_pred", code="too-long"),
    "9 fewer signs": Case(text="-" * 16_000 + "y_pred", code="too-deep", at="-"),
    "10 terms": Case(text="+".join(["y_pred"] * 100_000), code="too-long"),
    "10 fewer terms": Case(text="+".join(["a"] * 30_000), code="too-many-tokens"),
    "10 a thousand terms": Case(text="+".join(["y_pred"] * 1_000)),
    "11 powers": Case(text="**".join(["2"] * 10_000), code="too-many-tokens"),
    "11 fewer powers": Case(text="**".join(["2"] * 8_000), code="too-deep", at="**"),
    "12 tower": Case(text="mean(y_pred) + 9**9**9", code="constant-not-finite", at="9**9**9"),
    "13 tower of floats": Case(text="9.0**9.0**9.0*0*y_pred", code="constant-not-finite", at="9.0**9.0**9.0"),
    "14 tower of tens": Case(text="mean(y_pred) * 10**10**7", code="constant-not-finite", at="10**10**7"),
    "14 too large": Case(text="mean(y_pred) * 1e400", code="number-too-large", at="1e400"),
    "14 too small": Case(text="mean(y_pred) + 1e-400", code="number-too-small", at="1e-400"),
    "15 hexadecimal": Case(text="0x" + "f" * 10**7, code="too-long"),
    "15 digits": Case(text="1" * 10**7, code="too-long"),
    "15 fewer digits": Case(text="1" * 60_000, code="long-number"),
    # `inf` is a word of ranges only; the others are no words at all
    "16 nan": Case(text="mean(y_pred) + nan", code="not-a-number", at="nan"),
    "16 inf": Case(text="mean(y_pred) + inf", code="not-a-number", at="inf"),
    "16 minus inf": Case(text="-inf", code="not-a-number", at="inf"),
    "16 NaN": Case(text="NaN", code="not-a-number", at="NaN"),
    "16 nan given": Case(text="y_pred * k", code="parameter-type", params={"k": float("nan")}),
    "16 inf given": Case(text="y_pred * k", code="parameter-type", params={"k": float("inf")}),
    "17 1/0": Case(text="y_pred * (1/0)", code="constant-not-finite", at="(1/0)"),
    "17 log": Case(text="y_pred * log(0)", code="constant-not-finite", at="log(0)"),
    "17 sqrt": Case(text="y_pred * sqrt(-1)", code="constant-not-finite", at="sqrt(-1)"),
    "17 power": Case(text="y_pred * 0**-1", code="constant-not-finite", at="0**-1"),
    "18 doubling": Case(text=_lets(30, "{0}+{0}")),
    "19 bindings": Case(text=_lets(256, "{0}+1"), code="too-many-bindings"),
    "20 itself": Case(text="a=a+y_pred;mean(a)", code="unknown-name", at="a"),
    "20 each other": Case(text="a=b;b=a;mean(a*y_pred)", code="unknown-name", at="b"),
    "20 later": Case(text="a=b;b=y_pred;mean(a)", code="unknown-name", at="b"),
    "21 data": Case(text="y_true=1;mean(y_pred)", code="input-rebound", at="y_true"),
    # functions and values have names of their own (language-rules.md A5): a value may be called as a function is
    "21 function": Case(text="abs=y_pred-1;mean(abs(abs))"),
    "21 redefined": Case(text="def abs(x)=x;mean(abs(y_pred))", code="operation-redefined", at="abs"),
    "22 gradient": Case(text=_lets(40, "{0}*tanh({0})")),
    # a reduction takes the axes that are left, perhaps none (language-rules.md B1)
    "23 sums": Case(text="sum(" * 63 + "y_pred" + ")" * 63),
    "24 pairs of pairs": Case(text="mean(pairs(pairs(y_pred)))", code="pairs-of-pairs", at="pairs(pairs(y_pred))"),
    "25 many pairs": Case(
        text=PAIRS, code="tensor-too-large", at="y_pred - pairs(y_pred)", shapes=[[100_000, 1], [100_000, 1]]
    ),
    "25 fewer pairs": Case(text=PAIRS, shapes=[[1_000, 1], [1_000, 1]]),
    "26 classes": Case(
        text="y_true: label[batch]\nmean(one_hot(y_true, 2147483647) * y_pred)",
        code="one-hot-size",
        at="one_hot(y_true, 2147483647)",
    ),
    "27 Cyrillic": Case(text="mean(\u0443_true - y_pred)", code="foreign-character", at="\u0443"),
    "28 full width": Case(text="mean(\uff45\uff58\uff50(y_pred))", code="foreign-character", at="\uff45"),
    "28 letterlike": Case(text="\u212fxp(y_pred)", code="foreign-character", at="\u212f"),
    "29 right to left": Case(text="mean(y_pred)\u202e", code="foreign-character", at="\u202e"),
    "29 zero width": Case(text="mean(y\u200b_pred)", code="foreign-character", at="\u200b"),
    "29 byte order mark": Case(text="\ufeffmean(y_pred)", code="foreign-character", at="\ufeff"),
    "29 NUL": Case(text="mean(y_pred)\0", code="foreign-character", at="\0"),
    "30 Arabic digit": Case(text="mean(y_pred) * \u0663", code="foreign-character", at="\u0663"),
    "30 superscript": Case(text="mean(y_pred)\u00b2", code="foreign-character", at="\u00b2"),
    "31 1_000": Case(text="1_000 * y_pred", code="malformed-number", at="1_000"),
    "31 1e": Case(text="1e * y_pred", code="malformed-number", at="1e"),
    "31 point": Case(text=". * y_pred", code="stray-character", at="."),
    "31 1..2": Case(text="1..2 * y_pred", code="malformed-number", at="1..2"),
    "31 binary": Case(text="0b1 * y_pred", code="malformed-number", at="0b1"),
    "31 complex": Case(text="1j * y_pred", code="malformed-number", at="1j"),
    "32 backtracking": Case(text="a" * 30 + "!", code="exclamation", at="!"),
    "32 underscores": Case(text="_" * 16_384, code="long-name"),
    "32 digits and points": Case(text="1." * 8_000 + "e", code="malformed-number"),
    "33 form feed": Case(text="mean(y_pred)\f", code="foreign-character", at="\f"),
    "33 carriage return": Case(text="a = y_pred\rmean(a)", code="foreign-character", at="\r"),
    "33 comments": Case(text="#\n" * 30_000, code="empty"),
    "33 line ends": Case(text="\r\n" * 30_000 + "mean(y_pred)"),
    "33 tabs": Case(text="\t" * 60_000 + "mean(y_pred - q)", code="unknown-name", at="q"),
    "34 nothing": Case(text="", code="empty", at=""),
    "34 white": Case(text=" \n\t ", code="empty"),
    "34 comment": Case(text="# mean(y_pred)", code="empty"),
    "34 surrogate": Case(text="\ud800", code="foreign-character", at="\ud800"),
    "34 surrogate in a comment": Case(text="mean(y_pred) # \ud800", code="foreign-character", at="\ud800"),
    "40 range upside down": Case(text="k: float = 1 in [1, 0]\ny_pred * k", code="empty-range"),
    "40 range of NaN": Case(text="k: float = 1 in [nan, 0]\ny_pred * k", code="range-bound", at="nan"),
    "40 range with infinity": Case(text="k: float = 1 in [0, inf]\ny_pred * k", code="closed-infinity", at="inf"),
    "40 object": Case(text="y_pred: object[batch]\nmean(y_pred)", code="unknown-kind", at="object"),
    "41 legal": Case(text="mean(where(y_pred > 0, log(y_pred), 0))"),
    "42 rank 9": Case(text="mean(y_true - y_pred)", code="too-many-axes", shapes=[[1] * 9, [1] * 9]),
}
"""The table of the issue. What needs data or a config instead of a text (35 to 39, 42 to 44) stands in the tests."""
