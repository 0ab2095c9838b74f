"""What can be wrong with a formula, and how it is shown: the one exception, diagnostics, and their rendering.

Every wording stands in `lossdsl.messages`; this module fills it in and draws the text with the place underlined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lossdsl.messages import MESSAGES, Severity
from lossdsl.source import Span

MAX_SHOWN = 160
"""Longest piece of user text inside a message, in characters."""
MAX_LONG = 800
"""Longest piece that is meant to be long, in characters."""
MAX_ROW = 160
"""Longest source line shown under a message, in characters."""


def escape(text: object, limit: int = MAX_SHOWN) -> str:
    """User text made safe to print: control and non-ASCII characters escaped, cut at `limit`."""
    raw = str(text)[: limit + 1]
    cut = raw[:limit] + ("..." if len(raw) > limit else "")
    return cut.encode("ascii", "backslashreplace").decode().translate(_CONTROL)


_CONTROL = {i: f"\\x{i:02x}" for i in (*range(32), 127)}


class Long(str):
    """A piece of a message that is shown at length: a reason in words, a whole definition."""

    __slots__ = ()


class Whole(str):
    """A piece of a message that is shown to its end, line by line: a formula to be copied."""

    __slots__ = ()


@dataclass(frozen=True)
class Diagnostic:
    """One thing to say about a formula: which message, where, and what the pieces are."""

    code: str
    message: str
    span: Span | None = None
    help: str = ""
    labels: tuple[tuple[Span, str], ...] = ()
    severity: Severity = field(default=Severity.ERROR)

    def render(self) -> str:
        """The message as shown to a person: place, message, source lines underlined, labels, help."""
        return "\n".join(_render(self))

    def to_dict(self) -> dict[str, object]:
        """Plain values, for `--format json`."""
        result: dict[str, object] = {
            "code": self.code, "severity": self.severity.value, "message": self.message, "help": self.help
        }  # fmt: skip
        if self.span is not None:
            line, column = self.span.source.position(self.span.start)
            result |= {"start": self.span.start, "stop": self.span.stop, "line": line, "column": column}
            result |= {"file": self.span.source.name, "place": self.span.source.place(self.span.start)}
        return result


def diagnostic(
    code: str, span: Span | None, *, help: str = "", labels: Sequence[tuple[Span, str]] = (), **pieces: object
) -> Diagnostic:
    """Fill in the message `code`; every piece is escaped, so user text can't reach the template language."""
    message = MESSAGES[code]
    safe = {name: _piece(piece) for name, piece in pieces.items()}
    return Diagnostic(
        code=code,
        message=message.text.format(**safe),
        span=span,
        help=help or message.help.format(**safe),
        labels=tuple(labels),
        severity=message.severity,
    )


def _piece(piece: object) -> str:
    if isinstance(piece, Whole):
        return "\n".join(escape(line, len(line)) for line in piece.splitlines())
    return escape(piece, MAX_LONG if isinstance(piece, Long) else MAX_SHOWN)


class LossError(ValueError):
    """A formula, its parameters or its data are wrong.

    The first line of `str(error)` says it alone; the rest shows every diagnostic in its place. `diagnostics`
    holds them all. It is a `ValueError`, so that pydantic, Hydra and Keras show it, and it pickles.
    """

    ag_pass_through = True
    """Asks TensorFlow to leave it as it is when it comes out of a function being traced."""

    def __init__(self, diagnostics: Diagnostic | Sequence[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = (
            (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        )
        super().__init__(self._text())

    def _text(self) -> str:
        first = self.diagnostics[0]
        where = f" (at {escape(first.span.source.place(first.span.start), 200)})" if first.span else ""
        more = len(self.diagnostics) - 1
        tail = f", and {more} more" if more else ""
        return "\n\n".join([first.message + where + tail, *(d.render() for d in self.diagnostics)])

    def __reduce__(self) -> tuple[type[LossError], tuple[tuple[Diagnostic, ...]]]:
        return type(self), (self.diagnostics,)


def fail(code: str, span: Span | None, **pieces: object) -> LossError:
    """A `LossError` of one diagnostic; `raise fail(...)`."""
    return LossError(diagnostic(code, span, **pieces))  # type: ignore[arg-type]


def _render(shown: Diagnostic) -> list[str]:
    head = f"{shown.severity.value}[{shown.code}]: {shown.message}"
    if shown.span is None:
        return [head, *_help(shown)]
    source = shown.span.source
    lines = [f"{escape(source.place(shown.span.start), 200)}: {head}"]
    marks: dict[int, list[tuple[Span, str]]] = {}
    for span, label in (*shown.labels, *(() if shown.labels else ((shown.span, ""),))):
        marks.setdefault(source.position(span.start)[0], []).append((span, label))
    gutter = len(str(max(marks) + source.line - 1))
    for line in sorted(marks):
        lines.extend(_row(source.row(line), line, gutter, marks[line]))
    return [*lines, *_help(shown)]


def _help(shown: Diagnostic) -> list[str]:
    return [f"  help: {line}" if i == 0 else f"        {line}" for i, line in enumerate(shown.help.splitlines())]


def _row(row: str, line: int, gutter: int, marks: list[tuple[Span, str]]) -> list[str]:
    """A source line, its marked pieces underlined with `^`, and each label on a line of its own below."""
    source = marks[0][0].source
    columns = [(source.position(span.start)[1] - 1, span) for span, _ in marks]
    left = max(0, min(column for column, _ in columns) - MAX_ROW // 2) if len(row) > MAX_ROW else 0
    shown = escape(row[left : left + MAX_ROW].replace("\t", " "), MAX_ROW)
    under = [" "] * (len(shown) + 1)
    notes = []
    for (column, span), (_, label) in zip(columns, marks, strict=True):
        start = min(column - left, len(shown))
        stop = min(start + max(1, span.stop - span.start), len(shown))
        under[start : max(stop, start + 1)] = "^" * max(1, stop - start)
        if label:
            notes.append((start, label))
    pad = " " * (gutter + 2)
    body = [f" {line + source.line - 1:>{gutter}} | {shown}", f"{pad}| {''.join(under).rstrip()}"]
    return body + [f"{pad}| {' ' * start}{label}" for start, label in sorted(notes, key=lambda note: -note[0])]
