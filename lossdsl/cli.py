"""The command line. Exit status: 0 all is well, 1 a formula is wrong, 2 the call is wrong."""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from lossdsl import __version__, api, cli_functions, library, library_pages
from lossdsl.cli_input import FormulaCommand, formula_options, one, several
from lossdsl.cli_report import FORMATS, Result
from lossdsl.cli_screen import show as print_text
from lossdsl.configs import Found
from lossdsl.demo import run as run_demo
from lossdsl.errors import LossError, diagnostic
from lossdsl.precision import PRECISIONS
from lossdsl.source import Source, Span
from lossdsl.spec import check_strict, plain, unknown_settings
from lossdsl.syntax.format import format_text

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE_OR_STDIN = click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lossdsl")
def commands() -> None:
    """Losses written as formulas, compiled to real Keras losses.

    Put a formula in quotes: lossdsl check "mean(abs(y_true - y_pred))"
    """


def _read_strict(ctx: click.Context, param: click.Parameter, given: str | None) -> bool | float:
    """What `compile(strict=...)` takes, and nothing else."""
    try:
        return given is not None and check_strict(given)
    except LossError as error:
        said = error.diagnostics[0]
        raise click.BadParameter(f"{said.message}; {said.help}", ctx, param) from None


@commands.command(cls=FormulaCommand)
@formula_options
@click.option("--config", "configs", type=FILE, multiple=True, help="Check every formula of a YAML, JSON or TOML file.")
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option(
    "--strict",
    metavar="SIZE",
    callback=_read_strict,
    help="Refuse what isn't proved finite for undeclared data up to SIZE; `true` is any size.",
)
@click.option(
    "--dtype", type=click.Choice(list(PRECISIONS)), help="The type of the loss, unless a config gives another: float32."
)
def check(
    formula: str | None,
    files: Sequence[Path],
    configs: Sequence[Path],
    params: Sequence[tuple[str, Any]],
    form: str,
    strict: bool | float,
    dtype: str | None,
) -> None:
    """Check a formula: names, types, axes, parameters, that it can be trained on, and whether it can be NaN.

    Loads no framework.
    """
    try:
        results = [_check(found, strict, dtype) for found in several(formula, files, configs, params)]
    except LossError as error:
        results = [Result(None, None, error.diagnostics)]
    if text := FORMATS[form](results):
        print_text(text)
    sys.exit(0 if all(result.ok for result in results) else 1)


def _check(found: Found, strict: bool | float, dtype: str | None) -> Result:
    span = Span(found.source, 0, len(found.source.text))
    if found.interpolation is not None:
        return Result(found, None, (diagnostic("config-later", span, found=found.interpolation),))
    if wrong := unknown_settings(found.settings, found.known, span):
        return Result(found, None, (wrong,))
    try:
        own = found.strict is not None and check_strict(found.strict)
        params = {name: plain(name, value) for name, value in found.params.items()}
        report = api.report(found.source, params, measure=found.metric, dtype=found.dtype or dtype)
    except LossError as error:
        return Result(found, None, tuple(replace(each, span=each.span or span) for each in error.diagnostics))
    strict = max(strict, own, key=lambda size: math.inf if size is True else size)
    refusals = report.refusals(strict)
    return Result(found, None if refusals else report, (*report.diagnostics, *refusals))


@commands.command(cls=FormulaCommand)
@formula_options
@click.option(
    "--emit",
    type=click.Choice(api.EMITS),
    help="The syntax tree, the typed graph, the code that runs, the formula in canonical form, and so on. Without it: "
    "the page of a library loss that is named, else `types`.",
)
def show(formula: str | None, files: Sequence[Path], params: Sequence[tuple[str, Any]], emit: str | None) -> None:
    """Show a library loss, or a formula as one of the compiler's stages sees it."""
    found = one(formula, files, params)
    name = found.source.text.strip()
    if emit is None and not params and library.known(name):
        print_text(library_pages.as_text(name))
    else:
        click.echo(_or_exit(lambda: api.show(found.source, emit or "types", found.params)))


@commands.command(cls=FormulaCommand)
@formula_options
@click.option("--class-name", default="Loss", show_default=True, help="The name of the class.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def eject(
    formula: str | None,
    files: Sequence[Path],
    params: Sequence[tuple[str, Any]],
    class_name: str,
    output: Path | None,
) -> None:
    """Print a Keras file that is the loss, without lossdsl: the very code that runs."""
    if not class_name.isidentifier():
        raise click.UsageError(f"--class-name must be a Python name, not {class_name!r}")
    found = one(formula, files, params)
    text = _or_exit(lambda: api.eject(found.source, class_name, found.params))
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        output.write_text(text, "utf-8")


@commands.command()
@click.argument("files", nargs=-1, required=True, type=FILE_OR_STDIN)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail where something would change.")
def fmt(files: Sequence[Path], only_check: bool) -> None:
    """Write formula files in their canonical form, in place; `-` reads standard input and prints."""
    changed = False
    for path in files:
        stdin = str(path) == "-"
        text = sys.stdin.read() if stdin else path.read_text("utf-8-sig")
        source = Source(text, "<stdin>" if stdin else str(path))
        new = _or_exit(lambda source=source: format_text(source)).rstrip("\n") + "\n"
        changed = changed or new != text
        if stdin and not only_check:
            click.echo(new, nl=False)
        elif new != text:
            click.echo(f"{'would format' if only_check else 'formatted'} {source.name}", err=True)
            if not only_check:
                path.write_text(new, "utf-8")
    sys.exit(1 if only_check and changed else 0)


@commands.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Everything in the table, for programs.")
def functions(names: Sequence[str], as_json: bool) -> None:
    """List the functions that a formula can use, or those that are named."""
    found = cli_functions.entries()
    known = [str(entry["name"]) for entry in found]
    wanted = [library.ALIASES.get(name, name) for name in names]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise click.UsageError(f"no function {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if wanted:
        found = [entry for entry in found if entry["name"] in wanted]
    print_text(cli_functions.as_json(found) if as_json else cli_functions.as_text(found))


@commands.command(name="list")
@click.argument("words", nargs=-1)
def list_losses(words: Sequence[str]) -> None:
    """List the library's losses, or those whose name, source or description holds a word; `show NAME` shows one."""
    names = library_pages.matching(" ".join(words))
    if not names:
        click.echo(f"no loss in the library with {' '.join(words)!r}; `lossdsl list` shows all", err=True)
        sys.exit(1)
    print_text(library_pages.as_list(names))


@commands.command()
@click.option("--epochs", type=click.IntRange(1), default=40, show_default=True)
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="Where files are written."
)
def demo(epochs: int, folder: Path) -> None:
    """Train, save and reload a small model on real data, with a formula for a loss."""
    sys.exit(run_demo(folder, epochs))


def _or_exit(work: Any) -> str:
    """The text that `work` makes; what is wrong with the formula goes to the error stream, with status 1."""
    try:
        return str(work())
    except LossError as error:
        print_text("\n\n".join(d.render() for d in error.diagnostics), error=True)
        sys.exit(1)


def main() -> None:
    """The command `lossdsl`."""
    commands(prog_name="lossdsl")
