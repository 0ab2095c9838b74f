"""Messages of the stage `syntax`; see `lossdsl.messages`."""

from __future__ import annotations

from lossdsl.messages.message import Message

_DECLARATION = "a declaration is written `name: type[axes] = default in range`: `gamma: float = 2.0 in [0, inf)`"

_BUDGETS: dict[str, Message] = {
    "too-long": Message(
        text="the formula has {size} characters, more than {limit}",
        help="raise the limit with `lossdsl.limits(characters=...)`, if the formula can be trusted",
        example="# a text of 65,537 characters",
    ),
    "too-many-tokens": Message(
        text="the formula has more than {limit} words, numbers and signs",
        help="raise the limit with `lossdsl.limits(tokens=...)`, if the formula can be trusted",
        example="# a sum of 10,000 names",
    ),
    "too-deep": Message(
        text="brackets or operators nest more than {limit} deep here",
        help="give a name to an inner part: `part = ...`",
        example="# sixty-five opening brackets",
    ),
    "too-many-statements": Message(
        text="the formula has more than {limit} statements",
        help="raise the limit with `lossdsl.limits(statements=...)`, if the formula can be trusted",
        example="# 514 definitions",
    ),
    "too-many-bindings": Message(
        text="the formula binds more than {limit} names",
        help="raise the limit with `lossdsl.limits(bindings=...)`, if the formula can be trusted",
        example="# 257 statements `a1 = a0`",
    ),
    "too-many-parameters": Message(
        text="there are more than {limit} parameters",
        help="one parameter may be a vector: `weight: float[classes]`",
        example="# 65 declarations",
    ),
    "long-number": Message(
        text="this number has {size} characters, more than {limit}",
        help="a float holds 17 digits: round the number",
        example="y_pred * 1.00000000000000000000000000000000000000000000000000000000001",
    ),
    "long-name": Message(
        text="this name has {size} characters, more than {limit}",
        help="give it a shorter name",
        example="# a name of 121 characters",
    ),
}

_CHARACTERS: dict[str, Message] = {
    "foreign-character": Message(
        text="the character {point}{name} can't be part of a formula",
        help="a formula is written in ASCII; comments may hold any letters",
        example="mean(abs(\u0443_true - y_pred))",
    ),
    "stray-character": Message(
        text="`{sign}` is no sign of the language",
        help="a formula is made of names, numbers, brackets, `+ - * / **`, comparisons and `and or not`",
        example="y_true $ y_pred",
    ),
    "quote": Message(
        text="a formula has no quotes and no strings",
        help="write names without quotes: `axis=classes`",
        example="mean(y_pred, axis='classes')",
    ),
    "attribute": Message(
        text="there is no attribute access: `{path}`",
        help="a formula sees numbers only; its functions are listed by `lossdsl functions`",
        example="y_true.__class__",
    ),
    "bit-operator": Message(
        text="`{sign}` is no operator of the language",
        help="write `{word}`",
        example="mean(where((y_pred > 0) & (y_true > 0), y_pred, 0))",
    ),
    "exclamation": Message(
        text="`!` is no operator of the language",
        help="write `not a`, or `a != b`",
        example="mean(where(!y_true, y_pred, 0))",
    ),
    "question-mark": Message(
        text="`?` is no operator of the language",
        help="write `a if condition else b`, or `where(condition, a, b)`",
        example="mean(y_true > 0 ? y_pred : 0)",
    ),
    "modulo": Message(
        text="there is no remainder operator `%`",
        help="the remainder of `a` by `b` is `a - b * floor(a / b)`",
        example="mean(y_pred % 2)",
    ),
    "matrix-product": Message(
        text="`@` is no operator of the language",
        help="sum products over an axis, `sum(a * b, axis=-1)`, or write `matmul(a, b)` with a parameter `b`",
        example="mean(y_true @ y_pred)",
    ),
    "backslash": Message(
        text="a line isn't continued by a backslash",
        help="put the expression in brackets, or end the line with an operator",
        example="y_true \\\n - y_pred",
    ),
    "floor-division": Message(
        text="there is no operator `//`",
        help="write `floor(a / b)`; a comment starts with `#`",
        example="mean(y_pred // 2)",
    ),
}

_NUMBERS: dict[str, Message] = {
    "malformed-number": Message(
        text="`{number}` is no number",
        help="a number is written like `2`, `0.5` or `1e-3`",
        example="mean(1_000 * y_pred)",
    ),
    "leading-zero": Message(
        text="a whole number doesn't start with 0: `{number}`",
        help="write `{plain}`",
        example="mean(y_pred * 010)",
    ),
    "number-too-large": Message(
        text="`{number}` is larger than any float",
        help="the largest is about 1.8e308 (3.4e38 in float32)",
        example="mean(y_pred * 1e400)",
    ),
    "number-too-small": Message(
        text="`{number}` is so small that a float holds 0 instead",
        help="the smallest is about 4.9e-324 (1.2e-38 in float32); write 0 if you mean it",
        example="mean(y_pred + 1e-400)",
    ),
}

