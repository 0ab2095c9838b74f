"""Text for a person's screen: with colour where there is a terminal that wants it, else exactly as it is."""

from __future__ import annotations

import os
import sys
from typing import IO

import click

_STYLES = (
    (r"error\[[\w-]+\]", "bold red"),
    (r"warning\[[\w-]+\]", "bold yellow"),
    (r"remark\[[\w-]+\]", "bold blue"),
    (r"(?m)^\s*\| *\^[ ^]*$", "red"),
    (r"(?m)^ +\d+ \|", "dim"),
    (r"(?m)^ +help:", "bold cyan"),
    (r"(?m)^ok\b", "bold green"),
)


def show(text: str, *, error: bool = False) -> None:
    """Print a text; to the error stream where it isn't what was asked for."""
    stream = sys.stderr if error else sys.stdout
    if _coloured(stream):
        from rich.console import Console
        from rich.text import Text

        styled = Text(text)
        for pattern, style in _STYLES:
            styled.highlight_regex(pattern, style)
        Console(file=stream).print(styled, soft_wrap=True)
    else:
        click.echo(text, err=error)


def _coloured(stream: IO[str]) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
