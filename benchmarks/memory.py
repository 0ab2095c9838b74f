"""Peak memory of value and gradient, above the inputs and the gradient itself. Linux only.

Run as a process of its own, `python -m benchmarks.memory`, once per backend: freed arrays must go back to the system
at once, which takes settings of the allocator that would disturb a clock.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SIZE = "4096x1000"
STATUS = Path("/proc/self/status")
PEAK_RESET = Path("/proc/self/clear_refs")


def available() -> bool:
    """Whether this system tells the peak of a process and lets it be reset."""
    return STATUS.exists() and os.access(PEAK_RESET, os.W_OK)


def start(backend: str, losses: Sequence[str], size: str = SIZE) -> subprocess.Popen[str]:
    """A process that measures the losses on a backend; it writes one JSON object."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        # Anything larger is given back the moment that it is freed.
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "MALLOC_TRIM_THRESHOLD_": "1048576",
        # On some processors oneDNN brings an allocator of its own, which gives nothing back: no peak would be seen.
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    command = [sys.executable, "-m", "benchmarks.memory", size, *losses]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> dict[str, dict[str, Any]]:
    """What such a process found: bytes by loss and rival."""
    text, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the process that measures memory ended with status {process.returncode}")
    found: dict[str, dict[str, Any]] = json.loads(text.splitlines()[-1])
    return found


def _status(name: str) -> int:
    """A figure of this process in bytes: VmRSS is what it holds now, VmHWM the most since the reset."""
    found = re.search(rf"{name}:\s+(\d+) kB", STATUS.read_text("ascii"))
    assert found is not None
    return int(found[1]) * 1024


def peak(run: Callable[[], object]) -> int:
    """Bytes held at the worst moment of a call beyond those held before."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda padding: 0)
    gc.collect()
    trim(0)
    PEAK_RESET.write_text("5", "ascii")
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def main(size: str, losses: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The figures of all losses; one that fails has an `error`."""
    found: dict[str, dict[str, Any]] = {}
    for name in losses:
        try:
            found[name] = measure(name, size)
        except Exception as error:  # the others are still worth measuring
            found[name] = {"error": f"{type(error).__name__}: {error}"}
    return found


def measure(name: str, size: str) -> dict[str, float]:
    """Bytes above inputs and gradient, of every rival of one loss on this process's backend."""
    import keras

    from benchmarks.cases import CASES
    from benchmarks.data import SIZES, arrays

    case = CASES[name]
    y_true, y_pred = arrays(case.data, SIZES[size])
    gc.collect()
    gc.freeze()
    found = {}
    for rival, run in _CALLS[keras.config.backend()](case, y_true, y_pred):
        run()
        found[rival] = max(0.0, float(peak(run) - y_pred.nbytes))
    return found


def _tensorflow(case: Any, y_true: Any, y_pred: Any) -> Any:
    import tensorflow as tf

    from benchmarks.speed import Setting, rivals, step

    tensors = tf.constant(y_true), tf.constant(y_pred)
    for name, loss in rivals(case, y_pred.ndim).items():
        function = step(loss, Setting("graph", SIZE, True))
        yield name, lambda function=function: function(*tensors)


def _other(case: Any, y_true: Any, y_pred: Any) -> Any:
    import keras

    from benchmarks.rivals import call

    yield keras.config.backend(), call(case, y_true, y_pred, gradient=True)


_CALLS: dict[str, Any] = {"tensorflow": _tensorflow, "jax": _other, "torch": _other}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
