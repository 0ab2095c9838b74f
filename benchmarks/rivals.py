"""JAX under `jit` and torch, each in a process of its own: the formula by hand, on the same arrays.

Run as `python -m benchmarks.rivals` with KERAS_BACKEND set; prints one JSON object.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.timing import Figure, Pace, interleaved

BACKENDS = ("jax", "torch")


def missing(backend: str) -> bool:
    """Whether a backend is not installed."""
    return importlib.util.find_spec(backend) is None


def measure(backend: str, losses: Sequence[str], sizes: Sequence[str], seconds: float) -> list[dict[str, Any]]:
    """Value and gradient on a backend: rows of loss, size, value and seconds."""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "benchmarks.rivals", str(seconds), ",".join(sizes), *losses]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def call(case: Any, y_true: Any, y_pred: Any, *, gradient: bool) -> Callable[[], Any]:
    """A call of the loss by hand on this process's backend, which ends when its results are there."""
    import keras

    from benchmarks.handwritten import HandWritten

    loss = HandWritten(case.hand)
    return {"jax": _jax, "torch": _torch}[keras.config.backend()](loss, y_true, y_pred, gradient)


def _jax(loss: Any, y_true: Any, y_pred: Any, gradient: bool) -> Callable[[], Any]:
    import jax

    function = jax.jit(jax.value_and_grad(loss, argnums=1) if gradient else loss)
    data = jax.device_put(y_true), jax.device_put(y_pred)
    return lambda: jax.block_until_ready(function(*data))


def _torch(loss: Any, y_true: Any, y_pred: Any, gradient: bool) -> Callable[[], Any]:
    import torch

    data = torch.from_numpy(y_true), torch.from_numpy(y_pred).requires_grad_(gradient)

    def run() -> Any:
        value = loss(*data)
        return (value.detach(), *torch.autograd.grad(value, data[1])) if gradient else value

    return run


def main(seconds: float, sizes: Sequence[str], losses: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of this process's backend; a loss that fails has an `error`."""
    from benchmarks.cases import CASES

    rows: list[dict[str, Any]] = []
    for name in losses:
        try:
            rows += _rows(CASES[name], sizes, Pace(seconds, least=3))
        except Exception as error:  # the others are still worth measuring
            rows.append({"loss": name, "error": f"{type(error).__name__}: {error}"})
    return rows


def _rows(case: Any, sizes: Sequence[str], pace: Pace) -> Iterator[dict[str, Any]]:
    import keras

    from benchmarks.data import SIZES, arrays, fits

    for size in sizes:
        if fits(case.data, SIZES[size]):
            run = call(case, *arrays(case.data, SIZES[size]), gradient=True)
            value = float(run()[0])
            figure = Figure.of(interleaved({"it": run}, pace)["it"])
            row = {"backend": keras.config.backend(), "loss": case.name, "size": size, "gradient": True}
            yield {**row, "value": value, "seconds": asdict(figure)}


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:])))
