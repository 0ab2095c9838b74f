"""The showpiece: `lossdsl demo`, or `make demo`.

A loss that was written as text in YAML trains a model on real data, is saved, and comes back in another
process with the same value.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

CONFIG = """\
loss:
  name: focal
  params: {gamma: 2.0}
  formula: |
    # Focal loss (Lin et al. 2017): what the model is sure of counts less.
    y_true: label[batch]
    y_pred: prob[batch, classes]
    gamma: float in [0, inf)

    p = take_along_axis(y_pred, y_true)
    -(1 - p)**gamma * log(maximum(p, epsilon))
optimizer: adam
metrics: [accuracy]
"""
"""What the demo trains from."""


def run(folder: Path, epochs: int) -> int:
    """Everything, told on standard output; the exit status."""
    if missing := [name for name in ("matplotlib", "sklearn") if find_spec(name) is None]:
        click.echo(f"The demo needs {' and '.join(missing)}: pip install matplotlib scikit-learn", err=True)
        return 2
    import yaml

    from lossdsl import LossSpec, check

    start = time.perf_counter()
    config = yaml.safe_load(CONFIG)
    spec = LossSpec.parse(config["loss"])
    _head("The configuration, a YAML text")
    click.echo(CONFIG)
    _head("What the formula was found to be, before any framework is loaded")
    click.echo(check(spec.formula, **spec.params).render())
    _head(f"Training on scikit-learn's handwritten digits, {epochs} epochs")
    with quiet():
        model, history = _train(spec, config, epochs)
        values = _values(model, spec)
    _agree("On the test digits", "the formula", values["formula"], "hand-written", values["by hand"])
    saved = folder / "lossdsl-demo.keras"
    with quiet():
        model.save(saved)
    _head("Saved, and loaded again by another process")
    again = _in_another_process(saved)
    _agree(
        f"{saved.name}, {saved.stat().st_size // 1024} kB",
        "here",
        values["formula"],
        "there",
        again["formula"],
    )
    picture = _draw(history, folder / "lossdsl-demo.png")
    click.echo(f"\nThe training curve: {picture.resolve()}\n{time.perf_counter() - start:.0f} seconds in all.")
    return 0


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what TensorFlow's start prints off the screen; it writes to the error stream below Python."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _digits() -> tuple[Any, Any, Any, Any]:
    """1,797 scanned digits, in a fixed split: training pictures and labels, test pictures and labels."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pictures, labels = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(pictures / 16.0, labels, test_size=0.25, random_state=0)
    return x.astype("float32"), y, x_test.astype("float32"), y_test


def _train(spec: Any, config: dict[str, Any], epochs: int) -> tuple[Any, dict[str, list[float]]]:
    import keras

    keras.utils.set_random_seed(0)
    x, y, x_test, y_test = _digits()
    model = keras.Sequential([keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")])
    model.compile(optimizer=config["optimizer"], loss=spec.compile(), metrics=config["metrics"])
    tell = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: _progress(epoch + 1, epochs, logs))
    data = {"validation_data": (x_test, y_test), "epochs": epochs, "batch_size": 64}
    return model, model.fit(x, y, verbose=0, callbacks=[tell], **data).history


def _progress(epoch: int, epochs: int, logs: dict[str, float]) -> None:
    """A line for the first epoch, the last, and about eight between."""
    if epoch in (1, epochs) or epoch % max(1, epochs // 8) == 0:
        done = "#" * round(20 * epoch / epochs)
        click.echo(
            f"  epoch {epoch:3d} [{done:<20}] loss {logs['loss']:.4f}, on test data {logs['val_loss']:.4f}, "
            f"of which right {logs['val_accuracy']:.1%}"
        )


def _values(model: Any, spec: Any) -> dict[str, float]:
    """The loss over the test digits: by the compiled formula, and as it would be written by hand."""
    import keras
    from keras import ops

    _, _, x, y = _digits()
    predicted = model.predict(x, verbose=0)
    chosen = ops.sum(ops.one_hot(y, 10) * predicted, axis=-1)
    by_hand = ops.mean(-ops.power(1.0 - chosen, spec.params["gamma"]) * ops.log(chosen))
    loss = model.loss if isinstance(model.loss, keras.losses.Loss) else spec.compile()
    return {"formula": float(loss(y, predicted)), "by hand": float(by_hand)}


def _in_another_process(saved: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "lossdsl.demo", str(saved)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"the other process failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _reload(saved: str) -> None:
    """What the other process does: load the model with its loss, and print the loss on the same data."""
    import keras

    import lossdsl

    model = keras.saving.load_model(saved)
    assert isinstance(model.loss, lossdsl.Loss)
    print(json.dumps(_values(model, model.loss)))


def _draw(history: dict[str, list[float]], path: Path) -> Path:
    """The training curve, as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axes, name, title in (
        (left, "loss", "focal loss"),
        (right, "accuracy", "share of digits read right"),
    ):
        epochs = range(1, len(history[name]) + 1)
        axes.plot(epochs, history[name], color="tab:blue", label="training")
        axes.plot(epochs, history[f"val_{name}"], color="tab:orange", label="test")
        axes.set(xlabel="epoch", title=title)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    left.set_yscale("log")
    figure.suptitle("-(1 - p)**gamma * log(maximum(p, epsilon)),  gamma = 2", family="monospace", fontsize=11)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path


def _head(text: str) -> None:
    click.echo(f"\n{text}\n{'-' * len(text)}")


def _agree(where: str, one: str, first: float, other: str, second: float) -> None:
    click.echo(f"{where}: {one} {first:.9f}, {other} {second:.9f}")
    if abs(first - second) > 1e-6 * max(abs(first), 1e-3):
        raise click.ClickException("the two values differ")


if __name__ == "__main__":
    _reload(sys.argv[1])