_BRACKETS: dict[str, Message] = {
    "unclosed-bracket": Message(
        text="this `{bracket}` is never closed",
        help="close it, or take it away",
        example="mean(abs(y_true - y_pred)",
    ),
    "extra-bracket": Message(
        text="this `{bracket}` closes nothing",
        help="take it away, or open it further left",
        example="mean(y_pred))",
    ),
    "mismatched-bracket": Message(
        text="`{opening}` is closed by `{closing}`",
        help="close it with its own partner",
        example="mean(y_pred]",
    ),
    "empty-brackets": Message(
        text="there is nothing between these brackets",
        help="write a value between them",
        example="y_pred * ()",
    ),
    "braces": Message(
        text="braces stand only in declarations",
        help="a set of values is written `y_true: float[batch] in {{0, 1}}`; group with `(` and `)`",
        example="mean({y_pred})",
    ),
}

_STATEMENT: dict[str, Message] = {
    "empty": Message(
        text="the formula is empty",
        help="its last line is the loss: `mean(square(y_true - y_pred))`; in YAML, write it after `|`, "
        "since `>` joins its lines and a comment then hides the rest",
        example="# only a comment",
    ),
    "unused-value": Message(
        text="this value is not used",
        help="only the last statement is an expression: name this one, `name = ...`, or join it to the next",
        example="mean(y_true)\nmean(y_pred)",
    ),
    "two-statements": Message(
        text="two statements stand on one line: `{text}` begins the second",
        help="a newline or `;` ends a statement; in YAML, write the formula after `|`: `>` joins its lines",
        example="error = y_true - y_pred mean(error)",
    ),
    "indented-sign": Message(
        text="this line could go on with the last statement or begin a new one",
        help="to go on, put the whole expression in brackets, or `{sign}` at the end of the line before; "
        "to begin, indent the line no deeper",
        example="error = y_true\n  - y_pred",
    ),
    "reserved-word": Message(
        text="`{word}` is a word of the language and can't be a name",
        help="take another name, `{word}_` for example",
        example="if = 3",
    ),
    "assignment-target": Message(
        text="only a name stands before `=`",
        help="write `name = ...`; to compare, write `==`",
        example="mean(y_pred) = 3",
    ),
    "augmented": Message(
        text="there is no `{sign}=`: a name keeps its value",
        help="give the new value a new name",
        example="error = y_true; error += 1; mean(error)",
    ),
    "walrus": Message(
        text="there is no `:=`",
        help="write `name = ...` as a statement of its own",
        example="x := 1",
    ),
    "equals-sign": Message(
        text="`=` can't stand here",
        help="a statement has one `=`, after the name that it binds; to compare, write `==`",
        example="mean(where((y_true = 1), y_pred, 0))",
    ),
    "python-statement": Message(
        text="`{text}` is a statement of other languages",
        help="a statement is `name: type`, `name = ...`, `def f(x) = ...`, `term name = ...` or the loss",
        example="import os",
    ),
    "lambda": Message(
        text="there is no `lambda`",
        help="define a function in a statement of its own: `def f(x) = x**2`",
        example="(lambda: 1)()",
    ),
    "comprehension": Message(
        text="there are no loops or comprehensions",
        help="functions act on every element at once: `mean(y_true**2)`",
        example="[x for x in y_true]",
    ),
    "definition-form": Message(
        text="this is no definition of a function",
        help="a definition is written `def f(x, k=1) = k * x**2`",
        example="def f(x): x**2",
    ),
    "repeated-parameter": Message(
        text="the parameter `{name}` occurs twice",
        help="give each parameter a name of its own",
        example="def f(x, x) = x; f(y_pred, y_pred)",
    ),
    "parameter-order": Message(
        text="the parameter `{name}` needs a default, since the one before has one",
        help="put parameters without a default first",
        example="def f(k=1, x) = x; f(1, y_pred)",
    ),
    "term-form": Message(
        text="this is no named term",
        help="a term is written `term name = mean(...)`",
        example="term mean(y_pred)",
    ),
}

