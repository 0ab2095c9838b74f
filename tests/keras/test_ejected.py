"""Ejected files: each shim in one, run where there is no lossdsl, and every library loss by its oracle."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from library_cases import Case, slopes, values
from library_checks import MOST_SLOW, agree, tensors

import lossdsl
from lossdsl.backends import shims

FORMULAS = {
    "cosine_similarity": "_squares",
    "mean(sqrt(square(y_pred - y_true) + 1) + log(1 + square(y_pred - y_true)))": "_squares",
    "mean(sqrt(4 + square(y_pred)) - 2) + sum(y_true)": "_squares",
    "mean(y_pred / (4 + square(y_pred)) + square(y_pred) / (9 + square(y_pred))) * norm(y_true)": "_squares",
    "1 - sum(normalize(y_true) * normalize(y_pred)) + sqrt(var(y_true))": "_squares",
    "mean(y_true * log(y_true / y_pred) - y_true + y_pred + y_true / y_pred - log(y_true / y_pred) - 1)": "_near",
    "mean(exp(y_pred) - y_pred - 1 + (1 - exp(-y_pred) - y_pred * exp(-y_pred)) * y_true)": "_near",
    "mean((abs(y_pred) - log(1 + abs(y_pred))) * (1 - y_true) + log(1 - exp(-abs(y_pred))))": "_near",
    "mean(square(log(y_pred) - log(y_true)) + square(log(1 + y_pred) - log(1 + y_true)))": "_near",
    "mean(square(y_true / y_pred - 1) + y_true * (1 - (1 - y_pred)**3))": "_near",
    "mean((1 + y_pred) * log(1 + y_pred) - y_pred) * sum(y_true)": "_near",
    "m = 0.5 * (y_true + y_pred)\nmean(y_true * log(y_true / m) + log(exp(y_pred) / exp(y_true) / m))": "_near",
    "evidential_dirichlet": "_gamma",
    "evidential_crossentropy": "_gamma",
    "mean(lgamma(exp(y_pred)) + lgamma(exp(y_true)) - lgamma(exp(y_pred) + exp(y_true)))": "_gamma",
    "mean(lgamma(y_true + exp(y_pred)) - lgamma(exp(y_pred)) - y_true * y_pred) - mean(lgamma(y_pred))": "_gamma",
    "-sum(y_true * log(softmax(y_pred))) + sum(softmax(y_pred) * y_true)": "_shares",
    "-sum((1 - y_true) * log(1 - softmax(y_pred)) * (1 - softmax(y_true)))": "_shares",
    "sum(square(log_softmax(y_pred))) + logsumexp(y_pred) + mean(square(sum(y_pred) - y_pred - y_true))": "_shares",
    "sum(softmax(y_true) * (log_softmax(y_true) - log_softmax(y_pred)))": "_shares",
    "sum(lgamma(exp(y_pred))) - lgamma(sum(exp(y_pred))) + sum(y_true)": "_shares",
    "mean(log(0.5 * (1 + erf(y_pred / 1.4142135623730951))) * y_true )": "_tails",
    "mean(softplus(y_pred) - logaddexp(y_pred, y_true) + erf(y_pred) + erfinv(y_true))": "_tails",
    "mean(exp(y_true) * softplus(y_pred - y_true))": "_tails",
    "ctc": "_ctc",
    "mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred) + xdivy(y_true, y_pred))": "_products",
    "mean(log(cosh(y_pred - y_true)) + y_true * log(sigmoid(y_pred)) + (1 - y_true) * log(1 - sigmoid(y_pred)))": "",
}
"""By the module whose shims they need."""
SELDOM = {"std", "log_quotient"}
"""Shims in whose place something else is printed as a rule."""
SHARES = np.random.default_rng(3).uniform(0.05, 0.95, (2, 5, 4)).astype("float32")


HEAD = "y_true: float[batch, k]\ny_pred: float[batch, k]\n"


def written(text: str) -> str:
    """For one rank alone: the file holds code for each."""
    return HEAD + text if "mean(" in text or "sum(" in text else text


def data_for(text: str) -> tuple[np.ndarray, np.ndarray]:
    if text == "ctc":
        return np.array([[1, 2], [3, 0]] * 2, "int32"), np.random.default_rng(4).normal(size=(4, 6, 4)).astype(
            "float32"
        )
    return SHARES[0], SHARES[1]


@pytest.fixture(scope="module")
def ejected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Any]]:
    """The text of every file, and what it gave in a process without lossdsl."""
    folder = tmp_path_factory.mktemp("ejected")
    for i, text in enumerate(FORMULAS):
        true, pred = data_for(text)
        (folder / f"case_{i}.py").write_text(lossdsl.eject(written(text), "Mine"), "utf-8")
        np.savez(folder / f"case_{i}.npz", y_true=true, y_pred=pred)
    script = Path(__file__).with_name("ejected_script.py")
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    files = [folder / f"case_{i}" for i in range(len(FORMULAS))]
    found = [(f.with_suffix(".py").read_text("utf-8"), np.load(f.with_suffix(".found.npz"))) for f in files]
    return dict(zip(FORMULAS, found, strict=True))


@pytest.mark.parametrize("text", FORMULAS)
def test_without_lossdsl(text: str, ejected: dict[str, tuple[str, Any]]) -> None:
    """The same value and gradient as those of the compiled formula, which other tests judge."""
    true, pred = (tf.constant(x) for x in data_for(text))
    loss = lossdsl.compile(written(text))
    with tf.GradientTape() as tape:
        tape.watch(pred)
        value = loss(true, pred)
    slope = tape.gradient(value, pred).numpy()
    found = ejected[text][1]
    for name in ("eager value", "xla value"):
        np.testing.assert_allclose(found[name], value, rtol=2e-6, err_msg=name)
    for name in ("eager gradient", "xla gradient"):
        np.testing.assert_allclose(found[name], slope, rtol=2e-5, atol=2e-6 * np.abs(slope).max(), err_msg=name)


def functions(text: str) -> set[str]:
    return {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def test_every_shim_is_met(ejected: dict[str, tuple[str, Any]]) -> None:
    """In the files that are for its module; and whatever an operation's text asks for, somewhere."""
    folder, met = Path(str(shims.__file__)).parent, set()
    for text, part in FORMULAS.items():
        own = functions((folder / f"shims{part}.py").read_text("utf-8"))
        assert own & functions(ejected[text][0]), text
        met |= functions(ejected[text][0])
    rows = "".join(file.read_text("utf-8") for file in (folder.parent / "ops").glob("*.py"))
    of_parts = set().union(*(functions(file.read_text("utf-8")) for file in folder.glob("shims_*.py")))
    assert (set(re.findall(r"\bshims\.(\w+)", rows)) & of_parts) - met == SELDOM


@pytest.mark.parametrize("case", MOST_SLOW)
def test_library(case: Case) -> None:
    """The ejected file gives what the oracle says, and names nothing of lossdsl."""
    code = lossdsl.eject(case.name, "Mine", dict(case.params))
    assert "import lossdsl" not in code
    assert "from lossdsl" not in code
    module = types.ModuleType("ejected")
    sys.modules["ejected"] = module
    exec(compile(code, "ejected.py", "exec"), module.__dict__)  # noqa: S102  (what a user would import)
    y_true, y_pred = tensors(case)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = module.Mine()(y_true, y_pred)
    assert float(value) == pytest.approx(np.mean(values(case)), rel=1e-4, abs=1e-5)
    agree(tf.convert_to_tensor(tape.gradient(value, y_pred)).numpy(), slopes(case))
