"""A loss as a Python file of its own, without lossdsl: the generated code and, verbatim, what runs around it."""

from __future__ import annotations

import ast
import keyword
import re
from importlib.resources import files

from lossdsl.checked import Checked
from lossdsl.checker.signature import MOST_STARS
from lossdsl.errors import LossError, fail
from lossdsl.program import Program
from lossdsl.types import Dim

HEAD = '''"""A Keras loss, written out by lossdsl from a formula. It needs Keras 3 and nothing else.

{formula}
"""

from __future__ import annotations

{imports}
from keras import losses, saving
'''

CLASS = '''
@saving.register_keras_serializable(package={name!r})
class {name}(losses.Loss):
    """The formula at the head of this file: one value per sample, then weights, masks and the reduction."""

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(name={default!r} if name is None else name, reduction=reduction, dtype=dtype)
        self._given_dtype = dtype

    def call(self, y_true, y_pred):
        formula = _formula(FORMULAS, y_true, y_pred)
        return value(formula, y_true, y_pred, self.dtype)

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = get_keras_mask(y_pred)
        y_true, y_pred = _tensor(y_true), _tensor(y_pred)
        weighted = sample_weight is not None or mask is not None
        formula = _formula(WEIGHTED if weighted else FORMULAS, y_true, y_pred)
        weights = None if sample_weight is None else _tensor(sample_weight)
        shapes = [None if x is None else tuple(x.shape) for x in (y_pred, weights, mask)]
        reduction = None if self.reduction == "none" else self.reduction
        ranks = settle(formula, reduction, *shapes)
        arrays = (y_true, y_pred, weights, mask)
        return loss_value(
            formula, *arrays, ranks=ranks, reduction=reduction, dtype=self.dtype, replicas=replicas()
        )

    def get_config(self):
        return {{"reduction": self.reduction, "name": self.name, "dtype": self._given_dtype}}


def _formula(formulas, y_true, y_pred):
    """The code for data of this rank, having compared the sizes: different sizes never broadcast."""
    if not formulas:
        raise ValueError("samples are coupled so that none can be left out: no weights, no mask")
    shapes = {{"y_true": tuple(y_true.shape), "y_pred": tuple(y_pred.shape)}}
    rank = max(len(shapes["y_pred"]), min(formulas))
    if rank not in formulas:
        raise ValueError(f"the formula takes predictions of rank {{sorted(formulas)}}, and not {{shapes['y_pred']}}")
    formula = formulas[rank]
    aligned = {{
        name: (*(shape[:wanted]), *[1] * (wanted - len(shape)))
        for (name, shape), wanted in zip(shapes.items(), (formula.true_rank, formula.pred_rank))
    }}
    for name, shape in shapes.items():
        if not aligned[name]:  # the formula does not look at it
            continue
        extra = shape[len(aligned[name]):]
        if any(size not in (1, None) for size in extra) or len(shape) + 1 < len(aligned[name]):
            raise ValueError(f"{{name}} has shape {{shape}}, which does not fit: {{shapes}}")
    for left, relation, right in SIZES[rank]:
        known = all(name is None or aligned[name][axis] is not None for name, axis, *_ in (left, right))
        sizes = [
            offset if name is None else (aligned[name][axis] + offset) // step + after
            for name, axis, offset, step, after in (left, right)
            if known
        ]
        if known and not (sizes[0] == sizes[1] or (relation == ">=" and sizes[0] >= sizes[1])):
            raise ValueError(f"sizes differ, and different sizes never broadcast: {{shapes}}")
    return formula
'''


