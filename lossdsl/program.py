"""A formula for given ranks: the generated code, the terms of its root, and the sizes that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from types import SimpleNamespace
from typing import Any, NamedTuple

from lossdsl.analysis.root import RootTerm, root_terms
from lossdsl.backends.keras_text import function, functions
from lossdsl.backends.load import load
from lossdsl.backends.positions import Positions
from lossdsl.checker.check import Elaborated
from lossdsl.checker.declared import too_large
from lossdsl.errors import LossError
from lossdsl.gradient import NoGradientError, upstream, vjp
from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.rewrite.apart import keep_apart
from lossdsl.rewrite.contract import contract
from lossdsl.rewrite.logits import RULES_FOR_LOGITS, gains, lift
from lossdsl.rewrite.passes import RULES, Applied, follow, rewrite
from lossdsl.rewrite.printed import for_print
from lossdsl.rewrite.roots import take_roots
from lossdsl.rewrite.rules import FAR, GRADIENT, LIGHTER, Rule
from lossdsl.rewrite.scales import gather_scales
from lossdsl.rewrite.spread import float_spreads
from lossdsl.source import Span
from lossdsl.types import Dim, DType, Type

DATA = ("y_true", "y_pred")
Attach = Callable[[Any, Any, Any], Any]
Sizes = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the root: how it is reduced, and the highest rank of weights or mask that it takes."""

    name: str | None
    kind: str
    rank: int


class Joint(NamedTuple):
    """Value and gradient in one pass.

    `function(y_true, y_pred, scale)` gives the values and the gradient of their sum times a number; `count(y_true,
    y_pred)` how many values there are; `slope_from_sums` says that the gradient needs sums over a sample first.
    """

    function: Callable[..., tuple[Any, Any]]
    count: Callable[..., Any]
    slope_from_sums: bool
    pull_true: Callable[..., Any] | None


@dataclass(eq=False)
class Program:
    """The code of a formula for inputs of given ranks; `source` defines `value` and `terms`.

    `true_rank` is 0 where the formula does not look at y_true, which may then have any shape. `activation` is what
    made the formula's `y_pred` of logits, which its code gets in that place; `gains` whether that is of any use.
    """

    source: str
    true_rank: int
    pred_rank: int
    shared: int
    fill: tuple[float, float]
    label: bool
    alive: bool
    terms: tuple[Term, ...]
    elaborated: Elaborated
    nodes: tuple[Node, ...]
    form: Form
    activation: str | None = None
    gains: bool = False
    _loaded: dict[int, SimpleNamespace] = field(default_factory=dict)
    _attached: dict[tuple[int, bool], SimpleNamespace] = field(default_factory=dict)

    @property
    def true_has_gradient(self) -> bool:
        """Whether the formula looks at y_true, and that holds floats."""
        return self.true_rank > 0 and not self.label

    def load(self, ops: Any, shims: Any) -> SimpleNamespace:
        """`value(y_true, y_pred)` and `terms(y_true, y_pred[, alive])` over a namespace of operations."""
        key = id(ops)
        if key not in self._loaded:
            self._loaded[key] = self._load(self.source, ops, shims)
        return self._loaded[key]

    def load_with_gradient(self, ops: Any, shims: Any, attach: Attach, labels: bool = True) -> SimpleNamespace:
        """The same functions with our own gradient attached; as they are where the table has none to give.

        Without `labels` there is none by y_true, for those who do not ask. Beside `value` and `terms`, whose gradient
        is derived when they are first called, there is `joint`, or None.
        """
        key = id(ops), labels
        if key not in self._attached:
            self._attached[key] = self._attach(ops, shims, attach, labels)
        return self._attached[key]

    def _attach(self, ops: Any, shims: Any, attach: Attach, labels: bool) -> SimpleNamespace:
        plain = self.load(ops, shims)
        late = _Late(self, ops, shims) if labels and self.true_has_gradient else None

        @cache
        def pulls() -> SimpleNamespace | None:
            text = self.gradient_source()
            return None if text is None else self._load(text, ops, shims)

        def value(*data: Any) -> Any:
            code = None if self.alive else pulls()
            if code is None:
                return plain.value(*data)
            return attach(plain.value, code.pull_value, late and late.pull("value"))(*data)

        def terms(*data: Any) -> Any:
            code = pulls()
            if code is None:
                return plain.terms(*data)
            names = [f"term_{i}" for i in range(len(self.terms))]
            return tuple(
                attach(getattr(code, name), getattr(code, f"pull_{name}"), late and late.pull(name))(*data)
                for name in names
            )

        joint = None if self.alive else self._joint(ops, shims, late.pull("value") if late else None)
        return SimpleNamespace(value=value, terms=terms, joint=joint)

    def joint_source(self) -> tuple[str, bool] | None:
        """Python text of the functions of `Joint`, and its `slope_from_sums`; None where there is no gradient."""
        try:
            return self.form.joint(DATA)
        except NoGradientError:
            return None

    def _joint(self, ops: Any, shims: Any, pull_true: Callable[..., Any] | None) -> Joint | None:
        source = self.joint_source()
        if source is None:
            return None
        code = self._load(source[0], ops, shims)
        return Joint(code.joint, code.count, source[1], pull_true)

    def _load(self, text: str, ops: Any, shims: Any) -> SimpleNamespace:
        return load(text, f"<lossdsl {abs(hash(text)):x}>", ops=ops, shims=shims)

    def gradient_source(self, wrt: str = "y_pred") -> str | None:
        """Python text of `term_0`, ... and, for each and for `value`, of the pull of its adjoint to an input.

        `pull_value(y_true, y_pred, upstream)`; None where the table has no derivative to give.
        """
        extra = ["alive"] if self.alive else []
        true = "" if wrt == "y_pred" else "_true"
        texts = []
        try:
            for i, root in enumerate(self.form.roots):
                name = f"term_{i - 1}" if i else "value"
                if i and not true:
                    texts.append(self.form.text(name, [*DATA, *extra], [root]))
                if i or not self.alive:
                    texts.append(self.form.pull(i, f"pull_{name}{true}", [*DATA, *extra], wrt))
        except NoGradientError:
            return None
        return "\n\n".join(texts)

    def check_sizes(self, sizes: Sizes, whole: Span, data: str) -> None:
        """Raise LossError where known sizes break what the formula needs.

        `data` is the shapes as they came, for the message.
        """
        for constraint in self.elaborated.constraints:
            broken = constraint.broken(dict(sizes))
            if broken is not None:
                help = f"{broken.help}\nthe data: {data}".strip()
                raise LossError(replace(broken, span=broken.span or whole, help=help))

    def check_memory(self, sizes: Sizes, whole: Span) -> None:
        """Raise LossError where known sizes ask for a tensor too large."""
        for node in self.nodes:
            dims = [axis.size.value(dict(sizes)) for axis in node.type.full]
            known = [size for size in dims if size is not None]
            if wrong := too_large(known, node.type.show(dict(sizes)), node.span or whole):
                raise LossError(wrong)


