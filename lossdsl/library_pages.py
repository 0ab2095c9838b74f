"""The library for its readers: a list, a page for each loss, and all of it as Markdown (`docs/library.md`)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lossdsl import library
from lossdsl.analysis.ranges import ranges
from lossdsl.checked import analyse
from lossdsl.interval import LARGEST
from lossdsl.ir.node import INPUT, reachable
from lossdsl.proof import inputs
from lossdsl.source import Source
from lossdsl.syntax import ast
from lossdsl.syntax.parse import parse

COUPLED = {
    "none": "",
    "rows": "Couples samples: each one's value depends on the others.",
    "batch": "Couples samples: one number for the batch.",
}


@dataclass(frozen=True)
class Page:
    """Everything to be said about a library loss."""

    about: library.About
    declared: tuple[ast.Declaration, ...]
    body: str
    """The formula, without declarations and the comments at its head."""

    @property
    def signature(self) -> str:
        """How it is called in a formula."""
        given = [d.name if d.default is None else f"{d.name}={d.default.span.text}" for d in self.declared]
        return f"{self.about.name}({', '.join(given)})"


def page(name: str) -> Page:
    """The page of a loss, by its name or an alias; KeyError where there is none."""
    text = library.text(name)
    formula = parse(Source(text, f"<{name}>"))
    declared = tuple(s for s in formula.statements if isinstance(s, ast.Declaration))
    last = max((d.span.stop for d in declared), default=0)
    return Page(library.about(name), declared, text[last:].split("\n", 1)[1].strip())


def value_range(name: str) -> str:
    """Where its values lie whatever the data within their ranges are, or nothing where that is unknown."""
    checked = analyse(library.text(name), measure=True)
    root, data = checked.display().form.roots[0], inputs(checked, math.inf)
    nodes = reachable([root])
    found = ranges(nodes, {node: data[str(node.attr("name"))] for node in nodes if node.op == INPUT})[root]
    low, high = (end + 0.0 if abs(end) < LARGEST else None for end in (found.lo, found.hi))
    if low is None:
        return "" if high is None else f"at most {high:.4g}"
    return f"at least {low:.4g}" if high is None else f"from {low:.4g} to {high:.4g}"


def matching(word: str = "") -> tuple[str, ...]:
    """The losses in whose name, aliases, title, source or notes a word occurs, by family."""
    wanted = word.lower()
    found = [name for name in library.names() if wanted in _searched(name).lower()]
    families = list(library.FAMILIES)
    return tuple(sorted(found, key=lambda name: (families.index(library.family(name)), name)))


def _searched(name: str) -> str:
    about = library.about(name)
    return "\n".join([name, *library.aliases(name), about.family, about.title, about.source, about.notes])


def _by_family(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [(family, [name for name in names if library.family(name) == family]) for family in library.FAMILIES]


def as_list(names: Sequence[str]) -> str:
    """A line each, under their families."""
    width = max(map(len, names), default=0)
    lines: list[str] = []
    for family, inside in _by_family(names):
        if inside:
            lines += ["", f"{family}: {library.FAMILIES[family]}"]
            lines += [f"  {name:<{width}}  {library.about(name).title}" for name in inside]
    return "\n".join(lines[1:])


def as_text(name: str) -> str:
    """A page for the screen."""
    found = page(name)
    about = found.about
    lines = [f"{about.name} ({about.family})", about.title, "", *about.notes.splitlines(), ""]
    lines += [found.signature, *(f"  {d.span.text}" for d in found.declared), ""]
    lines += [*(f"  {line}".rstrip() for line in found.body.splitlines()), ""]
    return "\n".join([*lines, *_facts(found)])


def _facts(found: Page) -> Iterator[str]:
    name = found.about.name
    yield f"source: {found.about.source}"
    if other := library.aliases(name):
        yield f"also: {', '.join(other)}"
    if value := value_range(name):
        parameters = any(d.name not in ("y_true", "y_pred") for d in found.declared)
        yield f"value: {value}{', with the default parameters' if parameters else ''}"
    if coupled := COUPLED[analyse(library.text(name)).couples]:
        yield coupled
    yield from (f"example: {example}" for example in found.about.examples)


def markdown() -> str:
    """`docs/library.md`."""
    names = matching()
    parts = [_HEAD.format(count=len(names))]
    for family, inside in _by_family(names):
        links = ", ".join(f"[{name}](#{name})" for name in inside)
        parts.append(f"- **[{family}](#{family})**: {library.FAMILIES[family]}. {links}\n" if inside else "")
    for family, inside in _by_family(names):
        if inside:
            parts.append(f"\n## {family.capitalize()}\n\n{library.FAMILIES[family]}.\n")
            parts += [_section(page(name)) for name in inside]
    return "".join(parts)


_HEAD = """\
# The library

Generated from the files in `lossdsl/library/` by `make docs`; don't edit it here.

{count} losses, each in the language itself. A bare name is a formula (`lossdsl.compile("huber", delta=0.5)`), and
every loss is a function in formulas (`0.7 * binary_crossentropy(y_true, y_pred) + 0.3 * dice(y_true, y_pred)`). On
the command line: `lossdsl list [WORD]`, `lossdsl show NAME`. The value of an example is the mean over its samples.

"""


def _section(found: Page) -> str:
    name = found.about.name
    shown = ("source", "example")  # which stand in the file itself
    facts = "".join(f"- {fact[0].upper()}{fact[1:]}\n" for fact in _facts(found) if not fact.startswith(shown))
    return f"\n### {name}\n\n```\n{library.text(name)}```\n" + (f"\n{facts}" if facts else "")
