"""Messages of the stage `config`: specs and the files that hold formulas; see `lossdsl.messages`."""

from __future__ import annotations

from lossdsl.messages.message import Message, Severity

CONFIG: dict[str, Message] = {
    "spec-form": Message(
        text="a loss is a formula or a mapping that holds one, not {found}",
        help="write the formula as text, or {{formula: ..., params: {{...}}}}",
        example="# LossSpec.parse(3)",
    ),
    "spec-key": Message(
        text="a loss has no setting {names}",
        help="it has: {known}",
        example="# LossSpec.parse({'formula': 'mean(y_pred)', 'reducton': 'sum'})",
    ),
    "spec-value": Message(
        text="parameter `{name}` is {found}",
        help="give a number, True or False, a list of numbers, or a list of such lists",
        example="# LossSpec('w * mean(y_pred - y_true)', params={'w': 'abc'})",
    ),
    "spec-setting": Message(
        text="{setting} can't be {found}",
        help="{allowed}",
        example="# LossSpec('mean(y_pred - y_true)', reduction='avg')",
    ),
    "spec-version": Message(
        text="this loss was written for version {found} of the language; this lossdsl knows version {known}",
        help="install a newer lossdsl",
        example="# LossSpec('mean(y_pred - y_true)', language=99)",
    ),
    "config-unreadable": Message(
        text="can't be read as {kind}: {reason}",
        help="only a file that {kind} itself accepts can be searched for formulas",
        example="# lossdsl check --config broken.yaml",
    ),
    "config-later": Message(
        text="not checked: `{found}` is filled in later",
        help="give the number as a parameter instead, so that the formula itself is fixed",
        example="# loss: mean(${{w}} * abs(y_true - y_pred)) in a file given to lossdsl check --config",
        severity=Severity.REMARK,
    ),
}