def build(
    elaborated: Elaborated, fill: tuple[float, float], alive: bool, best: bool = True, activation: str | None = None
) -> Program:
    """The program of a formula that was elaborated without errors, with that `activation`; `best` rewrites it."""
    root = elaborated.root
    assert root is not None
    builder, inputs = elaborated.builder, elaborated.inputs
    terms = _root_terms(elaborated)
    first = () if activation is None else RULES_FOR_LOGITS
    roots = [root, *(term.node for term in terms)]
    lifted = lift(builder, roots) if first else {node: node for node in roots}
    form = Form(builder, [lifted[node] for node in roots], elaborated.names, best, first=first)
    value, *parts = form.roots
    extra = ["alive"] if alive else []
    uses_true = looks_at([root, *form.roots], "y_true")
    return Program(
        source="\n\n".join(
            [
                form.text("value", [*DATA, *(f"{name}=None" for name in extra)], [value]),
                form.text("terms", [*DATA, *extra], parts, many=True),
            ]
        ),
        true_rank=len(inputs.types["y_true"].axes) if uses_true else 0,
        pred_rank=len(inputs.types["y_pred"].axes),
        shared=_shared(elaborated) if uses_true else 0,
        fill=fill,
        label=inputs.types["y_true"].dtype is not DType.FLOAT,
        alive=alive,
        terms=tuple(_term(term) for term in terms),
        elaborated=elaborated,
        nodes=tuple(reachable(form.roots)),
        form=form,
        activation=activation,
        gains=activation is not None and gains(form.rewritten, activation),
    )


def looks_at(roots: Sequence[Node], name: str) -> bool:
    """Whether an input is needed, be it for a size alone."""
    for node in reachable(roots):
        sizes = [value for _, value in node.attrs if isinstance(value, Dim)]
        if any((size.symbol or "").startswith(f"{name}.") for size in sizes):
            return True
        if node.op == INPUT and node.attr("name") == name:
            return True
    return False


def terms_of(elaborated: Elaborated) -> tuple[Term, ...]:
    """The terms of the root of a formula."""
    return tuple(_term(term) for term in _root_terms(elaborated))


def _root_terms(elaborated: Elaborated) -> list[RootTerm]:
    assert elaborated.root is not None
    named = {node: name for name, node in elaborated.terms}
    return root_terms(elaborated.builder, elaborated.root, named, elaborated.inputs.types["y_pred"])


