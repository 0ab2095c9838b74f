"""The syntax tree as indented text, one piece a line."""

from __future__ import annotations

from dataclasses import fields

from lossdsl.syntax import ast


def show_tree(tree: ast.Tree) -> str:
    """Each piece with its plain values, its parts indented below it."""
    lines: list[str] = []
    stack: list[tuple[int, str, object]] = [(0, "", tree)]
    while stack:
        depth, label, item = stack.pop()
        pad = "  " * depth + (f"{label}: " if label else "")
        if isinstance(item, ast.Tree):
            named = [(f.name, getattr(item, f.name)) for f in fields(item) if not f.name.endswith("span")]
            plain = [f"{n}={v!r}" for n, v in named if not _has_trees(v)]
            lines.append(f"{pad}{type(item).__name__}({', '.join(plain)})")
            inner = [(depth + 1, n, v) for n, v in named if _has_trees(v)]
            stack.extend(reversed(inner))
        else:
            assert isinstance(item, tuple)
            stack.extend(reversed([(depth, label, x) for x in item]))
    return "\n".join(lines)


def _has_trees(value: object) -> bool:
    return isinstance(value, ast.Tree) or (
        isinstance(value, tuple) and any(isinstance(item, ast.Tree) for item in value)
    )
