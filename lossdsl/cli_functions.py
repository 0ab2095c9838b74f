"""`lossdsl functions`: the operation table and the library, as a list or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lossdsl import library, library_pages
from lossdsl.ops import OPS

WIDTH = 40
"""Columns for a signature, before its description."""


def entries() -> list[dict[str, object]]:
    """Every function of the language, then every library loss, as plain values."""
    table: list[dict[str, object]] = [
        {
            "name": op.name,
            "family": op.family.value,
            "signature": op.sig,
            "doc": op.doc,
            "example": op.example,
            "means": op.means,
        }
        for op in OPS.values()
    ]
    return sorted(table, key=lambda e: (str(e["family"]), str(e["name"]))) + [_loss(n) for n in library.names()]


def _loss(name: str) -> dict[str, object]:
    page = library_pages.page(name)
    return {
        "name": name,
        "family": "library",
        "signature": page.signature,
        "doc": page.about.title,
        "aliases": list(library.aliases(name)),
        "source": page.about.source,
        "definition": library.text(name),
    }


def as_json(found: Sequence[dict[str, object]]) -> str:
    """A list of objects."""
    return json.dumps(list(found), indent=2, allow_nan=False)


def as_text(found: Sequence[dict[str, object]]) -> str:
    """By family, one line each."""
    lines: list[str] = []
    family = None
    for entry in found:
        if entry["family"] != family:
            family = entry["family"]
            lines += ["", f"{family}:"] if lines else [f"{family}:"]
        lines += _lines(entry)
    return "\n".join(lines)


def _lines(entry: dict[str, object]) -> list[str]:
    signature = f"  {entry['signature']}"
    aliases = entry.get("aliases")
    short = f" Also: {', '.join(aliases)}." if isinstance(aliases, list) and aliases else ""
    doc = f"{entry['doc']}{short}"
    if len(signature) >= WIDTH:
        return [signature, " " * WIDTH + doc]
    return [f"{signature:<{WIDTH}}{doc}"]
