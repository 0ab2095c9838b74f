"""Where a piece of a formula stands in the text that the user typed."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Source:
    """The text of one formula, as typed, and the name of the place it came from.

    `line` and `column` (from 1) say where the text begins in that place, so that a formula found inside
    a YAML file reports the file's own positions; `indent` is what a block scalar removed from every line.
    """

    text: str
    name: str = "<formula>"
    line: int = 1
    column: int = 1
    indent: int = 0

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column), from 1, of an offset, within the text itself."""
        row = bisect_right(self.starts, offset) - 1
        return row + 1, offset - self.starts[row] + 1

    def place(self, offset: int) -> str:
        """`name:line:column` of an offset, in the file that holds the formula."""
        line, column = self.position(offset)
        shift = self.column - 1 if line == 1 else self.indent
        return f"{self.name}:{line + self.line - 1}:{column + shift}"

    def row(self, line: int) -> str:
        """The text of a line (from 1), without its line end."""
        start = self.starts[line - 1]
        stop = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[start:stop].rstrip("\r\n")


@dataclass(frozen=True)
class Span:
    """Characters `start` to `stop` (exclusive) of a source."""

    source: Source = field(repr=False)
    start: int
    stop: int

    @property
    def text(self) -> str:
        """The characters, as typed."""
        return self.source.text[self.start : self.stop]

    def to(self, other: Span) -> Span:
        """The span from the beginning of this one to the end of another."""
        return Span(self.source, min(self.start, other.start), max(self.stop, other.stop))


def span_of(text: str, name: str = "<formula>") -> Span:
    """A span over the whole of a text that has no larger source."""
    return Span(Source(text, name), 0, len(text))
