"""Sums in which terms nearly cancel, in forms that keep their digits.

A sum is seen as numbers times products, in whatever order and with whatever signs it was written. A term may be
replaced as an identity of `rules.SUMS` says, `exp(x)` by `exp_rest(x) + (x + 1)`, where the rest cancels against other
terms to the last one: then what is left has nothing in it that cancels. So `1 + s - exp(s)` is `-exp_rest(s)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from lossdsl.ir.build import Builder
from lossdsl.ir.node import CONST, Node
from lossdsl.rewrite.match import Apply, Found, head, matches, needs, pattern, sums_within
from lossdsl.rewrite.rules import CANCELLED, QUOTIENTS, Rule
from lossdsl.types import DType

MOST_TERMS, MOST_FACTORS = 12, 6
"""How much of a sum, and of a product, is seen at once: what cancels stands close together."""
SAME = 1e-14
"""Numbers cancel that differ by this, relative to the larger: they are rounded themselves."""
LINEAR_IN_FIRST = frozenset({"xlogy", "xlog1py", "xlog_ratio", "divide", "xdivy"})
"""Operations that a number in front of their first operand may leave."""

Build = Callable[[str, Found, Node], Node | None]
"""Makes a node of a text in which the names of a pattern stand for what was found, in place of a node."""
Key = tuple[int, ...]


class Term(NamedTuple):
    """A number times the product of some nodes, and a node that is this product times `inner`, if there is one."""

    number: float
    factors: tuple[Node, ...]
    inner: float = 1.0
    whole: Node | None = None

    @property
    def key(self) -> Key:
        """The same for terms that can be added up."""
        return tuple(factor.number for factor in self.factors)

    def times(self, number: float, factors: Sequence[Node] = ()) -> Term:
        """The product with a number and more factors."""
        if not factors:
            return self._replace(number=self.number * number)
        return Term(self.number * number, tuple(sorted((*self.factors, *factors), key=lambda node: node.number)))


class Use(NamedTuple):
    """A term, by its place, that an identity may replace: what the names of the left side stand for, what that is
    multiplied by, and what is left over."""

    place: int
    found: Found
    number: float
    others: list[Node]
    rest: list[Term]


class Sums:
    """Applies identities to sums; with `cancel`, terms that add up to 0 go too, as is right in a gradient alone."""

    def __init__(
        self, builder: Builder, build: Build, rules: Sequence[Rule], differences: Sequence[Rule], cancel: bool
    ) -> None:
        self.builder, self.build, self.cancel = builder, build, cancel
        self.rules = {rule: _sides(rule) for rule in rules}
        self.heads = {name for rule in rules for name in (needs(rule) if head(rule) == "multiply" else {head(rule)})}
        self.differences = {rule: (_function(rule), rule.right) for rule in differences}
        self.heads |= {name for name, _ in self.differences.values()}

    def rewritten(self, node: Node) -> tuple[Rule, Node] | None:
        """A sum in a better form, and the identity; None where there is none."""
        if node.op not in ("add", "subtract") or node.type.dtype is not DType.FLOAT:
            return None
        terms = self._terms(node)
        if self.cancel and len(left := _added(terms)) < len({term.key for term in terms}):
            return (CANCELLED, self._sum(left)) if left else None
        if self.heads.isdisjoint(factor.op for term in terms for factor in term.factors):
            return None
        found = self._difference(terms, node)
        if found is not None:
            return found
        for rule, (core, rest) in self.rules.items():
            uses = [use for place in range(len(terms)) for use in self._uses(rule, rest, terms, place, node)]
            pairs = () if rule in QUOTIENTS else combinations(uses, 2)
            for chosen in (*combinations(uses, 1), *pairs):
                others = _without(terms, chosen)
                if others is not None:
                    made = [self._core(rule, core, use, node) for use in chosen]
                    return None if None in made else (rule, self._sum([*others, *filter(None, made)]))
        return None

    # -- sums as lists of terms -------------------------------------------------------------------------------

    def _terms(self, root: Node) -> list[Term]:
        found: list[Term] = []
        stack = [(1.0, root)]
        while stack:
            number, node = stack.pop()
            if node.op in ("add", "subtract") and len(found) + len(stack) < MOST_TERMS:
                first, second = node.inputs
                stack += [(number if node.op == "add" else -number, second), (number, first)]
            elif (scaled := _scaled(node)) is not None:
                stack.append((number * scaled[0], scaled[1]))
            elif node.op == CONST:
                found.append(Term(number * float(node.value), ()))
            else:
                inner, factors = self._factors(node)
                found.append(Term(number * inner, factors, inner, node))
        return found

    def _factors(self, root: Node) -> tuple[float, tuple[Node, ...]]:
        number, stack = 1.0, [root]
        found: list[Node] = []
        while stack:
            node = stack.pop()
            room = len(found) + len(stack) < MOST_FACTORS
            if node.op == "multiply" and room:
                stack += node.inputs
            elif node.op == "square" and room:
                stack += [node.inputs[0]] * 2
            elif node.op == "negative":
                number = -number
                stack.append(node.inputs[0])
            elif node.op == CONST:
                number *= float(node.value)
            elif node.op == "times_exp" and room:
                stack += [node.inputs[0], self.builder.apply("exp", [node.inputs[1]], span=node.span)]
            elif node.op in LINEAR_IN_FIRST and (scaled := _scaled(node.inputs[0])) is not None:
                number *= scaled[0]
                found.append(self.builder.apply(node.op, [scaled[1], *node.inputs[1:]], span=node.span))
            else:
                found.append(node)
        return number, tuple(sorted(found, key=lambda node: node.number))

    def _sum(self, terms: Sequence[Term]) -> Node:
        """The terms added up again, one that is not negative first."""
        ordered = sorted(terms, key=lambda term: term.number < 0 or not term.factors)
        first, *others = ordered
        result = self._product(first)
        for term in others:
            name = "subtract" if term.number < 0 else "add"
            result = self.builder.apply(name, [result, self._product(term.times(-1.0 if term.number < 0 else 1.0))])
        return result

    def _product(self, term: Term) -> Node:
        if not term.factors:
            return self.builder.graph.const(term.number)
        number, result = term.number, term.whole
        if result is not None:
            number = number / term.inner if term.inner else 1.0  # 0 times it is in that node already
        else:
            result, *others = term.factors
            for factor in others:
                result = self.builder.apply("multiply", [result, factor], span=factor.span)
        if number == -1.0:
            return self.builder.apply("negative", [result], span=result.span)
        if number != 1.0:
            result = self.builder.apply("multiply", [result, self.builder.graph.const(number)], span=result.span)
        return result

    # -- differences that other terms stand between -----------------------------------------------------------

    def _difference(self, terms: Sequence[Term], node: Node) -> tuple[Rule, Node] | None:
        """Two values of one function, one taken from the other, as `DIFFERENCES` has them."""
        for rule, (name, core) in self.differences.items():
            places = [i for i, term in enumerate(terms) if [factor.op for factor in term.factors] == [name]]
            for i, j in combinations(places, 2):
                one, other = (i, j) if terms[i].number > 0 else (j, i)
                if terms[one].number == -terms[other].number and terms[one].key != terms[other].key:
                    found: Found = {"x": terms[one].factors[0].inputs[0], "y": terms[other].factors[0].inputs[0]}
                    made = self.build(core, found, node)
                    others = [term for place, term in enumerate(terms) if place not in (i, j)]
                    if made is not None:
                        new = Term(1.0, (made,), 1.0, made).times(terms[one].number)
                        return rule, self._sum([new, *others])
        return None

    # -- identities -------------------------------------------------------------------------------------------

    def _uses(self, rule: Rule, rest: str, terms: Sequence[Term], place: int, node: Node) -> Iterator[Use]:
        """Every way in which an identity can replace a term."""
        for found, number, others in self._places(rule, terms[place]):
            left_over = self.build(rest, found, node)
            if left_over is not None:
                yield Use(place, found, number, others, [x.times(number, others) for x in self._terms(left_over)])

    def _places(self, rule: Rule, term: Term) -> Iterator[tuple[Found, float, list[Node]]]:
        """Where the left side of an identity stands in a term, and what it is multiplied by there."""
        wanted = pattern(rule.left)
        assert isinstance(wanted, Apply)
        product = wanted.op == "multiply"  # of a value and a function of it; a number may stand before either
        function = wanted.operands[1] if product else wanted
        for place, factor in enumerate(term.factors):
            others = [*term.factors[:place], *term.factors[place + 1 :]]
            for found in matches(factor, function):
                if rule.entries and sums_within(found):
                    continue
                if not product:
                    yield found, term.number, others
                elif (left := self._over(others, found["x"])) is not None:
                    yield found, term.number / left[0], left[1]

    def _over(self, factors: Sequence[Node], value: object) -> tuple[float, list[Node]] | None:
        """Factors without those of a value, and the number that this has; None where it is not among them."""
        assert isinstance(value, Node)
        number, gone = self._factors(value)
        left = list(factors)
        for node in gone:
            if node not in left:
                return None
            left.remove(node)
        return (number, left) if number != 0.0 and gone else None

    def _core(self, rule: Rule, text: str, use: Use, node: Node) -> Term | None:
        """What takes the place of a term."""
        core = self.build(text, use.found, node)
        if core is None:
            return None
        number, factors = self._factors(core if rule not in QUOTIENTS else self._apart(core))
        whole = core if rule not in QUOTIENTS and not use.others else None
        return Term(number, factors, number, whole).times(use.number, use.others)

    def _apart(self, core: Node) -> Node:
        """A `part` whose difference is written out, where its terms cancel: it is new, so that they may."""
        if core.op == "multiply":
            return self.builder.apply("multiply", [core.inputs[0], self._apart(core.inputs[1])], span=core.span)
        if core.op != "part":
            return core
        above, below = core.inputs
        terms = self._terms(self.builder.apply("subtract", [above, below], span=core.span))
        left = _added(terms)
        if not 0 < len(left) < len(terms):
            return core
        return self.builder.apply("divide", [self._sum(left), below], span=core.span)


def _function(rule: Rule) -> str:
    """The function of which a rule has two values, one taken from the other."""
    return next(iter(needs(rule)))


def _sides(rule: Rule) -> tuple[str, str]:
    """What takes the place of a term, and the rest: the right side is `core + (rest)`."""
    core, _, rest = rule.right.partition(" + (")
    assert rest.endswith(")"), rule.name
    return core, rest[:-1]


def _without(terms: Sequence[Term], uses: Sequence[Use]) -> list[Term] | None:
    """The other terms, if all that the uses leave over cancels against them or itself; None if it does not."""
    places = {use.place for use in uses}
    if len(places) < len(uses):
        return None
    others = [term for place, term in enumerate(terms) if place not in places]
    rest = [term for use in uses for term in use.rest]
    touched = {term.key for term in rest}
    if any(term.key in touched for term in _added([*others, *rest])):
        return None
    return [term for term in others if term.key not in touched]


def _scaled(node: Node) -> tuple[float, Node] | None:
    """A number and a node that it multiplies or divides."""
    if node.op == "negative":
        return -1.0, node.inputs[0]
    if node.op == "multiply":
        for factor, other in (node.inputs, node.inputs[::-1]):
            if factor.op == CONST and other.op != CONST:
                return float(factor.value), other
    if node.op == "divide" and node.inputs[1].op == CONST and node.inputs[1].value != 0:
        return 1.0 / float(node.inputs[1].value), node.inputs[0]
    return None


def _added(terms: Sequence[Term]) -> list[Term]:
    """Terms of one kind added up, without those that cancel."""
    found: dict[Key, Term] = {}
    for term in terms:
        before = found.get(term.key)
        if before is None:
            found[term.key] = term
            continue
        total = before.number + term.number
        if abs(total) <= SAME * max(abs(before.number), abs(term.number)):
            total = 0.0
        more = before if before.inner else term  # 0 times a product is no node to multiply
        found[term.key] = more._replace(number=total)
    return [term for term in found.values() if term.number != 0.0]
