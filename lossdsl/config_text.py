"""Read YAML, JSON and TOML into a tree whose texts know where every character stands in the file."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lossdsl.errors import LossError, fail
from lossdsl.source import Source, Span


@dataclass(frozen=True)
class FileSource(Source):
    """The text of a value in a file, unfolded and unescaped.

    `places` has the line and column of each of its characters, and of its end.
    """

    places: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def place(self, offset: int) -> str:
        """`name:line:column` in the file, through escapes and folding."""
        line, column = self.places[min(offset, len(self.places) - 1)]
        return f"{self.name}:{line}:{column}"


@dataclass(frozen=True)
class Leaf:
    """A value that is not a collection: its text (of a number too) and where it stands."""

    text: str
    source: Source = field(repr=False)


MERGE = "<<"
"""The key under which a mapping takes over what others hold."""
Node = Leaf | list["Node"] | dict[str, "Node"]


class _File:
    """A file's content, and the place of any offset in it."""

    def __init__(self, content: str, name: str) -> None:
        self.content = content
        self.name = name
        self.starts = [0, *(i + 1 for i, c in enumerate(content) if c == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        row = bisect_right(self.starts, offset) - 1
        return row + 1, offset - self.starts[row] + 1

    def leaf(self, text: str, start: int, stop: int, escapes: str) -> Leaf:
        """A text that was written in `content[start:stop]`, its escapes being those of `escapes` quotes."""
        offsets = align(text, self.content, start, stop, escapes)
        places = tuple(self.place(offset) for offset in offsets)
        line, column = places[0]
        return Leaf(text, FileSource(text, self.name, line, column, places=places))


_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_BLANK = " \t\r\n"


def align(text: str, raw: str, start: int, stop: int, escapes: str) -> list[int]:
    """The offset in `raw[start:stop]` of every character of `text`, and of its end.

    A format changes blanks (folding, indents) and escapes; every other character comes through, in order.
    `escapes` is `"` for backslashes, `'` for doubled quotes, or nothing.
    """
    offsets = []
    at = start
    for char in text:
        if char not in _BLANK:
            while at < stop and raw[at] in _BLANK:
                at += 1
            joined = _ESCAPE.match(raw, at) if escapes == '"' else None
            while joined and joined.group()[1] in "\r\n":
                at = joined.end()
                while at < stop and raw[at] in _BLANK:
                    at += 1
                joined = _ESCAPE.match(raw, at)
        offsets.append(min(at, stop))
        at = _after(char, raw, at, escapes)
    return [*offsets, min(at, stop)]


def _after(char: str, raw: str, at: int, escapes: str) -> int:
    """Where reading goes on after the character that stands at `at`."""
    if escapes == '"' and (escape := _ESCAPE.match(raw, at)):
        return escape.end()
    if escapes == "'" and char == "'":
        return at + 2
    if char in _BLANK and raw[at : at + 1] != char:
        return at
    return at + 1


def read_yaml(content: str, name: str) -> Iterator[Node]:
    """The documents of a YAML or JSON file; what an alias repeats is read once, where it stands, but for a merge."""
    import yaml

    # JSON may be indented with tabs, which YAML forbids; inside a value a tab is an escape in both.
    file = _File(content.replace("\t", " ") if content.lstrip()[:1] in "{[" else content, name)
    documents: list[Node] = []
    stack: list[tuple[Node, str | None]] = []
    anchored: dict[str | None, Node] = {}
    try:
        for event in yaml.parse(file.content, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.ScalarEvent):
                _put(documents, stack, _scalar(file, event))
            elif isinstance(event, yaml.AliasEvent):
                nothing = file.leaf("", 0, 0, "")
                merged = any(key == MERGE for _, key in stack[-2:])
                found = anchored.get(event.anchor, nothing) if merged else nothing
                inside = any(around is found for around, _ in stack)  # a mapping that would take over itself
                _put(documents, stack, nothing if inside else found)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                stack.append(({} if isinstance(event, yaml.MappingStartEvent) else [], None))
                anchored[event.anchor] = stack[-1][0]
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                _put(documents, stack, stack.pop()[0])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise _unreadable(file, "YAML", reason, mark.index if mark else None) from None
    return iter(documents)


def _put(documents: list[Node], stack: list[tuple[Node, str | None]], node: Node) -> None:
    """Put a finished value where it belongs: a document, an item of a list, a key, or the value of a key."""
    if not stack:
        documents.append(node)
        return
    around, key = stack[-1]
    if isinstance(around, list):
        around.append(node)
    elif key is None:
        stack[-1] = around, node.text if isinstance(node, Leaf) else ""
    elif isinstance(around, dict):
        around[key] = node
        stack[-1] = around, None


def _scalar(file: _File, event: Any) -> Leaf:
    start, stop = event.start_mark.index, event.end_mark.index
    if event.style in ("|", ">"):
        header = file.content.find("\n", start, stop)
        start = stop if header < 0 else header + 1
    elif event.style:
        start, stop = start + 1, stop - 1
    return file.leaf(event.value, start, stop, event.style if event.style in ('"', "'") else "")


_TOML = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |\"\"\"(?P<long>(?:\\.|(?!\"\"\").)*\"{3,5})
    |'''(?P<rawlong>(?:(?!''').)*'{3,5})
    |"(?P<basic>(?:\\.|[^"\\\n])*)"
    |'(?P<raw>[^'\n]*)'""",
    re.DOTALL | re.VERBOSE,
)


def read_toml(content: str, name: str) -> Iterator[Node]:
    """A TOML file: its values by the standard library, their places by a search for the texts as written."""
    file = _File(content.replace("\r\n", "\n"), name)
    try:
        data = tomllib.loads(file.content)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        at = file.starts[int(found[1]) - 1] + int(found[2]) - 1 if found else len(file.content)
        raise _unreadable(file, "TOML", str(error), at) from None
    written: dict[str, list[Leaf]] = {}
    for leaf in _strings(file):
        written.setdefault(leaf.text, []).append(leaf)
    yield _located(data, written, file)


def _strings(file: _File) -> Iterator[Leaf]:
    for match in _TOML.finditer(file.content):
        kind = match.lastgroup
        if kind == "comment" or kind is None:
            continue
        start, stop = match.span(kind)
        if kind in ("long", "rawlong"):
            stop -= 3
        text = tomllib.loads(f"text = {match.group()}")["text"]
        yield file.leaf(text, start, stop, '"' if kind in ("basic", "long") else "")


def _located(data: dict[str, Any], written: dict[str, list[Leaf]], file: _File) -> Node:
    """The tree of `data`; equal texts are told apart by their order, which is that of the file."""
    root: dict[str, Node] = {}
    stack: list[tuple[Any, Any, Any]] = [(root, key, value) for key, value in reversed(data.items())]
    while stack:
        around, key, value = stack.pop()
        node: Node
        if isinstance(value, dict):
            node = {}
            stack.extend((node, name, item) for name, item in reversed(value.items()))
        elif isinstance(value, list):
            node = []
            stack.extend((node, None, item) for item in reversed(value))
        else:
            places = written.get(value, []) if isinstance(value, str) else []
            node = places.pop(0) if places else file.leaf(str(value), 0, 0, "")
        if isinstance(around, list):
            around.append(node)
        else:
            around[key] = node
    return root


def _unreadable(file: _File, kind: str, reason: str, at: int | None) -> LossError:
    """The error of the format itself, shown in its place."""
    span = None if at is None else Span(Source(file.content, file.name), at, at + 1)
    return fail("config-unreadable", span, kind=kind, reason=reason)
