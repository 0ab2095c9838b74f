"""Generated code: the only text that is ever executed is straight-line functions over `ops` and `shims`."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from types import SimpleNamespace

import numpy as np
import pytest
from asking import data

from lossdsl.backends.load import load, vet
from lossdsl.checked import analyse
from lossdsl.errors import LossError

GOOD = "def f(x, alive=None):\n    y = ops.abs(x[:, 0]) ** 2.0 + shims.size(x, (1,))\n    return -y / x.dtype\n"


def test_a_plain_function_is_loaded() -> None:
    ops = SimpleNamespace(square=lambda x: x * x)
    code = load("def f(x):\n    y = ops.square(x)\n    return y + 1\n", "<test>", ops=ops, shims=None)
    assert code.f(3) == 10
    assert set(vars(code)) == {"f"}
    assert vet(GOOD)


def test_the_lines_of_generated_code_show_in_tracebacks() -> None:
    code = load("def f(x):\n    return ops.missing(x)\n", "<test lines>", ops=SimpleNamespace(), shims=None)
    import traceback

    try:
        code.f(1)
    except AttributeError as error:
        assert "return ops.missing(x)" in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "body",
    [
        "import os",
        "from os import system",
        "return (lambda: x)()",
        "return [y for y in x]",
        "return {1: x}",
        "return {x}",
        'return f"{x}"',
        "return x if x else 1",
        "return x and x",
        "return not x",
        "return x.__class__",
        "return x._private",
        "return x.mean()",
        "return ops.__dict__",
        "return ops._hidden(x)",
        "return ops.numpy.load",
        "return shims.keras.utils",
        "return x.shape.ndim.real",
        "return __import__",
        "return __builtins__",
        "return ops.abs(x, __init__=1)",
        "return (y := x)",
        "return *x, 1",
        "return x @ x",
        "return x % x",
        "return x in x",
        "return x is None",
        "x += 1",
        "x: int = 1",
        "del x",
        "global x",
        "raise x",
        "assert x",
        "pass",
        "yield x",
        "return await_(x) if 0 else 1",
        "ops.abs(x)",
        '"a string alone"',
        "while x: x = 1",
        "for y in x: x = y",
        "if x: x = 1",
        "try:\n        x = 1\n    except: x = 2",
        "with x: x = 1",
        "def g(): return 1",
        "class G: x = 1",
        "ops.abs = x",
        "x.dtype = x",
        "x[0] = 1",
        "ops = x",
        "shims = x",
        "__name = x",
    ],
)
def test_what_generated_code_never_has(body: str) -> None:
    with pytest.raises(AssertionError, match="generated code"):
        vet(f"def f(x):\n    y = x\n    {body}\n    return x\n")


@pytest.mark.parametrize(
    "text",
    [
        "import os\n",
        "x = 1\n",
        "ops.abs(1)\n",
        "@ops.abs\ndef f(x):\n    return x\n",
        "def f(x) -> ops.abs(1):\n    return x\n",
        "def f(x: ops.abs(1)):\n    return lambda: x\n",
        "def f(x=ops.abs(1)):\n    return x\n",
        "def f(*ops):\n    return ops\n",
        "def f(x, ops):\n    return x\n",
        "def ops(x):\n    return x\n",
        "def __f(x):\n    return x\n",
        "def f(__x):\n    return __x\n",
        "async def f(x):\n    return x\n",
        "class F:\n    x = 1\n",
        "if 1:\n    def f(x):\n        return x\n",
    ],
)
def test_nothing_runs_before_a_function_is_called(text: str) -> None:
    with pytest.raises(AssertionError, match="generated code"):
        vet(text)


def test_generated_code_has_no_builtins() -> None:
    code = load("def f(x):\n    return open\n", "<test>", ops=None, shims=None)
    with pytest.raises(NameError):
        code.f(1)
    assert load('def f(x):\n    return float("inf")\n', "<test>", ops=None, shims=None).f(1) == float("inf")


# -- names of the user's ------------------------------------------------------------------------------------------

NAMES = sorted(
    {"ops", "shims", "dtype", "alive", "upstream", "value", "terms", "keras", "np", "tf", "tensorflow", "self", "math"}
    | {"term_0", "pull_value", "pull_term_0", "abs_1", "mean_1", "subtract_1", "y_true_", "y_pred_", "_y_true", "_ops"}
    | {"__class__", "__import__", "__builtins__", "__init__", "_", "__", "_1", "x" * 120, "match", "type", "case"}
    | {name for name in dir(builtins) if re.fullmatch("_*[a-z]+_*|None|Exception", name)}
    | set(keyword.kwlist)
)
WORDS = {"and", "or", "not", "if", "else", "in", "def", "term", "True", "False", "all"}


def _names_of(source: str) -> set[str]:
    """Every name that a generated text binds or reads."""
    tree = ast.parse(source)
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} | {
        a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)
    }


@pytest.mark.parametrize(
    "template",
    [
        "{n} = y_true - y_pred\nother = {n} * abs({n})\nmean(other * {n} + other)",
        "term {n} = mean((y_true - y_pred)**2)\nterm other = mean(abs(y_pred))",
        "{n}: float = 2.0\nmean((y_true - y_pred)**2 * {n})",
        "def {n}(x) = x * x\nmean({n}(y_true - y_pred))",
        "def f({n}) = {n} * {n}\nmean(f(y_true - y_pred))",
        "y_pred: float[batch, {n}]\nmean((y_true - y_pred)**2, axis={n}) / {n}",
    ],
)
def test_a_name_of_the_users_is_a_plain_variable(template: str) -> None:
    """Whatever it is called, it reaches the code as a name that stands for nothing else, or the formula is refused."""
    compiled = 0
    for name in NAMES:
        try:
            program = analyse(template.format(n=name)).program((4, 3), (4, 3))
        except LossError:
            continue
        compiled += 1
        for source in (program.source, program.gradient_source() or ""):
            for function in vet(source).body:
                assert isinstance(function, ast.FunctionDef)
                _straight(function)
    assert compiled > 100


def _straight(function: ast.FunctionDef) -> None:
    """Every name is bound once and means nothing else; an argument is only ever given axes of size 1."""
    arguments = [argument.arg for argument in function.args.args]
    bound = []
    for line in function.body:
        if isinstance(line, ast.Assign):
            (target,) = line.targets
            assert isinstance(target, ast.Name)
            if not ast.unparse(line).startswith(f"{target.id} = ops.expand_dims({target.id}, "):
                assert target.id not in arguments
            bound.append(target.id)
    assert len(set(bound)) == len(bound)
    assert not [name for name in bound if keyword.iskeyword(name) or name.startswith("__") or len(name) > 60]
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    assert read <= {"ops", "shims", "float", *arguments, *bound}


@pytest.mark.parametrize("name", sorted(set(NAMES) - WORDS))
def test_the_words_of_python_are_no_obstacle(name: str) -> None:
    """Only the words of the language itself, and very long names, are refused as the name of a binding."""
    text = f"{name} = y_true - y_pred\nmean({name}**2)"
    ops = SimpleNamespace(mean=np.mean, square=np.square)
    t, p = data(4, 3, seed=1), data(4, 3, seed=2)
    program = analyse(text).program(t.shape, p.shape)
    np.testing.assert_allclose(program.load(ops, None).value(t, p), ((t - p) ** 2).mean(1))


def test_a_number_is_all_that_a_parameter_brings() -> None:
    source = analyse("mean((y_true - y_pred)**2) * k", {"k": -1.5}).program((4, 3), (4, 3)).source
    constants = {n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)}
    assert constants <= {1.5, 2, -1, 1, 0}
    for wrong in ("__import__('os')", b"x", lambda: 1, [["a"]], {"a": 1}):
        with pytest.raises(LossError):
            analyse("mean(y_pred) * k", {"k": wrong})
    for name in ("k\nimport os", "k; import os", "k)", "__class__.x"):
        with pytest.raises(LossError):
            analyse("mean(y_pred)", {name: 1.0})
