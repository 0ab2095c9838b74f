"""The command line, its whole output compared; 0 all is well, 1 a formula is wrong, 2 the call is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from lossdsl.cli import commands
from lossdsl.ops import OPS

MAE = "mean(abs(y_true - y_pred))"
WRONG = "mean(abs(y_ture - y_pred))"


def run(*arguments, text=None):
    """Exit status, output and error stream of one call."""
    result = CliRunner().invoke(commands, list(arguments), input=text, prog_name="lossdsl")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


MAE_OK = """\
ok <formula>:1:1
  y_true: float[batch, *, last]
  y_pred: float[batch, *, last]
  term: a mean over positions; takes weights of rank 1 to 2
  value: proved to be finite for data up to 1e+24 in size
  gradient: proved to be finite
"""

WRONG_NAME = """\
<formula>:1:10: error[unknown-name]: unknown name `y_ture`
 1 | mean(abs(y_ture - y_pred))
   |          ^^^^^^
  help: did you mean `y_true`?
"""


def test_check():
    assert run("check", MAE) == (0, MAE_OK, "")
    assert run("check", WRONG) == (1, WRONG_NAME, "")


def test_check_from_a_file_and_from_standard_input(tmp_path):
    file = tmp_path / "mae.loss"
    file.write_text(MAE + "\n")
    assert run("check", "-f", str(file)) == (0, MAE_OK.replace("<formula>", str(file)), "")
    assert run("check", "-", text=WRONG) == (1, WRONG_NAME.replace("<formula>", "<stdin>"), "")


@pytest.mark.parametrize(
    "formula",
    [
        "-mean(log(y_pred))",
        "-floor(y_true) * y_pred",
        "-p * y_pred",
        "--mean(y_pred)",
        "-y_pred + 1",
        "-h(y_pred)",
    ],
)
def test_a_formula_may_begin_with_a_minus(formula):
    """None of these is taken for options, though `-f`, `-p` and `-h` are some."""
    status, output, error = run("check", formula, "-p", "p=2", "--format", "json")
    assert error == ""
    assert json.loads(output)[0]["formula"] == formula
    assert status in (0, 1)


def test_parameters():
    formula = "mean(w * abs(y_true - y_pred)**gamma)"
    status, output, _ = run("check", formula, "-p", "gamma=1e0", "--param", "w=[0.5, 2]")
    assert (status, output) == (0, MAE_OK.replace("  term", "  gamma = 1.0\n  w = [0.5, 2]\n  term"))
    for given in ("gamma", "gamma=x", "1a=2", "w=[1", "=2"):
        assert run("check", formula, "-p", given)[0] == 2


LOG = "mean(log(y_pred))"
REFUSED = """\
<formula>:1:6: error[not-proved]: the {part} is not proved to be finite for data up to 1e+06 in size: `{expression}`
 1 | mean(log(y_pred))
   |      ^^^^^^^^^^^
  help: with a guard it is proved: `mean(log(maximum(y_pred, epsilon)))`
"""


def test_strict():
    value = REFUSED.format(part="value", expression="log(y_pred)")
    gradient = REFUSED.format(part="gradient", expression="upstream / size(y_pred.1) / y_pred")
    assert run("check", LOG, "--strict", "1e6") == (1, f"{value}\n{gradient}", "")
    assert run("check", MAE, "--strict", "1e6") == (0, MAE_OK, "")
    assert run("check", MAE, "--strict", "1e35")[0] == 1


REFUSED_LINES = """\
<formula>:2:7: error[not-proved]: the value is not proved to be finite for all that is declared: `log(y_pred)`
 2 | mean(-log(y_pred))
   |       ^^^^^^^^^^^
  help: with a guard it is proved:
        y_pred: prob[batch, *]
        mean(-log(maximum(y_pred, epsilon)))
