"""Finding formulas in configuration files: which texts are some, with what parameters, and where."""

from __future__ import annotations

import json

import pytest

from lossdsl.configs import find
from lossdsl.errors import LossError

YAML = """\
# A run
model: {name: a-b, size: 3*4}
loss: mean(abs(y_true
        - bad))
losses:
  first: mse
  built_in: {class_name: pkg>Loss, registered_name: pkg>Loss, config: {name: a-b, reduction: sum}}
  block: |   # a comment
      e = y_true - y_pred

      mean(bad(e))
  folded: >-
    mean(y_true +
    bad(y_pred))
  single: 'mean(''x) + bad(1)'
  double: "mean(y_true)\\n + \\x62ad(2) + bad(3)"
metrics:
  - mae
  - mean(bad(4))
  - {formula: bad(w), params: {w: [1, 1e-3]}, name: my-metric}
target: {_target_: lossdsl.compile, formula: bad(gamma), gamma: 2, reduction: sum, _convert_: a-b}
saved:
  class_name: lossdsl>Loss
  registered_name: lossdsl>Loss
  config: {formula: bad(k), params: {k: true}, name: loss-1}
loss_weights: {a: 1.0}
"""

TOML = """\
title = "2 * 3"
loss = "mean(y_true) + bad(1)"  # not this: loss = "bad(0)"

[training.loss]
formula = '''
e = y_true - y_pred
  bad(e)
'''
params = { gamma = 2, alpha = [0.5, 1e-3] }

[second]
metrics = ['bad(2)', "mse", "bad(2)", "x +\\tbad(3)"]
"""


def places(name, text, word="bad"):
    """(line, column, text from there) of every `word` in every formula found."""
    result = []
    for found in find(name, text):
        for offset in range(len(found.source.text)):
            if found.source.text.startswith(word, offset):
                line, column = map(int, found.source.place(offset).rsplit(":", 2)[1:])
                result.append((line, column))
    return result


def where(text, word="bad"):
    """The same from the file itself: every place of `word` in it."""
    lines = text.split("\n")
    return [(i + 1, j + 1) for i, row in enumerate(lines) for j in range(len(row)) if row.startswith(word, j)]


def test_yaml_positions_through_every_kind_of_scalar():
    (escaped,) = where(YAML, "\\x62ad(2)")
    assert places("run.yaml", YAML) == sorted([*where(YAML), escaped])


def test_yaml_finds_these_texts_and_no_others():
    found = [(f.source.text, f.params, f.metric) for f in find("run.yaml", YAML)]
    assert found == [
        ("mean(abs(y_true - bad))", {}, False),
        ("mse", {}, False),
        ("e = y_true - y_pred\n\nmean(bad(e))\n", {}, False),
        ("mean(y_true + bad(y_pred))", {}, False),
        ("mean('x) + bad(1)", {}, False),
        ("mean(y_true)\n + bad(2) + bad(3)", {}, False),
        ("mean(bad(4))", {}, True),
        ("bad(w)", {"w": ["1", "1e-3"]}, True),
        ("bad(gamma)", {"gamma": "2"}, False),
        ("bad(k)", {"k": "true"}, False),
    ]


def test_toml_positions_and_texts():
    not_found = (2, TOML.split("\n")[1].index("bad(0)") + 1)
    assert places("run.toml", TOML) == [place for place in where(TOML) if place != not_found]
    found = [(f.source.text, f.params, f.metric) for f in find("run.toml", TOML)]
    assert found == [
        ("mean(y_true) + bad(1)", {}, False),
        ("e = y_true - y_pred\n  bad(e)\n", {"gamma": "2", "alpha": ["0.5", "0.001"]}, False),
        ("bad(2)", {}, True),
        ("bad(2)", {}, True),
        ("x +\tbad(3)", {}, True),
    ]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_positions(indent):
    data = {"loss": "e = y_true\nmean(bad(e))", "n": 1, "deep": [{"metrics": ['bad("\\u0041")', "mse"]}]}
    text = json.dumps(data, indent=indent)
    assert places("run.json", text) == where(text)
    assert [f.source.text for f in find("run.json", text)] == [data["loss"], data["deep"][0]["metrics"][0]]


def test_several_documents_aliases_and_windows_line_ends():
    text = "base: &b {loss: bad(1) + 1}\r\nrun: *b\r\n---\r\nloss: |\r\n  bad(2)\r\n  + 1\r\n"
    assert places("run.yaml", text) == [(1, 17), (5, 3)]


def test_an_interpolation_is_left_for_later():
    (found,) = find("run.yaml", "loss: {formula: mean(g * y_pred), params: {g: '${gamma}'}}")
    assert found.interpolation == "${gamma}"
    (found,) = find("run.yaml", "loss: {formula: mean(y_pred), strict: '${size}'}")
    assert found.interpolation == "${size}"
    (found,) = find("run.yaml", "loss: mean(${w} * y_pred)")
    assert found.interpolation == "${w}"


def test_a_deep_file_is_read_without_recursion():
    depth = 5000
    text = "[" * depth + "{loss: bad(1)}" + "]" * depth
    assert places("run.yaml", text) == [(1, depth + 8)]


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [("run.yaml", "loss: [1\nx: 2", "run.yaml:2:2"), ("run.toml", "a = 1\nb = [", "run.toml:2:6")],
)
def test_a_broken_file_is_an_error_with_its_place(name, text, place):
    with pytest.raises(LossError) as caught:
        find(name, text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "config-unreadable"
    assert diagnostic.render().startswith(f"{place}: error[config-unreadable]")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "run.yaml").write_bytes(b"loss: \xff\xfe")
    with pytest.raises(LossError, match="can't be read as UTF-8"):
        find(tmp_path / "run.yaml")
