"""Find every formula in a YAML, JSON or TOML file, with its place in that file.

A text is taken for a formula where it stands under a key that names losses or metrics (`KEYS`), directly or
inside lists and mappings under it, and is more than a bare name: it has an operator, a call, or a line
break. So `val_loss` is left alone; as a loss, the name of a library loss, or nearly one, is a formula all the same,
and what stands under `formula` itself is always one. In a mapping with a `formula`, only that is one, and its `params`
go with it; where `_target_` (Hydra) names a function of lossdsl, so does every setting that isn't in `SETTINGS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path

from lossdsl import library
from lossdsl.config_text import MERGE, Leaf, Node, read_toml, read_yaml
from lossdsl.errors import fail
from lossdsl.source import Source
from lossdsl.spec import LossSpec

LOSS_KEYS = ("loss", "losses", "loss_fn", "formula")
METRIC_KEYS = ("metric", "metrics", "weighted_metrics")
KEYS = (*LOSS_KEYS, *METRIC_KEYS)
"""The keys under which a text may be a formula."""
SETTINGS = ("formula", "params", "name", "reduction", "dtype", "logits", "strict", "jit_compile", "rewrite", "gradient")
"""What `lossdsl.compile` takes itself, next to parameters."""
SETTINGS_BESIDE = frozenset({"formula", "params", "class_name"})
"""Keys of a mapping that stands for one loss: what stands beside them is no loss of its own."""
SAVED = (*SETTINGS, "language", "uses", "epsilon")
"""The settings of a saved loss: what Keras has as the `config` beside a `class_name`."""
SPEC = tuple(each.name for each in fields(LossSpec))
"""The settings of a `LossSpec`."""
NOT_FORMULAS = ("name", "reduction", "dtype", "class_name", "registered_name", "module", "optimizer")
"""Keys whose texts are names, wherever they stand."""
_MORE_THAN_A_NAME = re.compile(r"[-+*/^<>=(\n\[]")
_INTERPOLATION = re.compile(r"\$\{[^}]*\}?")


@dataclass(frozen=True)
class Found:
    """A formula in a file: its text and place, its parameters there, and whether it stands for a metric."""

    source: Source
    params: dict[str, object] = field(default_factory=dict)
    metric: bool = False
    interpolation: str | None = None
    """The first `${...}` in the formula, its parameters or settings: what it will be is not known yet."""
    settings: tuple[str, ...] = ()
    """Settings that stand beside the formula, and itself."""
    known: tuple[str, ...] = SPEC
    """Those that are allowed there."""
    dtype: str | None = None
    """The type that stands beside the formula."""
    strict: object = None
    """What stands beside the formula of a proof that is demanded."""


def find(path: Path | str, text: str | None = None) -> list[Found]:
    """The formulas of a file, in its order; `text` is its content, if that was read. Raises LossError."""
    path = Path(path)
    content = _content(path) if text is None else text
    read = read_toml if path.suffix.lower() == ".toml" else read_yaml
    return [_found(*hit) for root in read(content, str(path)) for hit in _walk(root)]


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail("config-unreadable", None, kind="UTF-8", reason=f"{path}: {error.reason}") from None


def _walk(root: Node) -> Iterator[tuple[Leaf, Mapping[str, Node], bool, tuple[str, ...]]]:
    """Each formula's leaf, the mapping around it, whether it is a metric's, and the settings that are allowed there;
    in the order of the file."""
    stack: list[tuple[Node, str, str, Mapping[str, Node], tuple[str, ...]]] = [(root, "", "", {}, SPEC)]
    while stack:
        node, key, under, around, known = stack.pop()
        if isinstance(node, Leaf):
            named = under in LOSS_KEYS and not SETTINGS_BESIDE.intersection(around) and _named(node.text.strip())
            whole = key == "formula" or named or _MORE_THAN_A_NAME.search(node.text)
            if under and key not in NOT_FORMULAS and whole:
                yield node, around, under in METRIC_KEYS, known
        elif isinstance(node, list):
            stack.extend((item, key, under, around, known) for item in reversed(node))
        else:
            known = SAVED if key == "config" and "class_name" in around else SPEC
            own = {name: item for name, item in node.items() if name != MERGE}
            below = [(item, name, _under(name, under, node), node, known) for name, item in own.items()]
            stack.extend(reversed(below))


def _named(text: str) -> bool:
    """Whether a text is the name of a library loss, or nearly: that is worth an error with advice."""
    known = (*library.names(), *library.ALIASES)
    return text in known or (len(text) > 3 and bool(get_close_matches(text, known, n=1, cutoff=0.85)))


def _under(key: str, under: str, around: Mapping[str, Node]) -> str:
    """The loss or metric key that governs a value: its own, or one further up; not beside a `formula`."""
    if key == "formula":
        return under or key
    if key in KEYS:
        return key
    return "" if "formula" in around or key.startswith("_") else under


def _found(leaf: Leaf, around: Mapping[str, Node], metric: bool, known: tuple[str, ...]) -> Found:
    given: dict[str, Node] = {}
    around = _merged(around) if "formula" in around else {}
    if around:
        target = around.get("_target_")
        if isinstance(target, Leaf) and target.text.startswith("lossdsl."):
            given = {k: v for k, v in around.items() if k not in SETTINGS and not k.startswith("_")}
            metric = metric or target.text == "lossdsl.metric"
        params = around.get("params")
        given |= params if isinstance(params, dict) else {}
    values = {name: _value(node) for name, node in given.items()}
    dtype = node.text if isinstance(node := around.get("dtype"), Leaf) else None
    strict = _value(around["strict"]) if "strict" in around else None
    texts = [leaf.text, dtype or "", str(strict), *(item for value in values.values() for item in _texts(value))]
    hits = (_INTERPOLATION.search(text) for text in texts)
    first = next((hit.group() for hit in hits if hit), None)
    settings = () if "_target_" in around else tuple(around)
    named = dtype if dtype not in ("", "null", "~", "None") else None
    return Found(leaf.source, values, metric, first, settings, known, named, strict)


def _merged(around: Mapping[str, Node]) -> dict[str, Node]:
    """A mapping with what a merge brings in, where it says nothing itself."""
    own = {key: node for key, node in around.items() if key != MERGE}
    merged = around.get(MERGE, [])
    for base in merged if isinstance(merged, list) else [merged]:
        own = {**_merged(base), **own} if isinstance(base, dict) else own
    return own


def _value(node: Node, depth: int = 2) -> object:
    """A parameter's value: text, or lists of text to the depth of a matrix; `plain` makes numbers of it."""
    if isinstance(node, list) and depth:
        return [_value(item, depth - 1) for item in node]
    return node.text if isinstance(node, Leaf) else node


def _texts(value: object) -> Iterator[str]:
    rows = value if isinstance(value, list) else [value]
    for row in rows:
        yield from (item for item in (row if isinstance(row, list) else [row]) if isinstance(item, str))
