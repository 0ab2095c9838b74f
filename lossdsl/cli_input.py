"""What the commands are given: a formula as an argument, in a file, on standard input, or inside a config."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from lossdsl.configs import Found, find
from lossdsl.errors import LossError
from lossdsl.source import Source
from lossdsl.spec import plain

_OPTION = re.compile(r"--[a-z][a-z-]*(=.*)?", re.DOTALL)


class FormulaCommand(click.Command):
    """A command whose argument may begin with `-`, as `-log(y_pred)` does.

    What is not an option of the command and does not look like a long one is a formula.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move the formulas behind a `--`, where click takes them as they are."""
        takes = {
            name: not param.is_flag
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            for name in (*param.opts, *param.secondary_opts)
        }
        options: list[str] = []
        formulas: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg == "--":
                formulas.extend(rest)
            elif arg in takes:
                options.append(arg)
                options.extend([value] if takes[arg] and (value := next(rest, None)) is not None else [])
            elif _OPTION.fullmatch(arg):
                options.append(arg)
            else:
                formulas.append(arg)
        return super().parse_args(ctx, [*options, "--", *formulas])


def _read_params(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> list[tuple[str, object]]:
    """`name=value`, the value being a number, True or False, or a list as in JSON."""
    result = []
    for item in given:
        name, equals, text = item.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{item!r} is not of the form name=value", ctx, param)
        try:
            result.append((name, plain(name, json.loads(text) if text.lstrip().startswith("[") else text)))
        except (LossError, ValueError, RecursionError) as error:
            raise click.BadParameter(str(error).split("\n", 1)[0], ctx, param) from None
    return result


def formula_options(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and options by which a command is given one formula and its parameters."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option(
            "--param",
            "-p",
            "params",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_read_params,
            help="A parameter's value; repeat for more.",
        ),
        click.option("--file", "-f", "files", type=file, multiple=True, help="Read the formula from a file."),
        click.argument("formula", required=False),
    ):
        command = option(command)
    return command


def one(formula: str | None, files: Sequence[Path], params: Sequence[tuple[str, Any]]) -> Found:
    """The one formula that a command was given."""
    found = several(formula, files, (), params)
    if len(found) != 1:
        raise click.UsageError("this command takes one formula")
    return found[0]


def several(
    formula: str | None, files: Sequence[Path], configs: Sequence[Path], params: Sequence[tuple[str, Any]]
) -> list[Found]:
    """Every formula that a command was given; parameters of the call go to those that are not in a config."""
    if formula is None and not files and not configs:
        raise click.UsageError("no formula: give one in quotes, `-f FILE`, `--config FILE`, or `-` to read it")
    given: dict[str, object] = dict(params)
    found = [] if formula is None else [Found(_argument(formula), given)]
    found += [Found(Source(_read(path), str(path)), given) for path in files]
    for path in configs:
        inside = find(path)
        if not inside:
            click.echo(f"{path}: no formula found", err=True)
        found += inside
    return found


def _argument(formula: str) -> Source:
    return Source(sys.stdin.read(), "<stdin>") if formula == "-" else Source(formula)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is not a text in UTF-8") from None
