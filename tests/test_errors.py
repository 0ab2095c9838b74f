"""What a person sees of a mistake: whole errors as text, and what else an error is."""

from __future__ import annotations

import copy
import pickle
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lossdsl.checked import analyse
from lossdsl.errors import MAX_ROW, MAX_SHOWN, Diagnostic, LossError, diagnostic, escape, fail
from lossdsl.messages import MESSAGES, Severity
from lossdsl.source import Source, Span, span_of

GOLDEN = Path(__file__).with_name("golden") / "errors.txt"
"""The errors of `MISTAKES`, as shown; `pytest --update-golden` writes it anew, to be read before it is kept."""
Shapes = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Mistake:
    """A formula that is wrong by itself, with these parameters, or with data of these shapes."""

    text: str | Source
    params: dict[str, Any] = field(default_factory=dict)
    shapes: Shapes | None = None


MISTAKES = {
    "name": Mistake("mean(abs(y_ture - y_pred))"),
    "name that is like none": Mistake("mean(abs(y_true - target))"),
    "TensorFlow's name": Mistake("reduce_mean(abs(y_true - y_pred))"),
    "Keras' backend": Mistake("K.mean(y_pred)"),
    "TensorFlow": Mistake("tf.abs(y_pred)"),
    "TensorFlow's module": Mistake("tf.math.reduce_mean(y_pred - y_true)"),
    "NumPy": Mistake("mean(np.log(y_pred))"),
    "method": Mistake("mean(y_pred.sum())"),
    "ln": Mistake("mean(ln(y_pred))"),
    "pow": Mistake("pow(y_pred, 2)"),
    "function misspelt": Mistake("mean(sqaure(y_true - y_pred))"),
    "library loss misspelt": Mistake("dice_loss(y_true, y_pred)"),
    "max of two": Mistake("mean(max(y_true, y_pred))"),
    "max with 0": Mistake("mean(max(1 - y_true * y_pred, 0))"),
    "min of two": Mistake("mean(min(y_pred, 1 - y_true))"),
    "too many arguments": Mistake("mean(square(y_true, y_pred))"),
    "argument missing": Mistake("mean(clip(y_pred, 0))"),
    "argument of torch": Mistake("mean(y_pred, dim=1)"),
    "argument not needed": Mistake("mean(y_pred, keepdims=True)"),
    "axis that is not there": Mistake("y_pred: float[batch, 3]\nmean(y_pred, axis=2)"),
    "axis reduced twice": Mistake("mean(sum(y_pred, axis=-1), axis=-1)"),
    "axis misspelt": Mistake("y_pred: float[batch, time, classes]\nmean(y_pred, axis=clases)"),
    "axis undeclared": Mistake("mean(y_pred, axis=time)"),
    "batch reduced alone": Mistake("mean(y_pred, axis=batch)"),
    "batch indexed": Mistake("sum(y_pred[0])"),
    "entry against all": Mistake("y_pred[..., 0] - y_pred"),
    "no gradient": Mistake("mean(round(y_pred) == y_true)"),
    "no gradient through a comparison": Mistake("mean(y_pred > 0.5)"),
    "no prediction": Mistake("mean(abs(y_true - 1))"),
    "number for a condition": Mistake("mean(y_pred * (y_true > 0 and y_pred))"),
    "labels that are no numbers": Mistake("mean(one_hot(y_pred, 3) * y_pred)"),
    "table with a batch": Mistake("mean(take(y_pred, y_true))"),
    "matrix that is data": Mistake("mean(matmul(y_pred, y_true))"),
    "division by zero": Mistake("mean(y_pred) / (2 - 2)"),
    "logarithm of zero": Mistake("mean(y_pred) + log(0)"),
    "two errors": Mistake("a = y_pred\nb = a + c\nd = e - a\nmean(b * d)"),
    "many lines": Mistake("mean(\n    abs(y_true - y_pred)\n    + weight * y_pred\n)"),
    "tabs": Mistake("mean(\tabs(y_true)\t- y_prde)"),
    "a very long line": Mistake("mean(" + "y_pred + " * 60 + "y_ture" + " + y_pred" * 60 + ")"),
    "line ends of Windows": Mistake("a = y_true\r\nmean(abs(a - y_prid))\r\n"),
    "first line in a file": Mistake(Source("mean(abs(y_ture - y_pred))", "train.yaml", line=12, column=9)),
    "later line in a file": Mistake(
        Source("error = y_true - y_pred\nmean(abs(eror))", "train.yaml", line=12, column=7, indent=6)
    ),
    "recursion": Mistake("def f(x) = f(x - 1)\nmean(f(y_pred))"),
    "inside a definition": Mistake("def scaled(x) = x * scale\nmean(scaled(y_pred))"),
    "library argument missing": Mistake("0.5 * mse(y_true) + mae(y_true, y_pred)"),
    "library argument unknown": Mistake("huber(y_true, y_pred, detla=2)"),
    "library argument out of range": Mistake("huber(y_true, y_pred, delta=-1)"),
    "library argument of another kind": Mistake("sparse_categorical_crossentropy(y_true - 0.5, y_pred)"),
    "library argument of too few axes": Mistake("categorical_crossentropy(mean(y_true), y_pred)"),
    "parameter missing": Mistake("gamma: float\nmean(y_pred) * gamma"),
    "parameter out of range": Mistake("gamma: float = 2 in [0, 5]\nmean(y_pred) * gamma", {"gamma": 7}),
    "default out of range": Mistake("gamma: float = -1.0 in [0, inf)\nmean(y_pred) * gamma"),
    "probabilities from 2 to 5": Mistake("y_pred: prob[batch, *] in [2, 5]\nmean(y_pred - y_true)"),
    "no number left by the brackets": Mistake("y_pred: float[batch, *] in (0, 0)\nmean(y_pred - y_true)"),
    "parameter unused": Mistake("mean(y_pred)", {"alpha": 7}),
    "parameter misspelt": Mistake("gamma: float = 2\nmean(y_pred) * gamma", {"gama": 7}),
    "parameter of text": Mistake("gamma: float = 2\nmean(y_pred) * gamma", {"gamma": "high"}),
    "parameter reserved": Mistake("name: float = 2\nmean(y_pred) * name"),
    "five columns and one": Mistake("mean(abs(y_true - y_pred))", shapes=((8, 5), (8, 1))),
    "one number and five": Mistake("mean(abs(y_true - y_pred))", shapes=((8,), (8, 5))),
    "another batch": Mistake("mean(abs(y_true - y_pred))", shapes=((8, 5), (7, 5))),
    "one axis more": Mistake("mean(abs(y_true - y_pred))", shapes=((8, 5, 2), (8, 5))),
    "another size than declared": Mistake("y_true: float[batch, 3]\nmean(y_true - y_pred)", shapes=((8, 4), (8, 4))),
    "column that is not there": Mistake("mean(abs(y_pred[..., 3]))", shapes=((8, 3), (8, 3))),
    "weights for other classes": Mistake("mean(y_pred * [1, 2, 3])", shapes=((8, 4), (8, 4))),
    "inside a library loss": Mistake("0.5 * mse(y_true, y_pred)", shapes=((8, 5), (8, 1))),
    "sizes that the text knows": Mistake("y_true: float[batch, 3]\ny_pred: float[batch, 4]\nmean(y_true - y_pred)"),
}


