"""A module imports only from those above it in this list, wherever in the module the import stands."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lossdsl"

ORDER = [
    "source", "messages", "errors", "budgets", "hook", "types", "interval", "precision", "ops", "syntax", "ir", "library",
    "analysis", "checker", "rewrite", "guards", "gradient", "backends", "program", "checked", "proof", "backends.eject", "library_pages", "api",
    "spec", "config_text", "configs", "backends.shims_squares", "backends.live_ops", "backends.shims", "backends.runtime", "backends.live", "keras", "demo",
    "cli_screen", "cli_input", "cli_report", "cli_functions", "cli", "__main__",
]  # fmt: skip
"""From the first that knows nothing to the last; a name covers what begins so, unless a longer one does."""

THROUGH_THE_DOOR = {("spec", "keras"), ("hook", "keras")}
"""Imports against the order, inside a function: where Keras comes in."""

FRAMEWORKS = ("keras", "tensorflow", "jax", "torch")


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
        yield name.removesuffix(".__init__"), ast.parse(path.read_text("utf-8"))


def imports(tree):
    """What a module imports from lossdsl, by dotted name within it; imports for types alone don't count."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        stack.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lossdsl":
            base = (node.module or "").removeprefix("lossdsl").lstrip(".")
            for alias in node.names:
                longer = f"{base}.{alias.name}".lstrip(".")
                is_module = (PACKAGE / longer.replace(".", "/")).with_suffix(".py").exists()
                yield longer if is_module or not base else base


def rank(name):
    """The place of a module in the order, by the longest name there that it begins with; -1 if none."""
    found = [entry for entry in ORDER if name == entry or name.startswith((f"{entry}.", f"{entry}_"))]
    return ORDER.index(max(found, key=len)) if found else -1


def test_every_module_has_its_place():
    missing = [name for name, _ in modules() if name != "__init__" and rank(name) < 0]
    assert missing == []


def test_imports_go_up():
    wrong = [
        f"{name} imports {imported}"
        for name, tree in modules()
        if name != "__init__"
        for imported in imports(tree)
        if rank(imported) > rank(name) and (name, imported) not in THROUGH_THE_DOOR
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "code",
    [
        "import lossdsl",
        "import lossdsl; assert lossdsl.check('mean(abs(y_true - y_pred))').ok",
        "import lossdsl; lossdsl.LossSpec('mean(abs(y_true - y_pred))')",
        "import lossdsl; lossdsl.evaluate('mean(abs(y_true - y_pred))', [[1.0]], [[2.0]])",
        "import lossdsl; lossdsl.eject('mean(abs(y_true - y_pred))')",
        "import lossdsl.cli, lossdsl.cli_functions, lossdsl.cli_report, lossdsl.demo",
    ],
)
def test_the_front_end_loads_no_framework(code):
    tail = f"\nimport sys\nprint(sorted(set({FRAMEWORKS!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_importing_lossdsl_is_quick():
    code = "import time; t = time.perf_counter(); import lossdsl; print(time.perf_counter() - t)"
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    assert min(times) < 0.15