def standalone(checked: Checked, class_name: str) -> str:
    """The whole file. Raises LossError where the class can't have that name."""
    if not class_name.isidentifier() or keyword.iskeyword(class_name) or class_name.startswith("_"):
        raise fail("class-name", None, name=class_name)
    plain = _programs(checked, alive=False)
    weighted = _weighted(checked) if checked.couples != "none" else plain
    code = "\n\n".join(
        [
            *(_code(p, r, "") for r, p in plain.items()),
            *(_code(p, r, "_weighted") for r, p in weighted.items() if weighted is not plain),
        ]
    )
    parts = ["runtime.py", "runtime_gradient.py", "runtime_replicas.py"]
    pieces = [*(_source(part) for part in parts), _shims(code)]
    imports, bodies = _imports(pieces)
    if re.search(rf"\b{class_name}\b", "\n".join([*imports, *bodies])):
        raise fail("class-name", None, name=class_name)
    table = _table("FORMULAS", plain, "", checked) + (
        "WEIGHTED = FORMULAS\n" if weighted is plain else _table("WEIGHTED", weighted, "_weighted", checked)
    )
    default = re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()
    return "\n\n".join(
        [
            HEAD.format(formula=_comment(checked), imports="\n".join(imports)),
            *bodies,
            f"# The formula\n\n\n{code}",
            table + _sizes(plain),
            CLASS.format(name=class_name, default=default),
        ]
    )


def _comment(checked: Checked) -> str:
    """The formula and its parameters, safe inside a docstring."""
    given = [f"with {name} = {value!r}" for name, value in checked.params.items()]
    named = [line for name, text in checked.uses.items() for line in ("", f"where {name} is", "", *text.splitlines())]
    lines = [*checked.text.strip().splitlines(), *given, *named]
    text = "\n".join(f"    {line}".rstrip() for line in lines)
    return text.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace('"', "'")


def _weighted(checked: Checked) -> dict[int, Program]:
    """The programs for weights and masks where samples are coupled; none where no sample can be left out."""
    try:
        return _programs(checked, alive=True)
    except LossError as error:
        if [found.code for found in error.diagnostics] != ["coupling-needs-all"]:
            raise
        return {}


def _programs(checked: Checked, alive: bool) -> dict[int, Program]:
    """The program of each rank of predictions that the formula takes."""
    found: dict[int, Program] = {}
    signature = checked.signature
    for stars in range(checked.stars, MOST_STARS + 1 if signature.has_star else checked.stars + 1):
        true, pred = ((None,) * (s.least + s.has_star * stars) for s in (signature.y_true, signature.y_pred))
        try:
            program = checked.program(true, pred, alive=alive)
        except LossError:
            if not found:  # at the rank that the formula was checked at it stands, or is wrong as a whole
                raise
            continue
        found[program.pred_rank] = program
    return found


def _code(program: Program, rank: int, suffix: str) -> str:
    """Every function of a program under names that tell its rank, and the two that carry the gradient."""
    texts = [program.source]
    pulls = program.gradient_source()
    if pulls is not None:
        labels = program.gradient_source("y_true") if program.true_has_gradient else None
        texts += [pulls, *([labels] if labels else []), _attached(program)]
    whole = "\n\n".join(texts)
    names = set(re.findall(r"^def (\w+)\(", whole, flags=re.M))
    return re.sub(r"\b\w+\b", lambda m: f"{m[0]}_of_rank_{rank}{suffix}" if m[0] in names else m[0], whole)


def _attached(program: Program) -> str:
    """`loss_value` and `loss_terms`: the value and the terms with their gradient."""

    def one(name: str) -> str:
        true = f"pull_{name}_true" if program.true_has_gradient else "None"
        return f"attach({name}, pull_{name}, {true})"

    value = "value" if program.alive else one("value")
    terms = ", ".join(f"{one(f'term_{i}')}(*data)" for i in range(len(program.terms)))
    return (
        f"def value_with_gradient(*data):\n    return {value}(*data)\n\n\n"
        f"def terms_with_gradient(*data):\n    return ({terms},)\n"
    )