def error(mistake: Mistake) -> LossError:
    try:
        checked = analyse(mistake.text, mistake.params)
        if mistake.shapes is not None:
            checked.program(*mistake.shapes)
    except LossError as found:
        return found
    raise AssertionError(f"nothing is wrong with {mistake}")


def golden() -> dict[str, str]:
    blocks = re.split(r"^=== (.*)\n", GOLDEN.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(blocks[::2], (text.removesuffix("\n\n") for text in blocks[1::2]), strict=True))


def test_the_golden_file_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text("".join(f"=== {name}\n{error(m)}\n\n" for name, m in MISTAKES.items()), "utf-8")
    assert list(golden()) == list(MISTAKES)


@pytest.mark.parametrize("name", MISTAKES)
def test_shown_text(name: str) -> None:
    assert str(error(MISTAKES[name])) == golden()[name]


@pytest.mark.parametrize("name", MISTAKES)
def test_the_first_line_alone_says_it(name: str) -> None:
    found = error(MISTAKES[name])
    first = str(found).splitlines()[0]
    assert first.startswith(found.diagnostics[0].message)
    assert len(first) < 200


@pytest.mark.parametrize("name", MISTAKES)
def test_there_is_one_piece_of_advice(name: str) -> None:
    for found in error(MISTAKES[name]).diagnostics:
        assert found.help
        assert found.help.count("did you mean") <= 1