"""


def test_strict_shows_a_repair_of_several_lines(tmp_path):
    text = "y_pred: prob[batch, *]\nmean(-log(y_pred))"
    assert run("check", text, "--strict", "true")[1].startswith(REFUSED_LINES)
    long = text.replace("mean", "# " + "why " * 300 + "\nmean")
    assert f"        # {'why ' * 300}\n        mean(-log(maximum" in run("check", long, "--strict", "true")[1]
    found = run("check", text, "--format", "github")[1].splitlines()
    assert [line.split("y_pred = 0")[1] for line in found] == [
        "%0Awith a guard it is proved:%0Ay_pred: prob[batch, *]%0Amean(-log(maximum(y_pred, epsilon)))"
    ] * 2


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("mean(square(y_pred))", "declare where the data lie, as `y_pred: float[batch, *] in [-1e6, 1e6]`, or guard the operand"),
        ("y_pred: logits[batch, k]; y_pred[..., 0]**2", "declare where the data lie, as `y_pred: logits[batch, k] in [-1e6, 1e6]`, or guard the operand"),
        ("y_pred: prob[batch, *]; mean(square(y_true - y_pred))", "declare where the data lie, as `y_true: float[batch, *] in [-1e6, 1e6]`, or guard the operand"),
        ("y_pred: float[batch, *] in [0, inf); mean(square(y_pred))", "guard the operand, or declare narrower ranges"),
        ("y_true: label[batch]; y_pred: float[batch, k] in [-1e30, 1e30]; mean(square(y_pred * y_true))", "guard the operand, or declare narrower ranges"),
    ],
)  # fmt: skip
def test_strict_advises_what_can_be_done(text, advice):
    assert f"\n  help: {advice}\n" in run("check", text, "--strict", "true")[1]


@pytest.mark.parametrize("size", ["-1", "0", "nan", "x"])
def test_strict_takes_sizes_alone(size):
    status, output, error = run("check", LOG, "--strict", size)
    said = f"Error: Invalid value for '--strict': strict can't be '{size}'; it is True, False, or a size above 0"
    assert (status, output, error.splitlines()[-1]) == (2, "", said)


def test_strict_without_a_size():
    for word in ("true", "inf"):
        assert run("check", LOG, "--strict", word)[1].count("not proved to be finite for all that is declared") == 2
    assert run("check", LOG, "--strict", "false")[0] == 0


FLOAT16 = """\
ok <formula>:1:1
  <formula>:1:15: warning[constant-vanishes]: the number 1e-9 is 0 in float16, the type that predictions are rounded to
   1 | mean(y_pred + 1e-9)
     |               ^^^^
    help: the loss itself computes in float32; but next to rounded values this number may guard nothing
  y_true: float[batch, *, last]
  y_pred: float[batch, *, last]
  term: a mean over positions; takes weights of rank 1 to 2
  value: proved to be finite in float16
  gradient: proved to be finite in float16
"""


def test_dtype(tmp_path):
    formula = "mean(y_pred + 1e-9)"
    assert run("check", "--dtype", "float16", formula) == (0, FLOAT16, "")
    file = tmp_path / "run.yaml"
    file.write_text(f'loss: {{formula: "{formula}", dtype: mixed_float16}}\nlosses: ["{formula}"]\n')
    _, output, _ = run("check", "--config", str(file))
    assert output.count("constant-vanishes") == output.count("value: proved to be finite in float16") == 1
    _, output, _ = run("check", "--config", str(file), "--dtype", "float64")
    assert ("in float64" in output, "in float16" in output) == (True, True)
    file.write_text(f'loss: {{formula: "{formula}", dtype: int8}}\n')
    status, output, _ = run("check", "--config", str(file))
    assert status == 1
    assert output.startswith(f"{file}:1:18: error[spec-setting]: dtype can't be 'int8'")


def test_alarms_on_github():
    status, output, _ = run("check", LOG, "--format", "github")
    value, gradient = output.splitlines()
    assert status == 0
    assert value.startswith("::warning file=<formula>,line=1,col=6,title=lossdsl can-be-nan::the value can be NaN or")
    assert value.endswith("y_pred = 0%0Awith a guard it is proved: `mean(log(maximum(y_pred, epsilon)))`")
    assert "the gradient can be NaN" in gradient


def test_json():
    status, output, _ = run("check", WRONG, "--format", "json")
    assert status == 1
    (entry,) = json.loads(output)
    assert (entry["ok"], entry["place"], entry["formula"]) == (False, "<formula>:1:1", WRONG)
    (found,) = entry["diagnostics"]
    assert found == {
        "code": "unknown-name",
        "severity": "error",
        "message": "unknown name `y_ture`",
        "help": "did you mean `y_true`?",
        "start": 9,
        "stop": 15,
        "line": 1,
        "column": 10,
        "file": "<formula>",
        "place": "<formula>:1:10",
    }
    (entry,) = json.loads(run("check", MAE, "--format", "json")[1])
    assert entry["ok"]
    assert entry["signature"] == "y_true: float[batch, *, last]\ny_pred: float[batch, *, last]"
    assert (entry["parameters"], entry["couples_batch"], entry["diagnostics"]) == ({}, "none", [])


def test_json_has_no_infinities():
    """Nor NaN: other readers than Python's refuse them."""
    value, gradient = json.loads(run("check", MAE, "--format", "json")[1], parse_constant=pytest.fail)[0]["finite"]
    assert (value["reach"], gradient["reach"]) == (1e24, None)
    assert value["chain"][2] == ["y_true - y_pred", None, None]
    value, _ = json.loads(run("check", "mean(exp(y_pred))", "--format", "json")[1], parse_constant=pytest.fail)[0][
        "finite"
    ]
    assert value["chain"] == [["y_pred", -100.0, 100.0], ["exp(y_pred)", 0.0, None]]


