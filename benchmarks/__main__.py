"""`python -m benchmarks`: measure, print the tables, and with `--write` keep them."""

from __future__ import annotations

import atexit
import gc
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Before Keras is imported: no GPU, and nobody's own settings.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.update(CUDA_VISIBLE_DEVICES="-1", KERAS_BACKEND="tensorflow")
os.environ["KERAS_HOME"] = tempfile.mkdtemp(prefix="lossdsl-keras-")

import click
from keras.utils import set_random_seed

from benchmarks import compiler, machine, memory, rivals, training
from benchmarks.cases import CASES, TWINS
from benchmarks.data import SIZES
from benchmarks.goals import SMALL, WIDE
from benchmarks.report import in_readme, number, render
from benchmarks.speed import MODES, TOLERANCE, Setting, measure
from benchmarks.timing import Pace

FOLDER = Path(__file__).parent
README = FOLDER.parent / "README.md"
SMOKE = "huber"
USUAL = ",".join(name for name in CASES if name not in TWINS)


@dataclass
class Run:
    """What is asked for, and what was found so far."""

    losses: Sequence[str]
    sizes: Sequence[str]
    modes: Sequence[str]
    gradients: Sequence[bool]
    seconds: float
    smoke: bool
    results: dict[str, Any] = field(default_factory=dict)

    def fail(self, text: str) -> None:
        """Keep a failure: the rest is measured all the same, and the command ends with status 1."""
        say(f"FAILED: {text}")
        self.results.setdefault("failures", []).append(text.splitlines()[0])

    def note(self, text: str) -> None:
        """Keep what a reader of the tables has to know."""
        say(text)
        self.results.setdefault("notes", []).append(text)


def say(text: str) -> None:
    """Progress, which is not part of the report."""
    print(text, file=sys.stderr, flush=True)


def run_speed(run: Run) -> None:
    """Value and gradient against all rivals of this process, loss by loss."""
    settings = [Setting(m, s, g) for s in run.sizes for g in run.gradients for m in run.modes]
    found = run.results["speed"] = []
    started = time.perf_counter()
    for done, name in enumerate(run.losses, 1):
        try:
            for row in measure(CASES[name], settings, lambda setting: pace(run, setting)):
                found.append(row)
                say(line(row))
        except Exception as error:  # whatever it is, the other losses are still worth measuring
            run.fail(f"{name}: {type(error).__name__}: {error}")
        left = (time.perf_counter() - started) / done * (len(run.losses) - done)
        say(f"speed: {done} of {len(run.losses)} losses, about {left / 60:.1f} minutes left in this section")


def pace(run: Run, setting: Setting) -> Pace:
    """Most rounds for what the goals speak of; small calls cost next to nothing."""
    if run.smoke:
        return Pace(0, least=3)
    if setting.size == WIDE and setting.gradient:
        return Pace(run.seconds, least=5)
    return Pace(0.15 * run.seconds, least=5 if setting.size == SMALL else 3)


def line(row: dict[str, Any]) -> str:
    """A row of figures as it is found, in milliseconds."""
    part = "gradient" if row["gradient"] else "value   "
    times = [
        f"{name} {number(1e3 * each['median'])} ±{number(5e2 * (each['high'] - each['low']))}"
        for name, each in row["seconds"].items()
    ]
    to_hand = [f"{name}/hand {each:.2f}" for name, each in row["to_hand"].items() if name.startswith("ours")]
    where = f"{row['loss']:31} {row['size']:12} {part} {row['mode']:5}"
    return f"{where} | {'  '.join(times)} | {'  '.join(to_hand)}  ours/copy {row['to_floor']['ours']:.2f}"


def run_rivals(run: Run) -> None:
    """JAX and torch, each in its process."""
    found = run.results["rivals"] = []
    wanted = {(row["loss"], row["size"]): row["value"] for row in run.results.get("speed", [])}
    for backend in others(run):
        say(f"rivals: {backend}")
        for row in rivals.measure(backend, run.losses, run.sizes, 0 if run.smoke else 0.15 * run.seconds):
            if "error" in row:
                run.fail(f"{backend}, {row['loss']}: {row['error']}")
                continue
            found.append(row)
            value = wanted.get((row["loss"], row["size"]), row["value"])
            if abs(row["value"] - value) > TOLERANCE * abs(value):
                run.fail(f"{backend}, {row['loss']}, {row['size']}: the value is {row['value']}, not {value}")


def others(run: Run) -> list[str]:
    """The other backends that are installed; to see whether all runs, one of them is enough."""
    found = [backend for backend in rivals.BACKENDS if not rivals.missing(backend)]
    return found[:1] if run.smoke else found