UNDERLINED = {
    "name": ["y_ture"],
    "ln": ["ln"],
    "max of two": ["y_pred"],
    "argument of torch": ["dim=1"],
    "axis reduced twice": ["-1"],
    "no gradient": ["round(y_pred)"],
    "no gradient through a comparison": ["y_pred > 0.5"],
    "number for a condition": ["y_pred"],
    "table with a batch": ["y_pred"],
    "two errors": ["c", "e"],
    "many lines": ["weight"],
    "a very long line": ["y_ture"],
    "later line in a file": ["eror"],
    "inside a definition": ["scale"],
    "library argument missing": ["mse(y_true)"],
    "library argument out of range": ["-1"],
    "library argument of another kind": ["y_true - 0.5"],
    "default out of range": ["-1.0"],
    "five columns and one": ["y_true - y_pred"],
    "column that is not there": ["y_pred[..., 3]"],
}


@pytest.mark.parametrize("name", UNDERLINED)
def test_the_smallest_wrong_piece_is_underlined(name: str) -> None:
    spans = [found.span for found in error(MISTAKES[name]).diagnostics]
    assert [span.text for span in spans if span is not None] == UNDERLINED[name]


@pytest.mark.parametrize("name", UNDERLINED)
def test_the_carets_stand_below_it(name: str) -> None:
    for found in error(MISTAKES[name]).diagnostics:
        if found.span is not None and not found.labels:
            _, row, carets, *_ = found.render().splitlines()
            start, stop = carets.index("^"), carets.rindex("^") + 1
            assert row[start:stop] == found.span.text


# -- what an error is


def two() -> LossError:
    return error(MISTAKES["two errors"])


def test_it_is_a_value_error() -> None:
    assert isinstance(two(), ValueError)


def test_all_diagnostics_are_there() -> None:
    found = two().diagnostics
    assert [d.code for d in found] == ["unknown-name", "unknown-name"]
    assert all(d.severity is Severity.ERROR for d in found)
    assert str(two()).splitlines()[0].endswith("and 1 more")


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_it_travels(again: Any) -> None:
    found = two()
    other = again(found)
    assert type(other) is LossError
    assert str(other) == str(found)
    assert other.diagnostics == found.diagnostics
    assert other.diagnostics[0].span.source.place(0) == "<formula>:1:1"


def test_plain_values_for_json() -> None:
    found = error(MISTAKES["later line in a file"]).diagnostics[0].to_dict()
    assert found == {
        "code": "unknown-name",
        "severity": "error",
        "message": "unknown name `eror`",
        "help": "did you mean `error`?",
        "start": 33,
        "stop": 37,
        "line": 2,
        "column": 10,
        "file": "train.yaml",
        "place": "train.yaml:13:16",
    }


def test_warnings_do_not_stop() -> None:
    checked = analyse("a = y_true\nmean(abs(y_pred))")
    assert [d.render() for d in checked.warnings] == [
        "<formula>:1:1: warning[unused-binding]: `a` is never used\n"
        " 1 | a = y_true\n"
        "   | ^\n"
        "  help: take it away, or use it in the loss"
    ]


