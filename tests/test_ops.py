"""Every row of the operation table, held to its own claims."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from laws import LAWS

from lossdsl.ops import ALIASES, INTERNAL, OPERATORS, OPS
from lossdsl.ops.op import Op, read_signature

ROWS = [*OPS.values(), *INTERNAL.values()]

PROMISED = """
abs sign square sqrt rsqrt reciprocal exp expm1 log log1p log2 log10 sin cos tan arctan arcsin arccos sinh
cosh tanh arctan2 erf erfinv floor ceil round sigmoid log_sigmoid softplus softsign relu leaky_relu elu
silu gelu maximum minimum clip where power logaddexp xlogy xdivy sum mean prod max min var std norm
logsumexp softmax log_softmax normalize one_hot take take_along_axis argmax argsort cumsum sort top_k flip
expand_dims size index stop_gradient isnan isfinite matmul lgamma digamma pairs windows rfft_real
rfft_imag ctc_loss
"""


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_row(op: Op, law: Callable[[Op], None]) -> None:
    law(op)


def test_the_language_has_every_function_it_promises() -> None:
    assert set(PROMISED.split()) | set(OPERATORS.values()) == set(OPS)


def test_internal_functions_are_no_functions_of_the_language() -> None:
    assert not set(OPS) & set(INTERNAL)


def test_other_spellings_lead_to_functions_and_hide_none() -> None:
    assert set(ALIASES.values()) <= set(OPS)
    assert not set(ALIASES) & set(OPS)


@pytest.mark.parametrize("text", ["f(x)", "f(x: float) - > float", "f x: float -> float", "f(x float) -> float"])
def test_a_signature_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(AssertionError, match=r"not a signature|not understood"):
        read_signature(text)


def test_matmul_works_where_the_axis_stands() -> None:
    x, w = np.arange(12.0).reshape(2, 3, 1, 2), np.arange(12.0).reshape(3, 4) - 5
    found = OPS["matmul"].numpy(x, w, axis=1)
    np.testing.assert_array_equal(found, np.einsum("bkzd,kn->bnzd", x, w))
    back = INTERNAL["matmul_transposed"].numpy(found, w, axis=1)
    np.testing.assert_array_equal(back, np.einsum("bnzd,kn->bkzd", found, w))


@pytest.mark.keras
@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
def test_template_gives_what_numpy_gives(op: Op) -> None:
    from keras_law import law_keras

    law_keras(op)


@pytest.mark.keras
@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
@pytest.mark.parametrize("xla", [False, True], ids=["graph", "xla"])
def test_template_in_a_compiled_function(op: Op, xla: bool) -> None:
    import tensorflow as tf
    from keras_law import law_keras

    law_keras(op, lambda row: tf.function(row, autograph=False, jit_compile=xla), most=2)


@pytest.mark.keras
@pytest.mark.parametrize("op", ROWS, ids=lambda op: op.name)
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_nothing_overflows_before_the_row_says_so(op: Op, mode: str) -> None:
    import tensorflow as tf
    from keras_law import law_infinity, law_reach

    compiled = {"graph": False, "xla": True}
    for law in (law_reach, law_infinity):
        law(op, lambda row: tf.function(row, autograph=False, jit_compile=compiled[mode]) if mode in compiled else row)


@pytest.mark.backends
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_templates_on_another_backend(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path}
    run = subprocess.run([sys.executable, str(here / "keras_law.py")], env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "", run.stdout
