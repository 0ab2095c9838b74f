"""The table of messages: every example gives its message, every message is said somewhere, all keep one style."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lossdsl
from lossdsl.checked import analyse
from lossdsl.errors import LossError
from lossdsl.messages import MESSAGES
from lossdsl.proof import demand

PACKAGE = Path(lossdsl.__file__).parent
SOURCES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
    if "messages" not in path.parts
}
"""The program, without the table itself."""
FORMULAS = [code for code, message in MESSAGES.items() if not message.example.startswith("#")]
PROSE = [code for code in MESSAGES if code not in FORMULAS]
PIECE = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")


def said(text: str, **params: object) -> list[str]:
    """The codes of a formula's errors, or of its warnings where it has no errors."""
    try:
        return [found.code for found in analyse(text, params).warnings]
    except LossError as error:
        return [found.code for found in error.diagnostics]


@pytest.mark.parametrize("code", FORMULAS)
def test_an_example_gives_its_message_and_no_other(code: str) -> None:
    assert said(MESSAGES[code].example) == [code]


DESCRIBED = {
    "too-many-steps": lambda: analyse(
        "def f0(x) = x;" + "".join(f"def f{i + 1}(x) = f{i}(x) + f{i}(x);" for i in range(30)) + "mean(f30(y_pred))"
    ),
    "too-many-errors": lambda: analyse("+".join(f"q{i}" for i in range(60))),
    "too-many-nodes": lambda: _with(
        lambda: analyse("mean(" + "+".join(f"abs(y_pred-{i})" for i in range(9)) + ")"), nodes=20
    ),
    "tensor-too-large": lambda: analyse("mean(y_pred - pairs(y_pred), axis=(pairs, -1))").program(
        (10**5, 2), (10**5, 2)
    ),
    "parameter-unused": lambda: analyse("mean(y_pred)", {"gamma": 2}),
    "parameter-type": lambda: analyse("mean(y_pred) * gamma", {"gamma": "x"}),
    "not-a-formula": lambda: analyse(3),  # type: ignore[arg-type]
    "rank-differs": lambda: analyse("mean(y_true - y_pred)").program((8, 5, 2), (8, 5)),
    "batch-differs": lambda: analyse("mean(y_true - y_pred)").program((8, 5), (7, 5)),
    "no-batch-axis": lambda: analyse("mean(y_true - y_pred)").program((), ()),
    "declared-size": lambda: analyse("y_pred: float[batch, 4]\nmean(y_pred)").program((8, 3), (8, 3)),
    "not-proved": lambda: demand(analyse("mean(log(y_pred))"), True),
    "spec-form": lambda: lossdsl.LossSpec.parse(3),
    "spec-key": lambda: lossdsl.LossSpec.parse({"formula": "mean(y_pred)", "reducton": "sum"}),
    "spec-value": lambda: lossdsl.LossSpec("w * mean(y_pred - y_true)", params={"w": "abc"}),
    "spec-setting": lambda: lossdsl.LossSpec("mean(y_pred - y_true)", reduction="avg"),
    "spec-version": lambda: lossdsl.LossSpec("mean(y_pred - y_true)", language=99),
    "data-not-numbers": lambda: lossdsl.evaluate("mean(y_pred - y_true)", ["cat"], [1.0]),
    "data-range": lambda: lossdsl.evaluate("y_pred: prob[batch, *]; mean(y_pred - y_true)", [0.0], [1.5]),
    "label-not-whole": lambda: lossdsl.evaluate(
        "y_true: label[batch]; mean(take([1, 2], y_true) * y_pred)", [0.5], [[1, 2]]
    ),
    "index-outside": lambda: lossdsl.evaluate(
        "y_true: label[batch]; mean(take([1, 2], y_true) * y_pred)", [7], [[1, 2]]
    ),
}
"""What a comment in place of an example describes, done; the tests of syntax, Keras and config files do the rest."""


def _with(action: object, **changes: int) -> None:
    with lossdsl.limits(**changes):
        action()  # type: ignore[operator]


@pytest.mark.parametrize("code", DESCRIBED)
def test_what_an_example_describes_gives_its_message(code: str) -> None:
    assert code in PROSE
    with pytest.raises(LossError) as caught:
        DESCRIBED[code]()  # type: ignore[no-untyped-call]
    assert code in [found.code for found in caught.value.diagnostics]


def test_what_is_no_formula_is_named_by_its_type() -> None:
    for given, kind in ((3, "int"), (None, "NoneType"), ([], "list")):
        assert lossdsl.check(given).render() == (  # type: ignore[arg-type]
            f"error[not-a-formula]: a formula is text, and this is of type {kind}\n"
            "  help: a string, as `mean(abs(y_true - y_pred))`"
        )


def test_no_message_is_dead() -> None:
    """A code that no source names can only be an example's, which the test above has made the program say."""
    program = "\n".join(SOURCES.values())
    assert [code for code in PROSE if f'"{code}"' not in program] == []


def test_every_code_in_the_program_is_in_the_table() -> None:
    said_at = re.compile(
        r"""(?:\bfail|\bdiagnostic|here\.fail|_setting_error|\bwarn)\(\s*"([a-z_]+(?:-[a-z_0-9]+)*)"[,)]"""
    )
    named = {(file, code) for file, text in SOURCES.items() for code in said_at.findall(text)}
    assert len(named) > 100
    assert {(file, code) for file, code in named if code not in MESSAGES} == set()


# -- style


@pytest.mark.parametrize("code", MESSAGES)
def test_a_code_is_words_with_hyphens(code: str) -> None:
    assert re.fullmatch(r"[a-z_]+(-[a-z0-9_]+)*", code)


@pytest.mark.parametrize("code", MESSAGES)
def test_a_text_goes_on_from_a_colon(code: str) -> None:
    """`error[code]: text`: a small letter, a quoted piece or a name in capitals first, and no stop at the end."""
    text = MESSAGES[code].text
    assert re.match(r"[a-z`{]|TF_|[A-Z]{2,}", text)
    assert not text.rstrip("`").endswith((".", "!", " "))
    assert "\n" not in text


@pytest.mark.parametrize("code", MESSAGES)
def test_a_help_line_says_what_to_do(code: str) -> None:
    advice = MESSAGES[code].help
    assert advice
    for line in advice.splitlines():
        assert re.match(r"[a-z`{]|TF_|[A-Z]{2,}", line)
        assert not line.endswith((".", " "))


@pytest.mark.parametrize("code", MESSAGES)
def test_a_message_is_ascii_and_short(code: str) -> None:
    message = MESSAGES[code]
    assert (message.text + message.help).isascii()
    assert max(map(len, [message.text, *message.help.splitlines()])) <= 150


@pytest.mark.parametrize("code", MESSAGES)
def test_braces_are_pieces_or_doubled(code: str) -> None:
    """A template of plain names: no attribute, no index, no conversion, no format of a piece."""
    for template in (MESSAGES[code].text, MESSAGES[code].help):
        bare = PIECE.sub("", template).replace("{{", "").replace("}}", "")
        assert "{" not in bare
        assert "}" not in bare


@pytest.mark.parametrize("code", MESSAGES)
def test_backquotes_come_in_pairs(code: str) -> None:
    for template in (MESSAGES[code].text, MESSAGES[code].help):
        assert template.count("`") % 2 == 0


def test_no_two_messages_say_the_same() -> None:
    texts = [message.text for message in MESSAGES.values() if "{" not in message.text]
    assert len(set(texts)) == len(texts)
