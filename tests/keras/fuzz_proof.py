"""Random formulas that are proved finite, run on TensorFlow in eager calls, graphs and XLA: none may fail, or be wrong.

python tests/keras/fuzz_proof.py COUNT [SEED [--write]]
"""

from __future__ import annotations

import json
import random
import re
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from traceback import format_exception
from typing import Any

import numpy as np
from fuzz_numbers import wrong

from lossdsl.checked import Checked, analyse
from lossdsl.errors import LossError
from lossdsl.interval import SMALLEST, Interval
from lossdsl.ir.node import reachable
from lossdsl.precision import FLOAT32, PRECISIONS, Precision
from lossdsl.proof import PROVED, inputs, prove
from lossdsl.types import DType

ONE = ("exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "square", "abs", "sigmoid", "softplus", "tanh", "log_sigmoid",
       "reciprocal", "relu", "sign", "sin", "arctan", "cosh", "erf", "softmax", "log_softmax", "-", "cumsum", "normalize",
       "lgamma", "silu", "log2", "sinh", "arcsin", "sort")  # fmt: skip
MANY = ("sum", "mean", "max", "min", "logsumexp", "norm", "std", "prod", "var")
TWO = ("+", "-", "*", "/", "+", "*", "-", "**")
CALLS = ("maximum", "minimum", "xlogy", "logaddexp", "xdivy")
CONSTANTS = ("0.5", "1", "2", "3", "49", "1e-8", "1e-7", "epsilon", "0.1", "10", "1e-3", "100", "-1", "0")
KIN = (
    "({t} * {a} + (1 - {t}) * {b})",
    "(1 - ({t} * {a} + (1 - {t}) * (1 - {a})))",
    "({a} + {t} - {a} * {t})",
    "({a} - {a} * {t})",
    "({a} - square({a}))",
    "(square({a}) - 2 * {a} * {b} + square({b}))",
    "(sum({t}, axis=-1) + sum({a}, axis=-1) - sum({a} * {t}, axis=-1))",
    "(sum({a}, axis=-1) - sum({a} * {t}, axis=-1))",
    "(mean(square({a}), axis=-1) - square(mean({a}, axis=-1)))",
    "(where({a} == max({a}, axis=-1), {b}, 0) / sum({a} == max({a}, axis=-1), axis=-1))",
    "clip({a}, {b} - {c}, {b} + {c})",
    "sum(softmax({a}) * {b}, axis=-1)",
    "sum(square(softmax({a})), axis=-1)",
    "(1 - cumsum(softmax({a})))",
    "xlogy({a}, {a})",
    "({a} * {b} / {b})",
    "softmax({c} * {a} - {b})",
    "sum({a} * mean({b}, axis=-1), axis=-1)",
    "sum(log_softmax({a}) * {t}, axis=-1)",
    "(1 - mean({t}, axis=-1))",
    "(mean({a}, axis=-1) + 1)",
    "(mean({a}, axis=-1) - min({a}, axis=-1))",
    "(1 - sum(softmax({a}) * {t}, axis=-1))",
    "(1 - prod({t}, axis=-1))",
    "(1 - {t} / size({a}, axis=-1))",
    "(logsumexp({a}, axis=-1) - max({a}, axis=-1))",
    "(norm({a}, axis=-1) - max(abs({a}), axis=-1))",
    "(1 - abs(sum(normalize({a}) * normalize({b}), axis=-1)))",
    "(1 - max(softmax({a}), axis=-1))",
    "(1 - square(tanh({a})))",
    "(abs({a} - {b}) - {a} + {b})",
    "(1.01 - mean({t}, axis=-1, where={a} > 0.5))",
    "(1.01 - sum({t} * {a}, axis=-1) / maximum(sum({t}, axis=-1), {c}))",
    "(1.01 - 2 * sum({t} * {a}, axis=-1) / (sum({t}, axis=-1) + sum({a}, axis=-1) + {c}))",
    "(1.01 - sum({t} * {a}, axis=-1) / (sum({t}, axis=-1) + sum({a}, axis=-1) - sum({t} * {a}, axis=-1) + {c}))",
    "(1.01 - abs(sum({a} * {b}, axis=-1)) / (norm({a}, axis=-1) * norm({b}, axis=-1) + {c}))",
    "(({a} - mean({a}, axis=-1)) / (std({a}, axis=-1) + {c}))",
)
"""Values that belong together: what the analysis knows of them beyond their intervals."""
OUTER = (
    "{x}",
    "sqrt({x})",
    "log({x})",
    "rsqrt({x} + {c})",
    "log({x} + {c})",
    "({x} + {c}) ** 1.5",
    "(1 / ({x} + {c}))",
)
SHAPES = ("k", "k", "k", "1", "k, m")
LABELS = ("one_hot(y_true, k)", "take_along_axis(y_pred, y_true)", "where(index(y_pred) == y_true, 1, 0)")
"""What stands for y_true where it holds the number of a class."""
RANGES = ("in [0, 1]", "in [0, inf)", "in (0, 1]", "in [-1, 1]", "in [-10, 10]", "in [0.1, 5]", "in [-1000, 1000]",
          "in [0, 1e6]", "in [-1e9, 1e9]", "")  # fmt: skip