# -- user text in messages


def test_user_text_is_escaped() -> None:
    assert escape("a\nb\tc\x1b[31md\x7f") == r"a\x0ab\x09c\x1b[31md\x7f"
    assert escape("y\u0443\U0001f600\ud800") == r"y\u0443\U0001f600\ud800"
    assert escape("{0.__class__}{}%s") == "{0.__class__}{}%s"


def test_pieces_of_a_message_are_escaped_and_cut() -> None:
    found = diagnostic("unknown-name", None, name="a\n\x1b[31m\u0443" + "b" * 10**6)
    assert found.message.startswith(r"unknown name `a\x0a\x1b[31m\u0443bbb")
    assert len(found.render()) < 800


def test_user_text_is_cut() -> None:
    assert escape("x" * MAX_SHOWN) == "x" * MAX_SHOWN
    assert escape("x" * (MAX_SHOWN + 1)) == "x" * MAX_SHOWN + "..."
    assert escape("x" * 10**6, 5) == "xxxxx..."


def test_pieces_can_not_reach_the_template() -> None:
    """A template that came in with a name would show what no user may see."""
    for piece in ("{name}", "{0}", "{name.__class__.__mro__}", "{{", "}", "%(name)s", "{name!r:>999999}"):
        found = diagnostic("unknown-name", None, name=piece)
        assert found.message == f"unknown name `{piece}`"
        assert f"`{piece}: float = 1.0`" in found.help


def test_long_text_below_a_message_is_cut_around_the_place() -> None:
    text = "a" * 1_000 + "!" + "b" * 1_000
    row = fail("exclamation", Span(Source(text), 1_000, 1_001)).diagnostics[0].render().splitlines()
    assert row[2][row[1].index("!")] == "^"
    assert max(map(len, row)) < MAX_ROW + 20


def test_foreign_letters_above_do_not_shift_the_carets() -> None:
    source = Source("# \u0443\u0443\nmean(q)", "\u0443\n.yaml")
    error = fail("unknown-name", Span(source, 10, 11), name="q")
    assert str(error).startswith(r"unknown name `q` (at \u0443\x0a.yaml:2:6)")
    found = error.diagnostics[0]
    assert found.render().splitlines()[:3] == [
        r"\u0443\x0a.yaml:2:6: error[unknown-name]: unknown name `q`",
        " 2 | mean(q)",
        "   |      ^",
    ]


def test_control_characters_of_a_file_are_not_printed() -> None:
    found = fail("foreign-character", span_of("\x1b[31m"), point="U+001B", name="")
    assert found.diagnostics[0].render().splitlines()[1] == r" 1 | \x1b[31m"


def test_a_span_over_several_lines_is_marked_on_the_first() -> None:
    source = Source("mean(\n  y_pred\n)")
    shown = fail("y_pred-unused", Span(source, 0, 16)).diagnostics[0].render()
    assert shown.splitlines()[1:3] == [" 1 | mean(", "   | ^^^^^"]


def test_labels_on_two_lines() -> None:
    source = Source("a +\n b")
    labels = [(Span(source, 0, 1), "first"), (Span(source, 5, 6), "second")]
    found: Diagnostic = diagnostic("shapes-differ", Span(source, 0, 6), labels=labels, left="x", right="y")
    assert found.render().splitlines()[1:7] == [
        " 1 | a +", "   | ^", "   | first", " 2 |  b", "   |  ^", "   |  second",
    ]  # fmt: skip


def test_every_message_can_be_filled_in_with_anything() -> None:
    for code, message in MESSAGES.items():
        names = set(re.findall(r"(?<!{){(\w+)}(?!})", message.text + message.help))
        found = diagnostic(code, None, **dict.fromkeys(names, "{x}\n"))
        assert all(f"{{{name}}}" not in found.message for name in names)