def run_memory(run: Run) -> None:
    """Peak memory on all backends, side by side: nothing here is timed."""
    if not memory.available():
        run.note("peak memory is left out: only Linux tells it")
        return
    backends = ["tensorflow", *([] if run.smoke else others(run))]
    size = SMALL if run.smoke else memory.SIZE
    say(f"memory: {', '.join(backends)}")
    # TensorFlow has the most rivals, so two processes share its losses.
    shares = [("tensorflow", run.losses[::2]), ("tensorflow", run.losses[1::2])]
    shares += [(backend, run.losses) for backend in backends[1:]]
    processes = [memory.start(backend, losses, size) for backend, losses in shares if losses]
    found: dict[str, dict[str, float]] = {name: {} for name in run.losses}
    for process in processes:
        for name, figures in memory.result(process).items():
            if "error" in figures:
                run.fail(f"memory, {name}: {figures['error']}")
            else:
                found[name] |= figures
    if not run.smoke and not any(each.get("hand") for each in found.values()):
        run.fail("memory: no peak was seen, not even of the formulas by hand")
        return
    run.results["memory"] = [{"loss": name, "size": size, "bytes": each} for name, each in found.items()]


def run_training(run: Run) -> None:
    """Steps of `fit`."""
    say("training")
    run.results["training"] = training.measure(training.STEPS[:1], 8, 3, 2) if run.smoke else training.measure()


def run_compiler(run: Run) -> None:
    """Checking, compiling, ejecting; long sums; whole processes."""
    say("compiler")
    run.results["compiler"] = compiler.measure((10,), formulas=3, rounds=1) if run.smoke else compiler.measure()


SECTIONS: dict[str, Callable[[Run], None]] = {
    "compiler": run_compiler,
    "training": run_training,
    "speed": run_speed,
    "rivals": run_rivals,
    "memory": run_memory,
}


def raw(results: dict[str, Any]) -> str:
    """The figures as JSON, four digits each, a row to a line."""

    def short(x: Any) -> Any:
        if isinstance(x, dict):
            return {key: short(value) for key, value in x.items()}
        return float(f"{x:.4g}") if isinstance(x, float) else x

    def lines(value: Any) -> str:
        if not isinstance(value, list):
            return json.dumps(short(value))
        return "[\n" + ",\n".join(f"  {json.dumps(short(row))}" for row in value) + "\n]"

    return "{\n" + ",\n".join(f"{json.dumps(key)}: {lines(value)}" for key, value in results.items()) + "\n}\n"


def listed(known: Sequence[str]) -> Callable[..., tuple[str, ...]]:
    """An option that takes several of the names known, with commas between them."""

    def read(context: click.Context, option: click.Parameter, text: str) -> tuple[str, ...]:
        names = tuple(text.split(",")) if text else tuple(known)
        for name in names:
            if name not in known:
                raise click.BadParameter(f"{name!r} is none of {', '.join(known)}")
        return names

    return read


@click.command()
@click.option("--only", default="", callback=listed(tuple(SECTIONS)), help=f"Sections: {', '.join(SECTIONS)}.")
@click.option("--loss", default=USUAL, callback=listed(tuple(CASES)), help="Losses, by their names in cases.py.")
@click.option("--size", default="", callback=listed(tuple(SIZES)), help=f"Sizes: {', '.join(SIZES)}.")
@click.option("--mode", default="", callback=listed(MODES), help=f"Modes: {', '.join(MODES)}.")
@click.option(
    "--gradient/--value", default=None, help="Value and gradient, or the value alone; both where neither is said."
)
@click.option("--seconds", default=0.35, help="How long rivals take turns on one loss, mode and size.")
@click.option("--smoke", is_flag=True, help="Everything once, small: whether it runs, not how fast; under a minute.")
@click.option("--write", is_flag=True, help="Write RESULTS.md and results.json.")
@click.option("--output", default=FOLDER, type=click.Path(path_type=Path, file_okay=False), help="Where to write them.")
def main(
    only: Sequence[str],
    loss: Sequence[str],
    size: Sequence[str],
    mode: Sequence[str],
    gradient: bool | None,
    seconds: float,
    smoke: bool,
    write: bool,
    output: Path,
) -> None:
    """Measure compiled losses against the same formulas by hand, Keras' own, JAX, torch and a copy of the data.

    Options take several names with commas between them; without any, the usual losses are measured, in less than
    ten minutes.
    """
    atexit.register(shutil.rmtree, os.environ["KERAS_HOME"], ignore_errors=True)
    started = time.perf_counter()
    set_random_seed(7)
    if smoke:
        loss, size = ([SMOKE] if SMOKE in loss else loss), [SMALL]
    gradients = (True, False) if gradient is None else (gradient,)
    run = Run(loss, size, mode, gradients, seconds, smoke)
    for backend in filter(rivals.missing, rivals.BACKENDS):
        run.note(f"{backend} is not installed, and left out")
    run.results |= {"command": " ".join(["python -m benchmarks", *sys.argv[1:]]), "machine": machine.describe()}
    gc.collect()
    gc.freeze()
    for name in only:
        try:
            SECTIONS[name](run)
        except Exception as error:  # the minutes spent on the other sections are not thrown away
            run.fail(f"{name}: {type(error).__name__}: {error}")
    run.results["seconds"] = time.perf_counter() - started
    results = json.loads(raw(run.results))
    text = render(results)
    print(text)
    if write:
        output.mkdir(parents=True, exist_ok=True)
        (output / "RESULTS.md").write_text(text, "utf-8")
        (output / "results.json").write_text(raw(run.results), "utf-8")
        if output == FOLDER and set(run.results) >= set(SECTIONS):
            README.write_text(in_readme(README.read_text("utf-8"), results), "utf-8")
    if run.results.get("failures"):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