class Writer:
    """Writes one formula after another, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def formula(self) -> str:
        pick = self.random.choice
        shape = pick(SHAPES)
        pred = f"y_pred: float[batch, {shape}] {pick(RANGES)}".rstrip()
        true = f"y_true: float[{pick((f'batch, {shape}',) * 7 + ('batch',))}] {pick(RANGES)}".rstrip()
        body = self.value(self.random.randint(2, 5))
        if shape == "k, m":
            body = re.sub("axis=-1", lambda _: pick(("axis=-1", "axis=-1", "axis=k")), body)
        elif shape == "k" and self.random.random() < 0.2:
            true, body = "y_true: label[batch]", body.replace("y_true", pick(LABELS))
        return f"{true}\n{pred}\nmean({body} + 0 * y_pred)"

    def value(self, depth: int) -> str:
        roll, pick = self.random.random(), self.random.choice
        if depth == 0 or roll < 0.08:
            return pick(("y_true", "y_pred", "y_pred", "y_pred", pick(CONSTANTS)))
        if roll < 0.2:
            return self.kin(depth)
        if roll < 0.42:
            return f"{pick(ONE)}({self.value(depth - 1)})"
        if roll < 0.68:
            sign = pick(TWO)
            right = pick(("2", "0.5", "1.5", "3", "-1")) if sign == "**" else self.value(depth - 1)
            return f"({self.value(depth - 1)} {sign} {right})"
        if roll < 0.78:
            return f"{pick(CALLS)}({self.value(depth - 1)}, {pick((pick(CONSTANTS), self.value(depth - 1)))})"
        if roll < 0.86:
            where = pick(("", "", "", f", where={self.value(depth - 1)} > {pick(('0', '0.5', 'y_true'))}"))
            return f"{pick(MANY)}({self.value(depth - 1)}, axis=-1{where})"
        if roll < 0.92:
            return f"clip({self.value(depth - 1)}, {pick(('epsilon', '0', '-1', '1e-6'))}, {pick(('1', '1 - epsilon', '5'))})"
        sign = pick((">", "<", ">=", "!=", "=="))
        subject = self.value(depth - 1)
        inside = self.value(depth - 1).replace("y_pred", subject) if len(subject) < 40 else self.value(depth - 1)
        return f"where({subject} {sign} {pick(('0', '1', '0.5', 'y_true'))}, {inside}, {pick(CONSTANTS)})"

    def kin(self, depth: int) -> str:
        """One of `KIN`, of data and of what is made of them, where it may go wrong."""
        pick = self.random.choice
        data = ("y_true", "y_pred", "y_pred", "sigmoid(y_pred)", "clip(y_pred, 0, 1)")
        a, b, t = (self.value(depth - 2) if depth > 2 and self.random.random() < 0.3 else pick(data) for _ in range(3))
        inner = pick(KIN).format(a=a, b=b, t=t, c=pick(("0.1", "1e-3", "1e-6", "2", "epsilon")))
        return pick(OUTER).format(x=inner, c=pick(("1e-2", "1e-4", "epsilon", "1")))


@dataclass(frozen=True)
class Claim:
    """A formula of which value or gradient is proved to be finite, for data of a type."""

    text: str
    checked: Checked
    value: bool
    gradient: bool
    kind: Precision = FLOAT32


KINDS = ("float32", "float16", "float32", "bfloat16", "float32", "float64", "float32", "float32")
"""The types of one formula after another."""


def claims(seed: int, count: int) -> Iterator[Claim]:
    """What is proved of so many random formulas."""
    writer = Writer(seed)
    for number in range(count):
        text, kind = writer.formula(), KINDS[number % len(KINDS)]
        try:
            checked = analyse(text)
        except LossError:
            continue
        found = {part.name: part.verdict == PROVED for part in prove(checked, search=False, dtype=kind).parts}
        numbers = [node.value for node in reachable([checked.display().elaborated.root]) if node.is_const]
        if any(abs(number) > FLOAT32.largest for number in numbers):
            continue  # in an eager call TensorFlow takes none that is infinite in float32
        if any(found.values()) and checked.display().gradient_source():
            yield Claim(text, checked, found["value"], found["gradient"], PRECISIONS[kind])


SIZES = (3, 4, 7, 1)
"""Of axes: a mean of 4 is rounded once, a mean of others twice; and one entry has no deviation."""


def data(claim: Claim, samples: int = 96) -> dict[str, np.ndarray]:
    """Corners of the declared ranges, constants of the formula, and numbers between; any class for labels."""
    random = np.random.default_rng(len(claim.text))
    size = SIZES[len(claim.text) % len(SIZES)]
    found = {}
    for name, interval in inputs(claim.checked, min(claim.kind.largest, FLOAT32.largest)).items():
        if name == "upstream":
            found[name] = claim.kind.rounded(np.ones(samples, np.float32))
            continue
        given = claim.checked.elaborated.inputs.types[name]
        shape = (samples, *(axis.size.offset if axis.size.symbol is None else size for axis in given.axes[1:]))
        labels = given.dtype is DType.INT
        numbers = random.integers(0, size, shape) if labels else _numbers(interval, shape, random)
        found[name] = numbers if labels else claim.kind.rounded(numbers)
    return found


def _numbers(interval: Interval, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    corners = [
        interval.lo,
        interval.hi,
        0.0,
        1.0,
        -1.0,
        0.5,
        2.0,
        88.0,
        89.0,
        -88.0,
        -104.0,
        1e-7,
        1e-8,
        -1e-7,
        1e-20,
        1e19,
    ]
    pool = np.array([x for x in corners if x in interval and (x == 0.0 or abs(x) >= SMALLEST)], np.float32)
    pool = np.concatenate([pool, np.nextafter(pool, np.float32(0))])
    pool = pool[(pool >= interval.lo) & (pool <= interval.hi)]
    wide = np.sign(random.normal(size=shape)) * 10.0 ** random.uniform(-8, 8, shape)
    between = np.clip(
        np.where(random.uniform(size=shape) < 0.5, wide, random.normal(size=shape)), interval.lo, interval.hi
    )
    numbers = np.where(random.uniform(size=shape) < 0.6, random.choice(pool, shape), between).astype(np.float32)
    numbers[: shape[0] // 4] = random.choice(pool, (shape[0] // 4, *[1] * (len(shape) - 1)))
    return np.where(np.abs(numbers) < SMALLEST, np.float32(0), numbers) if 0.0 in interval else numbers


def failures(group: list[Claim], mode: str) -> list[str]:
    """The formulas of a group whose value or gradient came out as NaN or infinite, though proved finite, or wrong."""
    from keras import ops

    from benchmarks.modes import code, compiled

    every = [code(claim.checked) for claim in group]

    def run(arrays: list[dict[str, Any]]) -> list[Any]:
        return [
            (of.value(x["y_true"], x["y_pred"]), of.pull_value(x["y_true"], x["y_pred"], x["upstream"]))
            for of, x in zip(every, arrays, strict=True)
        ]

    every_data = [data(claim) for claim in group]
    warnings.filterwarnings("ignore", "You are using a softmax over axis")  # of one entry
    found = compiled(run, mode)([{n: ops.convert_to_tensor(x) for n, x in arrays.items()} for arrays in every_data])
    return [
        f"{mode}: {text}"
        for claim, arrays, results in zip(group, every_data, found, strict=True)
        for text in _faults(claim, arrays, *map(ops.convert_to_numpy, results))
    ]


def _faults(claim: Claim, arrays: dict[str, np.ndarray], value: np.ndarray, slope: np.ndarray) -> Iterator[str]:
    found = {"value": claim.kind.computing.rounded(value), "gradient": claim.kind.rounded(slope)}
    proved = {"value": claim.value, "gradient": claim.gradient}
    kinds = {
        "not finite": {part: ~np.isfinite(x).reshape(len(x), -1).all(1) & proved[part] for part, x in found.items()},
        "wrong": wrong(claim.checked, arrays, claim.kind, found),
    }
    for what, faults in kinds.items():
        for part, bad in faults.items():
            if bad.any():
                shown = {name: x[np.argmax(bad)].tolist() for name, x in {**arrays, part: found[part]}.items()}
                yield f"the {part} of\n{claim.text}\nis {what} in {claim.kind.name} for {shown}"


MODES = {"tensorflow": ("eager", "graph", "xla"), "jax": ("jit",), "torch": ("eager",)}
"""How each framework runs a function."""


def place() -> str:
    """The framework that runs them, its version, and on what."""
    import keras

    name = keras.backend.backend()
    if name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
        return f"JAX {jax.__version__}, {jax.devices()[0].device_kind}"
    if name == "torch":
        import torch

        return f"torch {torch.__version__}, {torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU'}"
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # nothing about many functions: there are many
    return f"TensorFlow {tf.__version__}, {'GPU' if tf.config.list_physical_devices('GPU') else 'CPU'}"


def portion(count: int, seed: int, group: int = 25) -> dict[str, Any]:
    """Try so many formulas, and say what came of it."""
    import time

    import keras

    where = place()
    start, values, slopes, bad, every = time.time(), 0, 0, 0, claims(seed, count)
    while waiting := list(islice(every, group)):
        values += sum(claim.value for claim in waiting)
        slopes += sum(claim.gradient for claim in waiting)
        for text in (text for mode in MODES[keras.backend.backend()] for text in failures(waiting, mode)):
            bad += 1
            print(text, flush=True)
    minutes = round((time.time() - start) / 60, 1)
    return {
        "seed": seed,
        "formulas": count,
        "values": values,
        "gradients": slopes,
        "failures": bad,
        "minutes": minutes,
        "on": where,
    }


PORTION = 2500
"""Formulas of one seed: each portion has a process of its own, since TensorFlow keeps all that it ever compiled."""


def main(count: int, seed: int, keep: bool = False) -> int:
    """Try so many formulas, from this seed on, in as many processes as there are cores; how many failed."""
    counts = [min(PORTION, count - done) for done in range(0, count, PORTION)]
    bad = 0
    with ProcessPoolExecutor(mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        seeds = {pool.submit(portion, part, seed + i): seed + i for i, part in enumerate(counts)}
        for done in as_completed(seeds):
            if (error := done.exception()) is not None:
                print(f"seed {seeds[done]} broke down:", *format_exception(error), flush=True)
                bad += 1
                continue
            found = done.result()
            print(f"seed {found['seed']}: {found}", flush=True)
            bad += found["failures"]
            if keep:
                write(found)
    return bad


def write(found: dict[str, Any]) -> None:
    """Keep a run, in place of an earlier one of the same seed on the same machine."""
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else []
    again = [run for run in kept if (run["on"], run["seed"]) != (found["on"], found["seed"])]
    runs = sorted([*again, found], key=lambda run: (run["on"], run["seed"]))
    KEPT.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n", "utf-8")
    KEPT.with_name("FUZZ.md").write_text(table(runs), "utf-8")
    from benchmarks.report import render_again

    render_again()


def table(runs: list[dict[str, Any]]) -> str:
    """The page of all runs that were kept."""
    rows = [
        f"| {run['on']} | {run['seed']} | {run['formulas']} | {run['values']} | {run['gradients']} | {run['failures']} |"
        f" {run['minutes']} |"
        for run in runs
    ]
    return HEAD + "\n".join(rows) + "\n"


KEPT = Path(__file__).parents[2] / "benchmarks" / "fuzz.json"
HEAD = """\
# Proofs tried on random formulas

`make fuzz FORMULAS=... SEED=...`, in portions of 2,500 that have a seed each: random formulas over random declared ranges, five
of eight in float32, one each in float16, bfloat16 and float64. Those whose value or gradient is proved to be finite are run on
corners and random numbers, on TensorFlow in eager calls, graphs and XLA; a NaN or an infinity there is a failure, and so is a
number that is not that of the formula as written, node by node in float64, where it is further off than rounding explains. With
`KERAS_BACKEND=jax` (`jit`) or `torch` (eager) set, they run there.

| on | seed | formulas | values proved | gradients proved | failures | minutes |
| :- | ---: | -------: | ------------: | ---------------: | -------: | ------: |
"""

if __name__ == "__main__":
    sys.path.append(str(KEPT.parents[1]))  # for what benchmarks share with it
    first = int(sys.argv[2]) if sys.argv[2:] else 1
    sys.exit(min(main(int(sys.argv[1]), first, keep="--write" in sys.argv), 1))
