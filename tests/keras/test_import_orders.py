"""`lossdsl>Loss` is known to Keras in whichever order things are imported; each order in its own process.

Importing the real Keras takes seconds, so most orders run over a small package of the same name and layout;
the order that once failed, and loading a saved model, run over the real one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERAS = {
    "keras/__init__.py": """
from keras.src import KerasTensor, backend, ops, saving, losses, metrics, config
from keras import models
""",
    "keras/models.py": "def load_model(path): ...",
    "keras/src/__init__.py": """
import types
from keras.src import backend
class KerasTensor: ...
def shaped(**names): return types.SimpleNamespace(**names)
known = {}
def register(package, name):
    def wrap(cls):
        known[f"{package}>{name}"] = cls
        return cls
    return wrap
ops = shaped()
config = shaped(epsilon=lambda: 1e-7, floatx=lambda: "float32", backend=lambda: "none")
losses = shaped(Loss=type("Loss", (), {}))
metrics = shaped(Metric=type("Metric", (), {}))
saving = shaped(get_registered_object=known.get, register_keras_serializable=register)
""",
    "keras/src/backend.py": "def get_keras_mask(x): ...\ndef backend(): return 'none'",
    "tensorflow.py": """
import importlib.util
assert importlib.util.find_spec("keras")  # TensorFlow only looks until `tf.keras` is asked for
def __getattr__(name):
    import importlib
    if name == "keras":
        return importlib.import_module("keras")
    raise AttributeError(name)
""",
    "keras_tuner.py": "import keras",
}
KNOWN = """
import keras
known = keras.saving.get_registered_object
assert known("lossdsl>Loss") and known("lossdsl>Metric")
"""
ORDERS = {
    "lossdsl first": "import lossdsl; import keras",
    "keras first": "import keras; import lossdsl",
    "load_model alone": "import lossdsl; from keras.models import load_model",
    "load_model before": "from keras.models import load_model; import lossdsl",
    "keras.src first": "import lossdsl; import keras.src",
    "through tf.keras": "import lossdsl; import tensorflow as tf; tf.keras.models",
    "tensorflow first": "import tensorflow as tf; import lossdsl; tf.keras.models",
    "through another package": "import lossdsl; import keras_tuner",
    "after a probe": "import importlib.util; import lossdsl; importlib.util.find_spec('keras'); import keras",
    "eager": "import lossdsl.keras",
    "a class asked for": "import lossdsl; lossdsl.Loss",
    "lazy loader": """
import importlib.util, sys, lossdsl
spec = importlib.util.find_spec("keras")
loader = importlib.util.LazyLoader(spec.loader)
spec.loader = loader
sys.modules["keras"] = module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
module.models
""",
    "four threads": """
import threading, lossdsl
threads = [threading.Thread(target=__import__, args=("keras",)) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
""",
    "keras reloaded": """
import lossdsl, keras, importlib
first = lossdsl.Loss
importlib.reload(keras)
assert lossdsl.Loss is first
""",
    "lossdsl reloaded": """
import lossdsl, keras, importlib
importlib.reload(lossdsl)
importlib.reload(keras)
""",
    "our module reloaded": """
import lossdsl, keras, importlib
from lossdsl.backends import live_loss
first = live_loss.Loss
importlib.reload(live_loss)
assert live_loss.Loss is first, "a second class is no instance of the first"
""",
    "keras purged and imported again": """
import sys, lossdsl, keras
first = lossdsl.Loss
for name in [name for name in sys.modules if name.startswith("keras")]:
    del sys.modules[name]
import keras
assert lossdsl.Loss is not first and issubclass(lossdsl.Loss, keras.losses.Loss)
""",
    "lossdsl purged and imported again": """
import sys, lossdsl
for name in [name for name in sys.modules if name.startswith("lossdsl")]:
    del sys.modules[name]
import lossdsl, keras
assert sum(type(finder).__name__ == "KerasHook" for finder in sys.meta_path) == 1
""",
    "another finder in front": """
import sys, importlib.machinery, lossdsl
class Front:
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.PathFinder.find_spec(name, path) if name == "keras" else None
sys.meta_path.insert(0, Front())
import keras
assert not keras.saving.get_registered_object("lossdsl>Loss")
import lossdsl.keras  # the cure that is written down
""",
}


def run(code: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    where = os.pathsep.join([*([str(path)] if path else []), str(ROOT)])
    settings = {**os.environ, "PYTHONPATH": where, **environment}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=settings, timeout=200, check=False
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small")
    for name, text in KERAS.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


@pytest.mark.parametrize("order", ORDERS)
def test_registered_in_every_order(order, small):
    done = run(f"{ORDERS[order].strip()}\n{KNOWN}", small)
    assert done.returncode == 0, done.stderr
    assert "keras-not-ready" not in done.stderr


def test_importing_lossdsl_imports_no_framework(small):
    done = run(
        "import lossdsl, sys; print(sorted({'keras', 'tensorflow', 'numpy', 'lark'} & set(sys.modules)))",
        small,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_fault_of_ours_never_stops_keras(small, tmp_path):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text("saving = losses = None")
    done = run("import lossdsl, keras; print(keras.losses)", tmp_path)
    assert done.stdout.strip() == "None", done.stderr
    assert "warning[keras-not-ready]" in done.stderr


def test_keras_two_is_noticed(small):
    done = run("import lossdsl.keras", small, TF_USE_LEGACY_KERAS="1")
    assert done.returncode == 0, done.stderr
    assert "warning[keras-legacy]" in done.stderr


def test_the_order_that_once_failed_with_the_real_packages_and_a_saved_model(tmp_path):
    """The model is saved here and loaded in a fresh process, without custom objects and in safe mode."""
    import keras
    import numpy as np

    import lossdsl

    loss = lossdsl.compile("w * mean(abs(y_true - y_pred))", w=2.5, reduction="sum", name="ours", dtype="bfloat16")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", loss=loss, metrics=[loss.as_metric("metric")])
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    expected = model.evaluate(x, np.zeros((2, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    code = f"""
import lossdsl, tensorflow as tf, numpy as np
model = tf.keras.models.load_model({str(tmp_path / "model.keras")!r}, safe_mode=True)
print(model.loss.get_config())
print(model.evaluate(np.array([[1.0, 2.0], [3.0, 5.0]]), np.zeros((2, 1)), verbose=0))
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    config, values = done.stdout.strip().splitlines()[-2:]
    assert config == str(loss.get_config())
    assert values == str(expected)
    assert expected[0] == pytest.approx(2.5 * (3 + 8))
