"""The one place that executes generated code: text that the printer wrote from the graph, never a user's.

Every line is checked against the form that the printer has before it runs, so that a fault in the printer is an
error here and not an opening.
"""

from __future__ import annotations

import ast
import linecache
import threading
from types import SimpleNamespace
from typing import Any

ALLOWED = (
    ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.Return, ast.Constant, ast.Name,
    ast.Load, ast.Store, ast.Attribute, ast.Call, ast.keyword, ast.Tuple, ast.List, ast.BinOp, ast.UnaryOp, ast.Add,
    ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Pow, ast.USub, ast.Subscript, ast.Slice, ast.Compare, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.BitAnd, ast.BitOr, ast.Invert,
)  # fmt: skip
"""The pieces of Python that generated code is made of: no import, no class, no lambda, no loop, no decorator."""
MODULES = frozenset({"ops", "shims"})
MOST_SHOWN = 512
"""Texts whose lines a traceback can show."""
SHAPELESS = frozenset({"dtype", "shape", "ndim"})
"""Attributes of a tensor that generated code reads."""


def vet(text: str) -> ast.Module:
    """The parsed text, which must be nothing but functions over `ops` and `shims`. Raises AssertionError."""
    tree = ast.parse(text)
    for statement in tree.body:
        _vet_function(statement)
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED):
            raise AssertionError(f"generated code has a {type(node).__name__}")
        if isinstance(node, ast.Attribute):
            module = isinstance(node.value, ast.Name) and node.value.id in MODULES
            if node.attr.startswith("_") or not (module or node.attr in SHAPELESS):
                raise AssertionError(f"generated code reads the attribute {node.attr}")
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            raise AssertionError("generated code changes something that is not its own")
        _vet_name(node)
    return tree


def _vet_function(statement: ast.stmt) -> None:
    """Straight-line code in a plain function: nothing runs before the function is called."""
    if not isinstance(statement, ast.FunctionDef) or statement.decorator_list or statement.returns:
        raise AssertionError(f"generated code has a {type(statement).__name__} outside a plain function")
    for line in statement.body:
        if not isinstance(line, (ast.Assign, ast.Return)):
            raise AssertionError(f"generated code has a {type(line).__name__} in a function")
    if not all(isinstance(value, ast.Constant) for value in statement.args.defaults):
        raise AssertionError("generated code computes a default")


def _vet_name(node: ast.AST) -> None:
    """No name of Python's own, and none of the modules for anything else."""
    name = {ast.Name: "id", ast.FunctionDef: "name", ast.arg: "arg", ast.keyword: "arg"}.get(type(node))
    found = str(getattr(node, name)) if name else ""
    bound = not isinstance(node, ast.keyword) and not isinstance(getattr(node, "ctx", None), ast.Load)
    if found.startswith("__") or (bound and found in MODULES):
        raise AssertionError(f"generated code has the name {found}")


def _show_in_tracebacks(text: str, name: str) -> None:
    """Let Python find the lines of a text; the oldest go, so that a program may make losses without end."""
    linecache.cache.pop(name, None)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    for old in [known for known in list(linecache.cache) if known.startswith("<lossdsl ")][:-MOST_SHOWN]:
        linecache.cache.pop(old, None)


_LOCK = threading.Lock()
"""Before 3.11.8 and 3.12.2 Python's own parser fails in two threads at once (its issue 106905)."""


def load(text: str, name: str, **modules: Any) -> SimpleNamespace:
    """The functions that a generated text defines, over the modules given; its lines show in tracebacks."""
    with _LOCK:
        code = compile(vet(text), name, "exec")
        _show_in_tracebacks(text, name)
    space: dict[str, Any] = {"__builtins__": {"float": float}, "__name__": name, **modules}
    exec(code, space)  # noqa: S102  the text is our own, and was vetted above
    return SimpleNamespace(**{key: value for key, value in space.items() if key not in modules and key[0] != "_"})
