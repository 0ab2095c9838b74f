"""The wheel, installed away from the checkout, and the checkout: both find the grammar and the library."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

USE = """
import json, lossdsl
from lossdsl import library
spec = lossdsl.LossSpec("mean(abs(y_true - y_pred)**gamma) + 0 * dice(y_true, y_pred)", {"gamma": 2})
value = lossdsl.evaluate(spec.formula, [[1.0, 2.0]], [[4.0, 2.0]], spec.params).tolist()
code = lossdsl.eject("mean(abs(y_true - y_pred))", class_name="Mine")
print(json.dumps([lossdsl.__file__, value, "class Mine" in code, len(library.names())]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built as a release is: first the source archive, then the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that holds lossdsl alone; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*command, "--target", str(folder), str(wheel)], check=True, capture_output=True)
    return folder


def run(code, home, cwd, **more):
    environment = {"PATH": "", "PYTHONPATH": str(home), "TF_CPP_MIN_LOG_LEVEL": "3", **more}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_wheel_holds_everything(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "lossdsl/grammar/loss.lark" in names
    assert "lossdsl/py.typed" in names
    shipped = {name for name in names if name.endswith(".loss")}
    assert shipped == {path.relative_to(ROOT).as_posix() for path in (ROOT / "lossdsl" / "library").rglob("*.loss")}
    assert not [name for name in names if name.startswith(("tests", "examples"))]


def test_the_installed_wheel_works(installed, tmp_path):
    file, value, ejected, losses = run(USE, installed, tmp_path)
    assert Path(file).is_relative_to(installed)
    assert (value, ejected) == ([4.5], True)
    assert losses == len(list((ROOT / "lossdsl" / "library").rglob("*.loss")))


@pytest.mark.keras
def test_the_installed_wheel_compiles(installed, tmp_path):
    code = "import lossdsl\nprint(float(lossdsl.compile('mean(abs(y_true - y_pred))')([[1.0]], [[3.0]])))"
    assert run(code, installed, tmp_path, KERAS_HOME=str(tmp_path)) == 2.0


def test_the_checkout_works(tmp_path):
    file, value, ejected, _ = run(USE, ROOT, tmp_path)
    assert Path(file).is_relative_to(ROOT / "lossdsl")
    assert (value, ejected) == ([4.5], True)


def test_versions_agree():
    import lossdsl

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == lossdsl.__version__
    assert f"## {lossdsl.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_constraints_pin_every_dependency_and_hold_no_address():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["test"],
        *project["optional-dependencies"]["plot"],
    ]
    lines = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert all(line.count("==") == 1 and "@" not in line and "/" not in line for line in lines)
    assert {name for dependency in wanted if (name := plain_name(dependency)) not in pinned} == set()


def plain_name(requirement):
    """`hypothesis[lark]>=6` -> `hypothesis`"""
    end = next(i for i, c in enumerate(f"{requirement} ") if not (c.isalnum() or c in "-_."))
    return requirement[:end].lower().replace("_", "-")
