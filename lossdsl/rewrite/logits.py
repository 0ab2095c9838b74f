"""Rules for a formula on probabilities whose logits are at hand: `y_pred` is `sigmoid(z)` or `softmax(z)` there.

What keeps a logarithm from 0 where rounding has made a probability 0 or 1 is left out: with the logits nothing was
rounded away. So the value is another, and the right one, where such a guard would bite; elsewhere it is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lossdsl.ir.build import Builder
from lossdsl.ir.node import INPUT, Node, reachable
from lossdsl.rewrite.rules import STABILISE, Rule

ACTIVATIONS = ("sigmoid", "softmax")
"""What may have made probabilities of logits; softmax along the last axis."""
LARGEST_GUARD = 1e-5
"""A number up to this that keeps a logarithm from 0 is there for the sake of rounding; a larger one is meant."""

_TINY, _NEARLY_ONE = f"0 <= c <= {LARGEST_GUARD!r}", f"k >= {1 - LARGEST_GUARD!r}"
_BARE = {"": ("{0}", "")}
_FROM_BELOW = {
    "clip-": ("clip({0}, c, k)", f"{_TINY} and {_NEARLY_ONE}"),
    "maximum-": ("maximum({0}, c)", _TINY),
    "plus-": ("({0} + c)", _TINY),
}
_FROM_ABOVE = {"clip-": _FROM_BELOW["clip-"], "minimum-": ("minimum({0}, k)", _NEARLY_ONE)}
_PROBABILITIES = {
    "sigmoid": ("sigmoid(x)", "log_sigmoid(x)"),
    "softmax": ("softmax(x, axis=axis)", "log_softmax(x, axis=axis)"),
    "others": ("softmax_others(x, axis=axis)", "log_softmax_others(x, axis=axis)"),
    "taken": (
        "take_along_axis(softmax(x, axis=axis), i, axis=axis)",
        "take_along_axis(log_softmax(x, axis=axis), i, axis=axis)",
    ),
    "lifted": ("probability(x)", "x"),
}
_RESTS = {
    "sigmoid": "log_sigmoid(-x)",
    "softmax": "log_softmax_others(x, axis=axis)",
    "taken": "take_along_axis(log_softmax_others(x, axis=axis), i, axis=axis)",
}
"""The logarithm of what such a probability leaves."""
_LOGARITHMS_OF = {
    "log": ("log({0})", "{0}"),
    "log2": ("log2({0})", "{0} * 1.4426950408889634"),
    "log10": ("log10({0})", "{0} * 0.4342944819032518"),
    "xlogy": ("xlogy(y, {0})", "y * {0}"),
    "log-over": ("log(z / {0})", "log(z) - {0}"),
    "xlogy-over": ("xlogy(y, z / {0})", "xlogy(y, z) - y * {0}"),
}
"""A logarithm of a probability, and the same of its logarithm."""
_OF_THE_REST = {
    "log-one-minus": ("log(1 - {0})", "{0}"),
    "log1p-minus": ("log1p(-{0})", "{0}"),
    "xlogy-one-minus": ("xlogy(y, 1 - {0})", "y * {0}"),
}


def _rules(guards: Mapping[str, tuple[str, str]]) -> Iterator[Rule]:
    """Logarithms of a probability, or of the rest of one, guarded so."""
    rests = {"rest-of-taken": (f"(1 - {_PROBABILITIES['taken'][0]})", _RESTS["taken"])}
    for name, (left, right) in _LOGARITHMS_OF.items():
        for of, (probability, logarithm) in {**_PROBABILITIES, **rests}.items():
            for guard, (guarded, when) in guards.items():
                inside = guarded.format(probability)
                yield Rule(f"{name}-{guard}{of}", left.format(inside), right.format(logarithm), when)


def _rests(guards: Mapping[str, tuple[str, str]]) -> Iterator[Rule]:
    """Logarithms of what a probability leaves that is guarded so."""
    for name, (left, right) in _OF_THE_REST.items():
        for of, rest in _RESTS.items():
            for guard, (guarded, when) in guards.items():
                inside = guarded.format(_PROBABILITIES[of][0])
                yield Rule(f"{name}-{guard}{of}", left.format(inside), right.format(rest), when)


def _choices() -> Iterator[Rule]:
    """The logarithm of a choice between probabilities, which may be guarded: a choice between logarithms."""
    for name, (guarded, when) in {**_BARE, **_FROM_BELOW}.items():
        left, x, z = (guarded.format(of) for of in ("where(p, x, z)", "x", "z"))
        yield Rule(f"log-of-{name}choice", f"log({left})", f"where(p, log({x}), log({z}))", when)


KNOWN_LOGITS = (
    *(rule for rule in _rules(_BARE) if rule.left not in {known.left for known in STABILISE}),
    *_choices(),
    Rule("sigmoid-of-choice", "where(p, sigmoid(x), sigmoid(y))", "sigmoid(where(p, x, y))"),
    Rule("softmax-scaled", "softmax(x, axis=axis) / sum(softmax(x, axis=axis), axis=axis)", "softmax(x, axis=axis)"),
    Rule("log-softmax-again", "log_softmax(log_softmax(x, axis=axis), axis=axis)", "log_softmax(x, axis=axis)"),
)
"""The same value. Not for every formula: on logits nobody writes so, and every rule costs time."""

UNGUARDED = (*_rules(_FROM_BELOW), *_rests(_FROM_ABOVE))
"""Another value where the guard would bite: applied only where the logits stand for the probabilities themselves."""

RULES_FOR_LOGITS = (*UNGUARDED, *KNOWN_LOGITS)

INDEXED = frozenset({"select", "slice"})
"""Operations that take some entries as they are."""
_BETWEEN = frozenset({"clip", "maximum", "minimum", "add", "subtract", "negative", "multiply", "divide", "where"})
"""What may stand between a probability and the logarithm that is taken of it."""


def lift(builder: Builder, roots: Sequence[Node]) -> dict[Node, Node]:
    """What each node becomes where an index is taken of logits, and not of the probabilities that are made of them.

    A softmax looks at all classes, so its logarithms are indexed, and what they are of is a `probability`. Only below
    logarithms, which alone have anything to gain.
    """
    nodes = reachable(roots)
    below: set[Node] = set()
    for node in reversed(nodes):
        if node.op in _LOGARITHMS or (node in below and node.op in _BETWEEN):
            below.update(node.inputs)
    made: dict[Node, Node] = {}
    for node in nodes:
        operands = [made[operand] for operand in node.inputs]
        same = all(new is old for new, old in zip(operands, node.inputs, strict=True))
        made[node] = node if same else builder.graph.add(
            node.op, operands, dict(node.attrs), type=node.type, span=node.span
        )  # fmt: skip
        if node.op in INDEXED and (node in below or node.inputs[0].op in INDEXED):
            made[node] = _lifted(builder, made[node])
        elif node.op == "subtract" and node in below:
            made[node] = _rest(builder, made[node])
    return made


def _lifted(builder: Builder, node: Node) -> Node:
    """An index of probabilities as the probabilities of an index."""
    operand = node.inputs[0]
    outer, inner = {"softmax": ("probability", "log_softmax")}.get(operand.op, (operand.op, ""))
    if operand.op not in ("sigmoid", "softmax", "probability"):
        return node
    logits = operand.inputs[0]
    if inner:
        logits = builder.apply(inner, [logits], dict(operand.attrs), operand.span)
    index = builder.graph.add(node.op, [logits], dict(node.attrs), type=node.type, span=node.span)
    return builder.apply(outer, [index], span=node.span)


def _rest(builder: Builder, node: Node) -> Node:
    """1 less an index of a softmax, which may be clipped, as an index of what it gives the others."""
    one, right = node.inputs
    bounds = right.inputs[1:] if right.op == "clip" else ()
    path = [right.inputs[0] if bounds else right]
    while path[-1].op in ("probability", *INDEXED):
        path.append(path[-1].inputs[0])
    if len(path) != 3 or path[0].op != "probability" or path[2].op != "log_softmax" or not _is_one(one):
        return node
    _, index, softmax = path
    others = builder.apply("log_softmax_others", [softmax.inputs[0]], dict(softmax.attrs), softmax.span)
    left = builder.graph.add(index.op, [others], dict(index.attrs), type=index.type, span=node.span)
    found = builder.apply("probability", [left], span=node.span)
    ends = [builder.apply("subtract", [one, bound], span=node.span) for bound in reversed(bounds)]
    return builder.apply("clip", [found, *ends], span=node.span) if ends else found


def _is_one(node: Node) -> bool:
    return node.is_const and node.value == 1


_LOGARITHMS = frozenset({"log", "log2", "log10", "log1p", "log1m_exp", "xlogy", "xlog1py", "log_sigmoid", "softplus",
                         "log_softmax", "log_softmax_others", "logsumexp", "log_bernoulli",
                         "sum_log_softmax"})  # fmt: skip


def has_logarithm(roots: Sequence[Node]) -> bool:
    """Whether a logarithm is taken at all: without one, rounded probabilities serve as well as their logits."""
    return any(node.op in _LOGARITHMS for node in reachable(roots))


def gains(roots: Sequence[Node], activation: str) -> bool:
    """Whether rewriting found more to do with the logits, which are `y_pred` here, than to compute the probabilities.

    Without a logarithm what it finds, such as `sigmoid(-z)` for `1 - sigmoid(z)`, is no gain worth a gradient that
    passes `y_pred` by.
    """
    nodes = reachable(roots)
    logits = next((node for node in nodes if node.op == INPUT and node.attr("name") == "y_pred"), None)
    if logits is None or (activation == "softmax" and len(logits.type.axes) < 2):
        return False
    sources = {logits}
    for node in nodes:
        if node.op in INDEXED and node.inputs[0] in sources:
            sources.add(node)
    used = [node for node in nodes if node not in sources and sources & set(node.inputs)]
    return has_logarithm(roots) and any(node.op != activation and not _is_probability(node, nodes) for node in used)


def _is_probability(node: Node, nodes: Sequence[Node]) -> bool:
    """Whether of the logarithm of a softmax no more is made than an index of it, and the probability again."""
    users = [user for user in nodes if node in user.inputs]
    return (
        node.op in ("log_softmax", *INDEXED)
        and bool(users)
        and all(user.op == "probability" or _is_probability(user, nodes) for user in users)
    )
