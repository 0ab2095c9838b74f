"""The named losses: `.loss` files in a folder for each family, in the language itself. No formula is parsed here.

A file begins with comments: a line of title, a `Source:`, what is computed (`Per sample:`, or one number for the
batch), and an `Example:` or more, a call and its value. A line indented by three spaces goes on with the one before.
`about` reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from lossdsl.library.aliases import ALIASES

FAMILIES = {
    "regression": "Numbers against numbers, and forecasts",
    "robust": "Numbers with outliers",
    "probabilistic": "Distributions: likelihoods, scores and divergences",
    "classification": "Classes: one, several, ordered, imbalanced, wrongly labelled",
    "segmentation": "Masks and images",
    "detection": "Boxes, key points and dense detectors",
    "contrastive": "Embeddings: pairs, triplets, batches, self-supervision",
    "ranking": "Lists, and pairs of what should come first",
    "survival": "Times to an event, some censored",
    "preference": "Preferences, rewards and policies",
    "audio": "Sound and sequences",
    "adversarial": "Generators and discriminators",
}
"""The families, in the order in which they are shown, and what each is about."""

__all__ = ["ALIASES", "FAMILIES", "About", "about", "aliases", "family", "known", "names", "text"]

_SUFFIX = ".loss"
_MARKS = ("Source:", "Example:")


@dataclass(frozen=True)
class About:
    """What the comments at the head of a library file say."""

    name: str
    family: str
    title: str
    source: str
    notes: str
    """What is computed, and what is worth knowing beside it."""
    examples: tuple[str, ...]
    """Each `name(y_true=..., y_pred=..., ...) = value`, a value as calling the loss gives it."""


@cache
def _files() -> dict[str, tuple[str, Traversable]]:
    folders = [(family, files(__name__).joinpath(family)) for family in FAMILIES]
    found = ((family, item) for family, folder in folders if folder.is_dir() for item in folder.iterdir())
    return {item.name.removesuffix(_SUFFIX): (family, item) for family, item in found if item.name.endswith(_SUFFIX)}


@cache
def names() -> tuple[str, ...]:
    """The names of all library losses, sorted; aliases are not among them."""
    return tuple(sorted(_files()))


def known(name: str) -> bool:
    """Whether there is a library loss of this name or alias."""
    return ALIASES.get(name, name) in _files()


def aliases(name: str) -> tuple[str, ...]:
    """The other names of a library loss."""
    return tuple(short for short, full in ALIASES.items() if full == name)


def _file(name: str) -> tuple[str, Traversable]:
    if not known(name):
        raise KeyError(name)
    return _files()[ALIASES.get(name, name)]


def family(name: str) -> str:
    """The family of a library loss, by its name or an alias; KeyError where there is none."""
    return _file(name)[0]


@cache
def text(name: str) -> str:
    """The definition of a library loss, by its name or an alias; KeyError where there is none."""
    return _file(name)[1].read_text("utf-8")


def about(name: str) -> About:
    """What a library file says of itself, by the loss's name or an alias; KeyError where there is none."""
    head = re.match(r"(?:#.*\n)*", text(name))
    assert head is not None
    title, *rest = re.sub(r"\n#   +", " ", head.group()).splitlines()
    lines = [line.removeprefix("#").strip() for line in rest]
    marked = {mark: [ln.removeprefix(mark).strip() for ln in lines if ln.startswith(mark)] for mark in _MARKS}
    notes = "\n".join(line for line in lines if not line.startswith(_MARKS))
    full = ALIASES.get(name, name)
    source = " ".join(marked["Source:"])
    return About(full, family(name), title.removeprefix("#").strip(), source, notes, tuple(marked["Example:"]))
