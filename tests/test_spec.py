"""LossSpec: plain values in, the same plain values out, through every config system."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
import sys
from fractions import Fraction

import numpy as np
import pytest
import yaml

import lossdsl
from lossdsl import LossError, LossSpec
from lossdsl.spec import check_strict, plain

F = "mean(abs(y_true - y_pred)**gamma)"
LONG = {"formula": F, "params": {"gamma": 1.5}, "reduction": "sum", "name": "mine", "dtype": "float64"}


def code_of(call):
    with pytest.raises(LossError) as caught:
        call()
    return caught.value.diagnostics[0].code


def test_short_and_long_forms():
    short = LossSpec.parse("mean(abs(y_true - y_pred))")
    assert short.to_dict() == {"formula": "mean(abs(y_true - y_pred))"}
    long = LossSpec.parse(LONG)
    assert long.to_dict() == LONG
    assert LossSpec.parse(long) is long
    assert (str(long), long.params, long.reduction, long.name, long.dtype) == (
        F,
        {"gamma": 1.5},
        "sum",
        "mine",
        "float64",
    )
    assert repr(LossSpec(F, {"gamma": 2})) == f"lossdsl.LossSpec({F!r}, params={{'gamma': 2}})"
    assert eval_repr(LossSpec(F, {"gamma": 2})) == LossSpec(F, {"gamma": 2})


def eval_repr(spec):
    """`repr` is a call of LossSpec that makes an equal one; read as data, not run."""
    import ast

    call = ast.parse(repr(spec), mode="eval").body
    arguments = [ast.literal_eval(argument) for argument in call.args]
    return LossSpec(*arguments, **{k.arg: ast.literal_eval(k.value) for k in call.keywords})


def test_equal_and_hashable_by_value():
    one, two = LossSpec(F, {"gamma": 2.0}), LossSpec(F, {"gamma": np.float64(2)})
    assert one == two
    assert len({one, two, LossSpec(F, {"gamma": 3.0}), LossSpec(F, {"gamma": 2.0}, name="a")}) == 3
    vector = "mean(w * y_pred - y_true)"
    assert hash(LossSpec(vector, {"w": [1, 2]})) == hash(LossSpec(vector, {"w": (1, 2)}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.formula = "x"


def test_what_is_given_is_copied():
    weights = [1.0, 2.0]
    spec = LossSpec("mean(w * y_pred - y_true)", {"w": weights})
    weights.append(3.0)
    assert spec.params == {"w": [1.0, 2.0]}
    spec.to_dict()["params"]["w"].append(3.0)
    assert spec.params == {"w": [1.0, 2.0]}


@pytest.mark.parametrize(
    "again",
    [
        lambda s: LossSpec.from_json(s.to_json()),
        lambda s: LossSpec.parse(json.loads(json.dumps(s.to_dict()))),
        lambda s: LossSpec.parse(yaml.safe_load(yaml.safe_dump(s.to_dict()))),
        lambda s: LossSpec(**dataclasses.asdict(s)),
        dataclasses.replace,
        copy.deepcopy,
        lambda s: pickle.loads(pickle.dumps(s)),
        lambda s: eval_repr(s),
    ],
)
def test_round_trips(again):
    vector = "mean(w * y_pred - y_true)"
    for spec in (
        LossSpec.parse(LONG),
        LossSpec(vector, {"w": [0.25, 1e-30]}, "none"),
        LossSpec("mean(y_pred)"),
    ):
        copied = again(spec)
        assert copied == spec
        assert {k: type(v) for k, v in copied.params.items()} == {k: type(v) for k, v in spec.params.items()}


def test_logits_are_written_down_where_they_are_off():
    off, on = LossSpec("mean(y_pred)", logits=False), LossSpec("mean(y_pred)", logits=True)
    assert LossSpec.from_json(off.to_json()) == off != on
    assert off.to_dict() == {"formula": "mean(y_pred)", "logits": False}
    assert on == LossSpec("mean(y_pred)")
    assert hash(on) != hash(off)


def test_strict_is_written_down_where_it_is_on():
    proved, near = LossSpec("mean(abs(y_pred))", strict=True), LossSpec("mean(abs(y_pred))", strict="1e6")
    assert (proved.to_dict()["strict"], near.to_dict()["strict"]) == (True, 1e6)
    assert LossSpec.from_json(near.to_json()) == near != proved
    assert len({hash(proved), hash(near), hash(LossSpec("mean(abs(y_pred))"))}) == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1e-3", 0.001), ("2", 2), ("true", True), ("False", False), ("inf", math.inf),
        (np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True),
        (np.array([1.0, 2.0]), [1.0, 2.0]), ((1, "2e0"), [1, 2.0]), ([[1, 2], (3, 4)], [[1, 2], [3, 4]]),
    ],
)  # fmt: skip
def test_values_become_plain(given, expected):
    found = plain("x", given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("value", ["abc", None, {"a": 1}, [[[1.0]]], object(), "", ["x"], b"1"])
def test_values_that_are_no_parameters(value):
    assert code_of(lambda: plain("x", value)) == "spec-value"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, True), (np.bool_(True), True), (False, False), ("true", True), ("1e6", 1e6), (5, 5.0),
        (np.float32(5), 5.0), (np.int64(5), 5.0), (Fraction(1, 2), 0.5), (math.inf, True), (10**400, True),
    ],
)  # fmt: skip
def test_what_strict_may_be(given, expected):
    found = check_strict(given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("given", [-1, 0, 0.0, math.nan, None, "x", "-1", [5.0], np.float32("nan")])
def test_what_strict_can_not_be(given):
    assert code_of(lambda: check_strict(given)) == "spec-setting"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: LossSpec.parse(3), "spec-form"),
        (lambda: LossSpec.parse(None), "spec-form"),
        (lambda: LossSpec.parse({"params": {}}), "spec-form"),
        (lambda: LossSpec.parse({"formula": 3}), "spec-form"),
        (lambda: LossSpec.parse({"formula": F, "gama": 2}), "spec-key"),
        (lambda: LossSpec(F, {"gamma": "x"}), "spec-value"),
        (lambda: LossSpec(F, [("gamma", 1)]), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, reduction="avg"), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, logits="never"), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, logits=0), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, reduction=["sum"]), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, name=F), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, name="_scope"), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, dtype=3), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, strict=-1), "spec-setting"),
        (lambda: LossSpec(F, {"gamma": 2}, language=99), "spec-version"),
        (lambda: LossSpec(F, {"gamma": 2}, language="new"), "spec-setting"),
        (lambda: LossSpec("mean(abs(y_ture - y_pred))"), "unknown-name"),
    ],
)
def test_wrong_specs_are_errors_when_made(make, code):
    assert code_of(make) == code


def test_a_wrong_formula_says_so_while_the_config_loads():
    with pytest.raises(ValueError, match="y_ture") as caught:
        LossSpec.parse({"formula": "mean(abs(y_ture - y_pred))"})
    assert caught.value.diagnostics[0].span.text == "y_ture"


def test_none_means_no_reduction():
    assert LossSpec.parse({"formula": "mean(y_pred)", "reduction": None}).reduction == "none"


def test_omegaconf_and_hydra_structured_configs():
    omegaconf = pytest.importorskip("omegaconf")
    loaded = omegaconf.OmegaConf.create({"loss": {"formula": F, "params": {"gamma": "${g}"}}, "g": 2})
    assert LossSpec.parse(loaded.loss).to_dict() == {"formula": F, "params": {"gamma": 2}}
    structured = omegaconf.OmegaConf.structured(LossSpec(F, {"gamma": 2.0}))
    assert LossSpec.parse(structured) == LossSpec(F, {"gamma": 2.0})


def test_pydantic_fields():
    pydantic = pytest.importorskip("pydantic")
    config = pydantic.create_model("Config", loss=(LossSpec, ...))
    for given in (F.replace("**gamma", ""), LONG):
        made = config(loss=given)
        assert made.loss == LossSpec.parse(given)
        assert config.model_validate_json(made.model_dump_json()) == made
    with pytest.raises(pydantic.ValidationError, match="y_ture"):
        config(loss="mean(y_ture - y_pred)")
    schema = config.model_json_schema()
    assert "lossdsl-formula" in json.dumps(schema)


def test_pydantic_is_not_imported_by_us():
    import subprocess

    code = "import lossdsl, sys; lossdsl.LossSpec('mean(y_pred)'); print('pydantic' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_the_json_schema_names_every_field():
    whole = LossSpec.json_schema()["anyOf"][1]
    assert list(whole["properties"]) == [field.name for field in dataclasses.fields(LossSpec)]
    assert set(LONG) <= set(whole["properties"])


@pytest.mark.keras
def test_compile_proves_what_the_spec_asks_for():
    text = "k: float = 1.0\ny_pred: float[batch, *] in [0, 1]\nmean(log(y_pred + k))"
    assert LossSpec(text, strict=True).compile().spec.strict is True
    assert code_of(lambda: LossSpec(text, {"k": 0.0}, strict=True).compile()) == "not-proved"


@pytest.mark.keras
def test_compile_makes_the_loss_that_the_spec_describes():
    spec = LossSpec.parse({**LONG, "dtype": "float32"})
    loss = spec.compile()
    assert isinstance(loss, lossdsl.Loss)
    assert (loss.formula, dict(loss.params), loss.reduction, loss.name, loss.dtype) == (
        F,
        {"gamma": 1.5},
        "sum",
        "mine",
        "float32",
    )
    assert float(loss([[1.0], [1.0]], [[5.0], [2.0]])) == 9.0