_DECLARATIONS: dict[str, Message] = {
    "declaration-type": Message(
        text="the type is missing after `:`",
        help="the types are float, int, bool, prob, logits and label: `y_pred: prob[batch, classes]`",
        example="y_true: [batch, 3]; mean(y_true - y_pred)",
    ),
    "declaration-form": Message(
        text="`{text}` can't stand in a declaration",
        help=_DECLARATION,
        example="y_true: float - y_pred",
    ),
    "shape-axis": Message(
        text="`{text}` can't stand in a shape",
        help="a shape lists names, sizes, or `*` for any further axes, in square brackets: `[batch, *, 3]`",
        example="y_true: float[batch, ...]; mean(y_true - y_pred)",
    ),
    "axis-size": Message(
        text="`{size}` is no size of an axis",
        help="a size is a whole number from 1; `*` stands for any further axes",
        example="y_true: float[batch, 0]; mean(y_true - y_pred)",
    ),
    "default-constant": Message(
        text="a default is a constant",
        help="it is a number, `True`, `False`, or a vector of these: `= 2.0`, `= [0.25, 0.75]`",
        example="gamma: float = 2 * 3; mean(y_pred) * gamma",
    ),
    "default-order": Message(
        text="the default stands before the range",
        help=_DECLARATION,
        example="gamma: float in [0, 1] = 0.5; mean(y_pred) * gamma",
    ),
    "range-form": Message(
        text="this is no range",
        help="a range has two bounds, `in [0, 1]` or `in (0, inf)`; a set of values is written `in {{0, 1}}`",
        example="gamma: float in 3; mean(y_pred) * gamma",
    ),
    "range-bound": Message(
        text="`{bound}` is no bound of a range",
        help="a bound is a number, `inf` or `-inf`",
        example="gamma: float in [0, pi]; mean(y_pred) * gamma",
    ),
    "closed-infinity": Message(
        text="`{bound}` is not a value that a number can have",
        help="leave it out of the range with a round bracket: `[0, inf)`",
        example="gamma: float in [0, inf]; mean(y_pred) * gamma",
    ),
    "empty-range": Message(
        text="no number lies in this range",
        help="the lower bound comes first, and a round bracket leaves its end out",
        example="gamma: float in [1, 0]; mean(y_pred) * gamma",
    ),
}

_EXPRESSION: dict[str, Message] = {
    "missing-after": Message(
        text="a value is missing after `{sign}`",
        help="write one, or take `{sign}` away",
        example="mean(y_true - )",
    ),
    "missing-before": Message(
        text="a value is missing before `{sign}`",
        help="write one, or take `{sign}` away",
        example="mean(* y_true)",
    ),
    "missing-operator": Message(
        text="an operator is missing between `{before}` and `{text}`",
        help="to multiply, write `*`; to separate arguments, write `,`",
        example="mean(0.5 y_pred)",
    ),
    "comparison-sign": Message(
        text="`{sign}` is no comparison",
        help="write `{right}`",
        example="mean(where(y_true => 1, y_pred, 0))",
    ),
    "identity": Message(
        text="`is` is no operator of the language",
        help="write `==` or `!=`",
        example="mean(where(y_true is 1, y_pred, 0))",
    ),
    "in-expression": Message(
        text="`in` stands only in declarations",
        help="compare instead: `0 <= a <= 1`, or `a == 0 or a == 1`",
        example="mean(where(y_true in [0, 1], y_pred, 0))",
    ),
    "not-operand": Message(
        text="`not` can't follow `{before}` without brackets",
        help="write `{before} (not ...)`",
        example="mean(where(y_true == not y_pred, 1, 0))",
    ),
    "conditional-form": Message(
        text="`{text}` can't stand here",
        help="a conditional is written `a if condition else b`, or `where(condition, a, b)`",
        example="if y_true > 0: y_pred",
    ),
    "conditional-without-else": Message(
        text="this `if` has no `else`",
        help="every conditional has a value: `a if condition else 0`",
        example="mean(y_pred if y_true > 0)",
    ),
    "argument-order": Message(
        text="an argument without a name follows one with a name",
        help="put the named arguments last; to compare, write `==`",
        example="mean(axis=1, y_pred)",
    ),
    "repeated-keyword": Message(
        text="the argument `{name}` is given twice",
        help="give it once",
        example="mean(y_pred, axis=1, axis=2)",
    ),
    "slice-step": Message(
        text="a slice has no step",
        help="a slice is written `x[:, 1:3]`; for the reverse order write `flip(x)`",
        example="mean(y_pred[:, ::2])",
    ),
    "colon": Message(
        text="`:` can't stand here",
        help="it stands in declarations, `name: float`, and in slices, `x[:, 1:]`",
        example="mean(y_pred: 3)",
    ),
    "ellipsis": Message(
        text="`...` can't stand here",
        help="it stands in an index, `x[..., 0]`",
        example="mean(...)",
    ),
    "comma": Message(
        text="`,` can't stand here",
        help="it separates arguments, and the parts of vectors and shapes; a newline or `;` ends a statement",
        example="mean(y_true), mean(y_pred)",
    ),
    "unexpected": Message(
        text="`{text}` can't stand here",
        help="check what stands before it",
        example="mean(y_pred term)",
    ),
}

SYNTAX: dict[str, Message] = {
    **_BUDGETS,
    **_CHARACTERS,
    **_NUMBERS,
    **_BRACKETS,
    **_STATEMENT,
    **_DECLARATIONS,
    **_EXPRESSION,
}
