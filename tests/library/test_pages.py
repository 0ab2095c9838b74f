"""The library's pages: `docs/library.md` is current, and the screens say what the files say."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lossdsl import library, library_pages
from lossdsl.cli import commands

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, arguments)
    return done.exit_code, done.output


def test_the_document_is_current() -> None:
    assert (ROOT / "docs" / "library.md").read_text("utf-8") == library_pages.markdown(), "run `make docs`"


def test_the_readme_counts() -> None:
    assert f"{len(library.names())} losses in twelve families" in (ROOT / "README.md").read_text("utf-8")
    assert len(library.FAMILIES) == 12


def test_show_a_loss() -> None:
    status, output = run("show", "logcosh")
    assert status == 0
    assert output == (
        "log_cosh (regression)\n"
        "Logarithm of the hyperbolic cosine: square near 0, a straight line far out.\n"
        "\n"
        "Per sample: the mean of log(cosh(difference)), in the form of Keras: cosh itself overflows at 89.\n"
        "\n"
        "log_cosh(y_true, y_pred)\n"
        "  y_true: float[batch, *]\n"
        "  y_pred: float[batch, *]\n"
        "\n"
        "  error = y_pred - y_true\n"
        "  mean(error + softplus(-2 * error) - log(2))\n"
        "\n"
        "source: Green 1990, doi:10.1109/42.52985; Keras `LogCosh`.\n"
        "also: logcosh\n"
        "value: at least 0\n"
        "example: log_cosh(y_true=[[0, 0]], y_pred=[[1, -1]]) = 0.433781\n"
    )


def test_show_a_stage_of_a_loss() -> None:
    assert run("show", "mse", "--emit", "latex") == run("show", "mean_squared_error", "--emit", "latex")


def test_list() -> None:
    status, output = run("list")
    assert status == 0
    listed = [line.split()[0] for line in output.splitlines() if line.startswith("  ")]
    assert sorted(listed) == list(library.names())
    assert [line.split(":")[0] for line in output.splitlines() if line[:1].isalpha()] == list(library.FAMILIES)


@pytest.mark.parametrize("word", ["tversky", "Salehi", "1706.05721", "FALSE ALARMS", "wape"])
def test_list_what_holds_a_word(word: str) -> None:
    status, output = run("list", word)
    assert status == 0
    listed = {line.split()[0] for line in output.splitlines() if line.startswith("  ")}
    assert listed & {"tversky", "weighted_absolute_percentage_error"}
    assert len(listed) < 30


def test_list_what_is_not_there() -> None:
    status, output = run("list", "no", "such", "thing")
    assert (status, output) == (1, "no loss in the library with 'no such thing'; `lossdsl list` shows all\n")