def _table(name: str, programs: dict[int, Program], suffix: str, checked: Checked) -> str:
    lines = [f"{name} = {{"]
    for rank, program in programs.items():
        kinds = tuple((term.kind, term.rank) for term in program.terms)
        ours = "" if program.gradient_source() is None else "_with_gradient"
        lines.append(
            f"    {rank}: Formula(value{ours}_of_rank_{rank}{suffix}, terms{ours}_of_rank_{rank}{suffix}, {kinds!r}, "
            f"{program.true_rank}, {program.pred_rank}, {program.shared}, {program.fill!r}, "
            f"{checked.label!r}, {checked.couples != 'none'!r}),"
        )
    return "\n".join([*lines, "}", ""])


def _sizes(programs: dict[int, Program]) -> str:
    """What the sizes must satisfy, as plain values: `(input, axis, offset, step, after)`, relation, and again."""
    lines = ["SIZES = {"]
    for rank, program in programs.items():
        wanted = [(_size(c.left), c.relation, _size(c.right)) for c in program.elaborated.constraints]
        if program.true_rank:
            wanted.insert(0, (("y_true", 0, 0, 1, 0), "==", ("y_pred", 0, 0, 1, 0)))
        else:  # what the formula does not look at may have any shape
            wanted = [each for each in wanted if "y_true" not in (each[0][0], each[2][0])]
        lines.append(f"    {rank}: {list(dict.fromkeys(wanted))!r},")
    return "\n".join([*lines, "}", ""])


def _size(size: Dim) -> tuple[str | None, int, int, int, int]:
    name, axis = size.symbol.rsplit(".", 1) if size.symbol else (None, 0)
    return name, int(axis), size.offset, size.step, size.after


def _source(name: str) -> str:
    return files("lossdsl.backends").joinpath(name).read_text("utf-8")


def _imports(sources: list[str]) -> tuple[list[str], list[str]]:
    """The import lines of several modules, merged, and what is left of the modules."""
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    bodies = []
    for source in sources:
        tree = ast.parse(source)
        gone: set[int] = set()
        for i, node in enumerate(tree.body):
            if isinstance(node, ast.Import):
                plain.update(f"import {alias.name}" for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                named.setdefault(str(node.module), set()).update(alias.name for alias in node.names)
            elif i or not isinstance(node, ast.Expr):
                continue
            gone.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        kept = [line for n, line in enumerate(source.splitlines(), 1) if n not in gone]
        bodies.append("\n".join(kept).strip() + "\n")
    named.pop("__future__", None)
    lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in named.items()]
    return sorted([*plain, *lines], key=lambda line: ("keras" in line, line)), bodies


def _shim_modules() -> list[str]:
    """The files that hold shims: those that `shims.py` gathers, and that itself."""
    lines = [node for node in ast.parse(_source("shims.py")).body if isinstance(node, ast.ImportFrom)]
    gathered = [str(line.module).rpartition(".")[2] for line in lines if "lossdsl" in str(line.module)]
    return [f"{module}.py" for module in dict.fromkeys([*gathered, "shims"])]


def _shims(code: str) -> str:
    """The shims that the code calls, and what they call, gathered under one name."""
    imports: dict[str, None] = {}
    functions: dict[str, tuple[ast.FunctionDef, str]] = {}
    for source in map(_source, _shim_modules()):
        for node in ast.parse(source).body:
            text = ast.get_source_segment(source, node) or ""
            if isinstance(node, ast.FunctionDef):
                functions[node.name] = node, text
            elif isinstance(node, (ast.Import, ast.ImportFrom)) and "lossdsl" not in text:
                imports[text] = None
    wanted = sorted(set(re.findall(r"\bshims\.(\w+)", code)))
    needed, stack = set(wanted), list(wanted)
    while stack:
        for part in ast.walk(functions[stack.pop()][0]):
            if isinstance(part, ast.Name) and part.id in functions and part.id not in needed:
                needed.add(part.id)
                stack.append(part.id)
    if not wanted:
        return ""
    kept = [*imports, *(text for name, (_, text) in functions.items() if name in needed)]
    fields = "".join(f"    {name} = staticmethod({name})\n" for name in wanted)
    return "\n\n\n".join([*kept, f'class shims:\n    """What keras.ops lacks."""\n\n{fields}'])