class Form:
    """Roots in the form that is printed: rewritten, without needless spreads, contracted.

    `kept` makes it a gradient's: nodes of the value that it goes with, which are computed anyhow. Rules that come
    `first` are tried before the usual ones.
    """

    def __init__(
        self,
        builder: Builder,
        roots: Sequence[Node],
        names: Mapping[Node, str],
        best: bool,
        kept: Sequence[Node] | None = None,
        first: Sequence[Rule] = (),
    ) -> None:
        self.builder = builder
        self.best = best
        self.applied: list[Applied] = []
        whole = RULES if kept is not None else (*RULES, *FAR)
        made, self.applied = rewrite(builder, roots, (*first, *whole) if best else ())
        if best and kept is None:
            more, applied = take_roots(builder, [made[root] for root in roots])
            made = follow(made, more)
            again, rest = rewrite(builder, [made[root] for root in roots], whole)
            made = follow(made, again)
            self.applied += [*applied, *rest]
        if best:
            more, applied = rewrite(builder, [made[root] for root in roots], LIGHTER)
            made = follow(made, more)
            self.applied += applied
        self.rewritten = [made[root] for root in roots]
        """Before sums became contractions: what is differentiated."""
        made = follow(made, float_spreads(builder, [made[root] for root in roots]))
        if kept is not None:
            made = follow(made, gather_scales(builder, [made[root] for root in roots], kept))
            more, applied = rewrite(builder, [made[root] for root in roots], (*RULES, *GRADIENT), True)
            made = follow(made, more)
            self.applied += applied
        made = follow(made, contract(builder, [made[root] for root in roots]))
        if best:
            made = follow(made, keep_apart(builder, [made[root] for root in roots]))
        self.roots = [made[root] for root in roots]
        self.names = {made.get(node, node): name for node, name in names.items()}

    def text(self, name: str, arguments: Sequence[str], roots: Sequence[Node], many: bool = False) -> str:
        """A function that gives a root, or several."""
        positions, names = Positions(self.builder.layout.ids), self.names
        if self.best:
            made = for_print(self.builder, roots, names)
            roots = [made[root] for root in roots]
            names = {made.get(node, node): given for node, given in names.items()}
        if many:
            return functions(name, arguments, positions, names, roots)
        return function(name, arguments, positions, names, roots[0])

    def gradient(self, index: int, wrt: str) -> Form:
        """The adjoint of an input, in its best form, from that of a root, which is called `upstream`."""
        root = self.rewritten[index]
        return self._adjoint(root, upstream(self.builder, root, "upstream"), wrt)

    def pull(self, index: int, name: str, data: Sequence[str], wrt: str) -> str:
        """The same as a Python function."""
        form = self.gradient(index, wrt)
        return form.text(name, [*data, "upstream"], form.roots)

    def slope(self) -> Node:
        """The gradient of the sum of all values times `scale`, a number."""
        scale = self.builder.graph.add(INPUT, attrs={"name": "scale"}, type=Type(DType.FLOAT))
        return self._adjoint(self.rewritten[0], scale, "y_pred").roots[0]

    def joint(self, data: Sequence[str]) -> tuple[str, bool]:
        """The Python functions of `Joint`, and its `slope_from_sums`."""
        slope = self.slope()
        sizes = [self.builder.graph.dim(axis.size) for axis in self.rewritten[0].type.full]
        count = reduce(lambda a, b: self.builder.apply("multiply", [a, b]), sizes, self.builder.graph.const(1.0))
        texts = [
            self.text("joint", [*data, "scale"], [self.roots[0], slope], many=True),
            self.text("count", data, [count]),
        ]
        return "\n\n".join(texts), any(node.axes and node.op != "spread" for node in reachable([slope]))

    def _adjoint(self, root: Node, upstream: Node, wrt: str) -> Form:
        adjoint = vjp(self.builder, [root], [upstream], wrt)
        kept = self.rewritten if self.best else None
        try:
            return Form(self.builder, [adjoint], self.names, self.best, kept=kept)
        except LossError as error:  # a constant at which the derivative is no number, as in `xdivy(x, 0)`
            raise NoGradientError(str(error)) from error


class _Late:
    """Gradients by the labels, made when one is first asked for: hardly anybody does."""

    def __init__(self, program: Program, ops: Any, shims: Any) -> None:
        self.program, self.modules = program, (ops, shims)
        self.code: SimpleNamespace | None = None

    def pull(self, name: str) -> Any:
        """The pull of one function, as a function that makes it when it is called."""

        def call(*arguments: Any) -> Any:
            if self.code is None:
                text = self.program.gradient_source("y_true") or ""
                self.code = self.program._load(text, *self.modules)
            return getattr(self.code, f"pull_{name}_true")(*arguments)

        return call


def _term(term: RootTerm) -> Term:
    return Term(term.name, term.kind, term.rank)


def _shared(elaborated: Elaborated) -> int:
    """How many axes from the left the labels have in common with the predictions."""
    true, pred = (elaborated.inputs.types[n].axes for n in ("y_true", "y_pred"))
    count = 0
    for a, b in zip(true, pred, strict=False):
        if a.id != b.id:
            break
        count += 1
    return count


def aligned(shape: Sequence[int | None], rank: int) -> tuple[int | None, ...] | None:
    """A shape at another rank: trailing axes of size 1 dropped or added; None where that can't be."""
    result = list(shape)
    while len(result) > rank:
        if result.pop() not in (1, None):
            return None
    return (*result, *[1] * (rank - len(result)))
