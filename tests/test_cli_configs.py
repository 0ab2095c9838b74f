"""`lossdsl check --config`: every formula of a file, and the settings beside it."""

from __future__ import annotations

import json

import pytest
from test_cli import LOG, MAE, WRONG, run

from lossdsl import LossError, LossSpec

CONFIG = """\
loss: mean(abs(y_true - y_pred)**gamma)
other:
  losses:
    - formula: |
        e = y_ture - y_pred
        mean(e**gamma)
      params: {gamma: 2}
    - mean(${w} * y_pred)
  metrics: [mean(y_true == round(y_pred)), mae]
"""


def test_config(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(CONFIG)
    status, output, error = run("check", "--config", str(file))
    assert (status, error) == (1, "")
    assert (
        output.replace(str(file), "run.yaml")
        == """\
run.yaml:1:34: error[unknown-name]: unknown name `gamma`
 1 | mean(abs(y_true - y_pred)**gamma)
   |                            ^^^^^
  help: a free name is a parameter only where a value is given for it: declare it, as `gamma: float = 1.0`

run.yaml:5:13: error[unknown-name]: unknown name `y_ture`
 5 | e = y_ture - y_pred
   |     ^^^^^^
  help: did you mean `y_true`?

run.yaml:8:7: remark[config-later]: not checked: `${w}` is filled in later
 8 | mean(${w} * y_pred)
   | ^^^^^^^^^^^^^^^^^^^
  help: give the number as a parameter instead, so that the formula itself is fixed

ok run.yaml:9:13
  y_true: float[batch, *, last]
  y_pred: float[batch, *, last]
  term: a mean over positions; takes weights of rank 1 to 2
  value: proved to be finite

4 formulas, 2 wrong
"""
    )


def test_config_that_demands_a_proof(tmp_path):
    for name, text, refused in (
        ("run.yaml", f"loss: {{formula: '{LOG}', strict: true}}", 2),
        ("run.yaml", f"loss: {{formula: '{LOG}', strict: yes}}", 2),
        ("run.yaml", f"base: &base {{strict: true}}\nloss: {{<<: *base, formula: '{LOG}'}}", 2),
        ("run.yaml", f"base: &base {{strict: true}}\nloss: {{<<: *base, formula: '{LOG}', strict: false}}", 0),
        ("run.yaml", f"loss: &loss {{<<: *loss, formula: '{LOG}', strict: true}}", 2),
        ("run.yaml", f"loss: {{formula: '{LOG}', strict: 1e6}}", 2),
        ("run.yaml", f"loss: {{_target_: lossdsl.compile, formula: '{LOG}', strict: 5}}", 2),
        ("run.yaml", f"loss: {{formula: '{LOG}', strict: false}}", 0),
        ("run.yaml", f"loss: {{formula: '{MAE}', strict: 1e6}}", 0),
        ("run.yaml", f"loss: {{class_name: lossdsl>Loss, config: {{formula: '{LOG}', strict: 1e6}}}}", 2),
        ("run.toml", f"loss = {{formula = '{LOG}', strict = true}}", 2),
        ("run.json", json.dumps({"loss": {"formula": LOG, "strict": True}}), 2),
    ):
        file = tmp_path / name
        file.write_text(text)
        status, output, _ = run("check", "--config", str(file))
        assert (status, output.count("error[not-proved]")) == (min(refused, 1), refused), text


def test_of_two_demands_the_larger_holds(tmp_path):
    file = tmp_path / "run.yaml"
    for size in ("1e6", "true"):
        file.write_text(f"loss: {{formula: '{MAE}', strict: {size}}}")
        assert run("check", "--config", str(file), "--strict", "1e35")[0] == 1
    assert run("check", "--config", str(file), "--strict", "10")[0] == 1


@pytest.mark.parametrize("strict", ["[1e6]", "{a: 1}", "maybe"])
def test_config_with_a_strict_that_is_no_size(tmp_path, strict):
    file = tmp_path / "run.yaml"
    file.write_text(f"loss: {{formula: '{MAE}', strict: {strict}}}")
    status, output, _ = run("check", "--config", str(file))
    assert (status, "error[spec-setting]: strict can't be" in output) == (1, True)


WRONG_SIZE = """\
run.yaml:1:17: error[spec-setting]: strict can't be '-1'
 1 | mean(log(y_pred))
   | ^^^^^^^^^^^^^^^^^
  help: it is True, False, or a size above 0
"""


def test_config_with_a_wrong_size(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text(f"loss: {{formula: {LOG}, strict: -1}}")
    status, output, _ = run("check", "--config", str(file))
    assert (status, output.replace(str(file), "run.yaml")) == (1, WRONG_SIZE)


UNKNOWN = """\
run.yaml:1:17: error[spec-key]: a loss has no setting 'color', 'jit_compile'
 1 | mean(abs(y_true - y_pred))
   | ^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: it has: formula, params, reduction, name, dtype, logits, strict, language
"""


def test_config_with_a_setting_that_is_none(tmp_path):
    """What `LossSpec.parse` says of the same mapping; Keras' own form has more of them."""
    given = {"formula": MAE, "color": "red", "jit_compile": True}
    with pytest.raises(LossError) as caught:
        LossSpec.parse(given)
    file = tmp_path / "run.yaml"
    file.write_text(f"loss: {{formula: {MAE}, color: red, jit_compile: true}}")
    status, output, _ = run("check", "--config", str(file))
    assert (status, output.replace(str(file), "run.yaml")) == (1, UNKNOWN)
    (said,) = caught.value.diagnostics
    assert said.message in output
    assert said.help in output
    file.write_text(f"loss: {{class_name: lossdsl>Loss, config: {{formula: {MAE}, jit_compile: true, uses: {{}}}}}}")
    assert run("check", "--config", str(file))[0] == 0
    file.write_text(f"base: &b {{dtype: float16}}\nloss: {{<<: *b, formula: {MAE}}}")
    assert run("check", "--config", str(file))[0] == 0
    file.write_text(f"loss: {{_target_: lossdsl.compile, formula: {MAE}, rewrite: false, gradient: backend}}")
    assert run("check", "--config", str(file))[0] == 0


def test_config_in_json_and_toml(tmp_path):
    for name, content in (
        ("run.json", json.dumps({"loss": WRONG}, indent=2)),
        ("run.toml", f'loss = "{WRONG}"'),
    ):
        file = tmp_path / name
        file.write_text(content)
        row = next(i for i, line in enumerate(content.split("\n")) if "ture" in line)
        column = content.split("\n")[row].index("y_ture") + 1
        assert run("check", "--config", str(file))[1].startswith(f"{file}:{row + 1}:{column}: error[unknown-name]")


def test_a_config_without_formulas_and_one_that_is_broken(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("loss: my_loss\nmetrics: [mse]")
    assert run("check", "--config", str(file)) == (0, "", f"{file}: no formula found\n")
    file.write_text("loss: [")
    status, output, _ = run("check", "--config", str(file))
    assert status == 1
    assert output.startswith(f"{file}:1:8: error[config-unreadable]: can't be read as YAML: ")