def test_github(tmp_path):
    file = tmp_path / "run,1%.yaml"
    file.write_text(f"loss: {WRONG}")
    status, output, _ = run("check", "--config", str(file), "--format", "github")
    path = str(file).replace(",", "%2C").replace("1%.", "1%25.")
    title = "title=lossdsl unknown-name"
    assert (status, output) == (
        1,
        f"::error file={path},line=1,col=16,{title}::unknown name `y_ture`%0Adid you mean `y_true`?\n",
    )
    assert run("check", MAE, "--format", "github") == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", MAE, MAE),
        ("check", MAE, "--formt", "json"),
        ("check", MAE, "--format", "xml"),
        ("check", "-f", "nowhere.loss"),
        ("check", "--config", "nowhere.yaml"),
        ("chekc", MAE),
        ("show", MAE, "--emit", "c"),
        ("show",),
        ("show", MAE, "-f", __file__),
        ("eject", MAE, "--class-name", "a b"),
        ("fmt",),
        ("functions", "sofplus"),
    ],
)
def test_wrong_calls(arguments):
    status, output, error = run(*arguments)
    assert (status, output) == (2, "")
    assert error.startswith("Usage: lossdsl")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("emit", "expected"),
    [
        ("text", "e = y_true - y_pred\nmean(e**2)\n"),
        (
            "latex",
            "\\begin{aligned}\ne &= y - \\hat{y} \\\\\n"
            "\\mathcal{L} &= \\operatorname*{mean} \\left({e}^{2}\\right)\n\\end{aligned}\n",
        ),
        (
            "ast",
            "Formula()\n  statements: Binding(name='e')\n    value: Binary(op='-')\n"
            "      left: Name(id='y_true')\n      right: Name(id='y_pred')\n"
            "  result: Call(function='mean', keywords=())\n    args: Binary(op='**')\n"
            "      left: Name(id='e')\n      right: Number(value=2)\n",
        ),
    ],
)
def test_show(emit, expected):
    assert run("show", "e=y_true-y_pred; mean( e^2 )", "--emit", emit) == (0, expected, "")


def test_show_types_and_python():
    types = run("show", MAE)[1]
    assert types.startswith("y_true: float[batch, *, last]\ny_pred: float[batch, *, last]\n\n%0 = input(name=y_true)")
    python = run("show", MAE, "--emit", "python")[1]
    compile(python, "shown", "exec")
    assert "def value(y_true, y_pred):" in python


def test_show_and_eject_of_a_wrong_formula():
    assert run("show", WRONG) == (1, "", WRONG_NAME)
    assert run("eject", WRONG) == (1, "", WRONG_NAME)


def test_eject(tmp_path):
    status, output, _ = run("eject", MAE, "--class-name", "Mine")
    compile(output, "ejected", "exec")
    assert status == 0
    assert "class Mine(" in output
    assert "import lossdsl" not in output
    file = tmp_path / "mine.py"
    assert run("eject", MAE, "--class-name", "Mine", "-o", str(file)) == (0, "", "")
    assert file.read_text() == output


def test_fmt(tmp_path):
    file = tmp_path / "a.loss"
    file.write_text("e=y_true-y_pred # error\nmean( e^2 )")
    assert run("fmt", "--check", str(file)) == (1, "", f"would format {file}\n")
    assert file.read_text() == "e=y_true-y_pred # error\nmean( e^2 )"
    assert run("fmt", str(file)) == (0, "", f"formatted {file}\n")
    assert file.read_text() == "e = y_true - y_pred  # error\nmean(e**2)\n"
    assert run("fmt", str(file)) == (0, "", "")
    assert run("fmt", "--check", str(file)) == (0, "", "")
    assert run("fmt", "-", text="mean( y_pred )") == (0, "mean(y_pred)\n", "")
    status, output, error = run("fmt", "-", text="mean(")
    assert (status, output) == (1, "")
    assert error.startswith("<stdin>:1:5: error[")


def test_functions():
    status, output, _ = run("functions")
    assert status == 0
    names = {line.split("(")[0].strip() for line in output.splitlines() if "(" in line and line.startswith("  ")}
    assert set(OPS) <= names
    assert run("functions", "mse", "softplus")[1] == (
        "elementwise:\n"
        "  softplus(x: float[*s]) -> float[*s]   Smooth max(x, 0); never overflows.\n\n"
        "library:\n"
        "  mean_squared_error(y_true, y_pred)    Mean squared error. Also: mse.\n"
    )
    entries = json.loads(run("functions", "--json", "huber", "clip")[1])
    assert [(entry["name"], entry["family"]) for entry in entries] == [
        ("clip", "elementwise"),
        ("huber", "library"),
    ]
    assert entries[1]["signature"] == "huber(y_true, y_pred, delta=1.0)"


def test_colour_only_where_it_is_wanted(monkeypatch):
    import pty

    def through_a_terminal(**environment):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "lossdsl", "check", WRONG]
        with subprocess.Popen(command, stdout=theirs, env={**os.environ, "TERM": "xterm", **environment}) as process:
            process.wait()
        os.close(theirs)
        return os.read(ours, 100_000).decode()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in through_a_terminal()
    assert through_a_terminal(NO_COLOR="1").replace("\r\n", "\n") == WRONG_NAME


def test_check_is_quick():
    """Under 0.4 s; on a busy machine, no more than a few times what importing NumPy and Lark takes."""

    def best(*arguments):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        return min(times)

    assert best("-m", "lossdsl", "check", MAE) < max(0.4, 4.5 * best("-c", "import numpy, lark"))
