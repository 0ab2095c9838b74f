"""A formula in LaTeX, as it was written: nothing is reordered or simplified."""

from __future__ import annotations

from lossdsl.library import ALIASES
from lossdsl.ops import OPERATORS, OPS
from lossdsl.ops.op import Op
from lossdsl.syntax import ast

ATOM = 9
LEVELS = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6, "/": ATOM, "unary": 7, "**": 8}
"""How tightly each operator binds; a fraction needs no parentheses."""
SIGNS = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}
GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"}
    | {"xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"}
)
DATA = {"y_true": "y", "y_pred": r"\hat{y}"}
Piece = tuple[str, int]


def formula(tree: ast.Formula) -> str:
    """The whole formula: one expression, or an `aligned` block with a line for each binding and term."""
    lines = [_statement(s) for s in tree.statements if not isinstance(s, ast.Declaration)]
    if tree.result is not None:
        if not lines:
            return rf"\mathcal{{L}} = {expression(tree.result)}"
        lines.append(rf"\mathcal{{L}} &= {expression(tree.result)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _statement(statement: ast.Statement) -> str:
    if isinstance(statement, ast.Definition):
        inside = ", ".join(_name(p.name) for p in statement.parameters)
        return f"{_function(statement.name)}({inside}) &= {expression(statement.body)}"
    assert isinstance(statement, (ast.Binding, ast.Term))
    return f"{_name(statement.name)} &= {expression(statement.value)}"


def expression(expr: ast.Expr) -> str:
    """One expression. A loop over an explicit stack: parts first."""
    done: dict[int, Piece] = {}
    stack: list[tuple[ast.Tree, bool]] = [(expr, False)]
    while stack:
        tree, ready = stack.pop()
        if ready:
            done[id(tree)] = _piece(tree, done)
        else:
            stack.append((tree, True))
            stack.extend((part, False) for part in _parts(tree))
    return done[id(expr)][0]


def _parts(tree: ast.Tree) -> list[ast.Tree]:
    found: list[ast.Tree] = []
    for part in ast.parts(tree):
        found.extend(p for p in (part if isinstance(part, tuple) else (part,)) if isinstance(p, ast.Tree))
    return found


def _piece(tree: ast.Tree, done: dict[int, Piece]) -> Piece:
    def at(part: ast.Tree, level: int = 0) -> str:
        text, binding = done[id(part)]
        return text if binding >= level else rf"\left({text}\right)"

    match tree:
        case ast.Number():
            return (str(tree.value), ATOM if tree.value >= 0 else LEVELS["unary"])
        case ast.Boolean():
            return (r"\mathrm{true}" if tree.value else r"\mathrm{false}", ATOM)
        case ast.Name():
            return (_name(tree.id), ATOM)
        case ast.Vector() | ast.Tuple():
            return (r"\left[" + ", ".join(at(item) for item in tree.items) + r"\right]", ATOM)
        case ast.Unary():
            level = LEVELS["not"] if tree.op == "not" else LEVELS["unary"]
            sign = r"\lnot " if tree.op == "not" else tree.op
            return (sign + at(tree.operand, level), level)
        case ast.Binary():
            return _binary(tree, at)
        case ast.Compare():
            level = LEVELS["compare"]
            text = at(tree.operands[0], level + 1)
            for sign, operand in zip(tree.ops, tree.operands[1:], strict=True):
                text += f" {SIGNS.get(sign, sign)} {at(operand, level + 1)}"
            return (text, level)
        case ast.IfElse():
            return (_cases(at(tree.condition), at(tree.body), at(tree.orelse)), ATOM)
        case ast.Keyword():
            return (rf"\mathrm{{{_escape(tree.name)}}}={at(tree.value)}", ATOM)
        case ast.Call():
            return _call(tree, at)
        case ast.Subscript():
            inside = ", ".join(at(item) for item in tree.items)
            return (f"{{{at(tree.operand, ATOM)}}}_{{{inside}}}", ATOM)
        case ast.Slice():
            lower, upper = (at(bound) if bound is not None else "" for bound in (tree.lower, tree.upper))
            return (f"{lower}{{:}}{upper}", ATOM)
    return (r"\dots", ATOM)


def _binary(tree: ast.Binary, at: object) -> Piece:
    assert callable(at)
    level = LEVELS[tree.op]
    match tree.op:
        case "/":
            return (rf"\frac{{{at(tree.left)}}}{{{at(tree.right)}}}", level)
        case "**":
            return (rf"{{{at(tree.left, ATOM)}}}^{{{at(tree.right)}}}", level)
        case "*":
            return (rf"{at(tree.left, level)} \, {at(tree.right, level + 1)}", level)
        case "and" | "or":
            sign = r"\land" if tree.op == "and" else r"\lor"
            return (f"{at(tree.left, level)} {sign} {at(tree.right, level + 1)}", level)
    return (f"{at(tree.left, level)} {tree.op} {at(tree.right, level + 1)}", level)


def _call(tree: ast.Call, at: object) -> Piece:
    """By the row's template where the call gives its values alone; else by name, with every argument shown."""
    assert callable(at)
    row = OPS.get(tree.function)
    if tree.function == "where" and len(tree.args) == 3:
        return (_cases(*(at(arg) for arg in tree.args)), ATOM)
    given = _bound(tree, row) if row is not None else {}
    if row is not None and given and "where" not in given:
        pieces = {a.name: "" for a in row.signature.args}
        for name, argument in given.items():
            pieces[name] = at(argument, 0 if _enclosed(row.latex, name) else ATOM)
        filled = row.latex.format(**pieces).replace("_{}", "").replace(",}", "}")
        return (filled, 0 if tree.function in OPERATORS.values() else LEVELS["unary"])
    inside = ", ".join(at(part) for part in (*tree.args, *tree.keywords))
    return (rf"{_function(tree.function)}\left({inside}\right)", ATOM)


def _bound(tree: ast.Call, row: Op) -> dict[str, ast.Tree]:
    """The arguments by name; empty where they do not fit, which is the checker's business."""
    names = [a.name for a in row.signature.args]
    found: dict[str, ast.Tree] = dict(zip(names, tree.args, strict=False))
    found |= {k.name: k.value for k in tree.keywords if k.name in names}
    complete = all(a.name in found or a.default is not None for a in row.signature.args)
    return found if complete and len(tree.args) <= len(names) else {}


def _enclosed(template: str, name: str) -> bool:
    """Whether a template sets an argument off by itself: in brackets, bars, or braces that end its reach."""
    slot = "{" + name + "}"
    return any(f"{left}{slot}{right}" in template for left, right in (("(", ")"), ("{{", "}}"), ("{{", ","))) or (
        r"\left" in template
    )


def _cases(condition: str, body: str, orelse: str) -> str:
    return rf"\begin{{cases}}{body} & \text{{if }} {condition} \\ {orelse} & \text{{otherwise}}\end{{cases}}"


def _function(name: str) -> str:
    return rf"\operatorname{{{_escape(ALIASES.get(name, name))}}}"


def _name(name: str) -> str:
    """Greek letters as letters, the data as y, an index after `_` below."""
    if name in DATA:
        return DATA[name]
    head, _, tail = name.partition("_")
    if not head:
        return rf"\mathrm{{{_escape(name)}}}"
    letter = rf"\{head}" if head in GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    return rf"{letter}_{{\mathrm{{{_escape(tail)}}}}}" if tail else letter


def _escape(name: str) -> str:
    return name.replace("_", r"\_")
