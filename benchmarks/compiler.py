"""The compiler itself: what checking, compiling and ejecting a formula cost, and how that grows with the formula.

Run as `python -m benchmarks.compiler`, a process that loads no framework, for all but `lossdsl.compile`.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import lossdsl
from benchmarks import profile
from benchmarks.timing import Pace, interleaved
from lossdsl import api, library
from lossdsl.backends.load import vet

TERMS = (10, 100, 1_000, 10_000)
SYMPY_TERMS = (10, 100)
"""Its time per term grows, so that more would take minutes."""

ROOM = {"characters": 10**7, "tokens": 10**6, "nodes": 10**7, "expansion_steps": 10**7, "rewrite_steps": 10**7}
"""Limits under which the longest sum is still read."""


def measure(terms: Sequence[int] = TERMS, formulas: int | None = None, rounds: int = 5) -> dict[str, Any]:
    """All figures of the compiler, in seconds; of the losses measured here that the library has, or the first few."""
    from benchmarks.cases import CASES  # which loads Keras

    names = [name for name in CASES if library.known(name)][:formulas]
    command = [sys.executable, "-m", "benchmarks.compiler", str(rounds), ",".join(names), *map(str, terms)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "compile": each(_compile, names, rounds), "process": processes(rounds)}


def each(action: Callable[[str], object], names: Sequence[str], rounds: int) -> dict[str, float]:
    """The median of a few runs of something on the definition of each library loss, which is a formula in itself."""
    texts = {name: library.text(name) for name in names}
    calls = {name: lambda text=text: action(text) for name, text in texts.items()}
    samples = interleaved(calls, Pace(0, least=rounds))
    return {name: float(np.median(found)) for name, found in samples.items()}


def _compile(text: str) -> None:
    """Make the loss, and the code of its value and gradient that a first call makes, up to where that is traced."""
    _code(lossdsl.compile(text)._checked)


def _code(checked: api.Checked) -> None:
    program = checked.display()
    vet(program.source)
    joint = program.joint_source()
    if joint is not None:
        vet(joint[0])


def sums(terms: Sequence[int]) -> list[dict[str, float]]:
    """Seconds per term of long sums: to check them, and to make their code with its gradient."""
    rows = []
    for count in terms:
        text = " + ".join(f"mean((y_true - y_pred - {i})**2)" for i in range(count))
        with lossdsl.limits(**ROOM):
            check = _once(lambda text=text: lossdsl.check(text))
            compiled = _once(lambda text=text: _code(api.analyse(text)))
        rows.append({"terms": count, "check": check / count, "compile": compiled / count})
    return rows


def sympy_sums(terms: Sequence[int]) -> list[dict[str, float]]:
    """The same by sympy, as one would do it there: parse, differentiate, `lambdify` with common subexpressions."""
    if importlib.util.find_spec("sympy") is None:
        return []
    import sympy
    from sympy.parsing.sympy_parser import parse_expr

    def run(text: str) -> None:
        x, y = sympy.symbols("x y")
        value = parse_expr(text, {"x": x, "y": y})
        sympy.lambdify([x, y], [value, sympy.diff(value, y)], modules="numpy", cse=True)

    rows = []
    for count in terms:
        text = " + ".join(f"(x - y - {i})**2" for i in range(count))
        rows.append({"terms": count, "compile": _once(lambda text=text: run(text)) / count})
    return rows


def _once(action: Callable[[], object]) -> float:
    """Seconds of one run of something that takes long."""
    gc.collect()
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def processes(rounds: int) -> dict[str, float]:
    """Seconds of whole processes: Python alone, with lossdsl imported, and the command checking a formula."""
    commands = {
        "python": ["-c", "pass"],
        "import": ["-c", "import lossdsl"],
        "check": ["-m", "lossdsl", "check", "mean(abs(y_true - y_pred))"],
    }
    calls = {
        name: lambda arguments=arguments: subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        for name, arguments in commands.items()
    }
    samples = interleaved(calls, Pace(0, least=rounds))
    return {name: float(np.median(found)) for name, found in samples.items()}


def _main(rounds: int, names: Sequence[str], terms: Sequence[int]) -> dict[str, Any]:
    found = {
        "check": each(lossdsl.check, names, rounds),
        "eject": {name: _once(lambda name=name: lossdsl.eject(library.text(name))) for name in names},
        "sums": sums(terms),
        "profile": profile.measure(lossdsl.check, lambda text: _code(api.analyse(text)), [*map(library.text, names)]),
        "sympy": sympy_sums([count for count in terms if count in SYMPY_TERMS]),
    }
    loaded = {"keras", "tensorflow", "jax", "torch"} & set(sys.modules)
    if loaded:
        raise RuntimeError(f"the front end loaded {', '.join(sorted(loaded))}")
    return found


if __name__ == "__main__":
    print(json.dumps(_main(int(sys.argv[1]), sys.argv[2].split(","), list(map(int, sys.argv[3:])))))
